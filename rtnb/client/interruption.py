"""What an interruption cuts off: which items of an answer were not heard to their end, and how far they were. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtnb.client.playback import Heard, Playback
from rtnb.conversation.items import DELETED, Item, ResponseState
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import playback_starts
from rtnb.timeline.view import View


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
        The player's word. Without it, or where it does not know, the answer is taken to be heard as it arrived.
    """
    rows = _spoken_rows(timeline, response)
    told = {each: playback.heard_ms(each) for each in response.items} if playback is not None else {}
    by_player = any(ms is not None for ms in told.values())
    lengths_ms: npt.NDArray[np.float64] = rows["audio_ms"]
    heard_ms = np.clip(now * 1000 - playback_starts(rows["t"] * 1000, lengths_ms), 0, lengths_ms)
    found: list[Heard] = []
    for item in list(response.items.values()):
        index = _spoken_part(item)
        if not item.id or item.status == DELETED or index is None:
            continue
        mine = np.asarray(rows["item_id"] == item.id)
        received = _whole_ms(lengths_ms[mine])
        heard = min(told.get(item.id) or 0, received) if by_player else _whole_ms(heard_ms[mine])
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
