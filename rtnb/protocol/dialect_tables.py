"""The tables of `rtnb.protocol.dialects`: the settings that each dialect takes, and how the payloads of one become the other's.

A tree of settings has a dict where settings are nested, and at their place the shape of what each may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.protocol.catalog import TRANSCRIPTION, TRANSLATION
from rtnb.protocol.config import AUDIO_SETTINGS, copy_tree, format_name, leaves, look, put
from rtnb.protocol.names import Kind
from rtnb.protocol.setting_shapes import FORMAT_OBJECTS
from rtnb.protocol.settings import ABSENT, RESPONSE, SESSION, SETTINGS, Form, Path

Tree = dict[str, Any]
_ABSENT = object()


def _settings(forms: list[tuple[Path, Form]], of: str) -> Tree:
    """Return the settings of a session or a response, each where its dialect has it."""
    tree: Tree = {}
    for path, form in forms:
        if of in form.of:
            put(tree, (form.name,) if form.name else path, form.shape)
    return tree


def _defaults(forms: list[tuple[Path, Form]]) -> Tree:
    tree: Tree = {}
    for path, form in forms:
        if form.default is not ABSENT:
            put(tree, path, copy_tree(form.default))
    return tree


_GA = [(each.path, each.ga) for each in SETTINGS if each.ga is not None]
_PREVIEW = [(each.path, each.preview) for each in SETTINGS if each.preview is not None]

GA_SESSION, GA_TRANSCRIPTION, GA_RESPONSE = (_settings(_GA, of) for of in (SESSION, TRANSCRIPTION, RESPONSE))
PREVIEW_SESSION, PREVIEW_TRANSCRIPTION, PREVIEW_RESPONSE = (
    _settings(_PREVIEW, of) for of in (SESSION, TRANSCRIPTION, RESPONSE)
)
TRANSLATION_SESSION = _settings(_GA, TRANSLATION)
GA_DEFAULTS, PREVIEW_DEFAULTS = _defaults(_GA), _defaults(_PREVIEW)

PREVIEW_UNSENT = frozenset(
    {
        Kind.ITEM_DONE,
        Kind.INPUT_TIMEOUT,
        Kind.INPUT_TRANSCRIPTION_DELTA,
        Kind.INPUT_TRANSCRIPTION_SEGMENT,
        Kind.INPUT_DTMF,
    }
)
"""GA's server events that the preview dialect does not have."""

PREVIEW_UNKNOWN = {
    "prompt": "write instructions=, or connect with dialect='ga'.",
    **dict.fromkeys(
        ("truncation", "reasoning", "parallel_tool_calls", "include"), "leave it out, or connect with dialect='ga'."
    ),
}
"""GA's settings that the preview dialect does not have, and what to do instead."""

PREVIEW_PATHS: dict[str, Path] = {form.name: path for path, form in _PREVIEW if form.name}
"""The settings that the preview dialect has flat, and where GA nests them."""


def renamed_parts(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of an item in which the types of an assistant's content parts are renamed."""
    renamed: dict[str, Any] = copy_tree(item)
    content = renamed.get("content")
    if isinstance(content, list) and item.get("role") in ("assistant", None):
        for part in content:
            # What a broken client sends may have any type, even a list.
            if isinstance(part, dict) and isinstance(part.get("type"), str):
                part["type"] = names.get(part["type"], part["type"])
    return renamed


def remove(tree: Any, path: Path) -> None:
    """Delete the value at `path`, where there is such a path."""
    for key in path[:-1]:
        tree = tree.get(key) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree.pop(path[-1], None)


def settings_of(config: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """Return (path, value) of each setting in GA's nested form: those under ``audio``, and everything else whole."""
    found: list[tuple[Path, Any]] = []
    for key, value in config.items():
        if key != "audio" or not isinstance(value, Mapping):
            found.append(((key,), value))
            continue
        for path, _ in leaves({"audio": value}):
            setting = path[:3]
            if (setting, look(config, setting)) not in found:
                found.append((setting, look(config, setting)))
    return found


def outside(
    config: Mapping[str, Any], settings: Mapping[str, Any], wire_path: Callable[[Path], str]
) -> tuple[str, str] | None:
    """Return the first of some settings (GA's nested form) that is not in a tree of those that can be sent, if there is one.

    Also returns the ones that are, for a message; both as users write them. `wire_path` spells a path as the tree has it.
    """

    def known(path: Path) -> bool:
        return look(settings, tuple(wire_path(path).split(".")), _ABSENT) is not _ABSENT

    names = {path: f"{name}=" for name, path in AUDIO_SETTINGS.items()}
    names |= {("include",): "include=", ("audio", "output", "language"): "audio={'output': {'language': …}}"}
    for path, _ in settings_of(config):
        if path != ("type",) and not known(path):
            shown = names.get(path) or (f"{path[0]}=" if len(path) == 1 else f"the setting {'.'.join(path)}")
            return shown, ", ".join(name for path, name in names.items() if known(path))
    return None


def _ga_modalities(value: Any) -> Any:
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def _preview_modalities(value: Any) -> Any:
    return ["text", "audio"] if isinstance(value, list) and "audio" in value else value


def _ga_format(value: Any) -> Any:
    return dict(FORMAT_OBJECTS[value]) if isinstance(value, str) and value in FORMAT_OBJECTS else value


def _preview_format(value: Any) -> Any:
    return format_name(value) if isinstance(value, Mapping) else value


def _ga_turn_detection(value: Any) -> Any:
    return None if isinstance(value, Mapping) and value.get("type") == "none" else copy_tree(value)


TO_GA: dict[str, Callable[[Any], Any]] = {
    "output_modalities": _ga_modalities,
    "format": _ga_format,
    "turn_detection": _ga_turn_detection,
}
"""How a value of the preview dialect becomes GA's, by the last key of the setting's path; others stay as they are."""

TO_PREVIEW: dict[str, Callable[[Any], Any]] = {"output_modalities": _preview_modalities, "format": _preview_format}
