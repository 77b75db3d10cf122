"""A session's settings: the defaults, changes merged into them, and the session object that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.protocol.config import FORMAT_OBJECTS, Path, copy_tree, look, merge, put
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import write_json
from rtnb.service import refusals
from rtnb.service.parameters import LARGEST_EVENT
from rtnb.service.values import SETTINGS, checked

VOICE: Path = ("audio", "output", "voice")


class Settings:
    """The settings of one session, in GA's nested form.

    Parameters
    ----------
    dialect : Dialect
        Its defaults join those that both dialects share.
    session_id, model : str
    expires_at : int
        Unix time in seconds.
    """

    def __init__(self, dialect: Dialect, *, session_id: str, model: str, expires_at: int) -> None:
        self._dialect = dialect
        self._fixed = {"type": "realtime", "object": "realtime.session", "id": session_id, "model": model}
        self._expires_at = expires_at
        self._defaults = merge(_defaults(), dialect.session_defaults)
        self.tree: dict[str, Any] = copy_tree(self._defaults)

    def get(self, *path: str) -> Any:
        """Return the setting at a path."""
        return look(self.tree, path)

    def show(self) -> dict[str, Any]:
        """Return the session object: every setting in effect."""
        return {**self._fixed, "expires_at": self._expires_at, **copy_tree(self.tree)}

    def update(self, change: Mapping[str, Any], *, voice_is_fixed: bool) -> None:
        """Merge a client's change: what is absent stays, null resets to the default, anything else replaces.

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
            put(merged, path, copy_tree(look(self._defaults, path)) if value is None else copy_tree(value))
        if (size := len(write_json(merged))) > LARGEST_EVENT:
            raise refusals.too_large(size, LARGEST_EVENT)
        self.tree = merged

    def _check_type(self, change: Mapping[str, Any]) -> None:
        """A dialect with typed sessions demands the type with every change."""
        if not self._dialect.typed_session:
            return
        if "type" not in change:
            raise refusals.missing_parameter("session.type")
        if change["type"] == "transcription":
            raise refusals.unsupported("transcription sessions", "session.type")
        if change["type"] != "realtime":
            raise refusals.invalid_value(change["type"], ("realtime", "transcription"), "session.type")

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
            "output": {"format": dict(pcm16), "voice": "alloy", "speed": 1.0},
        },
    }
