"""What the facts mean: every problem says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rtnb.doctor import Destination, Facts, Made, Requirement, Turn, report, requirements, suffices

WELL = Facts(
    python=(3, 12, 1),
    implementation="CPython on Linux",
    version="0.1.0",
    requirements=(
        Requirement("numpy", "1.26", ""),
        Requirement("nest-asyncio2", "1.7.3", ""),
        Requirement("soxr", "0.5", "voice"),
        Requirement("jupyterlab", "4.2", "lab"),
    ),
    packages={
        "numpy": "2.4.6",
        "nest-asyncio2": "1.7.4",
        "soxr": "1.1.0",
        "jupyterlab": "4.6.6",
        "ipykernel": "7.4.0",
        "ipywidgets": "8.1.9",
        "anywidget": "0.11.0",
    },
    variables=frozenset({"HOME"}),
    destination=Destination("the local service", "GA dialect", "no credential", "gpt-realtime"),
    engines=(Made("voice", "espeak-ng", "1.52", "used"),),
    turn=Turn(0.3, 0.02, 0.1, 1.5),
    nesting="",
)


def test_all_is_well():
    """A good installation has neither problems nor notes, and the report has the times and the versions."""
    found = report(WELL)
    text = str(found)
    assert {finding.state for finding in found.findings} == {"ok"}
    assert text.endswith("Nothing is wrong.")
    for part in ("Python 3.12.1", "numpy 2.4.6", "espeak-ng 1.52", "first audio after 20 ms", "the local service: GA"):
        assert part in text


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"python": (3, 10, 9)}, "Python 3.11"),
        ({"packages": {**WELL.packages, "numpy": "1.25.9"}}, 'pip install "numpy>=1.26"'),
        ({"packages": {k: v for k, v in WELL.packages.items() if k != "numpy"}}, 'pip install "numpy>=1.26"'),
        ({"destination": Destination(problem="Azure needs a deployment: set it.")}, "Azure needs a deployment"),
        ({"turn": Turn(problem="The local service ended with status 1.")}, "ended with status 1"),
    ],
)
def test_a_problem_says_what_to_do(change, advice):
    """What stops a session is a problem, with advice."""
    found = report(replace(WELL, **change))
    (problem,) = found.problems
    assert advice in problem.advice
    assert str(found).endswith("1 problem; each says after → what to do.")


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"packages": {k: v for k, v in WELL.packages.items() if k != "soxr"}}, 'pip install "rtnb[voice]"'),
        ({"packages": {k: v for k, v in WELL.packages.items() if k != "ipykernel"}}, 'pip install "rtnb[lab]"'),
        ({"packages": {**WELL.packages, "nest-asyncio": "1.6.0"}}, "never nest_asyncio.apply()"),
        ({"nesting": "The loop is uvloop's."}, "uvloop"),
        ({"variables": frozenset({"AZURE_OPENAI_API_KEY"})}, "AZURE_OPENAI_ENDPOINT"),
        ({"variables": frozenset({"OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"})}, "rtnb.connect('openai')"),
        ({"requirements": ()}, "pip install -e"),
        ({"engines": (Made("transcriber", "pocketsphinx", "", "not installed", "pip install x"),)}, "pip install x"),
    ],
)
def test_a_note_is_no_problem(change, advice):
    """What is only less than it could be is a note, with advice, and the installation is sound."""
    found = report(replace(WELL, **change))
    assert found.problems == ()
    assert advice in " ".join(finding.advice for finding in found.findings if finding.state == "note")


def test_only_variables_that_matter_are_named():
    """Names of the environment's variables are told where they decide something."""
    text = str(report(replace(WELL, variables=frozenset({"OPENAI_API_KEY", "SECRET_PLAN"}))))
    assert "OPENAI_API_KEY" in text
    assert "SECRET_PLAN" not in text


@pytest.mark.parametrize(
    ("version", "least", "enough"),
    [
        ("2.4.6", "1.26", True),
        ("1.26", "1.26", True),
        ("1.26.0", "1.26", True),
        ("1.26.0rc1", "1.26", True),
        ("1.9", "1.26", False),
        ("10", "9.9", True),
        ("9", "9.9", False),
        ("1.0+local.9", "1.1", False),
        ("1", "", True),
    ],
)
def test_versions_are_compared_by_their_numbers(version, least, enough):
    """Ten is more than nine."""
    assert suffices(version, least) is enough


def test_requirements_are_read_from_the_metadata():
    """Names, oldest versions and extras; what is only for tests is no concern of a user's."""
    lines = ["numpy>=1.26", "websockets", "soxr>=0.5; extra == 'voice'", 'mypy>=1.14; extra == "test"']
    assert requirements(lines) == [
        Requirement("numpy", "1.26", ""),
        Requirement("websockets", "", ""),
        Requirement("soxr", "0.5", "voice"),
    ]
