from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.chat_stream import ChatAnswer, ChatError, EventLines
from rtnb.service.engines.tasks import Call


def chunk(**delta: Any) -> str:
    return json.dumps({"choices": [{"delta": delta}]})


def called(*fragments: dict[str, Any]) -> list[Call]:
    answer = ChatAnswer()
    for fragment in fragments:
        answer.take(chunk(tool_calls=[fragment]))
    return answer.calls()


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20), max_size=5),
    st.data(),
)
def test_events_are_the_same_however_the_bytes_come(said: list[str], data: st.DataObject) -> None:
    """Wherever the stream is cut into pieces, the same events come out."""
    stream = "".join(f"data: {text}\r\n\r\n" for text in said).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    lines = EventLines()
    found = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in lines.add(stream[start:end])
    ]
    assert [*found, *lines.rest()] == said


@given(st.binary(max_size=300))
def test_any_bytes_are_lines(junk: bytes) -> None:
    """No bytes throw."""
    lines = EventLines()
    assert all(isinstance(event, str) for event in [*lines.add(junk), *lines.rest()])


def test_a_line_without_end_is_refused() -> None:
    """Memory does not grow with a line that never ends."""
    with pytest.raises(ChatError):
        list(EventLines().add(b"x" * 5_000_000))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["choices", "delta", "tool_calls", "function", "name", "arguments", "index", "id", "content", "message"]), inner, max_size=4)))  # fmt: skip
def test_any_json_is_an_answer_or_an_error(value: Any) -> None:
    """Whatever JSON comes, it adds text, or a call, or is refused."""
    answer = ChatAnswer()
    try:
        answer.take(json.dumps(value))
        answer.take(json.dumps({"choices": [value]}))
        answer.take(json.dumps({"choices": [{"delta": value}]}))
    except ChatError:
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
