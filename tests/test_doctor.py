"""What `rtnb doctor` finds: every problem says what to do, and no value of a variable is ever shown."""

from __future__ import annotations

import math
from datetime import date
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from rtnb import doctor
from rtnb.doctor import Checkup
from rtnb.errors import ConnectError
from rtnb.service.engines.capabilities import Capability

NOVEMBER = date(2026, 11, 22)
OPENAI = {"OPENAI_API_KEY": "sk-planted-0123456789"}
AZURE = {"AZURE_OPENAI_ENDPOINT": "https://n.openai.azure.com", "AZURE_OPENAI_API_KEY": "planted-0123456789"}
REQUIRED = [
    Requirement(each)
    for each in (
        "numpy>=1.26",
        "nest-asyncio2>=1.7.3",
        "soxr>=0.5; extra == 'voice'",
        'jupyterlab>=4.2; extra == "lab"',
        "mypy>=1.14; extra == 'test'",
    )
]
PACKAGES = {
    "numpy": "2.4.6",
    "nest-asyncio2": "1.7.4",
    "soxr": "1.1.0",
    "jupyterlab": "4.6.6",
    "ipykernel": "7.4.0",
    "ipywidgets": "8.1.9",
    "anywidget": "0.11.0",
}


def azure_model(name, today):
    return doctor.check_destination({**AZURE, "AZURE_OPENAI_DEPLOYMENT_NAME": name}, today)


def without(name):
    return {key: value for key, value in PACKAGES.items() if key != name}


def test_this_installation_is_sound():
    """Where the tests run, the local service answers, and nothing is wrong; the report has versions and times."""
    found = doctor.examine()
    assert found.problems == ()
    text = str(found)
    assert text.endswith("Nothing is wrong.")
    for part in ("Python 3.", "numpy ", "voice: ", "writer: ", "the local service: GA dialect", "of speech after"):
        assert part in text


@pytest.mark.parametrize(
    ("findings", "advice"),
    [
        (doctor.check_python((3, 10, 9), "CPython"), "Python 3.11"),
        (doctor.check_packages(REQUIRED, {**PACKAGES, "numpy": "1.25.9"}), 'pip install "numpy>=1.26"'),
        (azure_model("gpt-realtime", date(2027, 4, 1)), "name another one"),
        (doctor.check_packages(REQUIRED, without("numpy")), 'pip install "numpy>=1.26"'),
        (
            doctor.check_destination({"AZURE_OPENAI_ENDPOINT": "https://n.openai.azure.com"}, NOVEMBER),
            "AZURE_OPENAI_DEPLOYMENT",
        ),
    ],
)
def test_a_problem_says_what_to_do(findings, advice):
    """What stops a session is a problem, with advice."""
    found = Checkup(tuple(findings))
    (problem,) = found.problems
    assert advice in problem.advice
    assert str(found).endswith("1 problem; each says after → what to do.")


@pytest.mark.parametrize(
    ("findings", "advice"),
    [
        (doctor.check_packages(REQUIRED, without("soxr")), 'pip install "rtnb[voice]"'),
        (doctor.check_notebook(without("ipykernel"), ""), 'pip install "rtnb[lab]"'),
        (doctor.check_notebook({**PACKAGES, "nest-asyncio": "1.6.0"}, ""), "never nest_asyncio.apply()"),
        (doctor.check_notebook(PACKAGES, "The loop is uvloop's."), "uvloop"),
        (doctor.check_variables({"AZURE_OPENAI_API_KEY"}), "AZURE_OPENAI_ENDPOINT"),
        (doctor.check_variables({"OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"}), "rtnb.connect('openai')"),
        (doctor.check_packages([], PACKAGES), "pip install -e"),
        (azure_model("gpt-realtime", date(2027, 1, 1)), "name another one"),
        (doctor.check_engines([Capability("transcriber", "x", "", "not installed", "pip install x")]), "pip install x"),
    ],
)
def test_a_note_is_no_problem(findings, advice):
    """What is only less than it could be is a note, with advice, and the installation is sound."""
    found = Checkup(tuple(findings))
    assert found.problems == ()
    assert advice in " ".join(finding.advice for finding in found.findings if finding.state == "note")


