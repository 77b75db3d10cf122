"""What each setting may be: one check a setting, which returns the value that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rtnb.protocol.config import FORMAT_OBJECTS, Path
from rtnb.service import refusals
from rtnb.service.voice import VOICES

MOST_OUTPUT_TOKENS = 4096
"""The longest response, in tokens; ``"inf"`` means this."""

Check = Callable[[Any, str], Any]


def anything(value: Any, _param: str) -> Any:
    """Take whatever it is: settings that change nothing here are kept and shown as they came."""
    return value


def text(value: Any, param: str) -> str:
    """Take a string."""
    if not isinstance(value, str):
        raise refusals.invalid_type(value, "a string", param)
    return value


def one_of(*names: str) -> Check:
    """Return a check for one of `names`."""

    def check(value: Any, param: str) -> Any:
        if value not in names:
            raise refusals.invalid_value(value, names, param)
        return value

    return check


def number(low: float, high: float) -> Check:
    """Return a check for a number from `low` to `high`."""

    def check(value: Any, param: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise refusals.invalid_type(value, f"a number from {low} to {high}", param)
        return value

    return check


def modalities(value: Any, param: str) -> list[str]:
    """Take ``["audio"]`` or ``["text"]``."""
    if value not in (["audio"], ["text"]):
        raise refusals.invalid_value(value, ("['audio']", "['text']"), param)
    return list(value)


def audio_format(value: Any, param: str) -> dict[str, Any]:
    """Take one of the three audio formats, as GA's object."""
    named = value.get("type") if isinstance(value, Mapping) else None
    for known in FORMAT_OBJECTS.values():
        if named == known["type"] and value.get("rate", known.get("rate")) == known.get("rate"):
            return dict(known)
    names = [f"{name} ({known['type']})" for name, known in FORMAT_OBJECTS.items()]
    raise refusals.invalid_value(value, names, param)


def output_tokens(value: Any, param: str) -> int | str:
    """Take a whole number of tokens, or ``"inf"``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value != "inf" and not (whole and 1 <= value <= MOST_OUTPUT_TOKENS):
        raise refusals.invalid_type(value, f"a whole number from 1 to {MOST_OUTPUT_TOKENS}, or 'inf'", param)
    return value  # type: ignore[no-any-return]


def metadata(value: Any, param: str) -> dict[str, str]:
    """Take an object whose values are strings."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise refusals.invalid_type(value, "an object of strings", param)
    return dict(value)


def tool_choice(value: Any, param: str) -> Any:
    """Take a word or an object; without tools it changes nothing."""
    if not isinstance(value, (str, Mapping)):
        raise refusals.invalid_type(value, "'auto', 'none', 'required' or an object", param)
    return value


def no_tools(value: Any, param: str) -> list[Any]:
    """Take an empty list of tools."""
    if value != []:
        raise refusals.unsupported("tools", param)
    return []


def off(what: str) -> Check:
    """Return a check for a feature that can only be off: null, or ``{"type": "none"}``."""

    def check(value: Any, param: str) -> None:
        if value != {"type": "none"}:
            raise refusals.unsupported(what, param)

    return check


SETTINGS: dict[Path, Check] = {
    ("instructions",): text,
    ("output_modalities",): modalities,
    ("audio", "output", "voice"): one_of(*VOICES),
    ("audio", "output", "format"): audio_format,
    ("audio", "output", "speed"): number(0.25, 1.5),
    ("audio", "input", "format"): audio_format,
    ("audio", "input", "turn_detection"): off("turn detection"),
    ("audio", "input", "transcription"): off("transcription"),
    ("audio", "input", "noise_reduction"): anything,
    ("max_output_tokens",): output_tokens,
    ("temperature",): number(0.6, 1.2),
    ("tools",): no_tools,
    ("tool_choice",): tool_choice,
    ("include",): anything,
    ("parallel_tool_calls",): anything,
    ("prompt",): anything,
    ("reasoning",): anything,
    ("tracing",): anything,
    ("truncation",): anything,
}
"""The settings of a session in GA's tree, and what each may be."""

RESPONSE_SETTINGS: dict[Path, Check] = {
    path: SETTINGS[path]
    for path in (
        ("instructions",),
        ("output_modalities",),
        ("audio", "output", "voice"),
        ("audio", "output", "format"),
        ("max_output_tokens",),
        ("temperature",),
        ("tools",),
        ("tool_choice",),
    )
}
"""The settings that one response may have otherwise than its session."""


def checked(
    tree: Mapping[str, Any], settings: Mapping[Path, Check], spell: Callable[[Path], str]
) -> Iterable[tuple[Path, Any]]:
    """Yield (path, value) of each setting that `tree` gives, checked; None for a null, which resets it.

    Parameters
    ----------
    tree : mapping
        Settings in GA's nested form.
    settings : mapping
        What each may be.
    spell : callable
        Returns the client's name for a path, for the error.

    Raises
    ------
    Refusal
        A value is not possible.
    """
    for path, check in settings.items():
        found: Any = tree
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                break
            found = found[key]
        else:
            yield path, None if found is None else check(found, spell(path))
