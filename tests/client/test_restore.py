"""What a new connection is told, so that it can go on where a lost one stopped."""

from __future__ import annotations

from typing import Any

import pytest
from pictures import image

from rtnb.client.restore import items_to_restore, settings_to_restore
from rtnb.conversation.items import ContentPart, Item


def message(id: str, role: str, *parts: ContentPart, status: str = "completed") -> Item:
    return Item(id, "message", role, status, content=dict(enumerate(parts)))


def text(words: str) -> ContentPart:
    return ContentPart("input_text", [words])


def speech(words: str, milliseconds: int = 0, heard_ms: int | None = None) -> ContentPart:
    return ContentPart("output_audio", transcript_pieces=[words], chunks=[bytes(48 * milliseconds)], heard_ms=heard_ms)


def restored(*items: Item) -> list[dict[str, Any]]:
    made, _ = items_to_restore(items)
    assert {command["type"] for command in made} <= {"conversation.item.create"}
    return [command["item"] for command in made]


def test_messages_keep_id_role_order_and_words() -> None:
    """Speech is told by its transcript, on both sides; each part by itself."""
    told = restored(
        message("i1", "system", text("Be kind.")),
        message("i2", "user", speech("What is it?")),
        message("i3", "assistant", speech("A lamp.")),
        message("i4", "user", text("a"), text("b")),
    )
    assert [(item["id"], item["role"]) for item in told] == [
        ("i1", "system"),
        ("i2", "user"),
        ("i3", "assistant"),
        ("i4", "user"),
    ]
    assert [item["content"] for item in told] == [
        [{"type": "input_text", "text": "Be kind."}],
        [{"type": "input_text", "text": "What is it?"}],
        [{"type": "output_text", "text": "A lamp."}],
        [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
    ]


def test_a_truncated_answer_is_restored_as_what_was_heard() -> None:
    """As many of its words as the share of its audio; one of which no word was heard cannot be told."""
    words = "one two three four"
    assert restored(message("i", "assistant", speech(words, 1000, 500)))[0]["content"][0]["text"] == "one two"
    made, lost = items_to_restore([message("i", "assistant", speech(words, 1000, 10))])
    assert made == []
    assert "i has no words" in lost[0]


def test_function_calls_and_their_outputs() -> None:
    """As they are; a call that was cut off has arguments that nobody can read."""
    call = Item("i1", "function_call", "", "completed", "add", "c1", '{"a": 1}', "1")
    output = Item("i2", "function_call_output", call_id="c1", output="1")
    assert restored(call, output) == [
        {"id": "i1", "type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'},
        {"id": "i2", "type": "function_call_output", "call_id": "c1", "output": "1"},
    ]
    made, lost = items_to_restore([Item("i1", "function_call", "", "in_progress", "add", "c1", '{"a"')])
    assert made == []
    assert lost == ["function_call i1 was not finished"]


def test_what_cannot_be_restored_is_named() -> None:
    """Speech without a transcript, images, kinds of items that only a service makes."""
    image = ContentPart("input_image")
    items = [
        message("i1", "user", ContentPart("input_audio")),
        message("i2", "user", image, text("What is it?")),
        Item("i3", "mcp_call", name="x"),
        message("i4", "user", image),
    ]
    made, lost = items_to_restore(items)
    (told,) = [command["item"] for command in made]
    assert told["id"] == "i2"
    assert told["content"][1]["text"] == "What is it?"
    assert [words.split(" ", 3)[:2] for words in lost] == [["user", "i1"], ["the", "image"], ["mcp_call", "i3"], ["user", "i4"]]  # fmt: skip


def test_settings_without_what_a_service_gives_by_itself() -> None:
    """What it leaves empty is left out, but turn detection that is off has to be said."""
    config = {
        "id": "sess_1", "object": "realtime.session", "type": "realtime", "model": "m", "expires_at": 1,
        "instructions": "Hi", "tools": [{"name": "add"}], "prompt": None, "unheard_of": 1, "output_modalities": ["audio"],
        "audio": {
            "input": {"format": {"type": "audio/pcmu"}, "transcription": None, "turn_detection": None},
            "output": {"voice": "ash", "speed": 1.0, "unheard_of": 2},
        },
    }  # fmt: skip
    kept = settings_to_restore(config)
    assert kept == {
        "instructions": "Hi",
        "tools": [{"name": "add"}],
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": {"type": "audio/pcmu"}, "turn_detection": None},
            "output": {"voice": "ash", "speed": 1.0},
        },
    }
    kept["tools"][0]["name"] = "other"
    assert config["tools"] == [{"name": "add"}]


@pytest.mark.parametrize(("told", "kept"), [("transcription", {"type": "transcription"}), ("realtime", {})])
def test_a_session_that_only_transcribes_stays_one(told: str, kept: dict[str, Any]) -> None:
    """Its type has to be said; the usual one is."""
    assert settings_to_restore({"type": told}) == kept


def test_images_are_sent_again() -> None:
    """Whole, in their place among the parts; a message of images alone, too."""
    shown = ContentPart("input_image", image=image().with_detail("low"))
    items = [message("i1", "user", text("What is it?"), shown), message("i2", "user", shown)]
    made, lost = items_to_restore(items)
    assert lost == []
    assert [command["item"]["content"] for command in made] == [
        [{"type": "input_text", "text": "What is it?"}, image().with_detail("low").part()],
        [image().with_detail("low").part()],
    ]


def test_phases_are_kept() -> None:
    """The model told a preamble from an answer, so the new connection must, too."""
    before = message("i1", "assistant", speech("Let me see."))
    before.phase = "commentary"
    assert [item.get("phase") for item in restored(before, message("i2", "assistant", speech("Three.")))] == [
        "commentary",
        None,
    ]


def test_remote_calls_are_restored_with_their_results() -> None:
    """Not by their approvals, which would call the tool again; lists of tools come from the settings."""
    items = [
        Item("i1", "mcp_list_tools", status="completed", server_label="calculator"),
        Item("i2", "mcp_approval_request", name="add", server_label="calculator", approve=True),
        Item("i3", "mcp_approval_response", approval_request_id="i2", approve=True),
        Item("i4", "mcp_call", status="completed", name="add", arguments="{}", output="3", server_label="calculator"),
        Item(
            "i5", "mcp_call", status="failed", name="fail", arguments="{}", server_label="c", error={"message": "boom"}
        ),
    ]
    made, lost = items_to_restore(items)
    assert lost == []
    assert [command["item"] for command in made] == [
        {"id": "i4", "type": "mcp_call", "server_label": "calculator", "name": "add", "arguments": "{}", "output": "3", "error": None},
        {"id": "i5", "type": "mcp_call", "server_label": "c", "name": "fail", "arguments": "{}", "output": None, "error": {"message": "boom"}},
    ]  # fmt: skip


def test_what_remote_tools_leave_open_is_named() -> None:
    """A call that has not ended, an approval that nobody gave: the new connection does not know of them."""
    made, lost = items_to_restore(
        [Item("i1", "mcp_call", status="in_progress"), Item("i2", "mcp_approval_request", name="add")]
    )
    assert made == []
    assert lost[0] == "mcp_call i1 was not finished"
    assert lost[1].startswith("mcp_approval_request i2 waited for an approval")
