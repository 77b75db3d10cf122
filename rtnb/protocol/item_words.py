"""Conversation items in words: role and text, calls of tools and their results, and errors. Pure.

The items of remote tools are GA's (the official client's types ``RealtimeMcp…``): ``mcp_list_tools``, ``mcp_call``,
``mcp_approval_request`` and ``mcp_approval_response``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rtnb.formatting import one_line
from rtnb.protocol.images import IMAGE_PART, image_words

MCP_LIST_TOOLS, MCP_CALL = "mcp_list_tools", "mcp_call"
APPROVAL_REQUEST, APPROVAL_RESPONSE = "mcp_approval_request", "mcp_approval_response"
MCP_ITEMS = frozenset({MCP_LIST_TOOLS, MCP_CALL, APPROVAL_REQUEST, APPROVAL_RESPONSE})
_ARGUMENTS = 600


def item_words(item: Mapping[str, Any]) -> str:
    """Return an item as it is on the wire as one text; an image stands in it as its type and size."""
    kind = str(item.get("type") or "")
    if kind in MCP_ITEMS:
        return f"{kind} {mcp_words(item)}".rstrip()
    content = item.get("content")
    texts = [_part_words(part) for part in (content if isinstance(content, list) else ()) if isinstance(part, Mapping)]
    if item.get("name"):
        texts.append(f"{item['name']}({item.get('arguments') or ''})")
    if item.get("output"):
        texts.append(str(item["output"]))
    phase = item.get("phase") if isinstance(item.get("phase"), str) else ""
    return " ".join(filter(None, [str(item.get("role") or kind), phase, *texts]))


def _part_words(part: Mapping[str, Any]) -> str:
    if part.get("type") == IMAGE_PART:
        return image_words(part)
    return str(part.get("text") or part.get("transcript") or part.get("type") or "")


def mcp_words(item: Mapping[str, Any]) -> str:
    """Return what an item of a remote tool says, without its type."""
    kind, error = item.get("type"), error_words(item.get("error"))
    if kind == MCP_LIST_TOOLS:
        tools = item.get("tools")
        names = [
            str(tool.get("name")) for tool in (tools if isinstance(tools, list) else ()) if isinstance(tool, Mapping)
        ]
        listed = ": ".join(filter(None, [repr(str(item.get("server_label") or "")), ", ".join(names)]))
        return f"{listed} ✗ {error}" if error else listed
    if kind == APPROVAL_RESPONSE:
        decided = "approved" if item.get("approve") else "denied"
        return f"{decided}: {item['reason']}" if item.get("reason") else decided
    call = call_words(str(item.get("name") or ""), item.get("arguments"), str(item.get("server_label") or ""))
    if error:
        return f"{call} ✗ {error}"
    return f"{call} → {item['output']}" if item.get("output") else call


def call_words(name: str, arguments: Any, server_label: str = "") -> str:
    """Return a call as a person writes it: ``add(a=1, b="x") on 'calculator'``; arguments that are no object as they are."""
    where = f" on {server_label!r}" if server_label else ""
    return f"{name}({one_line(_arguments(arguments), _ARGUMENTS)}){where}"


def _arguments(text: Any) -> str:
    if not isinstance(text, str) or not text:
        return ""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(read, dict):
        return text
    return ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in read.items())


def error_words(error: object) -> str:
    """Return an error object, of whatever shape, in words: its code and its message; empty where there is none.

    The code of a remote tool's error is a number, which says little without the error's type.
    """
    if not isinstance(error, Mapping):
        return error.strip() if isinstance(error, str) else ""
    code = error.get("code")
    label = " ".join(
        str(each) for each in (None if isinstance(code, str) and code else error.get("type"), code) if each
    )
    return ": ".join(str(each) for each in (label, error.get("message")) if each) or (
        "no reason was given" if error else ""
    )
