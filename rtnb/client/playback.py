"""How much of an answer was heard, by the player's reports or by the arrival of its audio, and what was not. Pure."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtnb.conversation.items import DELETED, Item, ResponseState
from rtnb.protocol.names import Kind
from rtnb.timeline.playback import playback_starts
from rtnb.timeline.view import View

_STALE = 0.8  # seconds; a player that plays reports several times a second how far it is


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
    """Samples of one item: given to the player, and played by it; `rate` in Hz. How much of a lost one sounded is not known."""

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
        Silences the player, drops what it has left, and returns when it has reported how far it was, or after a moment.
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
        self._reported = -math.inf

    def give(self, item_id: str, samples: int, rate: int) -> None:
        """Note that so many more samples of an item, at `rate` Hz, went to the player."""
        if not self.at:
            self._reported = self._clock()  # it was idle, and had nothing to report
        self._tracks.setdefault(item_id, _Track(rate)).given += samples

    def report(self, played: Mapping[str, object]) -> None:
        """Take the player's report of how many samples of each item have sounded; what is not possible is bounded."""
        self._reported = self._clock()
        for item_id, samples in played.items():
            track = self._tracks.get(item_id)
            if track is not None and isinstance(samples, int):
                track.played = min(max(track.played, samples), track.given)

    def drop(self, item_ids: Iterable[str] | None = None, *, reported: bool = True) -> None:
        """Note that the player has thrown away what it had not played: of these items, or of all.

        Without its report of how far it was (`reported` is False) that is not known, unless it may not sound at all.
        """
        for item_id in list(self._tracks) if item_ids is None else item_ids:
            track = self._tracks.get(item_id)
            if track is not None and not track.over:
                track.lost = self.running and not reported
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

        None where that is not known: the player was never given the item, or has reported nothing for a while, as when a
        kernel that computes does not receive the browser's messages.
        """
        track = self._tracks.get(item_id)
        if track is None or track.lost or (self.running and not track.over and self._clock() - self._reported > _STALE):
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


def unheard(timeline: View, response: ResponseState, now: float, playback: Playback | None = None) -> list[Heard]:
    """Return the items of a response that were not heard to their end, in the order in which they are heard.

    Audio arrives faster than it is spoken, so most of what was received at an interruption was not heard; and where it
    arrives slower, a player has to wait for it.

    Parameters
    ----------
    timeline : View
        Of the session.
    response : ResponseState
    now : float
        Seconds of the session's clock.
    playback : Playback, optional
        Without one, or where it does not know, the answer is taken to be heard as it arrived.
    """
    rows = _spoken_rows(timeline, response)
    reported = {each: playback.heard_ms(each) for each in response.items} if playback is not None else {}
    by_player = any(ms is not None for ms in reported.values())
    lengths_ms: npt.NDArray[np.float64] = rows["audio_ms"]
    heard_ms = np.clip(now * 1000 - playback_starts(rows["t"] * 1000, lengths_ms), 0, lengths_ms)
    found: list[Heard] = []
    for item in list(response.items.values()):
        index = _spoken_part(item)
        if not item.id or item.status == DELETED or index is None:
            continue
        mine = np.asarray(rows["item_id"] == item.id)
        received = _whole_ms(lengths_ms[mine])
        heard = min(reported.get(item.id) or 0, received) if by_player else _whole_ms(heard_ms[mine])
        cut = item.content[index].heard_ms
        if heard < (received if cut is None else min(cut, received)):
            found.append(Heard(item.id, index, heard, received))
    return found


def _spoken_rows(timeline: View, response: ResponseState) -> View:
    rows: View = timeline[(timeline["kind"] == Kind.AUDIO_DELTA) & (timeline["response_id"] == response.id)]
    kept: View = rows[(rows["t"] >= response.created_t) & ~np.isnan(rows["audio_ms"])]
    return kept


def _spoken_part(item: Item) -> int | None:
    return next((index for index, part in list(item.content.items()) if part.chunks), None)


def _whole_ms(pieces: npt.NDArray[np.float64]) -> int:
    return int(float(pieces.sum()) + 1e-3)  # sums of times are never quite exact
