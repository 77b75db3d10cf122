"""`TurnList`: a conversation as a list of turns to show, updated as the conversation grows."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rtnb import formatting
from rtnb.audio import AudioClip
from rtnb.client.connection_errors import server_error
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import ContentPart, Item, ResponseState
from rtnb.conversation.phases import COMMENTARY
from rtnb.conversation.response import Response
from rtnb.conversation.thumbnails import Thumbnail, thumbnails
from rtnb.notebook.growing_arrays import GrowingEnvelope, clip_envelope
from rtnb.notebook.input_speech import SPEECH_KINDS, InputSpeech
from rtnb.protocol.events import RECEIVED, Event
from rtnb.protocol.failures import failed_part, failure_words
from rtnb.protocol.item_words import APPROVAL_REQUEST, APPROVAL_RESPONSE, MCP_ITEMS, MCP_LIST_TOOLS
from rtnb.protocol.names import Kind, Local
from rtnb.timeline import Timeline

BINS = 60
MOST = 300
"""Turns of a list; the oldest are left out."""
_SHOWN_CHARACTERS = 4000
_READ_KINDS = frozenset({*SPEECH_KINDS, Kind.ERROR, Kind.ITEM_ADDED, Local.CLOSE, Local.RESUME})
_ON_ANOTHER_TURN = ("function_call_output", APPROVAL_RESPONSE)
_PHASES = {COMMENTARY: "preamble"}
_NO_TRANSCRIPT = "(speech; no transcript)"
_ADVICE = {
    "cannot_update_voice": "Connect anew, with voice=…, for another voice: this session has spoken already.",
    "conversation_already_has_active_response": "Wait for the response in progress, or cancel it first.",
    "input_audio_buffer_commit_empty": "The input audio buffer was empty: speak for longer, at least 0.1 s.",
    "insufficient_quota": "The account has no credit left: look at its billing page.",
    "invalid_event": "The event was not sent in a form that the service reads: look at its row in session.timeline.",
    "invalid_type": "Change the value that the error names; nothing else was changed.",
    "invalid_value": "Change the value that the error names; nothing else was changed.",
    "missing_required_parameter": "Add the parameter that the error names, and send it again.",
    "rate_limit_exceeded": "Wait a little, then try again.",
    "response_cancel_not_active": "No response was in progress any more; there is nothing to do.",
    "session_expired": "session.resume() goes on with the conversation on a new connection.",
    "unknown_parameter": "Leave the parameter out, or look for another spelling.",
}
_OTHER_ADVICE = "The session goes on; the row of the error in session.timeline has all that the service said."


class HasConversation(Protocol):
    """A live session or a recording, read for its conversation."""

    @property
    def timeline(self) -> Timeline:
        """Return the events."""

    @property
    def conversation(self) -> Conversation:
        """Return the conversation that the events make."""


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One entry of the list.

    Attributes
    ----------
    role : str
        ``"user"``, ``"assistant"``, ``"tool"``, ``"system"``, ``"error"`` or ``"note"``.
    text, unheard : str
        The words, and those that were not heard because the response was truncated.
    seconds : float
        Duration of its audio; 0 without audio.
    heard : float
        The share of its audio that was heard, 0..1.
    wave : str
        The envelope of its audio: (low, high) pairs of int8, base64.
    note : str
        Status and figures.
    live : bool
        Whether it is still growing.
    images : tuple of Thumbnail
        Its images, small.
    """

    id: str
    role: str
    text: str
    unheard: str = ""
    seconds: float = 0.0
    heard: float = 1.0
    wave: str = ""
    note: str = ""
    live: bool = False
    images: tuple[Thumbnail, ...] = ()


