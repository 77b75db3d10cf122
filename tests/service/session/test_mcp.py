"""MCP servers in a session, from protocol.md (GA): lists, calls, failures, approvals. The official types judge every event."""

from __future__ import annotations

import json

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.engines.tasks import Call, Message, NamedTool, Text
from rtnb.service.script import answer, load_script

SERVER = {"type": "mcp", "server_label": "calculator", "server_url": "rtnb://builtin"}
FUNCTION = {"type": "function", "name": "get_time", "description": "Tells the time.", "parameters": {"type": "object"}}
ADD = Call("add", '{"a": 2, "b": 3}')
DELETE = Call("delete_everything", "{}")


@pytest.fixture
def tasks():
    return []


@pytest.fixture
def caller(make_client, tasks):
    """A client with the built-in server, whose writer gives the pieces of `answers`, one answer a response."""

    def make(*answers, **setting):
        left = list(answers)

        def write(task):
            tasks.append(task)
            return left.pop(0)

        client = make_client(GA, write=write)
        client.configure(tools=[{**SERVER, **setting}], output_modalities=["text"])
        return client

    return make


def respond(client, **response):
    return client.send("response.create", response=response) + client.finish()


def approve(client, request_id, approve=True, **fields):
    item = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve, **fields}
    return client.send("conversation.item.create", item=item)


def names(item):
    return [tool["name"] for tool in item["tools"]]


# -- lists ---------------------------------------------------------------------------------------------------------------


def test_a_server_is_listed_when_it_is_set(make_client):
    """The list is an item of the conversation: added empty, in progress, completed, done with the tools."""
    client = make_client(GA)
    events = client.configure(tools=[SERVER])
    assert client.types(events) == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "conversation.item.done",
    ]
    added, done = events[1]["item"], events[-1]["item"]
    assert (added["type"], added["server_label"], added["tools"]) == ("mcp_list_tools", "calculator", [])
    assert names(done) == ["echo", "add", "fail", "delete_everything"]
    assert {event["item_id"] for event in events[2:4]} == {added["id"]} == {done["id"]}
    assert events[0]["session"]["tools"] == [SERVER]


