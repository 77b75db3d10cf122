"""The room that the microphone is in: what is heard without the user. It outlives every turn. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

INAUDIBLE_DB = -70.0
"""Below full scale; nothing quieter is speech."""

_DIGITAL_SILENCE_DB = -100.0
_BIAS_DB = 1.5  # noise is on average louder than its quietest moments
_STRETCHES, _STRETCH = 15, 5  # the quietest level is that of so many stretches of so many frames: a second and a half
_STEADY = 30  # frames of steady sound after digital silence that are the background
_REMEMBERED, _ENOUGH = 150, 10  # frames between the turns: how many are kept, and how many have to be known
_SHARE = 0.8  # of them that are no louder than usual


class Background:
    """Follows the quietest level of the last second and a half.

    Digital silence is no room: while there was some, or no sound yet, the background is inaudible until a sound is steady.
    """

    def __init__(self) -> None:
        self._minima = deque([-math.inf] * _STRETCHES, maxlen=_STRETCHES)
        self._least = math.inf  # of the stretch in progress
        self._count = 0  # its frames
        self._smooth = INAUDIBLE_DB
        self._steady: deque[float] = deque(maxlen=_STEADY)  # levels since the sound became steady

    def follow(self, level_db: float, *, steady: bool) -> float:
        """Take a frame's loudness, return the background's; both in dB below full scale."""
        digital = level_db < _DIGITAL_SILENCE_DB
        level = max(level_db, INAUDIBLE_DB)
        if digital or not steady:
            self._steady.clear()
        if not digital and steady:
            self._steady.append(level)
        self._smooth += 0.4 * (level - self._smooth)
        self._least = min(self._least, -math.inf if digital else self._smooth)
        self._count += 1
        if self._count == _STRETCH:
            self._minima.append(self._least)
            self._least, self._count = math.inf, 0
        least = min(*self._minima, self._least)
        if least == -math.inf and len(self._steady) == _STEADY:
            least = sum(self._steady) / _STEADY - _BIAS_DB
            self._minima.extend([least] * _STRETCHES)
            self._least = least
        return max(least, INAUDIBLE_DB) + _BIAS_DB


class BetweenTurns:
    """How loud other voices usually are between the turns: a murmur is no steady sound, but it is as loud as ever."""

    def __init__(self) -> None:
        self._levels: deque[float | None] = deque()
        self._sorted: list[float] = []

    @property
    def usual_db(self) -> float:
        """Return the level that four of five frames of the last three seconds do not exceed; unknown, it is -inf."""
        count = len(self._sorted)
        return self._sorted[int(_SHARE * count)] if count >= _ENOUGH else -math.inf

    def add(self, level_db: float | None) -> None:
        """Take a frame in which the user did not speak; None for one of steady sound, which may end any moment."""
        self._levels.append(level_db)
        if level_db is not None:
            insort(self._sorted, level_db)
        if len(self._levels) > _REMEMBERED and (oldest := self._levels.popleft()) is not None:
            del self._sorted[bisect_left(self._sorted, oldest)]
