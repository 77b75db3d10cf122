"""Options of the service: from Python, to a command line, and back."""

from __future__ import annotations

import argparse

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service.faults import Faults, catalogue
from rtnb.service.server.options import ServiceOptions, add_arguments


def parser():
    made = argparse.ArgumentParser()
    add_arguments(made)
    return made


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": -3, "speed": 0.5, "voice_engine": "tones", "expire_in": 2.5},
        {"faults": "drop_after=20,delay_ms=50"},
        {"faults": {"rate_limit": True}, "chat": "http://127.0.0.1:11434/v1", "chat_model": "a b; --seed 9"},
        {"speed": float("inf"), "phrases": ["one two", "--three"]},
    ],
)
def test_options_survive_the_command_line(options):
    """What a process is started with is what it reads."""
    made = ServiceOptions(**options)
    assert ServiceOptions.of(parser().parse_args(made.arguments())) == made


def test_what_is_as_by_default_is_not_said():
    """A service that shall behave as ever needs no argument; options are values, equal and hashable."""
    assert ServiceOptions().arguments() == []
    assert len({ServiceOptions(), ServiceOptions(faults=None), ServiceOptions(faults={})}) == 1
    assert ServiceOptions(faults="drop_after=1").faults == Faults(drop_after=1)


@pytest.mark.parametrize(
    "options",
    [
        {"speed": -1},
        {"speed": float("nan")},
        {"expire_in": -1},
        {"expire_in": float("inf")},
        {"expire_in": "soon"},
        {"speed": "fast"},
        {"seed": "x"},
        {"phrases": 3},
        {"phrases": ["one", 2]},
        {"voice_engine": "espresso"},
        {"chat_model": "m"},
        {"chat": "http://127.0.0.1:11434"},
        {"chat": "ftp://host/v1", "chat_model": "m"},
        {"chat": "http://[", "chat_model": "m"},
        {"faults": "nonsense"},
    ],
)
def test_what_is_not_possible_is_refused(options):
    """Before anything starts, with the corrected form."""
    with pytest.raises(ConfigurationError):
        ServiceOptions(**options)


def test_a_fault_decides_over_the_option():
    """A session's life is that of the option, unless a fault says otherwise; by default neither does."""
    assert ServiceOptions().lifetime is None
    assert ServiceOptions(expire_in=9).lifetime == 9
    assert ServiceOptions(expire_in=9, faults="expire_in=2").lifetime == 2


def test_the_help_lists_the_faults():
    """A teacher finds every fault with its meaning in --help."""
    assert catalogue() in parser().format_help()
