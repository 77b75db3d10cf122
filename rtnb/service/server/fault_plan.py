"""What becomes of a session's events where faults were asked for. Pure: `rtnb.service.server.fault_injection` carries it out."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from http import HTTPStatus

from rtnb.protocol.events import write_json
from rtnb.protocol.names import GA_NAME, Kind
from rtnb.service.faults import Faults
from rtnb.service.server.routes import Page
from rtnb.service.session.client_events import Ids
from rtnb.service.session.error_events import InvalidRequest

UNKNOWN_TYPE = "rtnb.fault.unknown_event"
"""The type of the event for the fault ``unknown_event_after``."""
RETIRED_CODE = 4000
_DELTAS = frozenset({Kind.TEXT_DELTA, Kind.AUDIO_DELTA, Kind.TRANSCRIPT_DELTA})
_DELTAS_BEFORE_CLOSE = 3
_RETRY_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame when it is `due` (seconds on the caller's clock)."""

    due: float
    frame: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Break the connection, without a closing frame."""

    due: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    due: float
    code: int
    reason: str


Action = Send | Drop | Close


class FaultPlan:
    """The faults of one session; equal seeds give equal jitter."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults = faults
        self._random = random.Random(seed)
        self._event_id = Ids(seed).new("event")
        self._due = -math.inf
        self._count = 0
        self._deltas = 0
        self._over = False

    def actions(self, frame: bytes, now: float) -> list[Action]:
        """Return what to do, in this order, when the service has an event to send at time `now`."""
        faults = self._faults
        late = (faults.delay_ms + faults.jitter_ms * self._random.random()) / 1000
        self._due = max(self._due, now + late)
        actions = self._end()
        if self._over:
            return actions
        self._count += 1
        self._deltas += self._is_delta(frame)
        return [Send(self._due, frame), *self._extra(frame), *self._end()]

    def _is_delta(self, frame: bytes) -> bool:
        if self._faults.close_in_response is None:
            return False
        name = json.loads(frame)["type"]
        return GA_NAME.get(name, name) in _DELTAS

    def _extra(self, frame: bytes) -> list[Action]:
        extra: list[Action] = []
        if self._count == self._faults.malformed_after:
            extra.append(Send(self._due, frame[: len(frame) // 2]))
        if self._count == self._faults.unknown_event_after:
            message = "An event that no service has, asked for by the fault unknown_event_after."
            event = {"type": UNKNOWN_TYPE, "event_id": self._event_id, "message": message}
            extra.append(Send(self._due, write_json(event)))
        return extra

    def _end(self) -> list[Action]:
        """Return how the session ends after this many events, if it does; a stall ends it without an action."""
        faults = self._faults
        end: list[Action] = []
        if self._over:
            return end
        if self._count == faults.drop_after:
            end = [Drop(self._due)]
        elif self._count == faults.close_after:
            end = [Close(self._due, faults.close_code, f"asked for by the fault close_after={self._count}")]
        elif self._deltas == _DELTAS_BEFORE_CLOSE and faults.close_in_response is not None:
            end = [Close(self._due, faults.close_in_response, "asked for by the fault close_in_response")]
        self._over = bool(end) or self._count == faults.stall_after
        return end


def refused(status: int, path: str) -> Page:
    """Return the answer to a handshake that a cloud refuses, in the form of the cloud whose URL path it is."""
    azure = path.startswith("/openai/")
    code, kind, message = _REFUSALS[status]
    error = {"code": str(status) if azure else code, "message": message}
    if not azure:
        error = {"message": message, "type": kind, "param": None, "code": code}  # type: ignore[dict-item]
    headers = () if status == HTTPStatus.UNAUTHORIZED else (("Retry-After", str(_RETRY_SECONDS)),)
    return Page(HTTPStatus(status), "application/json", json.dumps({"error": error}) + "\n", headers)


_REFUSALS = {
    401: ("invalid_api_key", "invalid_request_error", "The key was not accepted. Asked for by the fault refuse=401."),
    429: (
        "rate_limit_exceeded",
        "requests",
        f"Too many requests; try again after {_RETRY_SECONDS} seconds. Asked for by the fault refuse=429.",
    ),
    503: (
        "service_unavailable",
        "server_error",
        f"The service is overloaded; try again after {_RETRY_SECONDS} seconds. Asked for by the fault refuse=503.",
    ),
}


def retirement(seed: int) -> tuple[dict[str, object], str]:
    """Return the event and the closing frame's reason with which OpenAI refuses a dialect that it has retired."""
    error = InvalidRequest(
        "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    )
    event = error.event(None)
    return {"type": event["type"], "event_id": Ids(seed).new("event"), **event}, f"{error.type}.{error.code}"
