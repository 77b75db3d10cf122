"""Remote (MCP) tools in settings: which of their fields are secrets. Pure.

A definition's ``authorization`` and ``headers`` go to the tool's server (the official client's type ``Mcp`` of
``RealtimeToolsConfigUnion``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SECRET_FIELDS = ("authorization", "headers")


def remote_tools(tools: Any) -> list[Mapping[str, Any]]:
    """Return the definitions of remote tools in a ``tools`` setting."""
    listed = tools if isinstance(tools, (list, tuple)) else ()
    return [each for each in listed if isinstance(each, Mapping) and each.get("type") == "mcp"]


def tool_secrets(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets in the tools that a client event defines, for a session or for one response."""
    for key in ("session", "response"):
        settings = event.get(key)
        for tool in remote_tools(settings.get("tools") if isinstance(settings, Mapping) else None):
            headers = tool.get("headers")
            for value in (tool.get("authorization"), *(headers.values() if isinstance(headers, Mapping) else ())):
                if isinstance(value, str):
                    yield value
                    yield value.rpartition(" ")[2]  # the token of "Bearer …" by itself


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without the secrets of their remote tools, which a service need not give back."""
    tools = config.get("tools")
    if not remote_tools(tools):
        return dict(config)
    return {**config, "tools": [_shown(each) for each in tools or ()]}


def _shown(tool: Any) -> Any:
    if not remote_tools([tool]):
        return tool
    return {key: value for key, value in tool.items() if key not in SECRET_FIELDS}