@pytest.mark.parametrize(
    "address",
    [
        {"server_url": "https://example.com/mcp"},
        {"server_url": None, "connector_id": "connector_gmail"},
        {"server_url": None, "tunnel_id": "t"},
    ],
)
def test_any_other_server_cannot_be_reached(make_client, address):
    """The list fails with an error that says why, and which server there is; the session goes on without its tools."""
    client = make_client(GA)
    events = client.configure(tools=[{**SERVER, **address}])
    assert client.types(events)[-2:] == ["mcp_list_tools.failed", "conversation.item.done"]
    item = events[-1]["item"]
    assert item["tools"] == []
    assert item["error"]["type"] == "http_error"
    assert "'calculator'" in item["error"]["message"]
    assert "rtnb://builtin" in item["error"]["message"]
    assert client.ask("Hello")[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize(
    ("allowed", "listed"),
    [
        (["add", "unknown"], ["add"]),
        ([], []),
        ({"tool_names": ["echo", "delete_everything"], "read_only": True}, ["echo"]),
        ({"read_only": False}, ["delete_everything"]),
        ({}, ["echo", "add", "fail", "delete_everything"]),
        (None, ["echo", "add", "fail", "delete_everything"]),
    ],
)
def test_only_allowed_tools_are_listed_and_offered(make_client, tasks, allowed, listed):
    """Names and the read-only hint filter what the client sees and what the model may call."""
    client = make_client(GA, write=lambda task: tasks.append(task) or [Text("Yes.")])
    events = client.configure(tools=[{**SERVER, "allowed_tools": allowed}])
    assert names(events[-1]["item"]) == listed
    client.ask("Hello")
    assert [tool.name for tool in tasks[0].tools] == listed


def test_a_server_is_listed_once(make_client):
    """Other settings list it no more; another address or filter does, and so does a server that comes back."""
    client = make_client(GA)

    def listings(**session):
        return client.types(client.configure(**session)).count("mcp_list_tools.completed")

    assert listings(tools=[SERVER]) == 1
    assert listings(instructions="Be brief.") == 0
    assert listings(tools=[SERVER, FUNCTION]) == 0
    assert listings(tools=[{**SERVER, "allowed_tools": ["add"]}]) == 1
    assert listings(tools=[]) == 0
    assert listings(tools=[{**SERVER, "allowed_tools": ["add"]}, {**SERVER, "server_label": "other"}]) == 2


def test_a_server_of_one_response_is_listed_before_it(make_client):
    """response.create may bring a server; its list comes first. An out-of-band response has no items in the conversation."""
    client = make_client(GA)
    client.message("Hello")
    events = client.send("response.create", response={"tools": [SERVER]})
    assert client.types(events)[:5] == [
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "conversation.item.done",
        "response.created",
    ]
    client.finish()
    aside = client.send(
        "response.create", response={"conversation": "none", "tools": [{**SERVER, "server_label": "b"}]}
    )
    assert client.types(aside)[0] == "response.created"


def test_a_session_may_begin_with_a_server(make_client):
    """A client secret's tools are listed after session.created."""
    client = make_client(GA, granted={"type": "realtime", "tools": [SERVER]})
    assert client.types(client.log)[:3] == ["session.created", "conversation.item.added", "mcp_list_tools.in_progress"]


@pytest.mark.parametrize(
    ("tools", "code", "param"),
    [
        (
            [{"type": "mcp", "server_url": "rtnb://builtin"}],
            "missing_required_parameter",
            "session.tools[0].server_label",
        ),
        ([{"type": "mcp", "server_label": "a"}], "missing_required_parameter", "session.tools[0].server_url"),
        ([SERVER, SERVER], "invalid_value", "session.tools[1].server_label"),
        ([{**SERVER, "require_approval": "sometimes"}], "invalid_value", "session.tools[0].require_approval"),
    ],
)
def test_a_wrong_server_is_refused(make_client, tools, code, param):
    """The error names the field, and nothing of the change is made."""
    client = make_client(GA)
    error = client.error(client.configure(tools=tools, instructions="Changed."))
    assert (error["code"], error["param"]) == (code, param)
    assert client.configure()[0]["session"]["instructions"] != "Changed."


def test_the_preview_has_no_servers(make_client):
    """It refuses them, as its types have only functions."""
    client = make_client(PREVIEW)
    error = client.error(client.configure(tools=[SERVER]))
    assert error["param"] == "session.tools[0].type"


# -- calls ---------------------------------------------------------------------------------------------------------------


def test_a_call_has_the_documented_order(caller):
    """Item, arguments, in progress, completed, done with the output, and then the response is done: in one step."""
    client = caller([ADD])
    client.message("Add 2 and 3.")
    events = respond(client)
    deltas = "response.mcp_call_arguments.delta"
    assert [kind for kind in client.types(events) if kind != deltas] == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    by_type = {event["type"]: event for event in events}
    added, done = by_type["response.output_item.added"]["item"], by_type["conversation.item.done"]["item"]
    assert (added["type"], added["name"], added["server_label"]) == ("mcp_call", "add", "calculator")
    assert (added["arguments"], added["output"], added["error"]) == ("", None, None)
    joined = "".join(event["delta"] for event in events if event["type"] == deltas)
    assert joined == by_type["response.mcp_call_arguments.done"]["arguments"] == done["arguments"] == ADD.arguments_json
    assert (done["output"], done["error"]) == ("5", None)
    assert by_type["response.done"]["response"]["output"] == [done]
    assert by_type["response.done"]["response"]["status"] == "completed"
    assert by_type["response.done"]["response"]["usage"]["output_tokens"] > 0
    assert {event["output_index"] for event in events if "output_index" in event} == {0}


def test_the_result_is_answered_in_the_next_response(caller, tasks):
    """The writer gets the call and its output as the end of the history, and nothing new to answer."""
    client = caller([ADD], [Text("It is 5.")])
    call = client.ask("Add 2 and 3.")[-1]["response"]["output"][0]
    done = respond(client)[-1]["response"]
    assert done["output"][0]["content"][0]["text"] == "It is 5."
    assert tasks[1].prompt == ""
    assert tasks[1].history == (
        Message("user", "Add 2 and 3."),
        Message("function_call", "", "add", ADD.arguments_json, call["id"]),
        Message("function_call_output", "5", call_id=call["id"]),
    )


def test_a_failing_call(caller, tasks):
    """The call fails with the tool's reason, the response is completed, and the model is told of it."""
    client = caller([Call("fail", "{}")], [Text("It failed.")])
    client.message("Fail!")
    events = respond(client)
    assert "response.mcp_call.failed" in client.types(events)
    assert "response.mcp_call.completed" not in client.types(events)
    item = events[-1]["response"]["output"][0]
    assert item["output"] is None
    assert item["error"] == {
        "type": "tool_execution_error",
        "message": "This tool always fails, so that a failure can be tried.",
    }
    respond(client)
    assert json.loads(tasks[1].history[-1].text) == {"error": item["error"]["message"]}


def test_a_message_and_several_calls(caller):
    """What is said first is output 0; each call is an item of its own, run in order."""
    client = caller([Text("Let me see."), ADD, Call("echo", '{"text": "hi"}')])
    output = client.ask("Add and echo.")[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "mcp_call", "mcp_call"]
    assert [item["output"] for item in output[1:]] == ["5", "hi"]


def test_a_tool_that_shares_a_name(make_client, tasks):
    """A function keeps its name; the second of two tools is called by its server's label and its name."""
    left = [[Call("second_add", ADD.arguments_json), Call("add", "{}")]]
    client = make_client(GA, write=lambda task: tasks.append(task) or left.pop())
    function = {**FUNCTION, "name": "echo"}
    client.configure(tools=[function, SERVER, {**SERVER, "server_label": "second", "allowed_tools": ["add"]}])
    output = client.ask("Add.")[-1]["response"]["output"]
    assert [tool.name for tool in tasks[0].tools] == [
        *("echo", "calculator_echo", "add", "fail", "delete_everything"),
        "second_add",
    ]
    assert [(item["server_label"], item["name"]) for item in output] == [("second", "add"), ("calculator", "add")]
    assert output[1]["error"]["type"] == "protocol_error"


@pytest.mark.parametrize(
    ("choice", "chosen", "count"),
    [
        ({"type": "mcp", "server_label": "calculator", "name": "add"}, NamedTool("add"), 5),
        ({"type": "mcp", "server_label": "calculator"}, "required", 4),
        ({"type": "function", "name": "get_time"}, NamedTool("get_time"), 5),
    ],
)
def test_the_choice_of_a_tool(make_client, tasks, choice, chosen, count):
    """One tool of a server, any of a server's, or a function."""
    client = make_client(GA, write=lambda task: tasks.append(task) or [Text("Yes.")])
    client.configure(tools=[SERVER, FUNCTION])
    client.ask("Hello", tool_choice=choice)
    assert tasks[0].tool_choice == chosen
    assert len(tasks[0].tools) == count


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "mcp", "server_label": "unknown"},
        {"type": "mcp", "server_label": "calculator", "name": "get_time"},
        {"type": "function", "name": "add"},
    ],
)
def test_a_choice_that_is_no_tool(make_client, choice):
    """It is refused; an MCP tool is no function."""
    client = make_client(GA)
    client.configure(tools=[SERVER, FUNCTION])
    error = client.error(client.send("response.create", response={"tool_choice": choice}))
    assert (error["code"], error["param"]) == ("invalid_value", "response.tool_choice")


