"""A session's settings as they are in effect: their defaults, what a client changes, and the session object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL, DEFAULT_VOICE, most_input_tokens, most_output_tokens
from rtnb.protocol.catalog import TRANSCRIPTION as TRANSCRIPTION_SESSION
from rtnb.protocol.config import AUDIO_SETTINGS, Path, copy_tree, format_name, look, put
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import write_json
from rtnb.protocol.setting_shapes import FORMAT_OBJECTS, SEMANTIC_VAD
from rtnb.protocol.settings import RESPONSE, SESSION, SETTINGS
from rtnb.service.session import error_events
from rtnb.service.session.client_events import LARGEST_EVENT
from rtnb.service.session.mcp_servers import check_servers

VOICE = AUDIO_SETTINGS["voice"]
OUTPUT_FORMAT = AUDIO_SETTINGS["output_format"]
SPEED = AUDIO_SETTINGS["speed"]
INPUT_FORMAT = AUDIO_SETTINGS["input_format"]
TRANSCRIPTION = AUDIO_SETTINGS["transcription"]
TURN_DETECTION = AUDIO_SETTINGS["turn_detection"]
NOISE_REDUCTION = AUDIO_SETTINGS["noise_reduction"]
MOST_TOKENS = ("max_output_tokens",)
TOOLS = ("tools",)
TRUNCATION = ("truncation",)
_LIMIT = ("token_limits", "post_instructions")
_ABSENT: Any = object()
_REALTIME, _TRANSCRIBING = "realtime", "transcription"
_OF_RESPONSES = ("create_response", "interrupt_response", "idle_timeout_ms")  # not in a session that only transcribes
# The session's own: not shown among the settings in effect.
_UNSHOWN = ("type", "model", "client_secret")
_OF_SESSIONS = dict.fromkeys(
    each.path for each in SETTINGS if each.is_of(SESSION, TRANSCRIPTION_SESSION) and each.name not in _UNSHOWN
)
_ALSO_OF_RESPONSES = [
    path for path in _OF_SESSIONS if any(each.path == path and each.is_of(RESPONSE) for each in SETTINGS)
]


def settings_in(given: Mapping[str, Any], *, of_response: bool) -> Iterator[tuple[Path, Any]]:
    """Yield (path, value) of each setting in `given` (GA's nested form, checked); None for a null, which resets it.

    With `of_response` only the settings in which a response may differ from its session are looked at.
    """
    for path in _ALSO_OF_RESPONSES if of_response else _OF_SESSIONS:
        value = look(given, path, _ABSENT)
        if value is not _ABSENT:
            yield path, None if value is None else _normal(path, value)


def _normal(path: Path, value: Any) -> Any:
    """Return a value in the one way in which it is kept."""
    if path in (INPUT_FORMAT, OUTPUT_FORMAT):
        return dict(FORMAT_OBJECTS[format_name(value)])
    if path == TOOLS:
        return [{"type": "function", **tool} for tool in value]
    return None if path == TURN_DETECTION and value["type"] == "none" else value


def check_limits(path: Path, value: Any, model: str, param: str) -> None:
    """Check a setting that has the right shape for what this service, and the session's model, can do.

    Raises
    ------
    InvalidRequest
        More tokens than the model takes or gives; an MCP server without an address, or with another's label.
    """
    if path == MOST_TOKENS and isinstance(value, int) and value > (most := most_output_tokens(model)):
        raise error_events.above_maximum("integer", most, value, param)
    if path == TRUNCATION and (own := look(value, _LIMIT)) and own > (most := most_input_tokens(model)):
        raise error_events.above_maximum("integer", most, own, f"{param}.{'.'.join(_LIMIT)}")
    if path == TOOLS:
        check_servers(value, param)


def voice_name(voice: Any) -> str:
    """Return the name of the voice that speaks; a custom voice, which is an object with an id, has a stand-in here."""
    return voice if isinstance(voice, str) else DEFAULT_VOICE


class ServiceSettings:
    """The settings of one session, in `tree` in GA's nested form.

    `expires_at` is in Unix time, `model` as the client calls it; `transcribes` says whether the session only transcribes its input audio.
    """

    def __init__(
        self, dialect: Dialect, *, session_id: str, model: str, expires_at: int, transcribes: bool = False
    ) -> None:
        self._dialect = dialect
        self.model = model
        self._id = session_id
        self._expires_at = expires_at
        self.transcribes = transcribes
        self._defaults: dict[str, Any] = copy_tree(dialect.session_defaults)
        if transcribes:
            put(self._defaults, TRANSCRIPTION, {"model": DEFAULT_TRANSCRIPTION_MODEL})
        self.tree: dict[str, Any] = copy_tree(self._defaults)

    @property
    def most_tokens(self) -> int:
        """Return how many output tokens a response of the session's model may have."""
        return most_output_tokens(self.model)

    @property
    def most_input(self) -> int:
        """Return how many input tokens the session's model takes."""
        return most_input_tokens(self.model)

    def get(self, path: Path) -> Any:
        """Return the setting at a path."""
        return look(self.tree, path)

    def show(self) -> dict[str, Any]:
        """Return the session object: every setting in effect."""
        if self.transcribes:
            return self._show_transcribing()
        fixed = {"type": _REALTIME, "object": "realtime.session", "id": self._id, "model": self.model}
        return {**fixed, "expires_at": self._expires_at, **copy_tree(self.tree)}

    def _show_transcribing(self) -> dict[str, Any]:
        heard = copy_tree(self.tree["audio"]["input"])
        for key in _OF_RESPONSES if heard["turn_detection"] else ():
            heard["turn_detection"].pop(key, None)
        fixed = {"type": _TRANSCRIBING, "object": "realtime.transcription_session", "id": self._id}
        kept = {key: copy_tree(self.tree[key]) for key in ("include",) if key in self.tree}
        return {**fixed, "expires_at": self._expires_at, **kept, "audio": {"input": heard}}

    def update(self, change: Mapping[str, Any], *, voice_is_fixed: bool) -> None:
        """Merge a client's change: what is absent stays, null clears, anything else replaces.

        Raises
        ------
        InvalidRequest
            The change is not possible; then none of it is made.
        """
        self._check_type(change)
        merged: dict[str, Any] = copy_tree(self.tree)
        for path, value in settings_in(change, of_response=False):
            if value is not None:
                check_limits(path, value, self.model, self._spell(path))
            if path == VOICE and voice_is_fixed and value != self.get(VOICE):
                raise error_events.voice_is_fixed(param=self._spell(path))
            if path == TURN_DETECTION:
                value = None if value is None else self._turn_detection(value)  # null switches it off
            elif value is None:
                value = look(self._defaults, path)
            elif path == NOISE_REDUCTION:
                value = {**(self.get(path) or {}), **value}  # its strength stays unless it is named
            put(merged, path, copy_tree(value))
        if (size := len(write_json(merged))) > LARGEST_EVENT:
            raise error_events.too_large(size, LARGEST_EVENT)
        self.tree = merged

    def _turn_detection(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Return changed turn detection: the same type keeps what is not named, another type begins with its defaults."""
        usual = look(self._defaults, TURN_DETECTION)
        for key in change:
            if change["type"] == usual["type"] and key not in usual:
                raise error_events.unknown_parameter(f"{self._spell(TURN_DETECTION)}.{key}")
        now = self.get(TURN_DETECTION)
        if not now or now["type"] != change["type"]:
            now = usual if change["type"] == usual["type"] else SEMANTIC_VAD
        return {**now, **{key: value for key, value in change.items() if value is not None or key == "idle_timeout_ms"}}

    def _check_type(self, change: Mapping[str, Any]) -> None:
        """A dialect with typed sessions demands the type with every change, and no session changes its own."""
        if self._dialect.typed_session and "type" not in change:
            raise error_events.missing_parameter(param="session.type")
        given = change.get("type", _REALTIME)
        if given not in (_REALTIME, _TRANSCRIBING):
            raise error_events.invalid_value(given, (_REALTIME, _TRANSCRIBING), "session.type")
        if (given == _TRANSCRIBING) != self.transcribes:
            raise error_events.other_session_type(given, _TRANSCRIBING if self.transcribes else _REALTIME)

    def _spell(self, path: Path) -> str:
        return f"session.{self._dialect.wire_path(path)}"