class TurnList:
    """The turns of a session; a turn that has not changed since the last call is not built again.

    Parameters
    ----------
    session : Session, AsyncSession or Recording
    """

    def __init__(self, session: HasConversation) -> None:
        self._session = session
        self._seen = 0
        self._speech = InputSpeech(session.timeline)
        self._last_item = ""
        self._events: dict[str, list[ShownTurn]] = {}
        self._failures: dict[str, tuple[list[ShownTurn], int]] = {}
        self._anchors: dict[str, str] = {}
        self._envelopes: dict[str, GrowingEnvelope] = {}
        self._built: dict[str, tuple[object, ShownTurn]] = {}

    def turns(self) -> list[ShownTurn]:
        """Return the newest turns, at most 300; a turn that has not changed is the same object as before."""
        self._read_rows()
        return list(self._in_order())[-MOST:]

    def _read_rows(self) -> None:
        timeline = self._session.timeline
        rows = timeline[self._seen : len(timeline)]
        if not len(rows):
            return
        self._seen += len(rows)
        kinds = rows["kind"]
        first = int(rows["seq"][0])
        appended = set(np.flatnonzero(kinds == Kind.INPUT_APPEND).tolist())
        lengths = rows["audio_ms"] if appended else ()
        for place in sorted(appended | set(np.flatnonzero(kinds.isin(_READ_KINDS) | rows.failed).tolist())):
            if place in appended:
                self._speech.appended(first + place, float(lengths[place]))
            else:
                self._read(timeline[first + place])

    def _read(self, event: Event) -> None:
        if event.kind in SPEECH_KINDS:
            self._speech.take(event)
        elif event.kind == Kind.ITEM_ADDED:
            self._last_item = str(event.part("item").get("id", ""))
        elif event.kind in _READ_KINDS:
            self._events.setdefault(self._last_item, []).append(_event_turn(event))
        elif event.direction == RECEIVED and event.kind not in (Local.NOT_JSON, Local.NO_TYPE):
            self._read_failure(event)

    def _read_failure(self, event: Event) -> None:
        """Show a failure, in place of what an earlier event said of it; not one that the turn of its item shows."""
        conversation, failed = self._session.conversation, failed_part(event)
        response = conversation.responses.get(event.response_id)
        if failed in conversation.items or (response is not None and failed == response.id and response.items):
            return
        turns, place = self._failures.get(failed) or (self._events.setdefault(self._last_item, []), -1)
        words = formatting.one_line(_with_advice(failure_words(event), _code(event)), 1000)
        if place < 0:
            place = len(turns)
            turns.append(ShownTurn(f"row {event.seq}", "error", words))
            if failed:
                self._failures[failed] = turns, place
        else:
            turns[place] = replace(turns[place], text=words)

    def _in_order(self) -> Iterator[ShownTurn]:
        conversation = self._session.conversation
        items = dict(conversation.items)
        extras = self._extras(items)
        for anchor in [each for each in self._events.keys() | extras.keys() if each not in items]:
            yield from (*extras.pop(anchor, ()), *self._events.get(anchor, ()))
        for item in items.values():
            if item.type not in _ON_ANOTHER_TURN:
                yield self._turn(item, conversation.responses.get(item.response_id))
            yield from (*extras.get(item.id, ()), *self._events.get(item.id, ()))

    def _extras(self, items: dict[str, Item]) -> dict[str, list[ShownTurn]]:
        """Return the turns of out-of-band responses, by the item after which they came."""
        found: dict[str, list[ShownTurn]] = {}
        newest = next(reversed(items), "")
        for response in list(self._session.conversation.responses.values()):
            if response.conversation_id is None:
                for item in list(response.items.values()):
                    anchor = self._anchors.setdefault(item.id, newest)
                    found.setdefault(anchor, []).append(self._turn(item, response))
        return found

    def _turn(self, item: Item, response: ResponseState | None) -> ShownTurn:
        fingerprint = _fingerprint(item, response, self._speech.known(item.id))
        before = self._built.get(item.id)
        if before is not None and before[0] == fingerprint:
            return before[1]
        turn = self._build(item, response)
        self._built[item.id] = (fingerprint, turn)
        return turn

    def _build(self, item: Item, response: ResponseState | None) -> ShownTurn:
        if item.type == "function_call":
            return ShownTurn(item.id, "tool", _call_words(item), note=_note(response, self._session.timeline))
        if item.type in MCP_ITEMS:
            return ShownTurn(item.id, "tool", _shown(_remote_words(item)), note=_note(response, self._session.timeline))
        if item.role == "assistant":
            return self._answer(item, response)
        clip = self._speech.clip(item.id)
        spoken = clip is not None or any(part.type == "input_audio" for part in list(item.content.values()))
        return ShownTurn(
            item.id,
            "system" if item.role == "system" else "user",
            _shown(item.text) or (_NO_TRANSCRIPT if spoken else ""),
            seconds=clip.duration if clip is not None else 0.0,
            wave=_base64(clip_envelope(clip, BINS)) if clip is not None else "",
            note=formatting.one_line(" ".join(part.failure for part in list(item.content.values())), 300).strip(),
            images=tuple(thumbnails(item.images)),
        )

    def _answer(self, item: Item, response: ResponseState | None) -> ShownTurn:
        parts = list(item.content.values())
        envelope = self._envelopes.setdefault(item.id, GrowingEnvelope())
        envelope.take(parts)
        live = response is not None and response.active
        if not live:
            del self._envelopes[item.id]
        total, heard = _lengths(parts)
        said, known = item.text, item.heard
        cut = len(known) if said.startswith(known) else len(said)
        return ShownTurn(
            item.id,
            "assistant",
            _shown(said[:cut]),
            unheard=_shown(said[cut:]),
            seconds=total,
            heard=heard / total if total else 1.0,
            wave=_base64(envelope.envelope(BINS)),
            note=" · ".join(filter(None, [_PHASES.get(item.phase, ""), _note(response, self._session.timeline)])),
            live=live,
        )

    def clip(self, turn_id: str) -> AudioClip | None:
        """Return the audio of a turn, all that was received or sent of it; None without audio."""
        conversation = self._session.conversation
        item = conversation.items.get(turn_id) or next(
            (each.items[turn_id] for each in list(conversation.responses.values()) if turn_id in each.items), None
        )
        parts = [part for part in list(item.content.values()) if part.chunks] if item is not None else []
        if not parts:
            return self._speech.clip(turn_id)
        clips = [AudioClip.from_bytes(b"".join(part.chunks), part.format) for part in parts]
        return sum(clips[1:], clips[0])