def test_a_call_that_is_cut_short_is_not_run(caller):
    """Arguments beyond the token limit leave the call without a result, and the response incomplete."""
    client = caller([Call("delete_everything", '{"a": "' + "word " * 50 + '"}')], require_approval="never")
    events = client.ask("Delete!", max_output_tokens=5)
    assert not [kind for kind in client.types(events) if kind.startswith("response.mcp_call.")]
    done = events[-1]["response"]
    assert done["status"] == "incomplete"
    assert (done["output"][0]["output"], done["output"][0]["error"]) == (None, None)
    assert client.types(events).count("conversation.item.done") == 1


def test_a_cancelled_call_is_not_run(caller):
    """A response that is cancelled after the arguments closes its call and runs nothing; the next one is free of it."""
    client = caller([ADD], [Text("Yes.")])
    client.message("Add.")
    client.send("response.create")
    client.until("response.mcp_call_arguments.done")
    events = client.send("response.cancel")
    assert client.types(events) == ["response.output_item.done", "conversation.item.done", "response.done"]
    assert events[-1]["response"]["output"][0]["output"] is None
    client.message("Hello")
    assert respond(client)[-1]["response"]["status"] == "completed"


def test_an_out_of_band_call(caller):
    """It runs too, and its response's output has the result; the conversation has no item of it."""
    client = caller([ADD])
    content = [{"type": "input_text", "text": "Add."}]
    asked = {"type": "message", "role": "user", "content": content}
    events = respond(client, conversation="none", input=[asked])
    assert events[-1]["response"]["output"][0]["output"] == "5"
    assert not [kind for kind in client.types(events) if kind.startswith("conversation.item")]


