"""The secrets of remote tools: found in what is sent, left out of what is compared and shown."""

from __future__ import annotations

from rtnb.protocol.mcp_tools import remote_tools, tool_secrets, without_secrets

TOOL = {
    "type": "mcp",
    "server_label": "calculator",
    "authorization": "token-of-the-user",
    "headers": {"X-Key": "Bearer key-of-the-server", "X-Odd": 5},
}


def test_the_secrets_of_a_session_and_of_a_response() -> None:
    """Authorization, the values of headers, and the token in a Bearer header; nothing of a function tool."""
    function = {"type": "function", "name": "f", "authorization": "not a secret field here"}
    for key in ("session", "response"):
        found = set(tool_secrets({"type": "x", key: {"tools": [function, TOOL]}}))
        assert found == {"token-of-the-user", "Bearer key-of-the-server", "key-of-the-server"}


def test_odd_settings_have_no_secrets() -> None:
    """Whatever shape they have."""
    for odd in (
        {},
        {"session": 5},
        {"session": {"tools": 5}},
        {"session": {"tools": [5, {"type": "mcp", "headers": 5}]}},
    ):
        assert list(tool_secrets(odd)) == []
    assert remote_tools("mcp") == remote_tools(None) == []


def test_settings_are_compared_without_secrets() -> None:
    """A service need not give them back; the rest of the definition stays, and so do other settings."""
    function = {"type": "function", "name": "f"}
    shown = without_secrets({"voice": "x", "tools": [function, TOOL]})
    assert shown == {"voice": "x", "tools": [function, {"type": "mcp", "server_label": "calculator"}]}
    assert TOOL["authorization"] == "token-of-the-user"
    assert without_secrets({"tools": None}) == {"tools": None}
