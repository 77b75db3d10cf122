from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

import numpy as np
import openai.types.beta.realtime as preview_types
import openai.types.realtime as ga_types
import pytest
from fake_engines import Bench, LoudDetector, hears, steady_voice
from pydantic import BaseModel

from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.event_shapes import SERVER_EVENTS
from rtnb.protocol.names import GA_NAME
from rtnb.protocol.value_shapes import ANYTHING
from rtnb.service.engines.tasks import Say, Text, Write
from rtnb.service.session.checks import check
from rtnb.service.session.connection import ServiceConnection

Event = dict[str, Any]

# What the services' logs show in a session beyond the official types; and the strictest client wants a call's name.
_BEYOND_THE_TYPES = {
    "session.id",
    "session.object",
    "session.expires_at",
    "name",
    "item.phase",
    "item.error",  # of a list of MCP tools that could not be had; the type for that of the Responses API has it
    "response.output.phase",
}


def _classes(union: Any) -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for member in get_args(get_args(union)[0]) or get_args(union):
        if isinstance(member, type):
            for name in get_args(member.model_fields["type"].annotation):
                found[name] = member
    return found


@pytest.fixture(scope="session")
def official_classes() -> dict[str, dict[str, type[BaseModel]]]:
    return {
        "ga": _classes(ga_types.RealtimeServerEvent),
        "preview": _classes(preview_types.RealtimeServerEvent),
    }


def _strangers(model: Any, path: str = "") -> Iterator[str]:
    """Yield the fields that the official types do not know."""
    if isinstance(model, BaseModel):
        for name in model.model_extra or {}:
            yield f"{path}{name}"
        for name in type(model).model_fields:
            yield from _strangers(getattr(model, name), f"{path}{name}.")
    elif isinstance(model, list):
        for each in model:
            yield from _strangers(each, path)


@pytest.fixture(scope="session")
def judge(official_classes: dict[str, dict[str, type[BaseModel]]]) -> Callable[[Dialect, Event], None]:
    """Refuse an event that the official client's types do not describe, or in GA rtnb's own table of events."""

    def judge(dialect: Dialect, event: Event) -> None:
        event = json.loads(json.dumps(event))  # as it crosses the wire
        check(SERVER_EVENTS[event["type"]] if dialect is GA else ANYTHING, event, "")
        model = official_classes[dialect.name][event["type"]].model_validate(event, strict=True)
        assert set(_strangers(model)) <= _BEYOND_THE_TYPES, event
        assert len(event["event_id"]) == len("event_") + 21

    return judge


