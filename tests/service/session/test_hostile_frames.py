"""Whatever a client sends, the session neither raises nor loses its ability to hold a turn."""

from __future__ import annotations

import json

import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtnb.protocol.dialect_tables import GA_RESPONSE, GA_SESSION, PREVIEW_RESPONSE, PREVIEW_SESSION
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.names import CLIENT_KINDS

WORDS = sorted({*GA_SESSION, *GA_RESPONSE, *PREVIEW_SESSION, *PREVIEW_RESPONSE, "input", "output", "format"})
FIELDS = ["item", "item_id", "previous_item_id", "response_id", "audio", "audio_end_ms", "content_index", "event_id"]
ITEM_FIELDS = ["id", "type", "role", "content", "text", "name", "call_id", "arguments", "output", "status", "object"]
VALUES = ["message", "user", "assistant", "input_text", "output_text", "audio", "text", "root", "none", "inf", "alloy"]

leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(VALUES)
anything = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS + ITEM_FIELDS) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)
item = st.fixed_dictionaries(
    {"type": st.just("message"), "role": st.sampled_from(["user", "assistant", "system"])},
    optional=dict.fromkeys(("id", "content", "status"), anything),
)
event = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(CLIENT_KINDS))},
    optional={
        **dict.fromkeys(FIELDS, anything),
        "item": anything | item,
        "session": anything | st.dictionaries(st.sampled_from(WORDS), anything, max_size=4),
        "response": anything | st.dictionaries(st.sampled_from(WORDS), anything, max_size=4),
    },
)


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(event | anything, max_size=5))
def test_any_json_leaves_a_session_that_works(make_client, dialect, frames):
    """Arbitrary JSON, events of the right type among it, never raises; afterwards a turn completes."""
    client = make_client(dialect)
    for frame in frames:
        for answer in client.connection.receive(json.dumps(frame)):
            json.dumps(answer, allow_nan=False).encode()
        client.bench.work()
    client.finish_quietly()
    holds_a_turn(client)


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=st.binary(max_size=200) | st.text(max_size=100))
def test_any_bytes_leave_a_session_that_works(make_client, dialect, frame):
    """Arbitrary bytes and text are answered with one error event."""
    client = make_client(dialect)
    answers = client.connection.receive(frame)
    assert [answer["type"] for answer in answers] == ["error"]
    holds_a_turn(client)


def holds_a_turn(client):
    client.connection.receive(json.dumps(client.dialect.encode({"type": "response.cancel"})))
    content = [{"type": "input_text", "text": "Hello"}]
    message = {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}
    client.connection.receive(json.dumps(message))
    events = client.connection.receive('{"type": "response.create"}')
    assert events[0]["type"] == "response.created"
    client.bench.work()
    while step := client.connection.advance():
        events += step.events
        client.bench.work()
    assert events[-1]["type"] == "response.done"
    assert events[-1]["response"]["status"] in ("completed", "incomplete")
