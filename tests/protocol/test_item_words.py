"""Items as the text column has them: messages, images by their sizes, remote tools with what came of them."""

from __future__ import annotations

import json

import pytest
from pictures import image
from remote_tools import LISTED, asks, call

from rtnb.protocol.events import Event, content_line
from rtnb.protocol.item_words import call_words, error_words, item_words


def line(type: str = "conversation.item.added", **fields: object) -> str:
    return content_line(Event.parse(json.dumps({"type": type, **fields}).encode()))


def test_a_message_says_its_phase_and_its_images() -> None:
    """Never the image itself."""
    url = image().url
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look:"}, {"type": "input_image", "image_url": url}]}  # fmt: skip
    assert line(item=item).startswith("user Look: image/png, 64×48, ")
    assert "base64" not in line("conversation.item.create", item=item)
    said = {
        "role": "assistant",
        "phase": "commentary",
        "content": [{"type": "output_audio", "transcript": "Let me see."}],
    }
    assert line(item=said) == "assistant commentary Let me see."


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {"type": "mcp_list_tools", "server_label": "calculator", "tools": LISTED},
            "mcp_list_tools 'calculator': add, fail",
        ),
        ({"type": "mcp_list_tools", "server_label": "calculator", "tools": []}, "mcp_list_tools 'calculator'"),
        ({"type": "mcp_list_tools", "server_label": "c", "error": "no route"}, "mcp_list_tools 'c' ✗ no route"),
        (call(arguments='{"a": 1, "b": "x"}'), "mcp_call add(a=1, b=\"x\") on 'calculator'"),
        (call(output="3"), "mcp_call add() on 'calculator' → 3"),
        (
            call(error={"type": "http_error", "code": 401, "message": "Unauthorized"}),
            "mcp_call add() on 'calculator' ✗ http_error 401: Unauthorized",
        ),
        (asks(), "mcp_approval_request add(a=1) on 'calculator'"),
        ({"type": "mcp_approval_response", "approve": True}, "mcp_approval_response approved"),
        ({"type": "mcp_approval_response", "approve": False, "reason": "no"}, "mcp_approval_response denied: no"),
    ],
)
def test_remote_tools(item: dict[str, object], words: str) -> None:
    """Server, call, result, error and decision are in the text of their rows."""
    assert line(item=item) == item_words(item) == words


def test_a_remote_failure_has_words() -> None:
    """Its row says what the event says, and where the reason is when the event has none."""
    for failed in ("response.mcp_call.failed", "mcp_list_tools.failed"):
        assert line(failed, item_id="i") == "failed: the item that follows says why"
        assert line(failed, item_id="i", error={"type": "http_error", "message": "Gone"}) == "failed: http_error: Gone"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [("", "f()"), ('{"a": [1, 2]}', "f(a=[1, 2])"), ("{broken", "f({broken)"), ("[1]", "f([1])"), (None, "f()"), ("[" * 9999, None)],
)  # fmt: skip
def test_arguments_of_any_shape(arguments: object, words: str | None) -> None:
    """An object as a person writes a call; anything else as it is, bounded."""
    said = call_words("f", arguments)
    assert words is None or said == words
    assert len(said) < 700


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"type": "protocol_error", "code": -32000, "message": "x"}, "protocol_error -32000: x"),
        ({"type": "invalid_request_error", "code": "invalid_value", "message": "x"}, "invalid_value: x"),
        ({"type": "t", "message": "m"}, "t: m"),
        ({"code": 404}, "404"),
        ({"odd": 1}, "no reason was given"),
        ({}, ""),
        (None, ""),
        ([1], ""),
        (" said ", "said"),
    ],
)
def test_an_error_of_any_shape_has_words(error: object, words: str) -> None:
    """A code that is a word says enough; a number needs the type; a bare string is its own message."""
    assert error_words(error) == words


@pytest.mark.parametrize(
    "odd", [5, [1], {"type": "mcp_list_tools", "tools": 5}, {"type": "message", "content": [1, None]}]
)
def test_odd_items_do_not_raise(odd: object) -> None:
    """What is no item has the text of one that says nothing."""
    assert isinstance(line(item=odd), str)
