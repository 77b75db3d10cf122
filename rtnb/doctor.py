"""What `rtnb doctor` says: from the facts about an installation to a report. What the facts are, `rtnb.checkup` finds out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rtnb.formatting import one_line, plural, printable, seconds

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
    "OPENAI_API_VERSION",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
)
"""The environment variables that decide something about a session."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that rtnb uses.

    Attributes
    ----------
    name : str
    least : str
        The oldest version that will do.
    extra : str
        The extra that brings it; nothing for what rtnb cannot be without.
    """

    name: str
    least: str
    extra: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where ``rtnb.connect()`` would go.

    Attributes
    ----------
    words, dialect, credential, model : str
        For people.
    problem : str
        Why it would go nowhere; then nothing else is known.
    """

    words: str = ""
    dialect: str = ""
    credential: str = ""
    model: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one spoken turn with the local service.

    Attributes
    ----------
    started, first_audio, done : float
        Seconds to start the service, and from the question to the first audio and to the end.
    audio : float
        Seconds of speech.
    problem : str
        What went wrong.
    """

    started: float = float("nan")
    first_audio: float = float("nan")
    done: float = float("nan")
    audio: float = float("nan")
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What makes a part of the local service's answers.

    Attributes
    ----------
    part, engine, version, state : str
        Such as ``"voice"``, ``"espeak-ng"``, ``"1.52"``, ``"ready"``.
    advice : str
        How to get what is missing.
    """

    part: str
    engine: str
    version: str = ""
    state: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is the case on this computer.

    Attributes
    ----------
    python : tuple of int
    implementation : str
        Interpreter and platform, for people.
    version : str
        rtnb's.
    requirements : sequence of Requirement
        None where rtnb was not installed but is only there.
    packages : mapping
        Versions of installed packages, by name.
    variables : frozenset of str
        Names of the environment variables that are set and not empty.
    destination : Destination
    engines : sequence of Made
    turn : Turn
    nesting : str
        Why asyncio cannot be nested in a cell; empty where it can.
    """

    python: tuple[int, ...]
    implementation: str
    version: str
    requirements: Sequence[Requirement]
    packages: Mapping[str, str]
    variables: frozenset[str]
    destination: Destination
    engines: Sequence[Made]
    turn: Turn
    nesting: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    section, state, what : str
    advice : str
        What to do about it.
    """

    section: str
    state: str
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in order.

    Attributes
    ----------
    findings : tuple of Finding
    """

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


def report(facts: Facts) -> Report:
    """Return what the facts mean."""
    sections = (_python, _packages, _engines, _variables, _destination, _turn, _notebook)
    return Report(tuple(finding for section in sections for finding in section(facts)))


def requirements(lines: Iterable[str]) -> list[Requirement]:
    """Read the requirements in a package's metadata, such as ``pandas>=2.2; extra == 'data'``; extras for tests are left out."""
    found = []
    for line in lines:
        name = re.match(r"[\w.-]+", line)
        least = re.search(r">=\s*([\w.]+)", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if name and (extra is None or extra[1] in EXTRAS):
            found.append(Requirement(name[0], least[1] if least else "", extra[1] if extra else ""))
    return found


def suffices(version: str, least: str) -> bool:
    """Return whether a version is at least another, by their numbers."""
    numbers, wanted = ([int(each) for each in re.findall(r"\d+", text.partition("+")[0])] for text in (version, least))
    return numbers[: max(len(wanted), 1)] >= wanted


def _python(facts: Facts) -> Iterable[Finding]:
    shown = f"Python {'.'.join(map(str, facts.python))}, {facts.implementation}"
    if facts.python[:2] < LEAST_PYTHON:
        yield Finding("Python", PROBLEM, shown, "rtnb needs Python 3.11 or newer: make a virtual environment with one")
    else:
        yield Finding("Python", OK, shown)
    yield Finding("Python", OK, f"rtnb {facts.version}")


def _packages(facts: Facts) -> Iterable[Finding]:
    needed = [each for each in facts.requirements if not each.extra]
    if not needed:
        advice = 'in the project\'s folder: pip install -e ".[lab,voice,data]"'
        yield Finding("Packages", NOTE, "rtnb was not installed, so that what it needs is not known", advice)
    wrong = [each for each in needed if not _is_there(each, facts)]
    for each in wrong:
        advice = f'pip install "{each.name}>={each.least}"' if each.least else f"pip install {each.name}"
        yield Finding("Packages", PROBLEM, _state_of(each, facts), advice)
    there = [f"{each.name} {facts.packages[each.name]}" for each in needed if each not in wrong]
    if there:
        yield Finding("Packages", OK, ", ".join(there))
    for extra, brings in EXTRAS.items():
        wanted = [each for each in facts.requirements if each.extra == extra]
        missing = [each for each in wanted if not _is_there(each, facts)]
        if missing:
            what = f"[{extra}] {brings}: {', '.join(_state_of(each, facts) for each in missing)}"
            yield Finding("Packages", NOTE, what, f'if you want it: pip install "rtnb[{extra}]"')
        elif wanted:
            there = [f"{each.name} {facts.packages[each.name]}" for each in wanted]
            yield Finding("Packages", OK, f"[{extra}] {', '.join(there)}")


def _is_there(wanted: Requirement, facts: Facts) -> bool:
    version = facts.packages.get(wanted.name)
    return version is not None and suffices(version, wanted.least)


def _state_of(wanted: Requirement, facts: Facts) -> str:
    version = facts.packages.get(wanted.name)
    return f"{wanted.name} is missing" if version is None else f"{wanted.name} {version} is older than {wanted.least}"


def _engines(facts: Facts) -> Iterable[Finding]:
    for made in facts.engines:
        what = " ".join(filter(None, (f"{made.part}:", made.engine, made.version)))
        yield Finding(
            "Local service: what makes what",
            NOTE if made.advice else OK,
            f"{what} ({made.state})" if made.state else what,
            made.advice,
        )


def _variables(facts: Facts) -> Iterable[Finding]:
    section = "Environment (names only)"
    known = [name for name in VARIABLES if name in facts.variables]
    yield Finding(section, OK, ", ".join(known) or "none that matters is set")
    if "AZURE_OPENAI_API_KEY" in known and "AZURE_OPENAI_ENDPOINT" not in known:
        yield Finding(section, NOTE, "AZURE_OPENAI_API_KEY is not used alone", "set AZURE_OPENAI_ENDPOINT as well")
    if {"OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"} <= set(known):
        advice = "for OpenAI write rtnb.connect('openai')"
        yield Finding(section, NOTE, "both Azure and OpenAI are set; Azure goes first", advice)


def _destination(facts: Facts) -> Iterable[Finding]:
    section, place = "rtnb.connect() would go to", facts.destination
    if place.problem:
        yield Finding(section, PROBLEM, "nowhere", one_line(place.problem, 400))
    else:
        yield Finding(section, OK, f"{place.words}: {place.dialect}, model {place.model}, {place.credential}")


def _turn(facts: Facts) -> Iterable[Finding]:
    section, turn = "Local service: one spoken turn", facts.turn
    if turn.problem:
        yield Finding(section, PROBLEM, "it does not answer", one_line(turn.problem, 600))
        return
    told = (
        f"started in {seconds(turn.started)}; first audio after {seconds(turn.first_audio)}, "
        f"{seconds(turn.audio)} of speech after {seconds(turn.done)}"
    )
    yield Finding(section, OK, told)


def _notebook(facts: Facts) -> Iterable[Finding]:
    section = "Notebook"
    there = [
        f"{name} {facts.packages[name]}" for name in ("jupyterlab", "notebook", "ipykernel") if name in facts.packages
    ]
    if "ipykernel" in facts.packages:
        yield Finding(section, OK, ", ".join(there))
    else:
        yield Finding(
            section, NOTE, "no kernel for notebooks in this environment", 'pip install "rtnb[lab]", then: rtnb lab'
        )
    shown = [f"{name} {facts.packages[name]}" for name in ("ipywidgets", "anywidget") if name in facts.packages]
    if len(shown) == 2:
        yield Finding(section, OK, f"live views: {', '.join(shown)}")
    if facts.nesting:
        yield Finding(
            section, NOTE, "asyncio.run(…) of pasted code would not run in a cell", one_line(facts.nesting, 400)
        )
    else:
        yield Finding(section, OK, "asyncio.run(…) of pasted code runs after rtnb.allow_nested_asyncio()")
    if "nest-asyncio" in facts.packages:
        what = f"nest-asyncio {facts.packages['nest-asyncio']} is installed too, which loses queued cells when it is applied"
        yield Finding(section, NOTE, what, "call rtnb.allow_nested_asyncio(), never nest_asyncio.apply()")