def test_lists_and_calls_count_as_input(caller):
    """Tools, arguments and outputs are tokens of the responses after them."""
    client = caller([ADD], [Text("Five.")])
    first = client.ask("Add.")[-1]["response"]["usage"]
    second = respond(client)[-1]["response"]["usage"]
    assert first["input_tokens"] > 100
    assert second["input_tokens"] > first["input_tokens"] + 5


# -- approvals -----------------------------------------------------------------------------------------------------------


def requested(events):
    """The approval request in a response's output."""
    return next(item for item in events[-1]["response"]["output"] if item["type"] == "mcp_approval_request")


def test_a_call_that_asks(caller):
    """The call is written, the request follows as an item, and the response ends; nothing is run."""
    client = caller([DELETE])
    client.message("Delete everything!")
    events = respond(client)
    kinds = client.types(events)
    assert not [kind for kind in kinds if kind.startswith("response.mcp_call.")]
    assert kinds[-5:] == [
        "conversation.item.added",
        "response.output_item.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    call, request = events[-1]["response"]["output"]
    assert (call["type"], call["output"], call["approval_request_id"]) == ("mcp_call", None, request["id"])
    assert (request["type"], request["name"], request["server_label"]) == (
        "mcp_approval_request",
        "delete_everything",
        "calculator",
    )
    assert request["arguments"] == call["arguments"] == "{}"
    assert events[-1]["response"]["status"] == "completed"
    finished = [event["item"]["id"] for event in events if event["type"] == "conversation.item.done"]
    assert finished == [request["id"]]  # the call is not done yet


@pytest.mark.parametrize("when", ["after", "before"])
def test_an_approved_call_is_run_at_once(caller, tasks, when):
    """As in the official example: the call goes on when it is approved, even before its response is done."""
    client = caller([DELETE], [Text("Done.")])
    client.message("Delete everything!")
    client.send("response.create")
    events = client.until("response.mcp_call_arguments.done") if when == "before" else client.finish()
    request = next(event["item"] for event in events if event.get("item", {}).get("type") == "mcp_approval_request")
    events = approve(client, request["id"], reason="Go on.")
    assert client.types(events) == [
        "conversation.item.added",
        "conversation.item.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "conversation.item.done",
    ]
    item = events[-1]["item"]
    assert (item["type"], item["approval_request_id"], item["error"]) == ("mcp_call", request["id"], None)
    assert "rehearsal" in item["output"]
    assert (events[0]["item"]["approve"], events[0]["item"]["reason"]) == (True, "Go on.")
    if when == "before":
        events = client.finish()
        assert events[-1]["response"]["output"][0] == item
        assert "conversation.item.done" not in client.types(events)
    done = respond(client)[-1]["response"]
    assert done["output"][0]["content"][0]["text"] == "Done."
    assert tasks[1].prompt == ""
    assert tasks[1].history[-1] == Message("function_call_output", item["output"], call_id=item["id"])


def test_a_denied_call_is_not_run(caller, tasks):
    """It is done without an output, and without an error since nothing failed; the model hears the reason."""
    client = caller([DELETE], [Text("Then not.")])
    request = requested(client.ask("Delete everything!"))
    events = approve(client, request["id"], approve=False, reason="Not today.")
    assert client.types(events) == ["conversation.item.added", "conversation.item.done", "conversation.item.done"]
    item = events[-1]["item"]
    assert (item["output"], item["error"]) == (None, None)
    respond(client)
    assert json.loads(tasks[1].history[-1].text) == {"error": "The call was not approved: Not today."}


@pytest.mark.parametrize("given", ["mcpr_unknown", "twice"])
def test_an_answer_without_a_question(caller, given):
    """An unknown request, or one that was answered, is refused, and nothing is run or added."""
    client = caller([DELETE])
    request = requested(client.ask("Delete everything!"))
    if given == "twice":
        approve(client, request["id"])
    error = client.error(approve(client, request["id"] if given == "twice" else given))
    assert (error["code"], error["param"]) == ("invalid_value", "item.approval_request_id")


@pytest.mark.parametrize(
    ("rule", "asking"),
    [
        (None, ["delete_everything"]),
        ("always", ["echo", "add", "fail", "delete_everything"]),
        ("never", []),
        ({"always": {"tool_names": ["add"]}}, ["add", "delete_everything"]),
        ({"never": {"tool_names": ["delete_everything"]}}, []),
        ({"always": {"read_only": False}, "never": {"read_only": True}}, ["delete_everything"]),
        ({"always": {"read_only": True}}, ["echo", "add", "fail", "delete_everything"]),
        ({}, ["delete_everything"]),
    ],
)
def test_which_tools_ask(caller, rule, asking):
    """As require_approval says: for all, for none, or by names and the read-only hint; else as the tool itself has it."""
    calls = [Call("echo", '{"text": "hi"}'), ADD, Call("fail", "{}"), DELETE]
    client = caller(calls, require_approval=rule)
    output = client.ask("All of them.")[-1]["response"]["output"]
    assert [item["name"] for item in output if item["type"] == "mcp_approval_request"] == asking


def test_a_long_wait_costs_nothing(caller, tasks):
    """A call may wait through other turns; they do not know of it, and its result is there once it is approved."""
    client = caller([DELETE], [Text("Hello.")], [Text("Gone.")])
    request = requested(client.ask("Delete everything!"))
    client.ask("Hello")
    assert [message.role for message in tasks[1].history] == ["user"]
    approve(client, request["id"])
    respond(client)
    assert [message.role for message in tasks[2].history] == [
        *("user", "function_call", "function_call_output"),
        *("user", "assistant"),
    ]


def test_a_call_that_was_deleted_is_still_decided(caller):
    """Without its item the call runs, and only its own events tell."""
    client = caller([DELETE])
    events = client.ask("Delete everything!")
    client.send("conversation.item.delete", item_id=events[-1]["response"]["output"][0]["id"])
    assert client.types(approve(client, requested(events)["id"]))[2:] == [
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
    ]


def test_a_restored_call_is_history(caller, tasks):
    """A client may add a call with its result; the tool is not called again."""
    client = caller([Text("It was 5.")], [Text("It failed.")])
    fields = {"server_label": "calculator", "name": "add", "arguments": ADD.arguments_json, "output": "5"}
    events = client.send("conversation.item.create", item={"type": "mcp_call", "id": "item_1", **fields})
    assert client.types(events) == ["conversation.item.added", "conversation.item.done"]
    client.ask("What was it?")
    assert tasks[0].history[-1] == Message("function_call_output", "5", call_id="item_1")
    failed = {**fields, "output": None, "error": {"type": "tool_execution_error", "message": "No."}}
    client.send("conversation.item.create", item={"type": "mcp_call", **failed})
    client.ask("And then?")
    assert json.loads(tasks[1].history[-1].text) == {"error": "No."}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": "add", "arguments": "{}"}, "item.server_label"),
        (
            {"server_label": "a", "name": "add", "arguments": "{}", "error": {"type": "http_error"}},
            "item.error.message",
        ),
    ],
)
def test_a_restored_call_is_whole(make_client, fields, param):
    """What is missing of it is named."""
    client = make_client(GA)
    error = client.error(client.send("conversation.item.create", item={"type": "mcp_call", **fields}))
    assert (error["code"], error["param"]) == ("missing_required_parameter", param)


