"""The shapes of payloads in the two dialects: settings and items, translated piece by piece for `rtnb.protocol.dialects`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.protocol.config import FORMAT_OBJECTS, Path, copy_tree, format_name, leaves, look


def renamed_parts(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of an item, the types of an assistant's content parts renamed."""
    content = item.get("content")
    if not names or not isinstance(content, list) or item.get("role") not in ("assistant", None):
        return dict(copy_tree(item))
    parts = [
        {**part, "type": names[part["type"]]} if isinstance(part, Mapping) and _named(part, names) else part
        for part in content
    ]
    return {**copy_tree(item), "content": copy_tree(parts)}


def _named(part: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    """Return whether a part has a type that is renamed; a broken client's type may be anything, even a list."""
    return isinstance(part.get("type"), str) and part["type"] in names


def remove(tree: Any, path: Path) -> None:
    """Delete what stands at `path`, where there is such a path."""
    for key in path[:-1]:
        tree = tree.get(key) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree.pop(path[-1], None)


def settings_of(config: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """Return (path, value) of each setting: the leaves of ``audio``, everything else whole."""
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
TO_PREVIEW: dict[str, Callable[[Any], Any]] = {"output_modalities": _preview_modalities, "format": _preview_format}
