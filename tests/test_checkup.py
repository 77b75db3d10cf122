"""The facts about this very installation."""

from __future__ import annotations

import pytest

import rtnb
from rtnb import checkup
from rtnb.doctor import report
from rtnb.errors import ConnectError


def test_this_installation_is_sound():
    """Where the tests run, the local service answers, and nothing is wrong."""
    facts = checkup.facts()
    assert facts.version == rtnb.__version__
    assert 0 < facts.turn.first_audio < facts.turn.done
    assert facts.turn.audio > 0
    assert {"voice", "writer"} <= {made.part for made in facts.engines}
    assert report(facts).problems == ()


def test_values_of_variables_are_never_taken(monkeypatch):
    """A key that is set is known by its name alone, in the facts and in the report."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "planted-key-4711")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://name.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT_NAME", "d")
    monkeypatch.setattr(checkup, "turn", checkup.Turn)
    facts = checkup.facts()
    assert "AZURE_OPENAI_API_KEY" in facts.variables
    assert facts.destination.words == "Azure OpenAI at name.openai.azure.com"
    assert "planted-key-4711" not in repr(facts) + str(report(facts))


def test_a_wrong_environment_is_a_problem():
    """What connect() would refuse is told with its own advice."""
    found = checkup.destination({"AZURE_OPENAI_ENDPOINT": "https://name.openai.azure.com"})
    assert "AZURE_OPENAI_DEPLOYMENT_NAME" in found.problem


def test_a_service_that_does_not_start_is_a_problem(monkeypatch):
    """What it said is told."""

    def start():
        raise ConnectError("The local service ended with status 1.")

    monkeypatch.setattr(checkup.ServiceProcess, "start", start)
    assert checkup.turn().problem == "The local service ended with status 1."


def test_what_is_installed_is_known_by_one_name():
    """However a package writes itself."""
    packages = checkup.installed()
    assert "nest-asyncio2" in packages
    assert all(name == name.lower() and "_" not in name for name in packages)


@pytest.mark.parametrize("name", ["numpy", "websockets"])
def test_what_is_needed_is_read_from_the_metadata(name):
    """The installed project's own."""
    assert name in {each.name for each in checkup.needed()}
