"""`ConversationView`: the turns of a conversation to read and to hear, while they are spoken."""

from __future__ import annotations

import base64
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from traitlets import List

from rtnb import formatting
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.thumbnails import thumbnails_html
from rtnb.notebook.turn_list import HasConversation, ShownTurn, TurnList
from rtnb.notebook.widget import ViewWidget, static, wrong_object

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
"""The audio of one turn is sent to the browser up to this length."""


class ConversationView(ViewWidget):
    """The turns of a conversation with words, waveform and play button; the unheard part of a truncated turn is grey.

    Parameters
    ----------
    session : Session, AsyncSession or Recording

    Raises
    ------
    TypeError
        If `session` has no conversation.
    """

    _esm = static("shared.js", "conversation_view.js")
    _css = static("shared.css", "conversation_view.css")
    turns: Any = List().tag(sync=True)

    def __init__(self, session: HasConversation) -> None:
        if not isinstance(getattr(session, "conversation", None), Conversation):
            raise wrong_object("ConversationView", "a session or a recording (rtnb.open)", session)
        self._list = TurnList(session)
        self._shown = self._list.turns()
        self._changed_at = time.monotonic()
        self._settled = True
        super().__init__(turns=[asdict(turn) for turn in self._shown])
        self.add_class("rtnb-conversation-view")

    def refresh(self) -> None:
        """Send the turns that have changed; the browser has the others."""
        turns = self._list.turns()
        same = {id(turn) for turn in self._shown}
        changed = [asdict(turn) for turn in turns if id(turn) not in same]
        if changed or len(turns) != len(self._shown):
            self._shown = turns
            # In place, so that a page opened later gets all turns, and the open ones only what is new.
            self.turns[:] = [asdict(turn) for turn in turns]
            self.send({"changed": changed, "order": [turn.id for turn in turns]})
            self._changed_at, self._settled = time.monotonic(), False
        elif not self._settled and time.monotonic() - self._changed_at > _QUIET_SECONDS:
            self._settled = True
            self.settle()

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Send the WAV file of a turn to the page that wants to play it."""
        if not isinstance(content, dict) or not isinstance(content.get("play"), str):
            return
        clip = self._list.clip(content["play"])
        wav = clip.between(0, LONGEST_SECONDS).to_wav() if clip is not None and len(clip) else b""
        self.send({"wav": content["play"], "to": content.get("to")}, [wav])

    def snapshot(self) -> dict[str, str]:
        """Return the newest 40 turns as a page without widgets shows them."""
        turns = self._list.turns()
        lines = [_line(turn) for turn in turns[-_SNAPSHOT_TURNS:]]
        return {"text/plain": "\n".join(lines) or "nothing has been said yet", "text/html": turns_html(turns)}

    def __repr__(self) -> str:
        return f"<ConversationView, {formatting.plural(len(self._shown), 'turn')}>"


def _line(turn: ShownTurn) -> str:
    images = "".join(f" [{image.words}]" for image in turn.images)
    return f"{TITLES[turn.role]}: {formatting.one_line(turn.text, 200)}{images}"


def turns_html(turns: list[ShownTurn]) -> str:
    """Return the newest 40 turns in HTML without a script."""
    shown = turns[-_SNAPSHOT_TURNS:]
    left_out = len(turns) - len(shown)
    more = formatting.muted(f"{formatting.plural(left_out, 'earlier turn')} not shown") if left_out else ""
    return formatting.card(more, *map(_turn_html, shown)) if turns else formatting.muted("Nothing has been said yet.")


def _turn_html(turn: ShownTurn) -> str:
    if turn.role == "error":
        return formatting.banner(turn.text)
    title = formatting.coloured(TITLES[turn.role], _COLOURS.get(turn.role, "#808080"))
    unheard = f'<span style="opacity:.5" title="not heard">{formatting.escape(turn.unheard)}</span>'
    words = f"{title} {formatting.escape(turn.text)}{unheard if turn.unheard else ''}"
    note = " · ".join(filter(None, [formatting.seconds(turn.seconds) if turn.seconds else "", turn.note]))
    return "".join(
        [
            f'<div style="white-space:pre-wrap">{words}</div>',
            thumbnails_html(turn.images),
            _wave_svg(turn) if turn.wave else "",
            formatting.muted(note) if note else "",
        ]
    )


def _wave_svg(turn: ShownTurn) -> str:
    pairs = np.frombuffer(base64.b64decode(turn.wave), np.int8).reshape(-1, 2) / 127
    label = f"waveform of {formatting.seconds(turn.seconds)}"
    return formatting.waveform_svg(pairs[:, 0].tolist(), pairs[:, 1].tolist(), width=240, height=28, label=label)
