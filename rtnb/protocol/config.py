"""Session and response settings: their names, where each stands in an event, and the error for a name that is wrong.

A user gives settings flat (``voice="verse"``); they travel nested (``audio.output.voice``). Everything above
`rtnb.protocol` knows the nested GA form; `rtnb.protocol.dialects` translates it for the wire.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.protocol.catalog import TRANSCRIPTION
from rtnb.protocol.setting_shapes import FORMAT_OBJECTS as FORMAT_OBJECTS
from rtnb.protocol.settings import RESPONSE, SESSION, SETTINGS
from rtnb.protocol.settings import Path as Path

_WRITTEN = [each for each in SETTINGS if each.written]
AUDIO_SETTINGS: dict[str, Path] = {each.name: each.path for each in _WRITTEN if each.path[0] == "audio"}
"""The settings that GA nests under ``audio``, and where."""

SESSION_SETTINGS = frozenset({"audio", *(each.name for each in _WRITTEN if each.is_of(SESSION, TRANSCRIPTION))})
"""The settings of a session, by the flat names that users write."""

RESPONSE_SETTINGS = frozenset({"audio", *(each.name for each in _WRITTEN if each.is_of(RESPONSE))})
"""The settings of one response, by the flat names that users write."""

GA_SETTING: dict[str, str] = {
    each.preview.name: each.name for each in SETTINGS if each.preview and each.preview.name not in ("", each.name)
}
"""The names of settings that only the preview dialect uses, and the flat GA names that users write in both dialects."""

_SHORT = {"transcription": "model", "turn_detection": "type"}
"""The settings that are objects and may be written as the value of this one field."""

_FORMAT_NAMES = {value["type"]: name for name, value in FORMAT_OBJECTS.items()}


def format_name(value: Any, default: str = "pcm16") -> str:
    """Return ``"pcm16"``, ``"g711_ulaw"`` or ``"g711_alaw"`` for a format as either dialect writes it."""
    if isinstance(value, Mapping):
        value = _FORMAT_NAMES.get(str(value.get("type")))
    return value if isinstance(value, str) and value in FORMAT_OBJECTS else default


def written_out(name: str, value: Any) -> Any:
    """Return a setting's object for its short form: ``transcription="MODEL"``, ``turn_detection="semantic_vad"``."""
    return {_SHORT[name]: value} if isinstance(value, str) and name in _SHORT else value


def nest(settings: Mapping[str, Any], *, allowed: frozenset[str] = SESSION_SETTINGS) -> dict[str, Any]:
    """Return flat settings as GA's nested tree.

    Raises
    ------
    ConfigurationError
        For a name that is not one of `allowed`, with the name that was probably meant.
    """
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in allowed:
            raise ConfigurationError(_unknown_setting(name, value, allowed))
        if name == "audio" and isinstance(value, Mapping):
            merge(tree, {"audio": value})
            continue
        if name in ("input_format", "output_format") and isinstance(value, str):
            if value not in FORMAT_OBJECTS:
                formats = ", ".join(FORMAT_OBJECTS)
                raise ConfigurationError(f"{name}={value!r} is not an audio format; write one of {formats}.")
            value = dict(FORMAT_OBJECTS[value])
        put(tree, AUDIO_SETTINGS.get(name, (name,)), written_out(name, value))
    modalities = tree.get("output_modalities")
    if isinstance(modalities, str):
        tree["output_modalities"] = [modalities]
    return tree


def _unknown_setting(name: str, value: Any, allowed: frozenset[str]) -> str:
    if name in GA_SETTING:
        right = GA_SETTING[name]
        both = name == "modalities" and isinstance(value, (list, tuple)) and "audio" in value
        shown = ["audio"] if both else value
        return (
            f"{name}= is the preview dialect's word; rtnb takes GA's in both dialects and translates. "
            f"Write {right}={shown!r}."
        )
    near = difflib.get_close_matches(name, allowed, n=1)
    hint = f"Did you mean {near[0]}=?" if near else f"Known: {', '.join(sorted(allowed))}."
    return f"{name}= is not a setting that rtnb knows. {hint} session.send({{…}}) sends any field as it is."


def put(tree: dict[str, Any], path: Path, value: Any) -> None:
    """Set `value` at `path`, making the dicts on the way."""
    for key in path[:-1]:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        tree = inner
    tree[path[-1]] = value


def look(tree: Mapping[str, Any], path: Path, default: Any = None) -> Any:
    """Return the value at `path`, or `default` where the tree does not reach it."""
    found: Any = tree
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return default
        found = found[key]
    return found


def merge(tree: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `change` deeply into `tree` and return it: what is absent stays, any other value (None, "", []) replaces.

    An object of another ``type`` replaces the old one whole: the fields of the old type have no place in the new one.
    """
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict) and _same_type(tree[key], value):
            merge(tree[key], value)
        else:
            tree[key] = copy_tree(value)
    return tree


def _same_type(now: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return "type" not in change or "type" not in now or bool(now["type"] == change["type"])


def copy_tree(value: Any) -> Any:
    """Return a copy of a tree of dicts and lists that shares no container with it."""
    if isinstance(value, Mapping):
        return {key: copy_tree(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copy_tree(inner) for inner in value]
    return value


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each path of a nested tree with the value at its end; a list is one value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def not_granted(asked: Mapping[str, Any], granted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the settings that were asked for and have another value in effect: dotted path -> (asked, granted).

    The granted value is None for a setting that the service left out of its answer.
    """
    refused: dict[str, tuple[Any, Any]] = {}
    for path, wanted in leaves(asked):
        got = look(granted, path)
        if not _same(wanted, got) and path != ("type",):
            refused[".".join(path)] = (wanted, got)
    return refused


def without_effect(settings: Mapping[str, Any], not_imitated: Mapping[str, str]) -> dict[str, str]:
    """Return which of some settings (GA's nested form) a service takes without imitating them, and what happens instead.

    `not_imitated` names them by their dotted path, with ``=value`` where only that value is meant. A setting that has its
    default asks for nothing.
    """
    found: dict[str, str] = {}
    for name, instead in not_imitated.items():
        dotted, _, only = name.partition("=")
        path = tuple(dotted.split("."))
        value = look(settings, path)
        usual = [form.default for each in SETTINGS if each.path == path for form in (each.ga, each.preview) if form]
        if value in (None, "", []) or value in usual or (only and value != only):
            continue
        found[dotted] = instead
    return found


def _same(wanted: Any, got: Any) -> bool:
    """Compare as users mean it: 1 is 1.0, and a service may add fields to the objects of a list."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return all(_same(value, got.get(key)) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(wanted) == len(got) and all(_same(*pair) for pair in zip(wanted, got, strict=True))
    return bool(wanted == got) or (not wanted and not got and wanted != 0 and got != 0)
