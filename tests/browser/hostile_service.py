"""A realtime service that plants markup, scripts and invisible characters wherever the protocol has room for text."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Sequence
from typing import Any

from scripted import Ladder, Wire, error, session
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

PWNED = "window.__pwned=(window.__pwned||0)+1"
ELSEWHERE = "https://elsewhere.test"
PLANTS = (
    f"<script>{PWNED}</script>",
    f'<img src=x onerror="{PWNED}">',
    f'"><svg onload="{PWNED}"></svg>',
    f"'><marquee onmouseover='{PWNED}'>",
    f"</script></style></textarea><script>{PWNED}</script>",
    f'<img src="{ELSEWHERE}/a.png"><link rel=stylesheet href="{ELSEWHERE}/b.css">',
    f"<iframe srcdoc='<script>parent.{PWNED}</script>'></iframe>",
    f"[a](javascript:{PWNED}) `${{{PWNED}}}` {{{{{PWNED}}}}}",
    rf"$\style{{background:url({ELSEWHERE}/c)}}{{x}}$ costs $5 or $6 \(y^2\)",
    "\u202eevael t'nod\u202c \x00\x07\x1b[31mred\x1b[0m\u200b\u2066<marquee>\ufeff\r\n\tend",
)
FEW = (PLANTS[3] + PLANTS[1] + PLANTS[0], "\"'>" + PLANTS[5] + PLANTS[2], PLANTS[9] + PLANTS[4])
"""The worst of them in three, for views that are costly to make."""
TONE = bytes(range(256)) * 100


class HostileService:
    """Each connection has its plant, one after the other, in every text that it sends, names and ids included."""

    def __init__(self, plants: Sequence[str] = PLANTS) -> None:
        self._plants = itertools.cycle(plants)
        self._turns = itertools.count(1)
        self._server: Server = serve(self._talk, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(10)

    def _talk(self, socket: ServerConnection) -> None:
        plant = next(self._plants)
        with contextlib.suppress(ConnectionClosed):
            socket.send(json.dumps({"type": "session.created", "event_id": plant, "session": poisoned_session(plant)}))
            for frame in socket:
                for told in self._answers(json.loads(frame), plant):
                    socket.send(told if isinstance(told, str) else json.dumps(told))
                    if isinstance(told, dict) and told.get("bye"):
                        socket.close(4000, plant.encode()[:100].decode(errors="ignore"))

    def _answers(self, heard: Wire, plant: str) -> list[Wire | str]:
        match heard["type"]:
            case "conversation.item.create":
                item = {"id": plant, "object": "realtime.item", "status": "completed", **heard["item"]}
                return [{"type": "conversation.item.added", "event_id": plant, "previous_item_id": plant, "item": item}]
            case "response.create":
                return poisoned_turn(plant, next(self._turns))
            case "input_audio_buffer.commit":
                return poisoned_speech(plant)
            case "input_audio_buffer.clear":
                return [{"type": plant, "bye": True, plant: plant}]
        return [error(plant, plant, heard.get("event_id")) | {"event_id": plant}]


def poisoned_session(plant: str) -> Wire:
    """The session object, poisoned."""
    made = session("ga") | {"id": plant, "model": plant, "instructions": plant}
    made["audio"]["output"]["voice"] = plant
    made["tools"] = [{"type": "function", "name": plant, "description": plant, "parameters": {"type": "object"}}]
    return made


def poisoned_turn(plant: str, turn: int) -> list[Wire | str]:
    """A spoken answer with a function call beside it, events of an unknown type, frames that are no events, and an error."""
    ladder = Ladder("ga", response=f"resp_{turn}_{plant}", item=f"item_{turn}_{plant}", metadata={plant: plant})
    answer = ladder.speech_turn([plant, " "], [TONE, TONE])
    call: dict[str, Any] = {
        "id": f"call_{turn}_{plant}",
        "object": "realtime.item",
        "type": "function_call",
        "name": plant,
    }
    call |= {"call_id": f"{turn}{plant}", "arguments": json.dumps({plant: plant}), "status": "completed"}
    of = {"response_id": f"resp_{turn}_{plant}", "output_index": 1}
    limits = {"name": plant, "limit": 1, "remaining": 0, "reset_seconds": 1.0}
    strange: list[Wire | str] = [
        {"type": plant, "event_id": plant, plant: [plant]},
        {"type": "rate_limits.updated", "event_id": plant, "rate_limits": [limits]},
        plant,
        error(plant, plant) | {"event_id": plant},
        ladder.event("response.output_item.added", **of, item=call),
        ladder.event("response.output_item.done", **of, item=call),
    ]
    answer[-1]["response"]["status"] = "failed"
    answer[-1]["response"]["status_details"] = {
        "type": plant,
        "reason": plant,
        "error": {"code": plant, "message": plant},
    }
    return [*answer[:-1], *strange, answer[-1]]


def poisoned_speech(plant: str) -> list[Wire | str]:
    """What a spoken question brings: turn detection, an item, its transcript, and a transcription that failed."""
    item = {"id": f"said_{plant}", "object": "realtime.item", "type": "message", "role": "user", "status": "completed"}
    item["content"] = [{"type": "input_audio", "transcript": None}]  # type: ignore[assignment]
    of = {"item_id": f"said_{plant}", "content_index": 0, "event_id": plant}
    name = "conversation.item.input_audio_transcription"
    return [
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": item["id"], "event_id": plant},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 90, "item_id": item["id"], "event_id": plant},
        {"type": "input_audio_buffer.committed", "item_id": item["id"], "previous_item_id": plant, "event_id": plant},
        {"type": "conversation.item.added", "previous_item_id": plant, "item": item, "event_id": plant},
        {"type": f"{name}.delta", **of, "delta": plant},
        {"type": f"{name}.completed", **of, "transcript": plant, "usage": {"type": "duration", "seconds": 1.0}},
        {"type": f"{name}.failed", **of, "error": {"type": plant, "code": plant, "message": plant, "param": plant}},
    ]
