"""`ConversationView`: who said what, as it is said, to read and to hear."""

from __future__ import annotations

import base64
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from traitlets import List

from rtnb import formatting
from rtnb.notebook.assets import source
from rtnb.notebook.live_view import LiveView
from rtnb.notebook.turn_list import Talk, Turn, TurnList

TITLES = {
    "user": "You",
    "assistant": "Assistant",
    "tool": "Function",
    "system": "System",
    "error": "Error",
    "note": "Session",
}
_COLOURS = {
    "user": formatting.SENT_COLOUR,
    "assistant": formatting.RECEIVED_COLOUR,
    "tool": formatting.LOCAL_COLOUR,
    "error": formatting.ERROR_COLOUR,
}
_SNAPSHOT_TURNS = 40
_QUIET_SECONDS = 1.5
LONGEST_SECONDS = 600
"""Of one turn's audio, what the browser is sent to play."""


class ConversationView(LiveView):
    """The turns of a conversation with words, waveform and play button; what nobody heard of an answer is grey.

    Parameters
    ----------
    talk : Session, AsyncSession or Recording
    """

    _esm = source("parts.js", "conversation_view.js")
    _css = source("parts.css", "conversation_view.css")
    turns: Any = List().tag(sync=True)

    def __init__(self, talk: Talk) -> None:
        self._list = TurnList(talk)
        self._shown = self._list.look()
        self._changed_at = time.monotonic()
        self._settled = True
        super().__init__(turns=[asdict(turn) for turn in self._shown])
        self.add_class("rtnb-conversation-view")

    def refresh(self) -> None:
        """Send the turns that have changed; the browser has the others."""
        turns = self._list.look()
        same = {id(turn) for turn in self._shown}
        changed = [asdict(turn) for turn in turns if id(turn) not in same]
        if changed or len(turns) != len(self._shown):
            self._shown = turns
            # In place, so that a page opened later gets everything, and those that are open only what is new.
            self.turns[:] = [asdict(turn) for turn in turns]
            self.send({"changed": changed, "order": [turn.id for turn in turns]})
            self._changed_at, self._settled = time.monotonic(), False
        elif not self._settled and time.monotonic() - self._changed_at > _QUIET_SECONDS:
            self._settled = True
            self.settle()

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Send the WAV file of a turn to the browser view that wants to play it."""
        if not isinstance(content, dict) or not isinstance(content.get("play"), str):
            return
        clip = self._list.clip(content["play"])
        wav = clip.between(0, LONGEST_SECONDS).to_wav() if clip is not None and len(clip) else b""
        self.send({"wav": content["play"], "to": content.get("to")}, [wav])

    def snapshot(self) -> dict[str, str]:
        """Return the newest 40 turns as a page without widgets shows them."""
        turns = self._list.look()
        return {"text/plain": self._text(turns), "text/html": turns_html(turns)}

    def _text(self, turns: list[Turn]) -> str:
        lines = [f"{TITLES[turn.role]}: {formatting.one_line(turn.text, 200)}" for turn in turns[-_SNAPSHOT_TURNS:]]
        return "\n".join(lines) or "nothing has been said yet"

    def __repr__(self) -> str:
        return f"<ConversationView, {formatting.plural(len(self._shown), 'turn')}>"


def turns_html(turns: list[Turn]) -> str:
    """Return the newest 40 turns in HTML without a script."""
    shown = turns[-_SNAPSHOT_TURNS:]
    left_out = len(turns) - len(shown)
    more = formatting.muted(f"{formatting.plural(left_out, 'earlier turn')} not shown") if left_out else ""
    return formatting.card(more, *map(_turn_html, shown)) if turns else formatting.muted("Nothing has been said yet.")


def _turn_html(turn: Turn) -> str:
    if turn.role == "error":
        return formatting.banner(turn.text)
    title = formatting.coloured(TITLES[turn.role], _COLOURS.get(turn.role, "#808080"))
    unheard = f'<span style="opacity:.5" title="not heard">{formatting.escape(turn.unheard)}</span>'
    note = " · ".join(filter(None, [formatting.seconds(turn.seconds) if turn.seconds else "", turn.note]))
    return "".join(
        [
            f'<div style="white-space:pre-wrap">{title} {formatting.escape(turn.text)}{unheard if turn.unheard else ""}</div>',
            _wave_svg(turn) if turn.wave else "",
            formatting.muted(note) if note else "",
        ]
    )


def _wave_svg(turn: Turn) -> str:
    pairs = np.frombuffer(base64.b64decode(turn.wave), np.int8).reshape(-1, 2) / 127
    label = f"waveform of {formatting.seconds(turn.seconds)}"
    return formatting.waveform_svg(pairs[:, 0].tolist(), pairs[:, 1].tolist(), width=240, height=28, label=label)
