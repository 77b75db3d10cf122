from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.chat_messages import ChatAnswer, request_body
from rtnb.service.engines.http_reply import InvalidAnswer
from rtnb.service.engines.tasks import Call, Message, NamedTool, ToolSpec, Write

TOOL = ToolSpec("f", "Does f", {"type": "object", "properties": {}})
CALL = Message("function_call", "", "f", '{"x": 1}', "c1")
OUTPUT = Message("function_call_output", "42", call_id="c1")
PLAIN = Write("", (), "", "alloy", datetime(2025, 3, 14, tzinfo=UTC), (), "auto", False)


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


def chunk(**delta: Any) -> str:
    return json.dumps({"choices": [{"delta": delta}]})


def called(*fragments: dict[str, Any]) -> list[Call]:
    answer = ChatAnswer()
    for fragment in fragments:
        answer.take(chunk(tool_calls=[fragment]))
    return answer.calls()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["choices", "delta", "tool_calls", "function", "name", "arguments", "index", "id", "content", "message"]), inner, max_size=4)))  # fmt: skip
def test_any_json_is_an_answer_or_an_error(value: Any) -> None:
    """Whatever JSON comes, it adds text, or a call, or is refused."""
    answer = ChatAnswer()
    try:
        answer.take(json.dumps(value))
        answer.take(json.dumps({"choices": [value]}))
        answer.take(json.dumps({"choices": [{"delta": value}]}))
    except InvalidAnswer:
        return
    assert all(call.name for call in answer.calls())


def test_calls_under_one_number_are_kept_apart() -> None:
    """Endpoints that give every call the number 0, or none, are understood by the ids."""
    one = {"id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}
    other = {"id": "b", "function": {"name": "f", "arguments": '{"x": 2}'}}
    expected = [Call("f", '{"x": 1}'), Call("f", '{"x": 2}')]
    assert called({**one, "index": 0}, {**other, "index": 0}) == expected
    assert called(one, other) == expected


def test_arguments_as_an_object_are_written_as_json() -> None:
    """Arguments that come as an object instead of text, or not at all, are JSON all the same."""
    assert called({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"city": "Köln"}}}) == [
        Call("f", '{"city": "Köln"}')
    ]
    assert called({"index": 0, "id": "a", "function": {"name": "f"}}) == [Call("f", "{}")]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["<think>Hm, let", " me</thi", "nk>\n\nHello", " there"], "Hello there"),
        (["  <thi", "nk>x</think>Yes"], "Yes"),
        (["<", "b>bold"], "<b>bold"),
        (["<thi"], "<thi"),
        (["<think>never ends"], ""),
        (["A <think> in the middle"], "A <think> in the middle"),
    ],
)
def test_thoughts_are_left_out(pieces: list[str], text: str) -> None:
    """What a model thinks before it answers is neither shown nor spoken; everything else is."""
    answer = ChatAnswer()
    assert "".join(answer.take(chunk(content=piece)) for piece in pieces) + answer.rest() == text
