"""`Response`: one response of the service, finished or still growing, and its latency and function calls."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtnb import formatting
from rtnb.audio.clip import AudioClip, clip_html
from rtnb.conversation.items import FAILED, ContentPart, Item, ResponseState
from rtnb.conversation.phases import PhaseTranscript, answer_items, first_audio, joined_audio, preamble_items
from rtnb.conversation.remote_tools import asks_words
from rtnb.errors import ServerError
from rtnb.protocol.item_words import MCP_CALL

if TYPE_CHECKING:
    from rtnb.timeline import Timeline

_WAVEFORM_BINS = 300
_SHOWN_CHARACTERS = 4000
_SHOWN_CALLS = 20
_NAMED_CALLS = 3


@dataclass(frozen=True, slots=True)
class Latency:
    """How long after its request the parts of a response came, in seconds; NaN for parts that did not come.

    Attributes
    ----------
    created, first_text, first_audio, done : float
        ``response.created``, the first delta of text or transcript, the first delta of audio, and ``response.done``.
    since : str
        What they count from: ``"request"`` (the client's ``response.create``), or ``"created"`` for a response that the
        service began by itself.
    preamble, answer : float
        The first audio of the preamble and of the answer, of a response whose items name their phases; counted from the
        first request of the turn, where functions were called in between.
    """

    created: float
    first_text: float
    first_audio: float
    done: float
    since: str
    preamble: float = math.nan
    answer: float = math.nan

    @property
    def phase_words(self) -> list[str]:
        """Return the latencies of the phases that were measured, in words."""
        measured = {"preamble": self.preamble, "answer": self.answer}
        return [f"{name} {formatting.seconds(value)}" for name, value in measured.items() if not math.isnan(value)]

    def __repr__(self) -> str:
        figures = [
            f"first text {formatting.seconds(self.first_text)}",
            f"first audio {formatting.seconds(self.first_audio)}",
            *self.phase_words,
            f"done {formatting.seconds(self.done)}",
        ]
        return f"<Latency {', '.join(figures)} after {self.since}>"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function call of the model.

    Attributes
    ----------
    name, call_id : str
    arguments : object
        Parsed from JSON; the text itself where it is not JSON.
    output : str
        The output that was sent to the model; empty before that.
    """

    name: str
    call_id: str
    arguments: Any
    output: str = ""


class Response:
    """One response, read-only: what the session's events have said of it so far.

    Parameters
    ----------
    state : ResponseState
    timeline : Timeline
        The timeline of its session.
    """

    def __init__(self, state: ResponseState, timeline: Timeline) -> None:
        self._state = state
        self._timeline = timeline

    @property
    def _states(self) -> list[ResponseState]:
        """Return the states of all responses that this one covers: several where functions were called in between."""
        return [self._state]

    @property
    def state(self) -> ResponseState:
        """Return the state that the conversation updates as events come."""
        return self._state

    @property
    def id(self) -> str:
        """Return the service's id of the response; empty before ``response.created``."""
        return self._state.id

    @property
    def status(self) -> str:
        """Return ``"in_progress"``, ``"completed"``, ``"cancelled"``, ``"incomplete"`` or ``"failed"``."""
        return self._state.status or "requested"

    @property
    def reason(self) -> str:
        """Return the service's reason where it did not end as completed; else empty."""
        return self._state.reason

    @property
    def done(self) -> bool:
        """Return whether nothing more will come."""
        return not math.isnan(self._state.done_t)

    @property
    def items(self) -> list[Item]:
        """Return the conversation items of the response, in output order."""
        return list(self._state.items.values())

    @property
    def _parts(self) -> list[ContentPart]:
        return [part for item in self.items for part in list(item.content.values())]

    @property
    def transcript(self) -> str:
        """Return the transcript of what was spoken; the text of a response without speech."""
        spoken = [part.transcript for part in self._parts if part.transcript]
        return " ".join(spoken) or self.text

    @property
    def text(self) -> str:
        """Return the text parts of the response; empty for one that only speaks."""
        return " ".join(part.text for part in self._parts if part.text)

    @property
    def audio(self) -> AudioClip:
        """Return the audio that has arrived so far, joined; an empty clip where there is none."""
        return joined_audio(self._parts, self._state.format)

    @property
    def preamble(self) -> PhaseTranscript:
        """Return what the model said before its answer, a str with ``.audio``; empty where its items name no phase.

        The preambles of responses that called functions, or remote tools, before this one are part of it.
        """
        return PhaseTranscript.of(preamble_items(self._states), self._state.format)

    @property
    def answer(self) -> PhaseTranscript:
        """Return the transcript without the preamble, a str with ``.audio``; all of it where the items name no phase."""
        return PhaseTranscript.of(answer_items(self._state), self._state.format)

    @property
    def audio_seconds(self) -> float:
        """Return how many seconds of audio have arrived, without joining them."""
        return sum(part.format.duration(part.audio_bytes) for part in self._parts)

    @property
    def progress_words(self) -> str:
        """Return how much audio has arrived, for a view that shows the response while it grows."""
        return self._audio_words() or "no audio yet"

    @property
    def usage(self) -> dict[str, Any]:
        """Return the service's token counts; empty until ``response.done``."""
        return dict(self._state.usage or {})

    @property
    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the request, as the service echoed it."""
        return dict(self._state.metadata or {})

    @property
    def function_calls(self) -> list[FunctionCall]:
        """Return the function calls of the model, in order."""
        return [FunctionCall(each.name, each.call_id, _arguments(each.arguments), each.output) for each in self._calls]

    @property
    def _calls(self) -> list[Item]:
        items = [item for state in self._states for item in list(state.items.values())]
        return [item for item in items if item.type == "function_call"]

    @property
    def error(self) -> ServerError | None:
        """Return the error of a failed response, as an exception that is not raised; None for any other."""
        if self._state.error is not None:
            return ServerError.from_error(self._state.error)
        if self._state.status == "failed":
            return ServerError("the response failed, and the service did not say why")
        return None

    @property
    def latency(self) -> Latency:
        """Return how long after the request the parts of the response came."""
        state = self._state
        asked = not math.isnan(state.requested_t)
        start = state.requested_t if asked else state.created_t
        phases = any(item.phase for each in self._states for item in list(each.items.values()))
        first = self._states[0]
        turn_start = first.created_t if math.isnan(first.requested_t) else first.requested_t
        return Latency(
            created=state.created_t - start,
            first_text=state.first_text_t - start,
            first_audio=state.first_audio_t - start,
            done=state.done_t - start,
            since="request" if asked else "created",
            preamble=first_audio(preamble_items(self._states)) - turn_start,
            answer=first_audio(answer_items(state)) - turn_start if phases else math.nan,
        )

    @property
    def events(self) -> Timeline:
        """Return the rows of the timeline that belong to this response."""
        named = [state.id for state in self._states if state.id]
        return self._timeline.select(response=named) if named else self._timeline[:0]

    def __repr__(self) -> str:
        return f"<Response {', '.join(filter(None, self._facts()))}>"

    def _facts(self) -> list[str]:
        said = formatting.one_line(self.transcript, 60)
        calls = formatting.one_line(", ".join(item.name for item in self._calls), 100)
        quoted = f'"{said}"' if said else ""
        called = f"calls {calls}" if calls else ""
        remote = [formatting.one_line(item.words, 160) for item in self._remote_calls[:_NAMED_CALLS]]
        return [self._status_words(), quoted, self._audio_words(), called, *remote, *self._asked_words()]

    @property
    def _remote_calls(self) -> list[Item]:
        """Return the calls of remote (MCP) tools, in order."""
        return [item for state in self._states for item in list(state.items.values()) if item.type == MCP_CALL]

    def _asked_words(self) -> list[str]:
        """Return a sentence for each approval that the model waits for."""
        return asks_words(self.items)[:_NAMED_CALLS]

    def _status_words(self) -> str:
        status = formatting.one_line(self.status, 40)
        why = formatting.one_line(self.reason or self.error or "", 200)
        return f"{status} ({why})" if why else status

    def _audio_words(self) -> str:
        length = self.audio_seconds
        return f"{formatting.seconds(length)} of audio" if length else ""

    def _figures(self) -> list[str]:
        latency, usage = self.latency, self.usage
        tokens = usage.get("total_tokens")
        shares = (usage.get("input_tokens"), usage.get("output_tokens"))
        figures = [
            f"first text {formatting.seconds(latency.first_text)}",
            f"first audio {formatting.seconds(latency.first_audio)}",
            *(f"{words} after {latency.since}" for words in latency.phase_words),
            self._audio_words() or "no audio",
            formatting.one_line(f"{tokens} tokens ({shares[0]} in, {shares[1]} out)")
            if tokens is not None
            else "tokens not counted",
        ]
        return figures if self.status == "completed" else [self._status_words(), *figures]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._to_html()}

    def _to_html(self) -> str:
        shown, before = _shown(self.answer), _shown(self.preamble)
        error = self.error
        return formatting.card(
            formatting.banner(formatting.one_line(error, 500)) if error else "",
            f'<div style="white-space:pre-wrap">{formatting.muted(before)}</div>' if before else "",
            f'<div style="font-size:110%;white-space:pre-wrap">{formatting.escape(shown)}</div>' if shown else "",
            *(
                f"<code>{formatting.escape(formatting.one_line(f'{call.name}({call.arguments})', 300))}</code>"
                for call in self._calls[:_SHOWN_CALLS]
            ),
            *(_remote_html(item) for item in self._remote_calls[:_SHOWN_CALLS]),
            *(formatting.banner(words, formatting.LOCAL_COLOUR) for words in self._asked_words()),
            *(clip_html(self.audio) if self.audio_seconds else ()),
            formatting.muted(" · ".join(self._figures())),
        )


def _shown(said: str) -> str:
    return said if len(said) <= _SHOWN_CHARACTERS else said[:_SHOWN_CHARACTERS] + " …"


def _remote_html(item: Item) -> str:
    words = formatting.escape(formatting.one_line(item.words, 300))
    return (
        f'<code style="color:{formatting.ERROR_COLOUR}">{words}</code>'
        if item.status == FAILED
        else f"<code>{words}</code>"
    )


def _arguments(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return text


def usage_total(responses: Mapping[str, ResponseState]) -> dict[str, Any]:
    """Return the sum of the usage of all responses, nested token details included; empty where none was counted."""
    total: dict[str, Any] = {}
    for response in list(responses.values()):
        _add(total, response.usage or {})
    return total


def _add(total: dict[str, Any], usage: Mapping[str, Any]) -> None:
    for key, value in usage.items():
        if isinstance(value, Mapping):
            inner = total.setdefault(key, {})
            if isinstance(inner, dict):
                _add(inner, value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            before = total.get(key, 0)
            if not isinstance(before, dict):
                total[key] = before + value
