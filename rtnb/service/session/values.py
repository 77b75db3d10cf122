"""What each setting may be: one check a setting, which returns the value that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rtnb.protocol.catalog import VOICES
from rtnb.protocol.config import FORMAT_OBJECTS, Path
from rtnb.service.session import refusals

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
        if not isinstance(value, str) or value not in names:
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
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value != "inf" and not (is_whole and 1 <= value <= MOST_OUTPUT_TOKENS):
        raise refusals.invalid_type(value, f"a whole number from 1 to {MOST_OUTPUT_TOKENS}, or 'inf'", param)
    return value  # type: ignore[no-any-return]


def metadata(value: Any, param: str) -> dict[str, str]:
    """Take an object whose values are strings."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise refusals.invalid_type(value, "an object of strings", param)
    return dict(value)


def whole(low: int, high: int) -> Check:
    """Return a check for a whole number from `low` to `high`."""

    def check(value: Any, param: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refusals.invalid_type(value, f"a whole number from {low} to {high}", param)
        return value

    return check


def truth(value: Any, param: str) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise refusals.invalid_type(value, "true or false", param)
    return value


def fields(**checks: Check) -> Check:
    """Return a check for an object with these fields and no others; a null field is left as it is."""

    def check(value: Any, param: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise refusals.invalid_type(value, "an object", param)
        for key, given in value.items():
            if key not in checks:
                raise refusals.unknown_parameter(f"{param}.{key}")
            if given is not None:
                checks[key](given, f"{param}.{key}")
        return dict(value)

    return check


def several(check: Check) -> Check:
    """Return a check for a list of what `check` takes."""

    def each(value: Any, param: str) -> list[Any]:
        if not isinstance(value, list):
            raise refusals.invalid_type(value, "a list", param)
        return [check(item, f"{param}[{index}]") for index, item in enumerate(value)]

    return each


_TURNS = {"create_response": truth, "interrupt_response": truth}
_TURN_FIELDS: dict[str, Check] = {
    "server_vad": fields(
        type=anything,
        threshold=number(0.0, 1.0),
        prefix_padding_ms=whole(0, 10_000),
        silence_duration_ms=whole(0, 60_000),
        idle_timeout_ms=whole(5_000, 30_000),
        **_TURNS,
    ),
    "semantic_vad": fields(type=anything, eagerness=one_of("low", "medium", "high", "auto"), **_TURNS),
}


def turn_detection(value: Any, param: str) -> dict[str, Any] | None:
    """Take what of a kind of turn detection is to be otherwise; ``{"type": "none"}``, which Azure takes, is null."""
    if not isinstance(value, Mapping):
        raise refusals.invalid_type(value, "an object", param)
    if value.get("type") is None:
        raise refusals.missing_parameter(f"{param}.type")
    if value["type"] == "none":
        return None
    kind = one_of(*_TURN_FIELDS)(value["type"], f"{param}.type")
    found: dict[str, Any] = _TURN_FIELDS[kind](value, param)
    return found


def tool(value: Any, param: str) -> dict[str, Any]:
    """Take a function. Azure's pages also show tools of other kinds, which the local service has not."""
    if not isinstance(value, Mapping):
        raise refusals.invalid_type(value, "an object", param)
    if value.get("type") == "mcp":
        raise refusals.unsupported("MCP servers", f"{param}.type")
    if value.get("type", "function") != "function":
        raise refusals.invalid_value(value["type"], ("function", "mcp"), f"{param}.type")
    if not value.get("name"):
        raise refusals.missing_parameter(f"{param}.name")
    found: dict[str, Any] = _FUNCTION(value, param)
    return {"type": "function", **found}


def tool_choice(value: Any, param: str) -> Any:
    """Take a word, or an object that names a function."""
    if isinstance(value, Mapping) and value.get("type") == "function" and isinstance(value.get("name"), str):
        return dict(value)
    if isinstance(value, Mapping):
        raise refusals.invalid_value(
            dict(value), ("auto", "none", "required", "{'type': 'function', 'name': …}"), param
        )
    return one_of("auto", "none", "required")(value, param)


def json_object(value: Any, param: str) -> dict[str, Any]:
    """Take any object."""
    if not isinstance(value, Mapping):
        raise refusals.invalid_type(value, "an object", param)
    return dict(value)


_FUNCTION = fields(type=text, name=text, description=text, parameters=json_object)
_TRANSCRIPTION = fields(
    **{"model": text, "language": text, "prompt": text, "delay": text},
    **{"languages": several(text), "keywords": several(text)},
)

SETTINGS: dict[Path, Check] = {
    ("instructions",): text,
    ("output_modalities",): modalities,
    ("audio", "output", "voice"): one_of(*VOICES),
    ("audio", "output", "format"): audio_format,
    ("audio", "output", "speed"): number(0.25, 1.5),
    ("audio", "input", "format"): audio_format,
    ("audio", "input", "turn_detection"): turn_detection,
    ("audio", "input", "transcription"): _TRANSCRIPTION,
    ("audio", "input", "noise_reduction"): anything,
    ("max_output_tokens",): output_tokens,
    ("temperature",): number(0.6, 1.2),
    ("tools",): several(tool),
    ("tool_choice",): tool_choice,
    ("include",): anything,
    ("parallel_tool_calls",): truth,
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
        ("parallel_tool_calls",),
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