class Client:
    """Talks to a ServiceConnection; the official types judge every event that comes back."""

    def __init__(self, dialect: Dialect, judge: Callable[[Dialect, Event], None], **options: Any) -> None:
        self.now = 1_800_000_000.0
        judged = options.pop("judged", True)
        write, speak, transcribe = (options.pop(name, None) for name in ("write", "speak", "transcribe"))
        defaults = {"model": "gpt-4o-realtime-preview", "clock": lambda: self.now, "make_detector": LoudDetector}
        self.connection = ServiceConnection(dialect, **{**defaults, **options})
        self.bench = Bench(self.connection, write, speak, transcribe)
        self.dialect = dialect
        self._judge = judge if judged else lambda dialect, event: None
        self.log: list[Event] = []
        self.keep(self.connection.open())

    def keep(self, events: list[Event]) -> list[Event]:
        for event in events:
            self._judge(self.dialect, event)
        self.log += events
        return events

    def send(self, type: str, **fields: Any) -> list[Event]:
        """Send an event whose session, response and item are in GA's form."""
        return self.raw(self.dialect.encode({"type": type, **fields}))

    def raw(self, event: Any) -> list[Event]:
        return self.work(self.connection.receive(json.dumps(event)))

    def work(self, events: list[Event]) -> list[Event]:
        """Keep events, and have done what is ordered."""
        return self.keep(events) + self.keep(self.bench.work())

    def step(self) -> list[Event]:
        step = self.connection.advance()
        return self.work(step.events if step else [])

    def finish(self) -> list[Event]:
        """Go on until nothing is in progress, or what is waits for an engine."""
        events: list[Event] = []
        while step := self.connection.advance():
            events += self.work(step.events)
        return events

    def finish_quietly(self) -> None:
        """Let what a hostile client began come to its end, unjudged: it may show what that client sent."""
        self.bench.work()
        while self.connection.advance():
            self.bench.work()

    def until(self, kind: str) -> list[Event]:
        """Step until an event of this GA name has come."""
        events: list[Event] = []
        while not any(self.kind(event) == kind for event in events):
            step = self.connection.advance()
            assert step is not None, f"no {kind} came"
            events += self.work(step.events)
        return events

    def message(self, text: str, role: str = "user", **fields: Any) -> list[Event]:
        part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
        item = {"type": "message", "role": role, "content": [part], **fields.pop("item", {})}
        return self.send("conversation.item.create", item=item, **fields)

    def ask(self, text: str, **response: Any) -> list[Event]:
        """Hold a turn; return the events from response.created to response.done."""
        self.message(text)
        return self.send("response.create", response=response) + self.finish()

    def configure(self, **session: Any) -> list[Event]:
        typed = {"type": "realtime"} if self.dialect.typed_session else {}
        return self.send("session.update", session={**typed, **session})

    def append(self, *stretches: tuple[str, float], chunk: int = 0) -> list[Event]:
        """Append stretches of ("speech" | "silence", seconds) in PCM16, at once or in chunks of so many bytes."""
        sound = np.concatenate([np.full(round(s * 24_000), 8000 * (w == "speech"), np.int16) for w, s in stretches])
        return self.append_bytes(sound.astype("<i2").tobytes(), chunk)

    def append_bytes(self, data: bytes, chunk: int = 0) -> list[Event]:
        pieces = [data[i : i + chunk] for i in range(0, len(data), chunk)] if chunk else [data]
        events: list[Event] = []
        for piece in pieces:
            events += self.send("input_audio_buffer.append", audio=base64.b64encode(piece).decode())
        return events

    @staticmethod
    def types(events: list[Event]) -> list[str]:
        return [event["type"] for event in events]

    def error(self, events: list[Event]) -> Event:
        """Return the error that the events are: one, with all its keys."""
        assert self.types(events) == ["error"]
        assert set(events[0]["error"]) == {"type", "code", "message", "param", "event_id"}
        error: Event = events[0]["error"]
        return error

    def audio(self, events: list[Event]) -> list[bytes]:
        """Return what each audio delta holds, decoded strictly."""
        deltas = [event["delta"] for event in events if self.kind(event) == "response.output_audio.delta"]
        return [base64.b64decode(delta, validate=True) for delta in deltas]

    @staticmethod
    def kind(event: Event) -> str:
        return str(GA_NAME.get(event["type"], event["type"]))

    def kinds(self, events: list[Event]) -> list[str]:
        return [self.kind(event) for event in events]


@pytest.fixture(params=[GA, PREVIEW], ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def make_client(judge: Callable[[Dialect, Event], None]) -> Callable[..., Client]:
    """Return a maker of clients; they talk to a service with a steady voice that answers "Of course! I can."."""

    def make(dialect: Dialect, **options: Any) -> Client:
        reply = options.pop("reply", lambda text, **_: "Of course! I can.")
        voice = options.pop("voice", steady_voice)

        def write(task: Write) -> Iterator[Any]:
            given = {"history": task.history, "instructions": task.instructions, "voice": task.voice, "now": task.now}
            yield Text(reply(task.prompt, **given))

        def speak(task: Say) -> Any:
            return voice(task.text, task.voice, seed=task.seed, speed=task.speed)

        chosen = {"write": write, "speak": speak, "transcribe": hears("Hello there"), **options}
        return Client(dialect, judge, **chosen)

    return make


@pytest.fixture
def client(dialect: Dialect, make_client: Callable[..., Client]) -> Client:
    return make_client(dialect)
