"""The pace of delivery, with a clock of the test's own."""

from __future__ import annotations

import math

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service.server.pace import Pace


def delivered_at(pace, steps, now=100.0):
    """Return when each step is sent after the delays that the pace asks for."""
    times = []
    for seconds in steps:
        now += max(0.0, pace.delay(now))
        times.append(now)
        pace.spend(now, seconds)
    return times


def test_first_deltas_go_at_once_then_the_speed_holds():
    """100 and 150 ms go at once; from then on a second of speech takes 1/8 s."""
    times = delivered_at(Pace(8.0), [0.1, 0.15, *[0.25] * 40])
    assert times[:3] == pytest.approx([100.0] * 3)
    assert times[-1] - times[2] == pytest.approx(39 * 0.25 / 8)


def test_a_late_wake_up_is_made_good():
    """Someone woken late sends the next step at once, and the pace holds over the whole."""
    pace = Pace(1.0)
    pace.spend(0.0, 1.0)
    pace.spend(0.9, 0.25)
    assert pace.delay(0.9) == pytest.approx(0.1)


def test_silence_between_turns_earns_nothing():
    """A turn after a long silence starts as the first one did."""
    pace = Pace(8.0)
    assert delivered_at(pace, [0.1, 0.15, 0.25, 0.25], 0.0) == pytest.approx([0.0, 0.0, 0.0, 0.25 / 8])
    assert delivered_at(pace, [0.1, 0.15, 0.25, 0.25], 50.0) == pytest.approx([50.0, 50.0, 50.0, 50.0 + 0.25 / 8])


@pytest.mark.parametrize("speed", [0.0, math.inf])
def test_no_limit(speed):
    """Zero and infinity mean as fast as it can be made."""
    assert delivered_at(Pace(speed), [1.0] * 10) == [100.0] * 10


@pytest.mark.parametrize("speed", [-1.0, math.nan])
def test_a_speed_that_is_none(speed):
    """A negative speed is refused with what to write."""
    with pytest.raises(ConfigurationError, match=r"8\.0"):
        Pace(speed)
