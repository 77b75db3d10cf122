"""Finds out what `rtnb doctor` reports on: packages, variables, engines, and one turn with the local service."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import sys
import time
from collections.abc import Mapping
from importlib import metadata

import rtnb
from rtnb.client.endpoint import Request, resolve
from rtnb.connecting import connect
from rtnb.doctor import Destination, Facts, Made, Requirement, Turn, requirements
from rtnb.errors import RtnbError
from rtnb.notebook.nesting import refusal
from rtnb.service.engines.capabilities import capabilities
from rtnb.service.server.process import ServiceProcess

_PROMPT = "Say hello."


def facts() -> Facts:
    """Find out what is the case here. It starts the local service and holds one turn with it: about two seconds."""
    packages = installed()
    return Facts(
        python=tuple(sys.version_info[:3]),
        implementation=f"{platform.python_implementation()} on {platform.system()} {platform.machine()}, {sys.executable}",
        version=rtnb.__version__,
        requirements=needed(),
        packages=packages,
        variables=frozenset(name for name, value in os.environ.items() if value),
        destination=destination(os.environ),
        engines=engines(),
        turn=turn(),
        nesting=refusal(
            packages.get("nest-asyncio2"),
            packages.get("nest-asyncio"),
            old_applied=False,
            loop_type=asyncio.SelectorEventLoop,
        ),
    )


def installed() -> dict[str, str]:
    """Return the versions of what is installed, by name: in lower case, with hyphens."""
    found: dict[str, str] = {}
    for package in metadata.distributions():
        name = package.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), package.version)
    return found


def needed() -> list[Requirement]:
    """Return what rtnb requires; nothing where it was not installed."""
    try:
        return requirements(metadata.requires("rtnb") or ())
    except metadata.PackageNotFoundError:
        return []


def destination(environ: Mapping[str, str]) -> Destination:
    """Return where ``rtnb.connect()`` would go with these environment variables."""
    try:
        place, _ = resolve(Request(), environ)
    except RtnbError as error:
        return Destination(problem=str(error))
    return Destination(place.words, place.dialect.title, place.credential, place.model)


def engines() -> list[Made]:
    """Return what makes what in the local service, and what could; a second choice that is there is not told."""
    return [
        Made(each.part, each.engine, each.version, each.state, each.how_to_get if each.state == "not installed" else "")
        for each in capabilities()
        if each.state != "present"
    ]


def turn() -> Turn:
    """Start the local service, ask it something, and stop it."""
    began = time.monotonic()
    try:
        with ServiceProcess.start() as service, connect(service.url) as session:
            started = time.monotonic() - began
            answer = session.ask(_PROMPT)
            problem = "" if answer.status == "completed" else f"the response is {answer.status}: {answer.error}"
            return Turn(started, answer.latency.first_audio, answer.latency.done, answer.audio.duration, problem)
    except (RtnbError, OSError) as error:
        return Turn(problem=str(error))