def _fingerprint(item: Item, response: ResponseState | None, spoken: bool) -> object:
    """Return a value that changes whenever the turn of an item does, at a cost that does not grow with the item."""
    parts = tuple(
        (
            *_ends(part.text_pieces),
            *_ends(part.transcript_pieces),
            len(part.segments),
            len(part.chunks),
            part.heard_ms,
            part.failure,
            part.image is not None,
        )
        for part in list(item.content.values())
    )
    state = (response.status, response.usage is None) if response is not None else ()
    remote = (item.type, item.phase, item.approve, item.error is not None, len(item.tools))
    return item.role, item.status, item.name, len(item.arguments), item.output, parts, state, spoken, remote


def _ends(pieces: list[str]) -> tuple[int, int]:
    return len(pieces), len(pieces[-1]) if pieces else 0


def _lengths(parts: list[ContentPart]) -> tuple[float, float]:
    """Return the seconds of audio, and how many of them were heard."""
    total = [part.format.duration(part.audio_bytes) for part in parts]
    heard = [
        length if part.heard_ms is None else min(length, part.heard_ms / 1000)
        for part, length in zip(parts, total, strict=True)
    ]
    return sum(total), sum(heard)


def _note(state: ResponseState | None, timeline: Timeline) -> str:
    """Return status and figures of the response of an item."""
    if state is None:
        return ""
    response = Response(state, timeline)
    words = [] if state.status == "completed" else [formatting.one_line(state.status.replace("_", " "), 40)]
    if state.reason:
        words.append(formatting.one_line(state.reason, 200))
    if response.error is not None:
        words.append(formatting.one_line(response.error, 300))
    if state.conversation_id is None:
        words.append("out of band")
    if not math.isnan(response.latency.first_audio):
        words.append(f"first audio {formatting.seconds(response.latency.first_audio)}")
    if (tokens := response.usage.get("total_tokens")) is not None:
        words.append(formatting.one_line(f"{tokens} tokens"))
    return " · ".join(words)


def _event_turn(event: Event) -> ShownTurn:
    identifier = f"row {event.seq}"
    if event.kind == Kind.ERROR:
        return ShownTurn(identifier, "error", formatting.one_line(_error_words(event), 1000))
    if event.kind == Local.RESUME:
        return ShownTurn(identifier, "note", "reconnected; the conversation goes on")
    code, reason = event.data.get("code"), formatting.one_line(event.text("reason"), 200)
    if event.text("who") == "client":
        return ShownTurn(identifier, "note", "the session was closed here")
    said = f"The connection ended ({code}{': ' + reason if reason else ''})."
    return ShownTurn(identifier, "error", f"{said} session.resume() goes on with the conversation on a new connection.")


def _error_words(event: Event) -> str:
    error = server_error(event)
    return f"{error} — {_ADVICE.get(error.code or '', _OTHER_ADVICE)}"


def _with_advice(words: str, code: object) -> str:
    advice = _ADVICE.get(code) if isinstance(code, str) else None
    return f"{words} — {advice}" if advice else words


def _code(event: Event) -> object:
    """Return the code of the error that an event holds; None where it has none."""
    details = event.part("response").get("status_details")
    error = details.get("error") if isinstance(details, dict) else event.data.get("error")
    return error.get("code") if isinstance(error, dict) else None


def _remote_words(item: Item) -> str:
    """Return what an item of a remote tool says: what its tools are, what it called, or what it waits for."""
    if item.type == MCP_LIST_TOOLS:
        return f"tools of {item.words}"
    if item.type != APPROVAL_REQUEST:
        return item.words
    waits = f" — session.approve({item.id!r}) or session.deny({item.id!r})" if item.approve is None else ""
    return f"asks for approval to call {item.words}{waits}"


def _call_words(item: Item) -> str:
    call = f"{item.name}({formatting.one_line(item.arguments, 600)})"
    return formatting.printable(f"{call} → {formatting.one_line(item.output, 600)}" if item.output else call)


def _shown(text: str) -> str:
    return formatting.printable(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " …")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