@pytest.mark.parametrize(
    "findings",
    [
        doctor.check_python((3, 12, 1), "CPython"),
        doctor.check_packages(REQUIRED, PACKAGES),
        doctor.check_packages(REQUIRED, {**PACKAGES, "numpy": "10.0rc1", "soxr": "0.5+local"}),
        doctor.check_notebook(PACKAGES, ""),
        doctor.check_engines([Capability("voice", "e", "1", "used", ""), Capability("voice", "n", "", "present", "x")]),
        doctor.check_variables({"HOME"}),
        doctor.check_destination({}, NOVEMBER),
        doctor.check_models(NOVEMBER),
    ],
)
def test_what_is_well_has_no_advice(findings):
    """And requirements for tests are no concern of a user's."""
    for finding in findings:
        assert (finding.state, finding.advice) == ("ok", "")
        assert "mypy" not in finding.what


def test_where_connect_would_go_is_reported_with_the_variable_that_says_so():
    """A gateway in OpenAI's place, too; and the model has its last day where that is near."""
    (finding,) = doctor.check_destination({**OPENAI, "OPENAI_BASE_URL": "https://gw/v1"}, NOVEMBER)
    assert finding.what == (
        "a service at gw: GA dialect, model gpt-realtime-2.1, API key (address from OPENAI_BASE_URL)"
    )
    _, ending = azure_model("gpt-realtime", date(2027, 1, 1))
    assert "the model gpt-realtime is shut down on 2027-03-02, in 60 days" in ending.what
    assert len(list(azure_model("a-name-of-our-own", NOVEMBER))) == 1


def test_the_models_that_live_are_named_with_their_source():
    """OpenAI's and Azure's, by what they are for, each with its last day where one is announced."""
    openai, talk, write, azure, azure_talk, azure_write = (each.what for each in doctor.check_models(NOVEMBER))
    assert "https://developers.openai.com/api/docs/deprecations" in openai
    assert "https://learn.microsoft.com/" in azure
    assert talk.startswith("  realtime: ")
    assert write.startswith("  transcription: ")
    assert "gpt-realtime (until 2027-01-20)" in talk
    assert "gpt-realtime (until 2027-03-02)" in azure_talk
    assert "gpt-4o-transcribe (until 2027-02-26)" in write
    assert "gpt-4o-transcribe (" not in azure_write


def test_only_names_of_variables_that_matter_are_shown(monkeypatch):
    """A key that is set is shown by its name alone, and what decides nothing is not shown at all."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "planted-key-4711")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://name.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT_NAME", "d")
    monkeypatch.setenv("SECRET_PLAN", "x")
    monkeypatch.setattr(doctor, "check_spoken_turn", tuple)
    text = str(doctor.examine())
    assert "AZURE_OPENAI_API_KEY" in text
    assert "Azure OpenAI at name.openai.azure.com" in text
    assert "planted-key-4711" not in text
    assert "SECRET_PLAN" not in text


def test_a_service_that_does_not_start_is_a_problem(monkeypatch):
    """Its own words are the advice."""

    def start():
        raise ConnectError("The local service ended with status 1.")

    monkeypatch.setattr(doctor.ServiceProcess, "start", start)
    (finding,) = doctor.check_spoken_turn()
    assert (finding.state, finding.advice) == ("PROBLEM", "The local service ended with status 1.")


def test_a_response_that_failed_is_a_problem(monkeypatch):
    """With its status and its error."""

    class Context(SimpleNamespace):
        def __enter__(self):
            return self

        def __exit__(self, *exc):
            pass

    answer = SimpleNamespace(status="failed", error="no voice", latency=math.nan)
    monkeypatch.setattr(doctor.ServiceProcess, "start", lambda: Context(url="ws://127.0.0.1:1"))
    monkeypatch.setattr(doctor, "connect", lambda url: Context(ask=lambda prompt: answer))
    (finding,) = doctor.check_spoken_turn()
    assert (finding.state, finding.advice) == ("PROBLEM", "the response is failed: no voice")


def test_packages_are_known_by_one_name():
    """However a package writes itself."""
    packages = doctor.installed()
    assert "nest-asyncio2" in packages
    assert all(name == name.lower() and "_" not in name for name in packages)


def test_what_rtnb_requires_is_read_from_its_metadata():
    """The installed project's own."""
    assert {"numpy", "websockets"} <= {each.name for each in doctor.requirements()}
