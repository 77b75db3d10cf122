"""Checks of values that a client sends: each returns the value that counts, or raises `InvalidRequest`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.protocol.catalog import DEFAULT_MODEL, most_output_tokens
from rtnb.protocol.config import FORMAT_OBJECTS
from rtnb.service.session import error_events

MOST_OUTPUT_TOKENS = most_output_tokens(DEFAULT_MODEL)
"""The longest response, in tokens; ``"inf"`` means this."""

Check = Callable[[Any, str], Any]
"""``check(value, param)``; `param` names the field in the error."""


def anything(value: Any, _param: str) -> Any:
    """Accept any value: settings without an effect here are kept and shown as they came."""
    return value


def of_type(kind: type, expected: str) -> Check:
    """Return a check for the values of one JSON type."""

    def check(value: Any, param: str) -> Any:
        if not isinstance(value, kind):
            raise error_events.invalid_type(value, expected, param)
        return value

    return check


text = of_type(str, "a string")
boolean = of_type(bool, "true or false")
json_object = of_type(dict, "an object")


def one_of(*names: str) -> Check:
    """Return a check for one of `names`."""

    def check(value: Any, param: str) -> Any:
        if not isinstance(value, str) or value not in names:
            raise error_events.invalid_value(value, names, param)
        return value

    return check


def number(low: float, high: float, *, whole: bool = False) -> Check:
    """Return a check for a number from `low` to `high`."""
    kinds, name = (int, "a whole number") if whole else ((int, float), "a number")

    def check(value: Any, param: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            raise error_events.invalid_type(value, f"{name} from {low} to {high}", param)
        return value

    return check


def fields(**checks: Check) -> Check:
    """Return a check for an object with these fields and no others; a null field is left as it is."""

    def check(value: Any, param: str) -> dict[str, Any]:
        for key, given in json_object(value, param).items():
            if key not in checks:
                raise error_events.unknown_parameter(f"{param}.{key}")
            if given is not None:
                checks[key](given, f"{param}.{key}")
        return dict(value)

    return check


def list_of(check: Check) -> Check:
    """Return a check for a list of values that each pass `check`."""

    def check_all(value: Any, param: str) -> list[Any]:
        if not isinstance(value, list):
            raise error_events.invalid_type(value, "a list", param)
        return [check(item, f"{param}[{index}]") for index, item in enumerate(value)]

    return check_all


def required(given: Mapping[str, Any], key: str, param: str, check: Check = text) -> Any:
    """Return the checked value of a field that must be there; `param` names the object that has it, "" for the event."""
    path = f"{param}.{key}" if param else key
    if given.get(key) is None:
        raise error_events.missing_parameter(param=path)
    return check(given[key], path)


def modalities(value: Any, param: str) -> list[str]:
    """Accept ``["audio"]`` or ``["text"]``."""
    if value not in (["audio"], ["text"]):
        raise error_events.invalid_value(value, ("['audio']", "['text']"), param)
    return list(value)


def audio_format(value: Any, param: str) -> dict[str, Any]:
    """Accept one of the three audio formats, as GA's object."""
    named = value.get("type") if isinstance(value, Mapping) else None
    for known in FORMAT_OBJECTS.values():
        if named == known["type"] and value.get("rate", known.get("rate")) == known.get("rate"):
            return dict(known)
    names = [f"{name} ({known['type']})" for name, known in FORMAT_OBJECTS.items()]
    raise error_events.invalid_value(value, names, param)


def output_tokens(value: Any, param: str) -> int | str:
    """Accept a whole number of tokens, or ``"inf"``."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value != "inf" and not (is_whole and 1 <= value <= MOST_OUTPUT_TOKENS):
        raise error_events.invalid_type(value, f"a whole number from 1 to {MOST_OUTPUT_TOKENS}, or 'inf'", param)
    return value  # type: ignore[no-any-return]


def metadata(value: Any, param: str) -> dict[str, str]:
    """Accept an object whose values are strings."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise error_events.invalid_type(value, "an object of strings", param)
    return dict(value)


_RESPONDING = {"create_response": boolean, "interrupt_response": boolean}
_TURN_DETECTION: dict[str, Check] = {
    "server_vad": fields(
        type=anything,
        threshold=number(0.0, 1.0),
        prefix_padding_ms=number(0, 10_000, whole=True),
        silence_duration_ms=number(0, 60_000, whole=True),
        idle_timeout_ms=number(5_000, 30_000, whole=True),
        **_RESPONDING,
    ),
    "semantic_vad": fields(type=anything, eagerness=one_of("low", "medium", "high", "auto"), **_RESPONDING),
}


def turn_detection(value: Any, param: str) -> dict[str, Any] | None:
    """Accept changes to a kind of turn detection; ``{"type": "none"}``, which Azure accepts, is null."""
    kind = required(json_object(value, param), "type", param, anything)
    if kind == "none":
        return None
    found: dict[str, Any] = _TURN_DETECTION[one_of(*_TURN_DETECTION)(kind, f"{param}.type")](value, param)
    return found


transcription = fields(
    **{"model": text, "language": text, "prompt": text, "delay": text},
    **{"languages": list_of(text), "keywords": list_of(text)},
)
_FUNCTION = fields(type=text, name=text, description=text, parameters=json_object)


def tool(value: Any, param: str) -> dict[str, Any]:
    """Accept a function. Azure's documentation also shows tools of other kinds, which the local service does not have."""
    kind = json_object(value, param).get("type", "function")
    if kind == "mcp":
        raise error_events.unsupported("MCP servers", param=f"{param}.type")
    if kind != "function":
        raise error_events.invalid_value(kind, ("function", "mcp"), f"{param}.type")
    if not value.get("name"):
        raise error_events.missing_parameter(param=f"{param}.name")
    return {"type": "function", **_FUNCTION(value, param)}


def tool_choice(value: Any, param: str) -> Any:
    """Accept ``"auto"``, ``"none"``, ``"required"``, or an object that names a function."""
    if not isinstance(value, Mapping):
        return one_of("auto", "none", "required")(value, param)
    if value.get("type") == "function" and isinstance(value.get("name"), str):
        return dict(value)
    known = ("auto", "none", "required", "{'type': 'function', 'name': …}")
    raise error_events.invalid_value(dict(value), known, param)
