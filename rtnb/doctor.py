"""`rtnb doctor`: checks the installation, and says what to do about each thing that is wrong with it.

Each section of the report is a function from facts to findings, so that it can be tested with facts of any computer;
`examine` collects the facts of this one.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rtnb.client.endpoint import resolve
from rtnb.client.options import ConnectOptions
from rtnb.connecting import connect
from rtnb.errors import RtnbError
from rtnb.formatting import one_line, plural, printable, seconds
from rtnb.notebook.nesting import refusal
from rtnb.protocol import catalog
from rtnb.service.engines.capabilities import Capability, capabilities
from rtnb.service.server.process import ServiceProcess
from rtnb.version import __version__

OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"
LEAST_PYTHON = (3, 11)
EXTRAS: dict[str, str] = {
    "voice": "better voices, recognition, resampling",
    "data": "to_pandas() and Parquet",
    "files": "FLAC, OGG and MP3",
    "lab": "the notebooks in JupyterLab",
}
"""The extras that a person may want, and what they bring."""

VARIABLES = (
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_DEPLOYMENT_NAME",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "OPENAI_API_VERSION",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "WSS_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
"""The environment variables that decide something about a session."""

Packages = Mapping[str, str]
"""Versions of the installed packages, by their canonical names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: its section, ``"ok"``, ``"note"`` or ``"PROBLEM"``, what was found, and what to do about it."""

    section: str
    state: str
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found, in order."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Return what must be put right."""
        return tuple(finding for finding in self.findings if finding.state == PROBLEM)

    def __str__(self) -> str:
        lines: list[str] = []
        section = ""
        for finding in self.findings:
            if finding.section != section:
                section = finding.section
                lines += ["", section]
            lines.append(f"  {finding.state:<8} {printable(finding.what)}")
            if finding.advice:
                lines.append(f"{'':<11}→ {printable(finding.advice)}")
        found = len(self.problems)
        verdict = f"{plural(found, 'problem')}; each says after → what to do." if found else "Nothing is wrong."
        return "\n".join([*lines[1:], "", verdict])


def examine() -> Checkup:
    """Check this installation. It starts the local service for one spoken turn, which takes about two seconds."""
    packages = installed()
    nesting = refusal(
        packages.get("nest-asyncio2"),
        packages.get("nest-asyncio"),
        old_applied=False,
        loop_type=asyncio.SelectorEventLoop,
    )
    where = f"{platform.python_implementation()} on {platform.system()} {platform.machine()}, {sys.executable}"
    return Checkup(
        (
            *check_python(tuple(sys.version_info[:3]), where),
            *check_packages(requirements(), packages),
            *check_engines(capabilities()),
            *check_variables({name for name, value in os.environ.items() if value}),
            *check_destination(os.environ, date.today()),
            *check_models(date.today()),
            *check_spoken_turn(),
            *check_notebook(packages, nesting),
        )
    )


def installed() -> dict[str, str]:
    """Return the versions of the installed packages."""
    found: dict[str, str] = {}
    for package in metadata.distributions():
        if name := package.metadata["Name"]:
            found.setdefault(canonicalize_name(name), package.version)  # the first one is the one that is imported
    return found


def requirements() -> list[Requirement]:
    """Return what rtnb requires, by its own metadata; nothing where it was not installed."""
    try:
        return [Requirement(line) for line in metadata.requires("rtnb") or ()]
    except metadata.PackageNotFoundError:
        return []


def check_python(version: tuple[int, ...], where: str) -> Iterator[Finding]:
    """Check the interpreter."""
    shown = f"Python {'.'.join(map(str, version))}, {where}"
    if version[:2] < LEAST_PYTHON:
        yield Finding("Python", PROBLEM, shown, "rtnb needs Python 3.11 or newer: make a virtual environment with one")
    else:
        yield Finding("Python", OK, shown)
    yield Finding("Python", OK, f"rtnb {__version__}")


def check_packages(required: Iterable[Requirement], packages: Packages) -> Iterator[Finding]:
    """Check what rtnb cannot do without, and name the extras that are missing or incomplete."""
    required = list(required)
    needed = [each for each in required if each.marker is None]
    if not needed:
        advice = 'in the project\'s folder: pip install -e ".[lab,voice,data]"'
        yield Finding("Packages", NOTE, "rtnb was not installed, so that what it needs is not known", advice)
    for each in needed:
        if not _suffices(each, packages):
            yield Finding(
                "Packages", PROBLEM, _shortcoming(each, packages), f'pip install "{each.name}{each.specifier}"'
            )
    if there := [_version(each.name, packages) for each in needed if _suffices(each, packages)]:
        yield Finding("Packages", OK, ", ".join(there))
    for extra, brings in EXTRAS.items():
        wanted = [each for each in required if each.marker is not None and each.marker.evaluate({"extra": extra})]
        missing = [_shortcoming(each, packages) for each in wanted if not _suffices(each, packages)]
        if missing:
            what, advice = f"[{extra}] {brings}: {', '.join(missing)}", f'if you want it: pip install "rtnb[{extra}]"'
            yield Finding("Packages", NOTE, what, advice)
        elif wanted:
            yield Finding("Packages", OK, f"[{extra}] {', '.join(_version(each.name, packages) for each in wanted)}")


def _suffices(wanted: Requirement, packages: Packages) -> bool:
    version = packages.get(canonicalize_name(wanted.name))
    return version is not None and wanted.specifier.contains(version, prereleases=True)


