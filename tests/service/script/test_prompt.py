"""What a prompt costs: each earlier message is read once, however many rules look at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rtnb.service.engines.tasks import Message, Write
from rtnb.service.script import answer, load_script
from rtnb.service.script import prompt as prompt_module

TURNS = 100


@pytest.mark.parametrize("text", ["Hello there, how are you today?", "What did I say first?", "Repeat that.", "zzz"])
def test_each_earlier_message_is_read_once(monkeypatch, text):
    """A long conversation costs an answer one look at each message, not one for each rule."""
    read = []
    plain = prompt_module.plain
    monkeypatch.setattr(prompt_module, "plain", lambda text: read.append(text) or plain(text))
    history = [Message(role, f"{role} {turn}") for turn in range(TURNS) for role in ("user", "assistant")]
    task = Write(
        prompt=text,
        history=tuple(history),
        instructions="",
        voice="verse",
        now=datetime(2026, 1, 1, tzinfo=UTC),
        tools=(),
        tool_choice="auto",
        speaks=False,
    )
    assert answer(load_script(None), task)
    assert sum(each.startswith("user ") for each in read) == TURNS
    assert sum(each.startswith("assistant ") for each in read) < TURNS
