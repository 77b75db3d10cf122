"""Function calling, from protocol.md 3e: the call's events, its output, parallel calls, the choice of tools."""

from __future__ import annotations

import json

import pytest

from rtnb.protocol.dialects import GA
from rtnb.service.engines.tasks import Call, Message, NamedTool, Text, ToolSpec

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME = {"type": "function", "name": "get_time", "description": "Tells the time.", "parameters": {"type": "object"}}
CALL = Call("get_weather", '{"city": "Zürich"}')


@pytest.fixture
def tasks():
    return []


@pytest.fixture
def caller(dialect, make_client, tasks):
    """A client whose writer gives the pieces of `answers`, one answer a response."""

    def make(*answers, **options):
        left = list(answers)

        def write(task):
            tasks.append(task)
            return left.pop(0)

        client = make_client(dialect, write=write, **options)
        client.configure(tools=[WEATHER, TIME])
        return client

    return make


def test_a_call_has_the_documented_order(caller):
    """output_item.added with empty arguments, the item, deltas, done with the name, item done, response.done."""
    client = caller([CALL])
    events = client.ask("How is the weather in Zürich?")
    kinds = client.kinds(events)
    deltas = [event for event in events if client.kind(event) == "response.function_call_arguments.delta"]
    assert [kind for kind in kinds if kind != "response.function_call_arguments.delta"] == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.done",
        "response.output_item.done",
        *(["conversation.item.done"] if client.dialect is GA else []),
        "response.done",
    ]
    added, done = events[2]["item"], events[-1]["response"]["output"][0]
    assert (added["type"], added["status"], added["arguments"]) == ("function_call", "in_progress", "")
    assert (added["call_id"][:5], len(added["call_id"])) == ("call_", 21)
    by_kind = {client.kind(event): event for event in events}
    finished = by_kind["response.function_call_arguments.done"]
    assert (
        "".join(event["delta"] for event in deltas) == finished["arguments"] == done["arguments"] == CALL.arguments_json
    )
    assert finished["name"] == done["name"] == "get_weather"
    assert {event["call_id"] for event in (*deltas, finished, added, done)} == {added["call_id"]}
    assert all("content_index" not in event for event in (*deltas, finished))
    assert done["status"] == "completed"
    assert events[-1]["response"]["status"] == "completed"
    assert events[-1]["response"]["usage"]["output_token_details"]["audio_tokens"] == 0


def test_the_output_is_answered_in_a_second_response(caller, tasks):
    """The writer gets call and output as the end of the history, and nothing new to answer."""
    client = caller([CALL], [Text("It rains.")])
    call = client.ask("How is the weather?")[-1]["response"]["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"rain": true}'}
    events = client.send("conversation.item.create", item=output)
    assert events[0]["previous_item_id"] == call["id"]
    assert not client.connection.responses
    client.send("response.create")
    done = client.finish()[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"] == "It rains."
    assert tasks[1].prompt == ""
    assert tasks[1].history == (
        Message("user", "How is the weather?"),
        Message("function_call", "", "get_weather", CALL.arguments_json, call["call_id"]),
        Message("function_call_output", '{"rain": true}', call_id=call["call_id"]),
    )


def test_parallel_calls_are_several_items(caller):
    """Each call is an item of its own, with its own call_id and output_index, in the order of the chain."""
    client = caller([CALL, Call("get_time", "{}")])
    events = client.ask("Weather and time?")
    output = events[-1]["response"]["output"]
    assert [item["name"] for item in output] == ["get_weather", "get_time"]
    assert len({item["call_id"] for item in output}) == 2
    added = [event for event in events if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == [0, 1]
    joined = [event for event in events if client.kind(event) == "conversation.item.added"]
    assert joined[1]["previous_item_id"] == joined[0]["item"]["id"]


def test_without_parallel_calls_there_is_one(make_client):
    """parallel_tool_calls false keeps the first call only."""
    client = make_client(GA, write=lambda task: [CALL, Call("get_time", "{}")])
    client.configure(tools=[WEATHER, TIME], parallel_tool_calls=False)
    output = client.ask("Weather and time?")[-1]["response"]["output"]
    assert [item["name"] for item in output] == ["get_weather"]


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_message_may_precede_the_call(caller, modality):
    """The message is output 0 and finished before the call, output 1, begins."""
    client = caller([Text("Let me look."), CALL])
    events = client.ask("Weather?", output_modalities=[modality])
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
    part = output[0]["content"][0]
    assert (part.get("transcript") or part.get("text")) == "Let me look."
    assert [item["status"] for item in output] == ["completed", "completed"]
    indexes = [event["output_index"] for event in events if "output_index" in event]
    assert indexes == sorted(indexes)
    assert set(indexes) == {0, 1}


@pytest.mark.parametrize(
    ("choice", "seen"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "get_time"}, NamedTool("get_time")),
    ],
)
def test_the_choice_reaches_the_writer(caller, tasks, choice, seen):
    """Tools and tool_choice are handed on, as specifications."""
    client = caller([Text("Yes.")])
    client.ask("Hello", tool_choice=choice)
    assert tasks[0].tool_choice == seen
    assert tasks[0].tools[0] == ToolSpec("get_weather", "Tells the weather.", WEATHER["parameters"])
    assert len(tasks[0].tools) == 2


def test_tools_of_one_response(caller, tasks):
    """A response may have its own tools, and choose one of them only."""
    client = caller([Text("Yes.")])
    client.ask("Hello", tools=[TIME])
    assert [tool.name for tool in tasks[0].tools] == ["get_time"]
    wrong = client.send("response.create", response={"tool_choice": {"type": "function", "name": "fly"}})
    assert client.error(wrong)["param"] == "response.tool_choice"


def test_tools_are_shown(client):
    """session.updated shows the tools as they were given."""
    shown = client.dialect.nested(client.configure(tools=[WEATHER], tool_choice="required")[0]["session"])
    assert shown["tools"] == [WEATHER]
    assert shown["tool_choice"] == "required"
    assert client.dialect.nested(client.configure(tools=[])[0]["session"])["tools"] == []


def test_an_output_for_an_unknown_call(client):
    """The error is the service's own."""
    output = {"type": "function_call_output", "call_id": "call_x", "output": "42"}
    error = client.error(client.send("conversation.item.create", item=output))
    assert error["code"] == "invalid_tool_call_id"
    assert error["message"] == "Tool call ID 'call_x' not found in conversation."


def test_a_call_beyond_the_token_limit_is_incomplete(caller):
    """Arguments that are cut short make item and response incomplete; nothing more is put out."""
    client = caller([CALL, CALL])
    done = client.ask("Weather?", max_output_tokens=3)[-1]["response"]
    assert done["status"] == "incomplete"
    assert [item["status"] for item in done["output"]] == ["incomplete"]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(done["output"][0]["arguments"])
    assert done["usage"]["output_tokens"] <= 3


def test_cancel_between_writing_and_calling(caller):
    """A response that is cancelled while its writer still writes has no output, and the writer is stopped."""
    client = caller(iter(()))
    client.bench.write = None
    client.message("Weather?")
    client.send("response.create")
    client.finish()
    assert client.connection.responses
    done = client.send("response.cancel")[-1]["response"]
    assert (done["status"], done["output"]) == ("cancelled", [])
    assert not client.bench.open
