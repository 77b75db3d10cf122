"""What a conversation comes to: the running sums are those of a count from scratch, and no answer costs more for its length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.protocol.dialects import GA
from rtnb.service.engines.tasks import Message
from rtnb.service.session import items as items_module
from rtnb.service.session.context import Context
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.usage import InputTokens


def message(name, text="one two", role="user"):
    kind = "output_text" if role == "assistant" else "input_text"
    return StoredItem({"id": name, "type": "message", "role": role, "content": [{"type": kind, "text": text}]})


def speech(name, *, seconds=1, role="assistant", **state):
    part = {"type": "output_audio" if role == "assistant" else "input_audio", "transcript": "hi"}
    item = StoredItem({"id": name, "type": "message", "role": role, "content": [part]}, **state)
    item.add_audio(bytes(48_000 * seconds))
    return item


def call(name):
    return StoredItem(
        {"id": name, "type": "function_call", "name": "f", "arguments": "{}", "call_id": f"call_{name}", "status": ""}
    )


def output(name, text=""):
    return StoredItem({"id": name, "type": "function_call_output", "call_id": "c", "output": text})


MAKERS = {
    "user": message,
    "assistant": lambda name: message(name, "three", "assistant"),
    "system": lambda name: message(name, "be brief", "system"),
    "silent": lambda name: message(name, ""),
    "voice": speech,
    "growing": lambda name: speech(name, in_progress=True),
    "unheard": lambda name: speech(name, role="user", transcribing=True),
    "call": call,
    "output": output,
}
places = st.integers(0, 30)
commands = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["append", "insert"]), st.sampled_from(sorted(MAKERS)), places),
        st.tuples(st.sampled_from(["delete", "truncate", "settle", "look"]), st.just(""), places),
    ),
    max_size=40,
)


def carry_out(items, command, kind, place, number):
    """Change the conversation as the session does."""
    existing = list(items)
    found = existing[place % len(existing)] if existing else None
    if command in ("append", "insert"):
        after = None if command == "append" else found.id if found and place % 5 else "root"
        items.add(MAKERS[kind](f"item_{number}"), after)
    elif command == "delete" and found:
        items.delete({"item_id": found.id})
    elif command == "truncate" and found and found.is_voice:
        items.truncate({"item_id": found.id, "audio_end_ms": 0})
    elif command == "settle" and found:
        found.transcribing = False
        found.finish(found.shown)


@given(commands)
def test_the_sums_are_those_of_a_count_from_scratch(given_commands):
    """Whatever is added, inserted, truncated, deleted or finished, and whenever somebody looked: tokens, words, voices, calls."""
    items = ItemList()
    for number, (command, kind, place) in enumerate(given_commands):
        carry_out(items, command, kind, place, number)
        if command == "look":
            items.context()
    for first in {0, len(list(items)) // 2, len(list(items))}:
        context, whole = items.context(first), Context.of(list(items)[first:])
        assert context.tokens == whole.tokens
        assert context.history() == whole.history()
        assert context.latest is whole.latest
        assert context.transcribing == whole.transcribing
    assert items.has_assistant_audio == any(item.is_voice for item in items)
    assert set(items.call_ids) == {call_id for item in items for call_id in item.calls}


@given(commands, st.integers(0, 200))
def test_the_latest_items_within_a_limit(given_commands, most):
    """The first item from which on the items count at most so many tokens: one more would be too many."""
    items = ItemList()
    for number, (command, kind, place) in enumerate(given_commands):
        carry_out(items, command, kind, place, number)
    first = items.first_within(most)
    assert items.context(first).tokens.total <= most
    assert first == 0 or items.context(first - 1).tokens.total > most


def test_a_limit_that_the_latest_item_exceeds_leaves_nothing():
    """Not even the last item is within a limit that is below it, whether it is complete or still spoken."""
    items = ItemList()
    items.add(message("a", "one two three"))
    assert items.first_within(2) == 1
    items.add(speech("b", in_progress=True))
    assert items.first_within(19) == 2
    assert items.first_within(20) == 1


def test_history_leaves_out_what_is_answered_and_what_is_empty():
    """The latest turn of the user is the question; a message without words tells nothing; a call's empty output does."""
    items = ItemList()
    for item in (message("a", "first"), message("b", ""), call("c"), output("d"), message("e", "last")):
        items.add(item)
    items.add(message("f", "be brief", "system"))
    context = items.context()
    assert context.latest is not None
    assert context.latest.id == "e"
    assert context.history(besides=context.latest) == (
        Message("user", "first"),
        Message("function_call", "", "f", "{}", "call_c"),
        Message("function_call_output", "", call_id="c"),
        Message("system", "be brief"),
    )


def test_a_transcript_that_comes_late_is_in_the_history():
    """An item is counted once for all only when its transcript is there; until then it is looked at anew."""
    items = ItemList()
    heard = speech("a", role="user", transcribing=True)
    heard.parts[0]["transcript"] = None
    items.add(heard)
    items.add(message("b"))
    assert items.context().history() == (Message("user", "one two"),)
    heard.parts[0]["transcript"], heard.transcribing = "hello", False
    assert items.context().history() == (Message("user", "hello"), Message("user", "one two"))


def test_an_unchanged_conversation_has_one_context():
    """Thousands of responses beside each other share it."""
    items = ItemList()
    items.add(message("a"))
    first = items.context()
    assert items.context() is first
    items.add(message("b"))
    assert items.context().tokens == InputTokens(4)


@pytest.fixture
def counts(monkeypatch):
    """How often text was counted, and how often an item was turned into messages, since the last look."""
    made = {"tokens": 0, "messages": 0}
    count, messages = items_module.text_tokens, StoredItem.messages

    def counted(text):
        made["tokens"] += 1
        return count(text)

    def told(item):
        made["messages"] += 1
        return messages(item)

    monkeypatch.setattr(items_module, "text_tokens", counted)
    monkeypatch.setattr(StoredItem, "messages", told)

    def since():
        seen = dict(made)
        made.update(tokens=0, messages=0)
        return seen

    return since


@pytest.mark.large
@pytest.mark.parametrize("modality", ["text", "audio"])
def test_the_work_of_a_turn_does_not_grow_with_the_conversation(make_client, counts, modality):
    """The 200th turn counts and tells as many items as the 10th: those that are new."""
    client = make_client(GA, judged=False)
    for number in range(200):
        client.ask("Tell me more.", output_modalities=[modality])
        seen = counts()
        if number == 9:
            tenth = seen
    assert seen == tenth
    assert sum(seen.values()) < 40


def test_the_sum_is_the_usage(make_client):
    """Input tokens of an answer are those of all items before it, the deleted ones left out."""
    client = make_client(GA)
    client.message("one two", item={"id": "gone"})
    used = client.ask("three", output_modalities=["text"])[-1]["response"]["usage"]
    assert used["input_tokens"] == 3
    client.send("conversation.item.delete", item_id="gone")
    again = client.ask("four", output_modalities=["text"])[-1]["response"]["usage"]
    assert again["input_tokens"] == 2 + used["output_tokens"]
