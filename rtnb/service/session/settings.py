"""A session's settings: the defaults, changes merged into them, and the session object that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL, DEFAULT_VOICE
from rtnb.protocol.config import FORMAT_OBJECTS, Path, copy_tree, look, merge, put
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import write_json
from rtnb.service.session import refusals
from rtnb.service.session.parameters import LARGEST_EVENT
from rtnb.service.session.values import SETTINGS, checked

VOICE: Path = ("audio", "output", "voice")
INPUT_FORMAT: Path = ("audio", "input", "format")
TRANSCRIPTION: Path = ("audio", "input", "transcription")
TURN_DETECTION: Path = ("audio", "input", "turn_detection")
_REALTIME, _TRANSCRIBING = "realtime", "transcription"
_SEMANTIC = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
_OF_RESPONSES = ("create_response", "interrupt_response", "idle_timeout_ms")  # what only a session that answers has


class Settings:
    """The settings of one session, in GA's nested form.

    Parameters
    ----------
    dialect : Dialect
        Its defaults join those that both dialects share.
    session_id, model : str
    expires_at : int
        Unix time in seconds.
    transcribes : bool
        Whether the session only transcribes what it hears.
    """

    def __init__(
        self, dialect: Dialect, *, session_id: str, model: str, expires_at: int, transcribes: bool = False
    ) -> None:
        self._dialect = dialect
        self._model = model
        self._id = session_id
        self._expires_at = expires_at
        self.transcribes = transcribes
        self._defaults = merge(_defaults(), dialect.session_defaults)
        if transcribes:
            put(self._defaults, TRANSCRIPTION, {"model": DEFAULT_TRANSCRIPTION_MODEL})
        self.tree: dict[str, Any] = copy_tree(self._defaults)

    def get(self, *path: str) -> Any:
        """Return the setting at a path."""
        return look(self.tree, path)

    def show(self) -> dict[str, Any]:
        """Return the session object: every setting in effect."""
        if self.transcribes:
            return self._show_transcribing()
        fixed = {"type": _REALTIME, "object": "realtime.session", "id": self._id, "model": self._model}
        return {**fixed, "expires_at": self._expires_at, **copy_tree(self.tree)}

    def _show_transcribing(self) -> dict[str, Any]:
        heard = copy_tree(self.tree["audio"]["input"])
        if heard["turn_detection"]:
            heard["turn_detection"] = {
                key: value for key, value in heard["turn_detection"].items() if key not in _OF_RESPONSES
            }
        fixed = {"type": _TRANSCRIBING, "object": "realtime.transcription_session", "id": self._id}
        kept = {key: copy_tree(self.tree[key]) for key in ("include",) if key in self.tree}
        return {**fixed, "expires_at": self._expires_at, **kept, "audio": {"input": heard}}

    def update(self, change: Mapping[str, Any], *, voice_is_fixed: bool) -> None:
        """Merge a client's change: what is absent stays, null clears, anything else replaces.

        Raises
        ------
        Refusal
            The change is not possible; then nothing of it is done.
        """
        self._check_type(change)
        merged: dict[str, Any] = copy_tree(self.tree)
        for path, value in checked(change, SETTINGS, self._spell):
            if path == VOICE and voice_is_fixed and value != self.get(*VOICE):
                raise refusals.voice_is_fixed(self._spell(path))
            put(merged, path, self._cleared(path) if value is None else self._replaced(path, value))
        if (size := len(write_json(merged))) > LARGEST_EVENT:
            raise refusals.too_large(size, LARGEST_EVENT)
        self.tree = merged

    def _cleared(self, path: Path) -> Any:
        """Turn detection is on by default, and null switches it off."""
        return None if path == TURN_DETECTION else copy_tree(look(self._defaults, path))

    def _replaced(self, path: Path, value: Any) -> Any:
        """Turn detection of the same type keeps what is not named; another type begins with its own defaults."""
        if path != TURN_DETECTION:
            return copy_tree(value)
        usual = look(self._defaults, path)
        for key in value:
            if value["type"] == usual["type"] and key not in usual:
                raise refusals.unknown_parameter(f"{self._spell(path)}.{key}")
        now = self.get(*path)
        if not now or now["type"] != value["type"]:
            now = usual if value["type"] == usual["type"] else _SEMANTIC
        kept = {key: given for key, given in value.items() if given is not None or key == "idle_timeout_ms"}
        return {**now, **kept}

    def _check_type(self, change: Mapping[str, Any]) -> None:
        """A dialect with typed sessions demands the type with every change, and no session changes its own."""
        if self._dialect.typed_session and "type" not in change:
            raise refusals.missing_parameter("session.type")
        given = change.get("type", _REALTIME)
        if given not in (_REALTIME, _TRANSCRIBING):
            raise refusals.invalid_value(given, (_REALTIME, _TRANSCRIBING), "session.type")
        if (given == _TRANSCRIBING) != self.transcribes:
            raise refusals.other_session_type(given, _TRANSCRIBING if self.transcribes else _REALTIME)

    def _spell(self, path: Path) -> str:
        return f"session.{self._dialect.wire_path(path)}"


def _defaults() -> dict[str, Any]:
    pcm16 = FORMAT_OBJECTS["pcm16"]
    return {
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "audio": {
            "input": {"format": dict(pcm16), "transcription": None, "noise_reduction": None, "turn_detection": None},
            "output": {"format": dict(pcm16), "voice": DEFAULT_VOICE, "speed": 1.0},
        },
    }
