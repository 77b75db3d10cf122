"""Remote (MCP) tools through a session: calls are followed to the answer, approvals are given and denied."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from remote_tools import SERVER, ToolService, asking, call, done, listing, sent, wanting
from scripted import Ladder, Script, Wire, error, open_session
from virtual_time import pass_time, until, virtual_time

from rtnb.client.async_session import AsyncSession
from rtnb.errors import ConfigurationError, ResponseTimeout, ServerError

BOOM = {"type": "tool_execution_error", "message": "boom"}
ASKS = "the model asks for approval to call add(a=1) on 'calculator': session.approve(r.items[-1])"
ways = pytest.mark.parametrize("goes_on", ["asked", "unasked", "held"])


async def with_tools(**quirks: Any) -> tuple[AsyncSession, ToolService]:
    session, service = await open_session(script=lambda transport: ToolService(transport, **quirks))
    assert isinstance(service, ToolService)
    return session, service


@pytest.mark.parametrize("failure", [None, BOOM], ids=["result", "failure"])
@pytest.mark.parametrize("goes_on", ["asked", "unasked", "inside"])
@virtual_time
async def test_a_call_is_followed_to_the_answer(goes_on: str, failure: Any) -> None:
    """Whether the service answers in the same response, in one of its own, or only when it is asked for one."""
    session, service = await with_tools(goes_on=goes_on, error=failure)
    r = await session.ask("What is one and two?")
    assert (r.status, r.transcript) == ("completed", "It is three.")
    assert len(sent(service, "response.create")) == (2 if goes_on == "asked" else 1)
    assert ("boom" if failure else "→ 3") in repr(r)
    told = ["MCP tool add(a=1) on 'calculator' failed: tool_execution_error: boom"] if failure else []
    assert session.problems == told


@ways
@virtual_time
async def test_an_approval_request_ends_an_ask_with_words(goes_on: str) -> None:
    """It does not wait for what only the caller can give, nor for a timeout."""
    session, service = await with_tools(approval=True, goes_on=goes_on)
    began = asyncio.get_running_loop().time()
    r = await session.ask("What is one and two?")
    assert asyncio.get_running_loop().time() - began < 2
    assert r.done
    assert ASKS in repr(r)
    assert "the model asks for approval to call" in r._repr_mimebundle_()["text/html"]
    assert r.items[-1].type == "mcp_approval_request"
    assert service.types() == ["conversation.item.create", "response.create"]
    assert session.problems == []


@ways
@pytest.mark.parametrize("by", ["item", "id", "response"])
@virtual_time
async def test_an_approved_call_goes_on(goes_on: str, by: str) -> None:
    """By the item, its id or the response; the answer is the response that is returned."""
    session, service = await with_tools(approval=True, goes_on=goes_on)
    r = await session.ask("What is one and two?")
    asked: Any = {"item": r.items[-1], "id": r.items[-1].id, "response": r}[by]
    answer = await session.approve(asked)
    assert (answer.status, answer.transcript) == ("completed", "It is three.")
    approval = sent(service, "conversation.item.create")[-1]["item"]
    assert approval.pop("id").startswith("item_")
    assert approval == {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    assert len(sent(service, "response.create")) == (2 if goes_on == "asked" else 1)
    assert session.conversation.items["item_call"].output == "3"
    assert "asks for approval" not in repr(r)
    with pytest.raises(ConfigurationError, match="approved already"):
        await session.approve("mcpr_1")
    with pytest.raises(ConfigurationError, match="waits for no approval"):
        await session.deny(r)


@ways
@virtual_time
async def test_a_denied_call_is_answered_too(goes_on: str) -> None:
    """With the reason; the tool is not waited for."""
    session, service = await with_tools(approval=True, goes_on=goes_on)
    r = await session.ask("What is one and two?")
    answer = await session.deny(r.items[-1], reason="not today")
    assert (answer.status, answer.transcript) == ("completed", "It is three.")
    approval = sent(service, "conversation.item.create")[-1]["item"]
    assert (approval["approve"], approval["reason"]) == (False, "not today")
    assert r.items[1].words == "add(a=1) on 'calculator': denied (not today)"
    assert session.conversation.items["item_call"].output == ""


@virtual_time
async def test_an_approval_that_is_asked_for_after_the_response() -> None:
    """The response has ended, its call has not: what it waits for ends the ask."""
    session, _ = await with_tools(approval=True, late=True)
    r = await session.ask("What is one and two?")
    assert ASKS in repr(r)
    assert (await session.approve(r, wait=False)).status == "requested"


@virtual_time
async def test_an_approved_call_may_take_its_time() -> None:
    """The answer is asked for when the tool has ended, not before."""

    class Slow(ToolService):
        async def run_call(self, **fields: Any) -> None:
            self.fields = fields

    session, service = await open_session(script=lambda transport: Slow(transport, approval=True))
    assert isinstance(service, Slow)
    r = await session.ask("What is one and two?")
    approving = asyncio.create_task(session.approve(r))
    await pass_time(30)
    assert len(sent(service, "response.create")) == 1
    await ToolService.run_call(service, **service.fields)
    assert (await approving).transcript == "It is three."


@virtual_time
async def test_a_refused_approval_is_the_callers_error() -> None:
    """As with any other call."""

    class Refusing(ToolService):
        async def add(self, item: Wire) -> None:
            if item["type"] == "mcp_approval_response":
                return await self.say(error("invalid_value", "No such request.", self.heard[-1]["event_id"]))
            await super().add(item)

    session, _ = await open_session(script=lambda transport: Refusing(transport, approval=True))
    r = await session.ask("What is one and two?")
    with pytest.raises(ServerError, match="No such request"):
        await session.approve(r)
    assert (await session.ask("x")).transcript == "It is three."


@virtual_time
async def test_what_is_no_approval_request_is_refused() -> None:
    """With the ids of those that wait."""
    session, service = await with_tools(approval=True)
    with pytest.raises(ConfigurationError, match=r"^item_x is no approval request\. None is waiting\.$"):
        await session.approve("item_x")
    r = await session.ask("x")
    for wrong in (r.items[0], "item_1", 5):
        with pytest.raises(ConfigurationError, match=r"is no approval request\. Waiting: mcpr_1\."):
            await session.approve(wrong)  # type: ignore[arg-type]
    assert len(service.heard) == 2


@virtual_time
async def test_a_call_that_never_ends_is_named_by_the_timeout() -> None:
    """The session lives on."""

    class Never(Script):
        async def respond(self, heard: Wire) -> None:
            ladder = Ladder("ga", response="resp_1")
            await self.say(*wanting(ladder), done(ladder, call(arguments='{"a": 1}')))

    session, _ = await open_session(script=Never)
    with pytest.raises(ResponseTimeout, match=r"The MCP tool add\(a=1\) on 'calculator' gave no result within 5.00 s"):
        await session.ask("x", timeout=5)
    assert session.state == "open"


@virtual_time
async def test_calls_of_responses_without_a_request_are_answered() -> None:
    """As turn detection makes them: the answer is asked for when the tool has ended; an approval waits for the caller."""
    session, service = await with_tools()
    await service.respond({})
    await until(lambda: len(session.responses) == 2 and session.responses[1].done)
    assert session.responses[1].transcript == "It is three."
    assert service.types() == ["response.create"]
    session, service = await with_tools(approval=True)
    await service.respond({})
    await until(lambda: "mcpr_1" in session.conversation.items and session.responses[0].done)
    assert service.heard == []
    assert (await session.approve("mcpr_1")).transcript == "It is three."


async def test_a_function_and_an_approval_in_one_response() -> None:
    """The function is answered; the model goes on once the approval is given."""

    class Both(ToolService):
        async def respond(self, heard: Wire) -> None:
            if self.wanted is not None:
                return await self.answer()
            self.wanted = Ladder("ga", response="resp_1", after=self._last)
            turn = self.wanted.function_turn("twice", ['{"n": 2}'])
            item = call(arguments='{"a": 1}')
            await self.say(
                *wanting(self.wanted), *turn[1:-1], *asking(), done(self.wanted, *turn[-1]["response"]["output"], item)
            )

    session, service = await open_session(script=lambda transport: Both(transport, approval=True))

    def twice(n: int) -> int:
        return 2 * n

    await session.configure(tools=[twice, SERVER])
    r = await session.ask("x")
    assert ASKS in repr(r)
    assert sent(service, "conversation.item.create")[-1]["item"]["output"] == "4"
    assert len(sent(service, "response.create")) == 1
    assert (await session.approve(r)).transcript == "It is three."


@pytest.mark.parametrize("reason", [None, BOOM], ids=["silent", "reason"])
@virtual_time
async def test_a_server_whose_tools_cannot_be_listed_is_a_problem(reason: Any) -> None:
    """It is among the problems once, with the reason where there is one, and its row is marked."""
    session, service = await open_session()
    await service.say(*listing(failed=True, error=reason))
    await until(lambda: len(session.timeline) == 5)
    (problem,) = session.problems
    assert problem.endswith("boom" if reason else "no reason was given")
    assert "calculator" in problem
    assert problem in repr(session)


@virtual_time
async def test_tools_of_a_server_as_settings() -> None:
    """They go out as they are, beside functions; what a service leaves out of its answer does not count as refused."""

    async def redacting(service: Script, heard: Wire) -> None:
        tools = [
            {key: value for key, value in tool.items() if key != "authorization"} for tool in heard["session"]["tools"]
        ]
        await service.update({**heard["session"], "tools": tools})

    session, service = await open_session(answers={"session.update": redacting})
    secret = {**SERVER, "authorization": "token-of-the-user", "require_approval": "never"}
    configured = await session.configure(tools=[secret])
    assert configured
    assert service.heard[-1]["session"]["tools"] == [secret]
    assert "token-of-the-user" not in "".join(map(repr, (configured, session, *session.timeline)))
    assert all(b"token-of-the-user" not in event.raw for event in session.timeline)

    @session.tool
    def twice(n: int) -> int:
        """Double."""
        return 2 * n

    await until(lambda: len(service.heard) == 2)
    assert service.heard[-1]["session"]["tools"][0] == secret
    assert [tool.get("name") for tool in service.heard[-1]["session"]["tools"]] == [None, "twice"]
    await session.close()
    await session.resume()
    again = session.services[-1]  # type: ignore[attr-defined]
    assert again.heard[0]["session"]["tools"][0] == secret
    assert all(b"token-of-the-user" not in event.raw for event in session.timeline)
    assert session.problems == []


@virtual_time
async def test_tools_of_a_server_for_one_response() -> None:
    """Their secrets stay out of the log as well."""
    session, service = await open_session()
    await session.ask("x", tools=[{**SERVER, "headers": {"Authorization": "Bearer token-of-the-user"}}])
    assert service.heard[-1]["response"]["tools"][0]["headers"] == {"Authorization": "Bearer token-of-the-user"}
    assert all(b"token-of-the-user" not in event.raw for event in session.timeline)
