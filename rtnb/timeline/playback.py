"""When the audio of a session sounds: where each row's audio begins, and how much of it is heard. Pure.

The mix of a session, its picture and the interruption of an answer all take this from here, so that they agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb.protocol.names import Kind
from rtnb.timeline.view import View

Times = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_NOTED = (Kind.RESPONSE_CREATED, Kind.ITEM_TRUNCATED, Kind.ITEM_DELETED)
_ROW = np.dtype(
    [("seq", np.int64), ("item", np.int32), ("response", np.int32), ("arrived", np.float64), ("length", np.float64)]
)


def playback_starts(arrivals: Times, durations: Times) -> Times:
    """Return when each piece of audio sounds in a player that starts at once and plays them in this order.

    A piece follows the one before it without a gap, and never sounds before it has arrived.
    """
    before = before_each(durations)
    return np.asarray(np.maximum.accumulate(arrivals - before) + before)


def before_each(lengths: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return for each length the sum of the lengths before it."""
    return np.asarray(np.cumsum(lengths) - lengths)


def whole_samples(
    pieces: Sequence[bytes], items: Sequence[int], bytes_per_sample: int, spare: dict[int, bytes]
) -> tuple[list[bytes], list[bytes]]:
    """Return the pieces with every sample whole: bytes that are no whole sample go to the next piece of their item.

    Parameters
    ----------
    pieces : sequence of bytes
    items : sequence of int
        The item that each piece belongs to.
    bytes_per_sample : int
    spare : dict of int to bytes
        Bytes left from earlier pieces, by item; updated.

    Returns
    -------
    whole, carried : list of bytes
        The pieces, and the bytes of an earlier piece that each begins with.
    """
    if not any(spare.values()) and not any(len(piece) % bytes_per_sample for piece in pieces):
        return list(pieces), [b""] * len(pieces)
    whole, carried = [], []
    for piece, item in zip(pieces, items, strict=True):
        carried.append(spare.pop(item, b""))
        data = carried[-1] + piece
        cut = len(data) - len(data) % bytes_per_sample
        spare[item] = data[cut:]
        whole.append(data[:cut])
    return whole, carried


@dataclass(frozen=True, slots=True)
class PlaybackTimes:
    """When the audio of rows sounds. All arrays have shape (n,), in the order of the rows; times are in seconds.

    Attributes
    ----------
    seq : ndarray of int64
        The rows that carry the audio.
    item : ndarray of int32
        A number for the item that each belongs to.
    arrived, length : ndarray of float64
        When the row came, and the duration of its audio.
    start : ndarray of float64
        When it begins to sound; for audio that is not heard, when it would have.
    heard : ndarray of float64
        The part of `length` that sounds, from its beginning; 0 for responses outside the conversation.
    unheard : ndarray of float64
        The part that was cut off because the item was truncated or deleted.
    """

    seq: Places
    item: npt.NDArray[np.int32]
    arrived: Times
    length: Times
    start: Times
    heard: Times
    unheard: Times

    @property
    def end(self) -> float:
        """Return when the last sound ends; minus infinity where nothing sounds."""
        sounding = self.heard > 0
        return float((self.start + self.heard)[sounding].max(initial=-math.inf))

    @property
    def order(self) -> Places:
        """Return the places of the rows that sound, in the order in which they do."""
        sounding = np.flatnonzero(self.heard > 0)
        return sounding[np.argsort(self.start[sounding], kind="stable")]


