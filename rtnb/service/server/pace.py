"""How fast speech is delivered."""

from __future__ import annotations

import math

from rtnb.errors import ConfigurationError

_HEAD_START = 0.25  # seconds of speech that go out at once: the first deltas


def is_number(value: object) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Pace:
    """When the next step of a response is due, at `speed` seconds of speech a second; 0 or infinity: no limit.

    Raises
    ------
    ConfigurationError
        `speed` is negative or not a number.
    """

    def __init__(self, speed: float) -> None:
        if not is_number(speed) or not speed >= 0:
            raise ConfigurationError(f"{speed!r} is not a pace: write 8.0 for eight times real time, 0 for no limit.")
        self._seconds_each = 0.0 if speed == 0 or math.isinf(speed) else 1 / speed
        self._due = -math.inf

    def delay(self, now: float) -> float:
        """Return the seconds to wait, 0 or less for none."""
        return self._due - now

    def spend(self, now: float, seconds: float) -> None:
        """Count `seconds` of speech as sent at `now`."""
        earliest = now - _HEAD_START * self._seconds_each
        self._due = max(self._due, earliest) + seconds * self._seconds_each
