"""The MCP server that is built in: four tools with which remote calls, their failures and approvals can be tried. Pure.

A session names it by its URL, in place of an address on the network::

    tools=[{"type": "mcp", "server_label": "calculator", "server_url": "rtnb://builtin"}]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

BUILTIN_URL = "rtnb://builtin"
_INVALID_PARAMS = -32602  # of JSON-RPC
_LONGEST = 20_000  # characters of an output


class ToolFailure(Exception):
    """A tool did not do what it was called for; the message says why."""


@dataclass(frozen=True, slots=True)
class BuiltinTool:
    """A tool of the built-in server.

    Attributes
    ----------
    name, description : str
    properties : mapping
        JSON schema of each argument; all of them are required.
    run : callable
        Takes the arguments by name, returns the output, or raises `ToolFailure`.
    read_only : bool
        As MCP's annotation ``readOnlyHint`` has it.
    asks : bool
        Whether it needs an approval where the session does not say which tools do.
    """

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    run: Callable[..., str]
    read_only: bool = True
    asks: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of its arguments."""
        properties = {name: dict(each) for name, each in self.properties.items()}
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    def listed(self) -> dict[str, Any]:
        """Return it as a list of tools shows it."""
        hints = {"readOnlyHint": self.read_only, "destructiveHint": not self.read_only}
        return {"name": self.name, "description": self.description, "input_schema": self.schema, "annotations": hints}

    def call(self, arguments_json: str) -> tuple[str | None, dict[str, Any] | None]:
        """Call it; return its output and no error, or no output and the error as an item shows it."""
        try:
            return self.run(**self._read(arguments_json))[:_LONGEST], None
        except ToolFailure as failure:
            return None, {"type": "tool_execution_error", "message": str(failure)}
        except ValueError as error:
            return None, {"type": "protocol_error", "code": _INVALID_PARAMS, "message": f"Invalid params: {error}"}

    def _read(self, arguments_json: str) -> dict[str, Any]:
        arguments = orjson.loads(arguments_json)
        if not isinstance(arguments, dict) or set(arguments) != set(self.properties):
            raise ValueError(f"{self.name} takes {' and '.join(self.properties) or 'no arguments'}")
        for name, schema in self.properties.items():
            value, kind = arguments[name], schema["type"]
            if isinstance(value, bool) or not isinstance(value, str if kind == "string" else (int, float)):
                raise ValueError(f"{name} is no {kind}")
        return arguments


def _fail() -> str:
    raise ToolFailure("This tool always fails, so that a failure can be tried.")


TOOLS: dict[str, BuiltinTool] = {
    tool.name: tool
    for tool in (
        BuiltinTool(
            "echo",
            "Returns a text as it is.",
            {"text": {"type": "string", "description": "What to return."}},
            lambda text: str(text),
        ),
        BuiltinTool(
            "add",
            "Adds two numbers.",
            {
                "a": {"type": "number", "description": "The first number."},
                "b": {"type": "number", "description": "The second number."},
            },
            lambda a, b: f"{a + b:.12g}" if isinstance(a + b, float) else str(a + b),
        ),
        BuiltinTool("fail", "Always fails.", {}, _fail),
        BuiltinTool(
            "delete_everything",
            "Deletes everything; it needs an approval.",
            {},
            lambda: "Everything would be deleted now. This is a rehearsal: nothing was.",
            read_only=False,
            asks=True,
        ),
    )
}
"""The tools by name."""
