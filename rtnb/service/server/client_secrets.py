"""Client secrets: keys that open sessions with settings that were fixed when the key was made, for some minutes. Pure."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.protocol.catalog import DEFAULT_MODEL
from rtnb.protocol.dialects import GA
from rtnb.protocol.names import Kind
from rtnb.protocol.value_shapes import ANYTHING, Whole, fields, one_of
from rtnb.service.server.routes import read_target
from rtnb.service.session.checks import check
from rtnb.service.session.client_events import Ids, check_event, read_event
from rtnb.service.session.error_events import missing_parameter
from rtnb.service.session.settings import ServiceSettings

PREFIX = "ek_"
USUAL_SECONDS = 600
_MOST_KEPT = 1_000  # grants; then the oldest goes
_BODY = fields(
    expires_after=fields(anchor=one_of("created_at"), seconds=Whole(10, 7200)),
    session=ANYTHING,  # checked as a session.update
)
_OFFERED_KEY = "openai-insecure-api-key."  # how a browser gives a key: among its subprotocols


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client secret opens.

    Attributes
    ----------
    expires_at : int
        Unix time from which on it opens nothing more; a session that is open stays so.
    session : mapping
        The settings, in GA's nested form, with the session's type.
    model : str
    """

    expires_at: int
    session: Mapping[str, Any] = field(repr=False)
    model: str

    @property
    def transcribes(self) -> bool:
        """Return whether it opens transcription sessions."""
        return bool(self.session.get("type") == "transcription")


class ClientSecrets:
    """The client secrets of a service; `clock` returns Unix time in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._grants: OrderedDict[str, Grant] = OrderedDict()

    def grant(self, body: bytes) -> dict[str, Any]:
        """Make a secret for the body of a request; return the answer's body.

        Raises
        ------
        InvalidRequest
            The body is no JSON object, has a field that it should not have, or a setting that is not possible.
        """
        given = read_event(body or b"{}")
        check(_BODY, given, "")
        after = given.get("expires_after") or {}
        session = {"type": "realtime"} if given.get("session") is None else given["session"]
        settings, change = _settings(session, len(body))
        grant = Grant(
            int(self._clock()) + (after.get("seconds") or USUAL_SECONDS),
            change,
            str(session.get("model") or DEFAULT_MODEL),
        )
        key = PREFIX + secrets.token_hex(16)
        self._grants[key] = grant
        while len(self._grants) > _MOST_KEPT:
            self._grants.popitem(last=False)
        return {"value": key, "expires_at": grant.expires_at, "session": settings.show()}

    def find(self, key: str) -> Grant | None:
        """Return what a secret opens now; None for one that has expired, or was never granted."""
        grant = self._grants.get(key)
        if grant is not None and self._clock() >= grant.expires_at:
            del self._grants[key]
            return None
        return grant


def _settings(session: Any, size: int) -> tuple[ServiceSettings, dict[str, Any]]:
    """Check the settings as a session's; return them, and the change that they are to a session's defaults."""
    event = {"type": Kind.SESSION_UPDATE.value, "session": session}
    check_event(event, size, GA)
    change: dict[str, Any] = GA.decode(event)["session"]
    if "type" not in change:
        raise missing_parameter(param="session.type")
    model = change.get("model") or DEFAULT_MODEL
    transcribes = change["type"] == "transcription"
    session_id = Ids(secrets.randbits(64)).new("sess")
    settings = ServiceSettings(GA, session_id=session_id, model=model, expires_at=0, transcribes=transcribes)
    settings.update(change, voice_is_fixed=False)
    return settings, change


def client_secret_of(target: str, headers: Mapping[str, str]) -> str:
    """Return the client secret that a request brings, wherever clients put their keys; empty where it brings none."""
    given = {name.lower(): value for name, value in headers.items()}
    scheme, _, token = given.get("authorization", "").partition(" ")
    offered = (name.strip() for name in given.get("sec-websocket-protocol", "").split(","))
    _, asked = read_target(target)
    keys = (
        token.strip() if scheme.lower() == "bearer" else "",
        given.get("api-key", "").strip(),
        *(name.removeprefix(_OFFERED_KEY) for name in offered if name.startswith(_OFFERED_KEY)),
        *asked.get("api-key", ()),
    )
    return next((key for key in keys if key.startswith(PREFIX)), "")
