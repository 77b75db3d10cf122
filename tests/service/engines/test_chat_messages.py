from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.service.engines.chat_messages import chat_endpoint, request_body
from rtnb.service.engines.tasks import Message, NamedTool, ToolSpec, Write

TOOL = ToolSpec("f", "Does f", {"type": "object", "properties": {}})
CALL = Message("function_call", "", "f", '{"x": 1}', "c1")
OUTPUT = Message("function_call_output", "42", call_id="c1")
PLAIN = Write("", (), "", "alloy", datetime(2025, 3, 14, tzinfo=UTC), (), "auto", False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        ("localhost:8080", "http://localhost:8080/v1/chat/completions"),
        ("https://example.com/v1/", "https://example.com/v1/chat/completions"),
        ("https://example.com:443/openai/v1", "https://example.com/openai/v1/chat/completions"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
        ("https://example.com/deployments/x/chat/completions?api-version=1", "https://example.com/deployments/x/chat/completions"),
    ],
)  # fmt: skip
def test_urls_are_completed(url: str, shown: str) -> None:
    """Each usual form leads to the completions; the query is kept, and not shown."""
    made = chat_endpoint(url)
    assert made.url == shown
    assert made.path.endswith("?api-version=1") == ("?" in url)


@given(st.text(max_size=60) | st.text(":/[]@?#.%h0 ", max_size=20).map(lambda end: f"http://{end}"))
def test_any_url_is_read_or_refused(url: str) -> None:
    """Nothing but a ConfigurationError comes of a URL that cannot be used, and no line break of one that can."""
    try:
        made = chat_endpoint(url)
    except ConfigurationError:
        return
    assert (made.path + made.authority).isascii()
    assert (made.path + made.authority).isprintable()


@pytest.mark.parametrize(
    ("host", "nearby"),
    [("127.0.0.1", True), ("[::1]", True), ("192.168.1.9", True), ("gpu-box", True), ("box.local", True), ("8.8.8.8", False), ("example.com", False)],
)  # fmt: skip
def test_the_local_network_is_known(host: str, nearby: bool) -> None:
    """Loopback, private addresses and local names are near; everything else is not."""
    assert chat_endpoint(f"http://{host}:80").nearby is nearby


def test_calls_stand_with_their_outputs() -> None:
    """A call and its output are neighbours, whatever was said in between, and the words keep their order."""
    history = (Message("user", "Do f"), CALL, Message("user", "Quick!"), OUTPUT, Message("assistant", "It is 42."))
    messages = request_body(replace(PLAIN, history=history, prompt="Thanks"), "m")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user", "assistant", "user"]
    assert messages[1]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    ]
    assert messages[2] == {"role": "tool", "tool_call_id": "c1", "content": "42"}


def test_parallel_calls_are_one_message() -> None:
    """Calls made together are told together, each followed by its output or by the word that there is none."""
    other = Message("function_call", "", "f", "", "c2")
    messages = request_body(replace(PLAIN, history=(Message("user", "Do it"), CALL, other, OUTPUT)), "m")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
    assert [call["function"]["arguments"] for call in messages[1]["tool_calls"]] == ['{"x": 1}', "{}"]
    assert "no result" in messages[3]["content"]


def test_tools_and_choices_are_handed_on() -> None:
    """The tools go along with the choice; with "none" they stay here."""
    body = request_body(replace(PLAIN, tools=(TOOL,), tool_choice=NamedTool("f")), "m")
    assert body["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "Does f", "parameters": TOOL.parameters}}
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert request_body(replace(PLAIN, tools=(TOOL,), tool_choice="required"), "m")["tool_choice"] == "required"
    assert "tools" not in request_body(replace(PLAIN, tools=(TOOL,), tool_choice="none"), "m")


def test_a_spoken_answer_is_asked_for_in_spoken_words() -> None:
    """Where the answer is heard, the model is told to write what can be said."""
    heard = request_body(replace(PLAIN, speaks=True, instructions="Be kind."), "m")["messages"][0]
    assert heard["role"] == "system"
    assert heard["content"].startswith("Be kind.")
    assert "read aloud" in heard["content"]
    assert request_body(replace(PLAIN, prompt="Hi"), "m")["messages"] == [{"role": "user", "content": "Hi"}]


turns = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "system", "function_call", "function_call_output", "?"]),
    st.text(max_size=10),
    name=st.just("f"),
    arguments=st.text(max_size=5),
    call_id=st.sampled_from(["", "c1", "c2"]),
)


@given(st.lists(turns, max_size=8).map(tuple), st.text(max_size=10))
def test_any_history_is_a_conversation(history: tuple[Message, ...], prompt: str) -> None:
    """Whatever came before, there is something to answer, and every output follows its call."""
    messages = request_body(replace(PLAIN, history=history, prompt=prompt), "m")["messages"]
    json.dumps(messages)
    assert messages[-1]["role"] in ("user", "tool", "system")
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == open_calls.pop(0)
        else:
            assert not open_calls
            open_calls = [call["id"] for call in message.get("tool_calls", ())]
    assert not open_calls
