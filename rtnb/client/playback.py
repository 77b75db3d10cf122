"""How much of an answer was heard: as the player tells it, else reckoned from the moment its audio began to arrive. Pure."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rtnb.conversation.items import ResponseState

_STALE = 0.8  # seconds; a player that plays tells several times a second how far it is


@dataclass(frozen=True, slots=True)
class Heard:
    """How far the speech of a response was heard.

    Attributes
    ----------
    item_id : str
        The item that was being spoken.
    content_index : int
    heard_ms, received_ms : int
        Milliseconds of that part's audio: heard, and received. Heard is never more than received.
    """

    item_id: str
    content_index: int
    heard_ms: int
    received_ms: int

    def __repr__(self) -> str:
        return f"<Heard {self.heard_ms} of {self.received_ms} ms>"


@dataclass(slots=True)
class _Track:
    """Samples of one item: handed to the player, and played by it; `rate` in Hz. A lost one ended nobody knows where."""

    rate: int
    given: int = 0
    played: int = 0
    lost: bool = False

    @property
    def over(self) -> bool:
        return self.played >= self.given


class Playback:
    """What one player was given and how much of it has sounded, item by item.

    Parameters
    ----------
    stop : callable, optional
        Silences the player, drops what it has left, and returns when it has told how far it was, or after a moment.
    clock : callable
        Monotonic seconds.

    Attributes
    ----------
    running : bool
        Whether the player may sound. One that waits for the browser's leave plays nothing, however long it takes.
    retire : callable
        What to do when another player takes the session over.
    """

    def __init__(self, stop: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic) -> None:
        self.stop = stop
        self.retire: Callable[[], None] = lambda: None
        self.running = False
        self._clock = clock
        self._tracks: dict[str, _Track] = {}
        self._told = -math.inf

    def give(self, item_id: str, samples: int, rate: int) -> None:
        """Note that so many more samples of an item, at `rate` Hz, went to the player."""
        if not self.at:
            self._told = self._clock()  # it was idle, and had nothing to tell
        self._tracks.setdefault(item_id, _Track(rate)).given += samples

    def report(self, played: Mapping[str, object]) -> None:
        """Take the player's word for how many samples of each item have sounded; what cannot be is not believed."""
        self._told = self._clock()
        for item_id, samples in played.items():
            track = self._tracks.get(item_id)
            if track is not None and isinstance(samples, int):
                track.played = min(max(track.played, samples), track.given)

    def drop(self, item_ids: Iterable[str] | None = None, *, told: bool = True) -> None:
        """Note that the player has thrown away what it had not played: of these items, or of all.

        Without its word on how far it was (`told` is False) that is not known, unless it may not sound at all.
        """
        for item_id in list(self._tracks) if item_ids is None else item_ids:
            track = self._tracks.get(item_id)
            if track is not None and not track.over:
                track.lost = self.running and not told
                track.given = track.played

    @property
    def at(self) -> str:
        """Return the item that the player is at: the first that has not sounded to its end; empty if there is none."""
        return next((item_id for item_id, track in list(self._tracks.items()) if not track.over), "")

    @property
    def seconds(self) -> float:
        """Return how many seconds have sounded, of all items."""
        return sum(track.played / track.rate for track in list(self._tracks.values()))

    def samples(self, item_id: str) -> int:
        """Return how many samples of an item have sounded."""
        return self._tracks[item_id].played if item_id in self._tracks else 0

    def heard_ms(self, item_id: str) -> int | None:
        """Return how many milliseconds of an item have sounded.

        None where the player does not know: it was never given the item, or has told nothing for a while, as when a
        kernel that computes does not hear the browser.
        """
        track = self._tracks.get(item_id)
        if track is None or track.lost or (self.running and not track.over and self._clock() - self._told > _STALE):
            return None
        return track.played * 1000 // track.rate


def spoken_response(responses: Iterable[ResponseState], playback: Playback | None) -> ResponseState | None:
    """Return the response that is being spoken: the one that the player is at, else the one in progress, else the newest.

    Those that belong to no conversation do not count.
    """
    ours = [each for each in responses if each.conversation_id is not None]
    at = playback.at if playback is not None else ""
    played = [each for each in ours if at and at in each.items]
    active = [each for each in ours if each.active]
    return next(iter(reversed(played or active or ours)), None)
