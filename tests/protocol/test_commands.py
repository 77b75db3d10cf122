"""Client events in GA's shape."""

from __future__ import annotations

import base64

import pytest

from rtnb.errors import ConfigurationError
from rtnb.protocol import commands


def test_ids_look_like_the_services_and_do_not_repeat() -> None:
    """`event_` and 21 base62 characters."""
    made = {commands.new_id("event") for _ in range(500)}
    assert len(made) == 500
    assert all(each.startswith("event_") and len(each) == 27 and each[6:].isalnum() for each in made)


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (
            commands.session_update({"instructions": "x"}),
            {"type": "session.update", "session": {"type": "realtime", "instructions": "x"}},
        ),
        (
            commands.session_update({"type": "transcription"}),
            {"type": "session.update", "session": {"type": "transcription"}},
        ),
        (
            commands.text_message("Hi"),
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            },
        ),
        (
            commands.text_message("Yes", "assistant"),
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes"}]},
            },
        ),
        (
            commands.append_audio(b"\0\1"),
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(b"\0\1").decode()},
        ),
        (commands.commit(), {"type": "input_audio_buffer.commit"}),
        (commands.clear(), {"type": "input_audio_buffer.clear"}),
        (commands.response_create(), {"type": "response.create"}),
        (
            commands.response_create({"voice": "ash", "conversation": "none"}),
            {"type": "response.create", "response": {"audio": {"output": {"voice": "ash"}}, "conversation": "none"}},
        ),
        (commands.response_cancel(), {"type": "response.cancel"}),
        (commands.response_cancel("resp_1"), {"type": "response.cancel", "response_id": "resp_1"}),
        (
            commands.item_truncate("item_1", 1500),
            {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1500},
        ),
        (commands.item_delete("item_1"), {"type": "conversation.item.delete", "item_id": "item_1"}),
        (commands.item_retrieve("item_1"), {"type": "conversation.item.retrieve", "item_id": "item_1"}),
    ],
)
def test_a_command_has_the_documented_shape(command: dict[str, object], wire: dict[str, object]) -> None:
    """Field for field as the protocol's description has it, and the type a plain string."""
    assert command == wire
    assert type(command["type"]) is str


def test_an_option_that_no_response_has_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError):
        commands.response_create({"turn_detection": None})
