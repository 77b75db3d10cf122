"""The tools of the built-in MCP server: what they return, and how they fail."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from rtnb.service.session.mcp_builtin import TOOLS


@pytest.mark.parametrize(
    ("name", "arguments", "output"),
    [
        ("echo", '{"text": "Hello, 世界"}', "Hello, 世界"),
        ("echo", '{"text": ""}', ""),
        ("add", '{"a": 2, "b": 3}', "5"),
        ("add", '{"a": 0.1, "b": 0.2}', "0.3"),
        ("add", '{"a": -1, "b": 1e300}', "1e+300"),
        ("add", '{"a": 9007199254740993, "b": 1}', "9007199254740994"),
        ("delete_everything", "{}", "Everything would be deleted now. This is a rehearsal: nothing was."),
    ],
)
def test_a_tool_returns(name, arguments, output):
    """Each output is a text, and there is no error."""
    assert TOOLS[name].call(arguments) == (output, None)


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "words"),
    [
        ("fail", "{}", "tool_execution_error", "always fails"),
        ("add", "{", "protocol_error", "Invalid params"),
        ("add", "[1, 2]", "protocol_error", "a and b"),
        ("add", '{"a": 1}', "protocol_error", "a and b"),
        ("add", '{"a": 1, "b": 2, "c": 3}', "protocol_error", "a and b"),
        ("add", '{"a": 1, "b": "two"}', "protocol_error", "b is no number"),
        ("add", '{"a": 1, "b": true}', "protocol_error", "b is no number"),
        ("echo", '{"text": 3}', "protocol_error", "text is no string"),
        ("delete_everything", '{"really": true}', "protocol_error", "no arguments"),
    ],
)
def test_a_tool_fails(name, arguments, kind, words):
    """The error is as an item shows it, and says what is wrong; wrong arguments have JSON-RPC's code."""
    output, error = TOOLS[name].call(arguments)
    assert output is None
    assert error["type"] == kind
    assert words in error["message"]
    assert error.get("code") == (-32602 if kind == "protocol_error" else None)


def test_the_list_is_as_mcp_has_it():
    """Name, description, a valid schema of what it takes, and hints about what it does."""
    for tool in TOOLS.values():
        listed = tool.listed()
        Draft202012Validator.check_schema(listed["input_schema"])
        assert listed["description"]
        assert listed["annotations"]["readOnlyHint"] != listed["annotations"]["destructiveHint"]
    assert [name for name, tool in TOOLS.items() if not tool.read_only] == ["delete_everything"]


def test_a_long_echo_ends():
    """An output that would not fit into a frame is cut."""
    output, _ = TOOLS["echo"].call('{"text": "%s"}' % ("x" * 100_000))
    assert len(output) == 20_000