class AudioPlayback:
    """The audio rows of one direction, taken in as the timeline grows, and when they sound.

    A player starts at once and plays one response after the other without gaps. An item that was truncated sounds as far
    as it was heard, an item that was deleted until that moment; what follows does not wait for the rest. Responses outside
    the conversation are not played.

    Parameters
    ----------
    kind : str
        The kind of event that carries the audio: of input or of output.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._parts: list[npt.NDArray[Any]] = [np.zeros(0, _ROW)]
        self._heard_s: dict[int, float] = {}
        self._deleted_t: dict[int, float] = {}
        self._outside: list[int] = []

    def extend(self, rows: View) -> View:
        """Take in rows of the timeline; return those among them that carry this audio."""
        kinds = rows["kind"]
        audio: View = rows[(kinds == str(self._kind)) & ~np.isnan(rows["audio_ms"])]
        part = np.zeros(len(audio), _ROW)
        part["seq"], part["length"] = audio["seq"], audio["audio_ms"] / 1000
        part["item"], part["response"] = audio["item_id"].codes, audio["response_id"].codes
        part["arrived"] = np.nan_to_num(audio["t"], posinf=0.0, neginf=0.0)
        self._parts.append(part)
        if self._kind == Kind.AUDIO_DELTA:
            self._note(rows[kinds.isin(_NOTED)])
        return audio

    def _note(self, rows: View) -> None:
        """Note which items are cut, and which responses are outside the conversation."""
        codes = zip(rows, rows["item_id"].codes.tolist(), rows["response_id"].codes.tolist(), strict=True)
        for event, item, response in codes:
            if event.kind == Kind.RESPONSE_CREATED:
                if event.response_id and event.part("response").get("conversation_id", "") is None:
                    self._outside.append(response)
            elif event.item_id and event.kind == Kind.ITEM_DELETED and math.isfinite(event.t):
                self._deleted_t[item] = event.t
            elif event.item_id and event.kind == Kind.ITEM_TRUNCATED:
                end = event.data.get("audio_end_ms")
                if isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end):
                    self._heard_s[item] = end / 1000

    def times(self) -> PlaybackTimes:
        """Return when the audio taken in so far sounds."""
        self._parts = [np.concatenate(self._parts)]
        rows = self._parts[0]
        arrived, length = rows["arrived"], rows["length"]
        order = _response_after_response(rows["response"])
        played = np.where(np.isin(rows["response"], self._outside), 0.0, length)
        heard, cut = played.copy(), self._cut_items(rows["item"], order)
        for item, places in cut.items():
            heard[places] = np.clip(self._heard_s.get(item, math.inf) - before_each(length[places]), 0, heard[places])
        start = _starts(arrived, heard, order)
        for item, places in cut.items():  # in the order in which they sound: a cut moves only what follows it
            left = self._deleted_t.get(item, math.inf) - start[places]
            if np.any(left < heard[places]):
                heard[places] = np.clip(left, 0, heard[places])
                start = _starts(arrived, heard, order)
        for places in cut.values():  # what was cut off is where it would have sounded
            rest = places[heard[places] < played[places]]
            start[rest] = playback_starts(np.maximum(arrived, start)[rest], played[rest])
        return PlaybackTimes(rows["seq"], rows["item"], arrived, length, start, heard, played - heard)

    def _cut_items(self, items: npt.NDArray[np.int32], order: Places) -> dict[int, Places]:
        """Return the places of the rows of each item that was truncated or deleted, items in the order in which they sound."""
        wanted = self._heard_s.keys() | self._deleted_t.keys()
        if not wanted:
            return {}
        cut = order[np.isin(items[order], list(wanted))]
        codes, first, group = np.unique(items[cut], return_index=True, return_inverse=True)
        by_item = np.split(cut[np.argsort(group, kind="stable")], np.cumsum(np.bincount(group))[:-1])
        return {int(codes[place]): by_item[place] for place in np.argsort(first)}


def _response_after_response(responses: npt.NDArray[np.int32]) -> Places:
    """Return the order in which a player plays rows: the responses as they began to arrive, none between another's rows."""
    _, first, group = np.unique(responses, return_index=True, return_inverse=True)
    return np.argsort(first[group], kind="stable")


def _starts(arrived: Times, heard: Times, order: Places) -> Times:
    """Return when rows begin to sound that are played in this order; those that do not sound delay none that follow."""
    silent = heard[order] <= 0
    begins = playback_starts(np.where(silent, -math.inf, arrived[order]), heard[order])
    starts = np.empty_like(begins)
    starts[order] = np.where(silent, np.maximum(begins, arrived[order]), begins)
    return starts