@pytest.mark.parametrize("kind", ["mcp_list_tools", "mcp_approval_request"])
def test_the_services_own_items_are_not_taken(make_client, kind):
    """Lists and requests are the service's to make."""
    client = make_client(GA)
    error = client.error(client.send("conversation.item.create", item={"type": kind, "server_label": "a"}))
    assert (error["code"], error["param"]) == ("invalid_value", "item.type")


# -- with the script that is built in ------------------------------------------------------------------------------------


@pytest.fixture
def scripted(make_client):
    """A client of the service with its own writer."""
    script = load_script(None)
    client = make_client(GA, write=lambda task: answer(script, task))
    client.configure(tools=[SERVER], output_modalities=["text"])
    return client


@pytest.mark.parametrize(
    ("asked", "name", "arguments", "said"),
    [
        ("Add 2 and 3.", "add", {"a": 2, "b": 3}, "5"),
        ("Please echo 'hello world'.", "echo", {"text": "hello world"}, "ello world"),
        ("Call fail.", "fail", {}, "did not work"),
    ],
)
def test_the_script_calls_and_tells(scripted, asked, name, arguments, said):
    """The built-in writer picks a tool by the user's words, as it picks functions, and tells what came of it."""
    call = scripted.ask(asked)[-1]["response"]["output"][0]
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("mcp_call", name, arguments)
    assert said in respond(scripted)[-1]["response"]["output"][0]["content"][0]["text"]


def test_the_script_asks_for_approval(scripted):
    """Deleting everything waits, and both decisions are told."""
    for approved, said in ((True, "rehearsal"), (False, "not approved")):
        request = requested(scripted.ask("Delete everything!"))
        approve(scripted, request["id"], approve=approved)
        assert said in respond(scripted)[-1]["response"]["output"][0]["content"][0]["text"]
