"""Scripted services of sessions that are not realtime ones, written from the protocol's description alone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from memory_transport import MemoryTransport
from scripted import Dial, Here, Script, Wire

from rtnb.client.async_session import AsyncSession
from rtnb.client.credentials import NoCredential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import Handshake
from rtnb.protocol.dialects import DIALECTS

REALTIME_URL = "ws://127.0.0.1:1/v1/realtime"
TRANSLATION_URL = "wss://127.0.0.1:1/v1/realtime/translations?model=gpt-realtime-translate"
VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
SAID = "conversation.item.input_audio_transcription"


def transcription_session(dialect: str, model: str | None = "gpt-4o-transcribe", detection: Wire | None = None) -> Wire:
    """The session object of a transcription session."""
    transcription = {"model": model} if model else None
    common = {"id": "sess_t", "object": "realtime.transcription_session"}
    if dialect == "preview":
        return common | {
            "input_audio_format": "pcm16",
            "input_audio_transcription": transcription,
            "turn_detection": detection,
        }
    heard = {
        "format": {"type": "audio/pcm", "rate": 24000},
        "transcription": transcription,
        "turn_detection": detection,
    }
    return common | {"type": "transcription", "audio": {"input": heard}}


class TranscribingScript(Script):
    """Transcribes what is committed: the n-th commit becomes item_n, whose transcript is told with `tell`."""

    def __init__(self, transport: Any, dialect: str = "ga", *, tells: list[list[Wire]] | None = None, **session: Any):
        super().__init__(transport, dialect)
        self.session = transcription_session(dialect, **session)
        self.tells = tells if tells is not None else [[completed("Hello world.")]]
        self.commits = 0
        self.name = "transcription_session" if dialect == "preview" else "session"
        self.answers = {
            "transcription_session.update": TranscribingScript.changed,
            "input_audio_buffer.commit": TranscribingScript.committed,
        }

    async def say(self, *events: Wire | bytes | str) -> None:
        """In the preview dialect, events of the session have a name of their own."""
        for event in events:
            if isinstance(event, dict) and event["type"] in ("session.created", "session.updated"):
                event = event | {"type": event["type"].replace("session", self.name)}
            await super().say(event)

    async def changed(self, heard: Wire) -> None:
        await self.update(heard["session"])

    async def committed(self, heard: Wire) -> None:
        self.commits += 1
        item = f"item_{self.commits}"
        await self.say({"type": "input_audio_buffer.committed", "item_id": item, "previous_item_id": None})
        content = [{"type": "input_audio", "transcript": None}]
        await self.add({"id": item, "type": "message", "role": "user", "content": content})
        tell = self.tells[min(self.commits, len(self.tells)) - 1]
        await self.say(*({"item_id": item, "content_index": 0, **event} for event in tell))


def delta(words: str, **fields: Any) -> Wire:
    """A piece of a transcript."""
    return {"type": f"{SAID}.delta", "event_id": "event_d", "delta": words, **fields}


def segment(speaker: str, start: float, end: float, text: str) -> Wire:
    """A piece of a transcript by one speaker."""
    return {"type": f"{SAID}.segment", "id": "seg_1", "speaker": speaker, "start": start, "end": end, "text": text}


def completed(words: str, **fields: Any) -> Wire:
    """The end of a transcript."""
    usage = {"type": "duration", "seconds": 1}
    return {"type": f"{SAID}.completed", "event_id": "event_c", "transcript": words, "usage": usage, **fields}


def failed(code: str, message: str) -> Wire:
    """The end of a transcription that has no transcript."""
    told = {"type": "server_error", "code": code, "message": message, "param": None}
    return {"type": f"{SAID}.failed", "event_id": "event_f", "error": told}


class TranslatingScript(Script):
    """Translates: three deltas for each append, the last of them when the session is asked to close."""

    def __init__(self, transport: Any, *, type_of_session: bool = True, says_closed: bool = True) -> None:
        super().__init__(transport)
        heard = {"noise_reduction": None, "transcription": {"model": "gpt-realtime-whisper"}}
        self.session = {
            "id": "sess_tr",
            "model": "gpt-realtime-translate",
            "audio": {"input": heard, "output": {"language": "de"}},
        }
        if type_of_session:
            self.session["type"] = "translation"
        self.says_closed = says_closed
        self.answers = dict.fromkeys(
            ("session.input_audio_buffer.append", "session.close"), TranslatingScript.translate
        )

    async def translate(self, heard: Wire) -> None:
        match heard["type"]:
            case "session.input_audio_buffer.append":
                pcm = base64.b64encode(b"\x10\x00" * 2400).decode()
                await self.say(
                    {"type": "session.input_transcript.delta", "event_id": "e1", "delta": "Good", "elapsed_ms": 200},
                    {"type": "session.output_transcript.delta", "event_id": "e2", "delta": "Guten", "elapsed_ms": 200},
                    {"type": "session.output_audio.delta", "event_id": "e3", "delta": pcm, "sample_rate": 24000},
                )
            case "session.close":
                await self.say({"type": "session.output_transcript.delta", "event_id": "e4", "delta": " Morgen."})
                if self.says_closed:
                    await self.say({"type": "session.closed", "event_id": "e5"})


async def open_kind(
    script: Callable[[MemoryTransport], Script],
    url: str = REALTIME_URL,
    dialect: str = "ga",
    *,
    intent: str = "",
    call_id: str = "",
    config: Wire | None = None,
    timeout: float = 30.0,
    again: Callable[[MemoryTransport], Script] | None = None,
) -> tuple[AsyncSession, Any]:
    """Open a session of a scripted service at a URL, on this loop, without a network."""
    dial = Dial(dialect, script, again)
    endpoint = Endpoint("url", url, DIALECTS[dialect], "", intent=intent, call_id=call_id)
    handshake = Handshake(endpoint, NoCredential(), timeout, False, dial)
    session = await AsyncSession.open(handshake, Here(), config or {})  # type: ignore[arg-type]
    return session, dial.services[0]
