"""The official client follows MCP tools of the service over a real socket, as its examples do."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI

from rtnb.service.server.server import serve

SERVER = {"type": "mcp", "server_label": "calculator", "server_url": "rtnb://builtin"}


@pytest.fixture
async def connection():
    server = await serve(speed=0)
    client = AsyncOpenAI(api_key="any", websocket_base_url=f"{server.url}/v1")
    async with client, client.realtime.connect(model="gpt-realtime") as connection:
        yield connection
    await server.close()


async def until(connection, *types):
    """Read until an event of one of these types; none is an error."""
    events = [await connection.recv()]
    while events[-1].type not in types:
        events.append(await connection.recv())
        assert events[-1].type != "error", events[-1]
    return events


async def say(connection, text):
    content = [{"type": "input_text", "text": text}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await connection.response.create()


async def answered(connection):
    """Ask for the response that uses a result; return its text."""
    await connection.response.create(response={"tool_choice": "none"})
    done = (await until(connection, "response.done"))[-1]
    return done.response.output[0].content[0].text


async def test_a_tool_is_listed_called_and_its_output_said(connection):
    """Tools arrive in the list's item, the call's result in its own, and the next response says it."""
    await connection.session.update(session={"type": "realtime", "tools": [SERVER], "output_modalities": ["text"]})
    await until(connection, "mcp_list_tools.completed")
    listed = (await until(connection, "conversation.item.done"))[-1].item
    assert [tool.name for tool in listed.tools] == ["echo", "add", "fail", "delete_everything"]
    await say(connection, "Please add 17 and 4.")
    done = (await until(connection, "response.done"))[-1].response
    assert (done.output[0].type, done.output[0].output) == ("mcp_call", "21")
    assert "21" in await answered(connection)


async def test_an_approval_is_given_as_in_the_official_example(connection):
    """The request comes as an item, the approval runs the call, and then the final response is asked for."""
    tools = [{**SERVER, "require_approval": "always", "allowed_tools": ["add"]}]
    await connection.session.update(session={"type": "realtime", "tools": tools, "output_modalities": ["text"]})
    await say(connection, "Please add 17 and 4.")
    events = await until(connection, "response.done")
    call_id = next(event.item_id for event in events if event.type == "response.mcp_call_arguments.done")
    request = next(each for each in events[-1].response.output if each.type == "mcp_approval_request")
    item = {"type": "mcp_approval_response", "id": "mine", "approval_request_id": request.id, "approve": True}
    await connection.conversation.item.create(item=item)
    completed = (await until(connection, "response.mcp_call.completed"))[-1]
    assert completed.item_id == call_id
    assert (await until(connection, "conversation.item.done"))[-1].item.output == "21"
    assert "21" in await answered(connection)