def _shortcoming(wanted: Requirement, packages: Packages) -> str:
    version = packages.get(canonicalize_name(wanted.name))
    return f"{wanted.name} is missing" if version is None else f"{wanted.name} {version} is not {wanted.specifier}"


def _version(name: str, packages: Packages) -> str:
    return f"{name} {packages[canonicalize_name(name)]}"


def check_engines(engines: Iterable[Capability]) -> Iterator[Finding]:
    """Name what the local service writes, speaks and listens with, and how to get the engines that are not installed."""
    for each in engines:
        if each.state != "present":  # a second choice that is not used
            missing = each.state == "not installed"
            named = " ".join(filter(None, (f"{each.part}:", each.engine, each.version)))
            advice = each.how_to_get if missing else ""
            yield Finding("Local service: its engines", NOTE if advice else OK, f"{named} ({each.state})", advice)


def check_variables(names: Collection[str]) -> Iterator[Finding]:
    """Name the environment variables that are set and matter, never their values."""
    section = "Environment (names only)"
    known = [name for name in VARIABLES if name in names]
    yield Finding(section, OK, ", ".join(known) or "none that matters is set")
    if "AZURE_OPENAI_API_KEY" in known and "AZURE_OPENAI_ENDPOINT" not in known:
        yield Finding(section, NOTE, "AZURE_OPENAI_API_KEY is not used alone", "set AZURE_OPENAI_ENDPOINT as well")
    if {"OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"} <= set(known):
        advice = "for OpenAI write rtnb.connect('openai')"
        yield Finding(section, NOTE, "both Azure and OpenAI are set; Azure goes first", advice)


def check_destination(environ: Mapping[str, str], today: date) -> Iterator[Finding]:
    """Say where ``rtnb.connect()`` would go with these environment variables, and what of its model is to be known `today`."""
    section = "rtnb.connect() would go to"
    try:
        place, _ = resolve(ConnectOptions(), environ)
    except RtnbError as error:
        yield Finding(section, PROBLEM, "nowhere", one_line(error, 400))
        return
    words = f"{place.words}: {place.dialect.title}, model {place.model}, {place.credential}"
    yield Finding(section, OK, f"{words} (address from {place.named_by})" if place.named_by else words)
    known = catalog.model_named(place.model)
    if known is None and place.provider == catalog.OPENAI:
        advice = catalog.unknown_model(place.model, catalog.OPENAI, today)
        yield Finding(section, NOTE, f"the model {place.model} is not among those that rtnb knows", advice)
    for ending in catalog.ending_soon([place.model], place.provider, today):
        state = NOTE if known is not None and known.lives(place.provider, today) else PROBLEM
        yield Finding(section, state, ending, "name another one: model= or, on Azure, deployment=")


def check_models(today: date) -> Iterator[Finding]:
    """Name the models that live, by the table of `rtnb.protocol.catalog`."""
    for provider, source in catalog.SOURCES.items():
        yield Finding("Models that live", OK, str(source))
        for use in (catalog.REALTIME, catalog.TRANSCRIPTION):
            yield Finding("Models that live", OK, f"  {use}: {catalog.lifetimes(use, provider, today)}")


def check_spoken_turn() -> Iterator[Finding]:
    """Start the local service, ask it something, and stop it."""
    section, began = "Local service: one spoken turn", time.monotonic()
    try:
        with ServiceProcess.start() as service, connect(service.url) as session:
            started = time.monotonic() - began
            answer = session.ask("Say hello.")
    except (RtnbError, OSError) as error:
        yield Finding(section, PROBLEM, "it does not answer", one_line(error, 600))
        return
    if answer.status != "completed":
        problem = f"the response is {answer.status}: {answer.error}"
        yield Finding(section, PROBLEM, "it does not answer", one_line(problem, 600))
        return
    yield Finding(
        section,
        OK,
        f"started in {seconds(started)}; first audio after {seconds(answer.latency.first_audio)}, "
        f"{seconds(answer.audio.duration)} of speech after {seconds(answer.latency.done)}",
    )


def check_notebook(packages: Packages, nesting: str) -> Iterator[Finding]:
    """Check for a kernel, for widgets, and whether asyncio can be nested in a cell; `nesting` says why it cannot."""
    section = "Notebook"
    if "ipykernel" in packages:
        there = [_version(name, packages) for name in ("jupyterlab", "notebook", "ipykernel") if name in packages]
        yield Finding(section, OK, ", ".join(there))
    else:
        advice = 'pip install "rtnb[lab]", then: rtnb lab'
        yield Finding(section, NOTE, "no kernel for notebooks in this environment", advice)
    if "ipywidgets" in packages and "anywidget" in packages:
        shown = f"{_version('ipywidgets', packages)}, {_version('anywidget', packages)}"
        yield Finding(section, OK, f"live views: {shown}")
    if nesting:
        yield Finding(section, NOTE, "asyncio.run(…) of pasted code would not run in a cell", one_line(nesting, 400))
    else:
        yield Finding(section, OK, "asyncio.run(…) of pasted code runs after rtnb.allow_nested_asyncio()")
    if "nest-asyncio" in packages:
        what = f"{_version('nest-asyncio', packages)} is installed too, which loses queued cells when it is applied"
        yield Finding(section, NOTE, what, "call rtnb.allow_nested_asyncio(), never nest_asyncio.apply()")
