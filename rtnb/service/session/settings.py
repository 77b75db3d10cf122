"""A session's settings: the one table of them with checks and defaults, changes, and the session object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL, DEFAULT_VOICE, VOICES
from rtnb.protocol.config import AUDIO_SETTINGS, FORMAT_OBJECTS, Path, copy_tree, look, merge, put
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import write_json
from rtnb.service.session import checks, error_events
from rtnb.service.session.checks import Check
from rtnb.service.session.client_events import LARGEST_EVENT

VOICE = AUDIO_SETTINGS["voice"]
OUTPUT_FORMAT = AUDIO_SETTINGS["output_format"]
SPEED = AUDIO_SETTINGS["speed"]
INPUT_FORMAT = AUDIO_SETTINGS["input_format"]
TRANSCRIPTION = AUDIO_SETTINGS["transcription"]
TURN_DETECTION = AUDIO_SETTINGS["turn_detection"]
_ABSENT: Any = object()
_REALTIME, _TRANSCRIBING = "realtime", "transcription"
_SEMANTIC = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
_OF_RESPONSES = ("create_response", "interrupt_response", "idle_timeout_ms")  # not in a session that only transcribes


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it may be, its default if every dialect has one, and whether a response may differ in it from its session."""

    check: Check
    default: Any = _ABSENT
    of_response: bool = False


SETTINGS: dict[Path, Setting] = {
    ("instructions",): Setting(checks.text, "", of_response=True),
    ("output_modalities",): Setting(checks.modalities, ["audio"], of_response=True),
    VOICE: Setting(checks.one_of(*VOICES), DEFAULT_VOICE, of_response=True),
    OUTPUT_FORMAT: Setting(checks.audio_format, FORMAT_OBJECTS["pcm16"], of_response=True),
    SPEED: Setting(checks.number(0.25, 1.5), 1.0),
    INPUT_FORMAT: Setting(checks.audio_format, FORMAT_OBJECTS["pcm16"]),
    TURN_DETECTION: Setting(checks.turn_detection),
    TRANSCRIPTION: Setting(checks.transcription, None),
    AUDIO_SETTINGS["noise_reduction"]: Setting(checks.anything, None),
    ("max_output_tokens",): Setting(checks.output_tokens, "inf", of_response=True),
    ("temperature",): Setting(checks.number(0.6, 1.2), of_response=True),
    ("tools",): Setting(checks.list_of(checks.tool), [], of_response=True),
    ("tool_choice",): Setting(checks.tool_choice, "auto", of_response=True),
    ("parallel_tool_calls",): Setting(checks.boolean, of_response=True),
    **{(name,): Setting(checks.anything) for name in ("include", "prompt", "reasoning", "tracing", "truncation")},
}
"""The settings of a session, by their path in GA's tree. Each dialect adds the defaults of its own."""


def checked(given: Mapping[str, Any], spell: Callable[[Path], str], *, of_response: bool) -> Iterator[tuple[Path, Any]]:
    """Yield (path, checked value) of each setting in `given` (GA's nested form); None for a null, which resets it.

    ``spell(path)`` returns the client's name of a setting, for errors. With `of_response` only the settings in which a
    response may differ from its session are looked at.

    Raises
    ------
    InvalidRequest
        A value is not possible.
    """
    for path, setting in SETTINGS.items():
        if setting.of_response or not of_response:
            value = look(given, path, _ABSENT)
            if value is not _ABSENT:
                yield path, None if value is None else setting.check(value, spell(path))


class ServiceSettings:
    """The settings of one session, in `tree` in GA's nested form.

    `expires_at` is in Unix time; `transcribes` says whether the session only transcribes its input audio.
    """

    def __init__(
        self, dialect: Dialect, *, session_id: str, model: str, expires_at: int, transcribes: bool = False
    ) -> None:
        self._dialect = dialect
        self._model = model
        self._id = session_id
        self._expires_at = expires_at
        self.transcribes = transcribes
        self._defaults: dict[str, Any] = {}
        for path, setting in SETTINGS.items():
            if setting.default is not _ABSENT:
                put(self._defaults, path, copy_tree(setting.default))
        merge(self._defaults, dialect.session_defaults)
        if transcribes:
            put(self._defaults, TRANSCRIPTION, {"model": DEFAULT_TRANSCRIPTION_MODEL})
        self.tree: dict[str, Any] = copy_tree(self._defaults)

    def get(self, path: Path) -> Any:
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
        for path, value in checked(change, self._spell, of_response=False):
            if path == VOICE and voice_is_fixed and value != self.get(VOICE):
                raise error_events.voice_is_fixed(param=self._spell(path))
            if path == TURN_DETECTION:
                value = None if value is None else self._turn_detection(value)  # null switches it off
            elif value is None:
                value = look(self._defaults, path)
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
            now = usual if change["type"] == usual["type"] else _SEMANTIC
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
