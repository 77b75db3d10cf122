"""Faults as people write them, without a service."""

from __future__ import annotations

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service.faults import Faults, catalogue


@pytest.mark.parametrize(
    "given",
    [
        "drop_after=20,delay_ms=50",
        " drop_after = 20 , delay_ms = 50 ,",
        ["drop_after=20", "delay_ms=50"],
        {"drop_after": 20, "delay_ms": 50},
        {"drop_after": "20", "delay_ms": 50.0, "stall_after": None},
        Faults(drop_after=20, delay_ms=50),
    ],
)
def test_every_way_to_write_faults_means_the_same(given):
    """A text, a list of texts and a mapping give one and the same value, which is equal, hashable and writes itself."""
    faults = Faults.of(given)
    assert faults == Faults(drop_after=20, delay_ms=50.0)
    assert len({faults, Faults.of("delay_ms=50,drop_after=20")}) == 1
    assert Faults.of(faults.written()) == faults
    assert repr(faults) == "Faults('drop_after=20', 'delay_ms=50')"


@pytest.mark.parametrize("given", [None, "", [], {}, {"retire_preview": False}, "rate_limit=no"])
def test_no_fault_is_no_fault(given):
    """Nothing asked for is nothing wrong."""
    assert not Faults.of(given)
    assert Faults.of(given).written() == ()


@pytest.mark.parametrize("given", ["rate_limit", "rate_limit=yes", {"rate_limit": True}, ["rate_limit=1"]])
def test_switches_need_no_value(given):
    """A fault that is only on or off is written as its name."""
    assert Faults.of(given).written() == ("rate_limit",)


@pytest.mark.parametrize(("name", "meant"), [("drop", "drop_after"), ("stal_after", "stall_after"), ("", None)])
def test_an_unknown_name_lists_all_there_are(name, meant):
    """The message has every fault with its meaning, and the one that was probably meant."""
    with pytest.raises(ConfigurationError) as refused:
        Faults.of(f"{name}=20")
    assert catalogue() in str(refused.value)
    assert (f"Did you mean {meant}?" in str(refused.value)) == bool(meant)


@pytest.mark.parametrize(
    "given",
    [
        "refuse=500",
        "refuse",
        "drop_after=-1",
        "drop_after=1.5",
        "drop_after",
        "close_after=2,close_code=1006",
        "close_in_response=99",
        "delay_ms=-1",
        "delay_ms=nan",
        "delay_ms=inf",
        "expire_in=soon",
        "rate_limit=perhaps",
        {"drop_after": True},
        "drop_after=1,drop_after=2",
        42,
        [1],
    ],
)
def test_an_impossible_value_is_refused(given):
    """What cannot be is refused before anything starts, with the form that is right."""
    with pytest.raises(ConfigurationError):
        Faults.of(given)


def test_the_catalogue_has_one_line_for_each():
    """Every fault has one line, with its form and a meaning."""
    lines = catalogue().splitlines()
    assert len(lines) == len(Faults.__dataclass_fields__)
    assert all(len(line) <= 120 and len(line.split(maxsplit=1)) == 2 for line in lines)


def test_a_fault_is_described_with_its_value():
    """A person reads what will happen, with the number that was given."""
    (line,) = Faults.of("drop_after=7").described()
    assert "drop_after=7" in line
    assert "after 7 events" in line
