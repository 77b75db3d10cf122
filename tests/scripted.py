"""A realtime service in the smallest form that the protocol allows, written from the protocol's description alone.

It shares nothing with rtnb: every name on the wire is spelled out here, in both dialects.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from memory_transport import MemoryTransport

from rtnb.client.async_session import AsyncSession
from rtnb.client.credentials import NoCredential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import Handshake
from rtnb.client.requests import Requests
from rtnb.client.transport import Closed
from rtnb.protocol.dialects import DIALECTS

Wire = dict[str, Any]

PREVIEW_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
USAGE = {
    "total_tokens": 82,
    "input_tokens": 5,
    "output_tokens": 77,
    "input_token_details": {"text_tokens": 5, "audio_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 21, "audio_tokens": 56},
}


def session(dialect: str) -> Wire:
    """The session object of `session.created`."""
    common = {
        "id": "sess_script",
        "model": "gpt-realtime",
        "instructions": "Be kind.",
        "tools": [],
        "tool_choice": "auto",
    }
    if dialect == "preview":
        return common | {
            "object": "realtime.session",
            "modalities": ["text", "audio"],
            "voice": "verse",
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_transcription": None,
            "turn_detection": None,
            "temperature": 0.8,
            "max_response_output_tokens": "inf",
        }
    return common | {
        "object": "realtime.session",
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 24000}, "transcription": None, "turn_detection": None},
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "verse", "speed": 1.0},
        },
        "max_output_tokens": "inf",
    }


class Ladder:
    """The events of one response, rung by rung, as section 3 of the protocol's description has them."""

    def __init__(
        self,
        dialect: str,
        *,
        response: str = "resp_1",
        item: str = "item_2",
        after: str | None = "item_1",
        **fields: Any,
    ) -> None:
        self.dialect = dialect
        self.after = after
        self.response = response
        self.item = item
        self.fields = fields
        self.of = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}

    def event(self, type: str, **fields: Any) -> Wire:
        name = PREVIEW_NAMES.get(type, type) if self.dialect == "preview" else type
        return {"type": name, "event_id": f"event_{type}", **fields}

    def created(self, **fields: Any) -> Wire:
        told = {"id": self.response, "object": "realtime.response", "status": "in_progress", "status_details": None}
        rest = {"output": [], "usage": None, "conversation_id": "conv_1", "metadata": None}
        return self.event("response.created", response=told | rest | self.fields | fields)

    def opening(self, part: str) -> list[Wire]:
        item = {"id": self.item, "object": "realtime.item", "type": "message", "role": "assistant"}
        item |= {"status": "in_progress", "content": []}
        empty = {"type": "audio", "transcript": ""} if part == "audio" else {"type": "text", "text": ""}
        return [
            self.event("response.output_item.added", response_id=self.response, output_index=0, item=item),
            self.event("conversation.item.added", previous_item_id=self.after, item=item),
            self.event("response.content_part.added", **self.of, part=empty),
        ]

    def text(self, word: str) -> Wire:
        return self.event("response.output_text.delta", **self.of, delta=word)

    def transcript(self, word: str) -> Wire:
        return self.event("response.output_audio_transcript.delta", **self.of, delta=word)

    def audio(self, pcm: bytes) -> Wire:
        return self.event("response.output_audio.delta", **self.of, delta=base64.b64encode(pcm).decode())

    def closing(self, part: str, said: str, status: str = "completed", reason: str | None = None) -> list[Wire]:
        names = {"preview": {"audio": "audio", "text": "text"}, "ga": {"audio": "output_audio", "text": "output_text"}}
        words = {"transcript": said} if part == "audio" else {"text": said}
        item = {"id": self.item, "object": "realtime.item", "type": "message", "role": "assistant"}
        item |= {"status": "completed" if status == "completed" else "incomplete"}
        item["content"] = [{"type": names[self.dialect][part], **words}]
        details = None if status == "completed" else {"type": status, "reason": reason}
        whole = {"id": self.response, "object": "realtime.response", "status": status, "status_details": details}
        whole |= {"output": [item], "usage": USAGE, "conversation_id": "conv_1", "metadata": None}
        if part == "audio":
            ends = [
                self.event("response.output_audio.done", **self.of),
                self.event("response.output_audio_transcript.done", **self.of, transcript=said),
            ]
        else:
            ends = [self.event("response.output_text.done", **self.of, text=said)]
        return [
            *ends,
            self.event("response.content_part.done", **self.of, part={"type": part, **words}),
            self.event("response.output_item.done", response_id=self.response, output_index=0, item=item),
            *(
                [self.event("conversation.item.done", previous_item_id=self.after, item=item)]
                if self.dialect == "ga"
                else []
            ),
            self.event("response.done", response=whole | self.fields),
        ]

    def text_turn(self, words: list[str]) -> list[Wire]:
        """Section 3a, from response.created on."""
        said = "".join(words)
        return [self.created(), *self.opening("text"), *map(self.text, words), *self.closing("text", said)]

    def speech_turn(self, words: list[str], chunks: list[bytes]) -> list[Wire]:
        """Section 3b: the transcript ahead of the audio."""
        pairs = itertools.zip_longest(map(self.transcript, words), map(self.audio, chunks))
        spoken = [event for pair in pairs for event in pair if event]
        return [self.created(), *self.opening("audio"), *spoken, *self.closing("audio", "".join(words))]

    def cancelled_turn(self, words: list[str], chunks: list[bytes]) -> list[Wire]:
        """Section 3f: cut off, closed in order, status cancelled."""
        turn = self.speech_turn(words, chunks)
        return [*turn[: 4 + len(words) + len(chunks)], *self.closing("audio", "", "cancelled", "client_cancelled")]

    def function_turn(self, name: str, arguments: list[str]) -> list[Wire]:
        """Section 3e, up to the first response.done."""
        return self.calls_turn([(self.item, "call_1", name, arguments)])

    def calls_turn(self, calls: list[tuple[str, str, str, list[str]]]) -> list[Wire]:
        """Section 3e with several calls in one response: item, call id, name and pieces of the arguments of each."""
        events, ended = [self.created()], []
        for index, (item, call_id, name, pieces) in enumerate(calls):
            call = {"id": item, "object": "realtime.item", "type": "function_call", "name": name, "call_id": call_id}
            of = {"response_id": self.response, "item_id": item, "output_index": index, "call_id": call_id}
            began = call | {"status": "in_progress", "arguments": ""}
            ended.append(call | {"status": "completed", "arguments": "".join(pieces)})
            place = {"response_id": self.response, "output_index": index}
            named = {"name": name} if self.dialect == "ga" else {}
            events += [
                self.event("response.output_item.added", **place, item=began),
                self.event("conversation.item.added", previous_item_id=self.after, item=began),
                *(self.event("response.function_call_arguments.delta", **of, delta=each) for each in pieces),
                self.event("response.function_call_arguments.done", **of, arguments="".join(pieces), **named),
                self.event("response.output_item.done", **place, item=ended[-1]),
                *([self.event("conversation.item.done", item=ended[-1])] if self.dialect == "ga" else []),
            ]
        done = {"id": self.response, "status": "completed", "status_details": None, "output": ended, "usage": USAGE}
        return [*events, self.event("response.done", response=done)]

    def beside_turn(self, words: list[str], chunks: list[bytes]) -> list[Wire]:
        """Section 3h: the same ladder without a word about the conversation."""
        turn = Ladder(
            self.dialect, response=self.response, item=self.item, **{**self.fields, "conversation_id": None}
        ).speech_turn(words, chunks)
        return [event for event in turn if not event["type"].startswith("conversation.")]


