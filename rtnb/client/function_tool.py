"""`FunctionTool`: a typed Python function as a tool that the model can call.

The schema comes from the signature's type hints and the docstring; pydantic makes it, and checks the model's arguments
against the same types before the function is called. What the function returns or raises goes back to the model as text.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line

_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call of a tool came to.

    Attributes
    ----------
    output : str
        What goes back to the model: text as it is, anything else as JSON; for a failure ``{"error": …}``.
    error : str
        What went wrong, for people; empty for success.
    """

    output: str
    error: str = ""


class FunctionTool:
    """A function, and how the model sees it.

    Parameters
    ----------
    function : callable
        Plain or async, with type hints; its docstring's summary describes the tool, its parameter section the parameters
        (numpydoc, Google and reST forms are read).
    name, description : str, optional
        Instead of the function's own.

    Attributes
    ----------
    parameters : dict
        JSON schema of the arguments.

    Raises
    ------
    ConfigurationError
        If the function cannot be described: ``*args``, positional-only parameters, or a type without a JSON schema.
    """

    def __init__(
        self, function: Callable[..., Any], *, name: str | None = None, description: str | None = None
    ) -> None:
        if not callable(function):
            raise ConfigurationError(f"A tool is a function with type hints, not {type(function).__name__}.")
        self.function = function
        self.name: str = name or str(getattr(function, "__name__", "tool"))
        if not self.name or len(self.name) > 64 or not set(self.name) <= set(_NAME):
            raise ConfigurationError(
                f"A tool's name has 1 to 64 letters, digits, _ or -, which {one_line(self.name, 80)!r} has not; "
                "give one: session.tool(function, name='…')."
            )
        summary, described = _docstring(function)
        self.description = description or summary or f"Call {self.name}."
        self._arguments = _argument_model(self.name, function, described)
        self.parameters = _schema(self._arguments)

    @property
    def definition(self) -> dict[str, Any]:
        """Return the tool as a session's ``tools`` list holds it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }

    async def call(self, arguments: str) -> Outcome:
        """Check the model's arguments and call the function, on a thread of its own. Never raises.

        The wait can be cancelled; the function goes on then, and its result is dropped.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Outcome] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: Outcome) -> None:
            if not outcome.done():
                outcome.set_result(result)

        def run() -> None:
            result = context.run(self._outcome, arguments)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(settle, result)

        # No pool: functions that hang must not keep others, or the end of the process, waiting.
        threading.Thread(target=run, name=f"rtnb-tool-{self.name}", daemon=True).start()
        return await outcome

    def _outcome(self, arguments: str) -> Outcome:
        try:
            given = self._arguments.model_validate_json(arguments or "{}")
        except ValueError as error:
            return failure(f"the arguments do not fit: {_validation(error)}")
        values = {field.alias: getattr(given, name) for name, field in type(given).model_fields.items()}
        try:
            result = self.function(**values)
            return Outcome(_text(asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result))
        except BaseException as error:  # whatever a function raises, even SystemExit, goes back to the model
            return failure(f"{type(error).__name__}: {_words(error)}")

    def __repr__(self) -> str:
        return f"<FunctionTool {self.name}({', '.join(self.parameters.get('properties', {}))})>"


def failure(words: str) -> Outcome:
    """Return the outcome of a call that went wrong."""
    words = one_line(words, 500)
    return Outcome(json.dumps({"error": words}, ensure_ascii=False), words)


async def _awaited(result: Any) -> Any:
    return await result


def _text(result: Any) -> str:
    if not isinstance(result, str):
        from pydantic_core import to_json

        return to_json(result, inf_nan_mode="null", fallback=_plain).decode()
    return str(result).encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    """Return what JSON has no type for: an array as numbers, anything else as its text."""
    return value.tolist() if callable(getattr(value, "tolist", None)) else str(value)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(it has no readable message)"


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return a docstring's summary and what it says of each parameter."""
    from docstring_parser import ParseError, parse

    try:
        parsed = parse(inspect.getdoc(function) or "")
    except ParseError:
        return (inspect.getdoc(function) or "").partition("\n\n")[0], {}
    words = [each for each in (parsed.short_description, parsed.long_description) if each]
    described = {name.strip(): each.description or "" for each in parsed.params for name in each.arg_name.split(",")}
    return " ".join(" ".join(words).split()), described


def _argument_model(name: str, function: Callable[..., Any], described: Mapping[str, str]) -> Any:
    """Return a pydantic model of a function's parameters: numbered fields, so that a parameter may have any name."""
    from pydantic import ConfigDict, Field, create_model

    fields: dict[str, Any] = {}
    for number, parameter in enumerate(_parameters(name, function)):
        default = ... if parameter.default is parameter.empty else parameter.default
        field = Field(default, alias=parameter.name, description=described.get(parameter.name))
        fields[f"argument_{number}"] = (parameter.annotation, field)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    try:
        return create_model(name, __config__=config, **fields)
    except Exception as error:
        raise ConfigurationError(f"{name} cannot be a tool: {one_line(error, 300)}") from None


def _parameters(name: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except Exception as error:  # no signature to be had, or a type hint that names what is not there
        raise ConfigurationError(f"{name} cannot be a tool: {one_line(error, 300)}") from None
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ConfigurationError(
                f"{name}: the parameter {parameter} has no name that the model could give; "
                "a tool takes named parameters with type hints."
            )
        if parameter.annotation is parameter.empty:
            raise ConfigurationError(
                f"{name}: the parameter {parameter.name!r} has no type hint; write e.g. {parameter.name}: str."
            )
    return parameters


def _schema(arguments: Any) -> dict[str, Any]:
    try:
        schema: dict[str, Any] = arguments.model_json_schema()
    except Exception as error:
        raise ConfigurationError(f"{arguments.__name__} cannot be a tool: {one_line(error, 300)}") from None
    schema.pop("title", None)
    for described in schema.get("properties", {}).values():
        described.pop("title", None)
    return schema


def _validation(error: ValueError) -> str:
    """Return pydantic's findings in one line: which argument, and what is wrong with it."""
    found = getattr(error, "errors", None)
    if not callable(found):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found())
