"""Session and response settings: GA's words, where each stands in the event, and what to say to a wrong one.

Settings are given flat (``voice="verse"``) and travel nested (``audio.output.voice``). The nested GA form is the one that
everything above `rtnb.protocol` knows; `rtnb.protocol.dialects` translates it for the wire.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from rtnb.errors import ConfigurationError

Path = tuple[str, ...]

AUDIO_WORDS: dict[str, Path] = {
    "voice": ("audio", "output", "voice"),
    "speed": ("audio", "output", "speed"),
    "output_format": ("audio", "output", "format"),
    "input_format": ("audio", "input", "format"),
    "turn_detection": ("audio", "input", "turn_detection"),
    "transcription": ("audio", "input", "transcription"),
    "noise_reduction": ("audio", "input", "noise_reduction"),
}
"""Words that GA nests under ``audio``, and where."""

SESSION_WORDS = frozenset(
    {
        *AUDIO_WORDS,
        "audio",
        "include",
        "instructions",
        "max_output_tokens",
        "output_modalities",
        "parallel_tool_calls",
        "prompt",
        "reasoning",
        "temperature",
        "tool_choice",
        "tools",
        "tracing",
        "truncation",
        "type",
    }
)
RESPONSE_WORDS = frozenset(
    {
        "voice",
        "output_format",
        "audio",
        "conversation",
        "input",
        "instructions",
        "max_output_tokens",
        "metadata",
        "output_modalities",
        "parallel_tool_calls",
        "prompt",
        "reasoning",
        "temperature",
        "tool_choice",
        "tools",
    }
)

PREVIEW_WORDS: dict[str, str] = {
    "modalities": "output_modalities",
    "input_audio_format": "input_format",
    "output_audio_format": "output_format",
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "max_response_output_tokens": "max_output_tokens",
}
"""The preview dialect's words for settings, and GA's, which rtnb uses for both."""

FORMAT_OBJECTS: dict[str, dict[str, Any]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
"""The audio formats: the preview dialect's name (also ours), and GA's object."""

_FORMAT_NAMES = {value["type"]: name for name, value in FORMAT_OBJECTS.items()}


def format_name(value: Any, default: str = "pcm16") -> str:
    """Return ``"pcm16"``, ``"g711_ulaw"`` or ``"g711_alaw"`` for either dialect's way to say it."""
    if isinstance(value, Mapping):
        value = _FORMAT_NAMES.get(str(value.get("type")))
    return value if isinstance(value, str) and value in FORMAT_OBJECTS else default


def nest(words: Mapping[str, Any], *, allowed: frozenset[str] = SESSION_WORDS) -> dict[str, Any]:
    """Return flat settings as GA's nested tree.

    Raises
    ------
    ConfigurationError
        For a word that is not one of `allowed`, with the word that was probably meant.
    """
    tree: dict[str, Any] = {}
    for word, value in words.items():
        if word not in allowed:
            raise ConfigurationError(_unknown_word(word, value, allowed))
        if word == "audio" and isinstance(value, Mapping):
            merge(tree, {"audio": value})
            continue
        if word in ("input_format", "output_format") and isinstance(value, str):
            value = _format_object(word, value)
        put(tree, AUDIO_WORDS.get(word, (word,)), value)
    modalities = tree.get("output_modalities")
    if isinstance(modalities, str):
        tree["output_modalities"] = [modalities]
    return tree


def _format_object(word: str, name: str) -> dict[str, Any]:
    if name not in FORMAT_OBJECTS:
        raise ConfigurationError(f"{word}={name!r} is not an audio format; write one of {', '.join(FORMAT_OBJECTS)}.")
    return dict(FORMAT_OBJECTS[name])


def _unknown_word(word: str, value: Any, allowed: frozenset[str]) -> str:
    if word in PREVIEW_WORDS:
        right = PREVIEW_WORDS[word]
        both = word == "modalities" and isinstance(value, (list, tuple)) and "audio" in value
        shown = ["audio"] if both else value
        return (
            f"{word}= is the preview dialect's word; rtnb takes GA's in both dialects and translates. "
            f"Write {right}={shown!r}."
        )
    near = difflib.get_close_matches(word, allowed, n=1)
    hint = f"Did you mean {near[0]}=?" if near else f"Known: {', '.join(sorted(allowed))}."
    return f"{word}= is not a setting that rtnb knows. {hint} session.send({{…}}) sends any field as it is."


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
    """Merge `change` deeply into `tree` and return it: absent stays, anything else (None, "", []) replaces.

    An object of another ``type`` replaces, too: what belonged to the old type has no place in the new one.
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
    """Return what was asked for and is otherwise in effect: dotted path -> (asked, granted).

    A service that leaves a setting out of its answer has said nothing about it, so the granted value is None.
    """
    refused: dict[str, tuple[Any, Any]] = {}
    for path, wanted in leaves(asked):
        got = look(granted, path)
        if not _same(wanted, got) and path != ("type",):
            refused[".".join(path)] = (wanted, got)
    return refused


def _same(wanted: Any, got: Any) -> bool:
    """Compare as people mean it: 1 is 1.0, and a service may add fields to the objects of a list."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return all(_same(value, got.get(key)) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(wanted) == len(got) and all(_same(*pair) for pair in zip(wanted, got, strict=True))
    return bool(wanted == got) or (not wanted and not got and wanted != 0 and got != 0)