def error(code: str, message: str, event_id: str | None = None) -> Wire:
    """Section 3i."""
    told = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": event_id}
    return {"type": "error", "event_id": "event_error", "error": told}


Hear = Callable[["Script", Wire], Awaitable[None]]


class Script:
    """The service's end of a connection: it hears, keeps what it heard, and answers.

    `answers` maps a client event's type to what to do instead of the usual; ``Script.ignore`` does nothing.
    With `holds`, a response stops before its end until `release` is called or it is cancelled.
    """

    def __init__(
        self, transport: Any, dialect: str = "ga", *, answers: dict[str, Hear] | None = None, holds: bool = False
    ) -> None:
        self.transport = transport
        self.dialect = dialect
        self.answers = answers or {}
        self.holds = holds
        self.heard: list[Wire] = []
        self.session = session(dialect)
        self.active: Ladder | None = None
        self.closed: Closed | None = None
        self._ids: Iterator[int] = itertools.count(1)
        self._last: str | None = None

    async def say(self, *events: Wire | bytes | str) -> None:
        for event in events:
            frame = (
                event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
            )
            await self.transport.send(frame)

    async def run(self) -> None:
        try:
            await self.say({"type": "session.created", "event_id": "event_0", "session": self.session})
            while True:
                heard = json.loads(await self.transport.receive())
                self.heard.append(heard)
                await (self.answers.get(heard["type"]) or Script.usual)(self, heard)
        except Closed as closed:
            self.closed = closed

    def types(self) -> list[str]:
        return [event["type"] for event in self.heard]

    async def ignore(self, heard: Wire) -> None:
        pass

    async def usual(self, heard: Wire) -> None:
        match heard["type"]:
            case "session.update":
                await self.update(heard["session"])
            case "conversation.item.create":
                await self.add(heard["item"])
            case "response.create":
                await self.respond(heard)
            case "response.cancel":
                await self.cancel(heard)
            case "input_audio_buffer.commit":
                await self.say(
                    {"type": "input_audio_buffer.committed", "item_id": "item_spoken", "previous_item_id": self._last}
                )
                await self.add({"id": "item_spoken", "type": "message", "role": "user", "content": []})
            case "input_audio_buffer.clear":
                await self.say({"type": "input_audio_buffer.cleared"})
            case "conversation.item.truncate":
                told = {key: heard[key] for key in ("item_id", "content_index", "audio_end_ms")}
                await self.say({"type": "conversation.item.truncated", **told})
            case "conversation.item.delete":
                await self.say({"type": "conversation.item.deleted", "item_id": heard["item_id"]})

    async def update(self, change: Wire) -> None:
        def merge(into: Wire, value: Wire) -> None:
            for key, each in value.items():
                if isinstance(each, dict) and isinstance(into.get(key), dict):
                    merge(into[key], each)
                else:
                    into[key] = each

        merge(self.session, change)
        await self.say({"type": "session.updated", "event_id": "event_u", "session": self.session})

    async def add(self, item: Wire) -> None:
        whole = {"id": f"item_{next(self._ids)}", "object": "realtime.item", "status": "completed", **item}
        name = "conversation.item.created" if self.dialect == "preview" else "conversation.item.added"
        after, self._last = self._last, whole["id"]
        await self.say({"type": name, "event_id": "event_i", "previous_item_id": after, "item": whole})
        if self.dialect == "ga":
            await self.say({"type": "conversation.item.done", "previous_item_id": after, "item": whole})

    async def respond(self, heard: Wire) -> None:
        if heard.get("response", {}).get("conversation") == "none":
            return await self.beside(heard)
        if self.active:
            code = "conversation_already_has_active_response"
            return await self.say(error(code, f"… in progress: {self.active.response}.", heard["event_id"]))
        number = next(self._ids)
        metadata = heard.get("response", {}).get("metadata")
        after, self._last = self._last, f"item_a{number}"
        self.active = Ladder(self.dialect, response=f"resp_{number}", item=self._last, after=after, metadata=metadata)
        turn = self.active.speech_turn(["Of", " course", "!"], [bytes(4800), bytes(7200)])
        if self.holds:
            return await self.say(*turn[:8])
        self.active = None
        await self.say(*turn)

    async def beside(self, heard: Wire) -> None:
        number = next(self._ids)
        fields = {"metadata": heard["response"].get("metadata")}
        turn = Ladder(self.dialect, response=f"resp_{number}", item=f"item_b{number}", **fields)
        await self.say(*turn.beside_turn(["As", "ide"], [bytes(2400)]))

    async def release(self) -> None:
        turn, self.active = self.active, None
        assert turn
        await self.say(*turn.closing("audio", "Of course!"))

    async def cancel(self, heard: Wire) -> None:
        if self.active is None:
            code, message = "response_cancel_not_active", "Cancellation failed: no active response found"
            return await self.say(error(code, message, heard["event_id"]))
        turn, self.active = self.active, None
        await self.say(*turn.closing("audio", "Of course!", "cancelled", "client_cancelled"))


