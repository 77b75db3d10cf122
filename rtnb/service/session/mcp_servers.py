"""The MCP servers of a session's settings: which tools they offer, which of them need an approval, and their lists.

The service opens no network connection: every server but the built-in one cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import ToolSpec
from rtnb.service.session import error_events
from rtnb.service.session.client_events import Events, Ids
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.mcp_builtin import BUILTIN_URL, TOOLS, BuiltinTool

Setting = Mapping[str, Any]
"""One MCP server as a client sets it, checked."""

_ADDRESSES = ("server_url", "connector_id", "tunnel_id")
_FAILED_DEPENDENCY = 424  # the status of the cloud's own error for a server that it cannot reach


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool of a server, as a response may call it.

    Attributes
    ----------
    server_label : str
    tool : BuiltinTool
    asks : bool
        Whether a call waits for an approval.
    """

    server_label: str
    tool: BuiltinTool
    asks: bool

    def spec(self, name: str) -> ToolSpec:
        """Return it as the writer is given it, under a name of its own."""
        return ToolSpec(name, self.tool.description, self.tool.schema)


def servers(tools: Iterable[Setting]) -> list[Setting]:
    """Return the MCP servers among a session's or a response's tools."""
    return [tool for tool in tools if tool["type"] == "mcp"]


def check_servers(tools: Sequence[Setting], param: str) -> None:
    """Check what the shape of a setting does not say: each server has an address, and a label of its own.

    Raises
    ------
    InvalidRequest
    """
    labels: set[str] = set()
    for index, tool in enumerate(tools):
        if tool["type"] == "mcp":
            if not any(tool.get(name) for name in _ADDRESSES):
                raise error_events.missing_parameter(param=f"{param}[{index}].server_url")
            if tool["server_label"] in labels:
                raise error_events.server_label_in_use(tool["server_label"], param=f"{param}[{index}].server_label")
            labels.add(tool["server_label"])


def offered(tools: Iterable[Setting]) -> dict[str, OfferedTool]:
    """Return the tools of all servers that can be reached, by the names under which the writer may call them.

    A tool has its own name; where that is taken, by a function or by another server's tool, its server's label before it.
    """
    listed = list(tools)
    taken = {tool["name"] for tool in listed if tool["type"] == "function"}
    found: dict[str, OfferedTool] = {}
    for server in servers(listed):
        for tool in _tools_of(server):
            own = tool.name not in taken and tool.name not in found
            name = tool.name if own else f"{server['server_label']}_{tool.name}"
            found[name] = OfferedTool(server["server_label"], tool, _asks(server, tool))
    return found


def _tools_of(server: Setting) -> list[BuiltinTool]:
    if _failure(server):
        return []
    allowed = server.get("allowed_tools")
    if allowed is None:
        return list(TOOLS.values())
    chosen = {"tool_names": allowed} if isinstance(allowed, list) else allowed
    return [tool for tool in TOOLS.values() if _chooses(chosen, tool)]


def _asks(server: Setting, tool: BuiltinTool) -> bool:
    """Return whether a tool needs an approval: as the session says, else as the tool has it."""
    rule = server.get("require_approval")
    if rule in ("always", "never"):
        return bool(rule == "always")
    for name in ("always", "never"):
        if isinstance(rule, Mapping) and rule.get(name) and _chooses(rule[name], tool):
            return name == "always"
    return tool.asks


def _chooses(chosen: Mapping[str, Any], tool: BuiltinTool) -> bool:
    """Return whether a filter, by names or by what a tool does, chooses a tool; one that says nothing chooses all."""
    names, read_only = chosen.get("tool_names"), chosen.get("read_only")
    return (names is None or tool.name in names) and read_only in (None, tool.read_only)


def _failure(server: Setting) -> str:
    """Return why the tools of a server cannot be had; empty for the built-in one."""
    if server.get("server_url") == BUILTIN_URL:
        return ""
    return (
        f"Error retrieving tool list from MCP server: '{server['server_label']}'. The local service opens no network "
        f"connection; it has a server of its own at {BUILTIN_URL!r}, with {', '.join(TOOLS)}."
    )


class McpServers:
    """The servers whose tools were sent to the session's client; `items` is the conversation, where their lists are."""

    def __init__(self, ids: Ids, items: ItemList) -> None:
        self._ids = ids
        self._items = items
        self._told: dict[str, Setting] = {}

    def retain(self, tools: Iterable[Setting]) -> None:
        """Forget the servers that are not among a session's tools any more; their tools are sent anew if they come back."""
        labels = {server["server_label"] for server in servers(tools)}
        self._told = {label: server for label, server in self._told.items() if label in labels}

    def announce(self, tools: Iterable[Setting]) -> Events:
        """Return the events that list the tools of each new or changed server, or say that it cannot be reached."""
        events: Events = []
        for server in servers(tools):
            known = {key: server.get(key) for key in (*_ADDRESSES, "allowed_tools")}
            if self._told.get(server["server_label"]) != known:
                self._told[server["server_label"]] = known
                events += self._list(server)
        return events

    def _list(self, server: Setting) -> Events:
        shown = {"id": self._ids.new("mcpl"), "type": "mcp_list_tools", "server_label": server["server_label"]}
        item = StoredItem({**shown, "tools": []}, in_progress=True)
        added = self._items.insert(item)
        listed: dict[str, Any] = {"tools": [tool.listed() for tool in _tools_of(server)]}
        ended = Kind.MCP_LIST_COMPLETED
        if failure := _failure(server):
            listed["error"] = {"type": "http_error", "code": _FAILED_DEPENDENCY, "message": failure}
            ended = Kind.MCP_LIST_FAILED
        item.finish({**shown, **listed})
        states = [{"type": kind.value, "item_id": item.id} for kind in (Kind.MCP_LIST_IN_PROGRESS, ended)]
        return [added, *states, *self._items.done(item)]