class Here:
    """A stand-in for the loop thread where everything is on one loop already."""

    async def acall(self, coroutine: Any) -> Any:
        return await coroutine

    def submit(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def late_ms(self, now: float) -> float:
        return 0.0

    def close_at_exit(self, closable: object) -> None:
        pass


class Dial:
    """Opens memory transports, each to a scripted service of its own.

    The first service is what `script` makes, each later one what `again` makes, or raises; by default a `Script`.
    """

    def __init__(
        self,
        dialect: str = "ga",
        script: Callable[[MemoryTransport], Script] | None = None,
        again: Callable[[MemoryTransport], Script] | None = None,
        **quirks: Any,
    ) -> None:
        self.make = script or (lambda transport: Script(transport, dialect, **quirks))
        self.again = again or self.make
        self.services: list[Script] = []
        self.headers: list[Wire] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def __call__(self, url: str, headers: Any, timeout: float) -> MemoryTransport:
        self.headers.append(dict(headers))
        ours, theirs = MemoryTransport.pair()
        self.services.append((self.again if len(self.headers) > 1 else self.make)(theirs))
        self.tasks.append(asyncio.create_task(self.services[-1].run()))
        return ours


def handshake_with(
    dial: Dial, dialect: str = "ga", *, credential: Any = None, timeout: float = 30.0, reconnect: bool = False
) -> Handshake:
    """Return a handshake with a scripted service."""
    endpoint = Endpoint("url", "ws://127.0.0.1:1/v1/realtime", DIALECTS[dialect], "gpt-realtime")
    return Handshake(endpoint, credential or NoCredential(), timeout, reconnect, dial)


async def open_requests(dialect: str = "ga", *, timeout: float = 30.0, **quirks: Any) -> tuple[Requests, Dial]:
    """Connect to a scripted service, without a session: for the parts that a session is made of."""
    dial = Dial(dialect, **quirks)
    connection = await handshake_with(dial, dialect).connect(Here())  # type: ignore[arg-type]
    return Requests(connection, timeout), dial


async def open_session(
    dialect: str = "ga",
    *,
    script: Callable[[MemoryTransport], Script] | None = None,
    credential: Any = None,
    timeout: float = 30.0,
    config: Wire | None = None,
    record: Any = None,
    reconnect: bool = False,
    again: Callable[[MemoryTransport], Script] | None = None,
    io: Any = None,
    **quirks: Any,
) -> tuple[AsyncSession, Script]:
    """Open a session with a scripted service, on this loop, without a network.

    Each later connection gets a service of its own; all of them are in ``session.services``, and what each was dialled with
    in ``session.dialled``.
    """
    dial = Dial(dialect, script, again, **quirks)
    handshake = handshake_with(dial, dialect, credential=credential, timeout=timeout, reconnect=reconnect)
    try:
        session = await AsyncSession.open(handshake, io or Here(), config or {}, record)
    except BaseException:
        for task in dial.tasks:
            task.cancel()
        raise
    session.services, session.dialled = dial.services, dial.headers  # type: ignore[attr-defined]
    return session, dial.services[0]
