"""The blocking face of a session, on real sockets, as scripts and cells use it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import scripted
from pictures import image, picture
from remote_tools import SERVER, ToolService
from scripted import Script, error

import rtnb
from rtnb.client.async_session import AsyncSession
from rtnb.conversation.response import Response
from rtnb.errors import ConnectError, ResponseTimeout, ServerError, SessionClosed
from rtnb.notebook.session import Session


class Service:
    """The scripted service on a thread of its own."""

    def __init__(self, **quirks: Any) -> None:
        self.scripts: list[Script] = []
        self.url = ""
        self._ready = threading.Event()
        self._quirks = quirks
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        async with scripted(**self._quirks) as (self.url, self.scripts):
            self._ready.set()
            await self._over.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)

    def do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)


def wait_until(condition: Callable[[], Any]) -> None:
    """Wait for what another thread or process brings about."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    with contextlib.ExitStack() as stack:

        def start(**quirks: Any) -> Service:
            service = Service(**quirks)
            stack.callback(service.stop)
            return service

        yield start


@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_a_conversation_from_a_plain_script(serve: Callable[..., Service], dialect: str) -> None:
    """Every method blocks and returns; everything is there afterwards."""
    service = serve(dialect=dialect)
    heard: list[str] = []
    with rtnb.connect(service.url, dialect=dialect, voice="ash") as session:
        session.on("response.output_audio.delta", lambda event: heard.append(event.kind))
        r = session.ask("Hi")
        assert (r.status, r.transcript) == ("completed", "Of course!")
        assert session.respond().status == "completed"
        assert session.add_message("x").role == "user"
        assert session.append_audio(rtnb.AudioClip.silence(0.1)) == pytest.approx(0.1)
        assert session.commit() == "item_spoken"
        session.clear()
        session.truncate("item_spoken", 10)
        assert session.configure(instructions="x")
        assert session.send({"type": "input_audio_buffer.clear"}).startswith("event_")
        assert session.wait_for("input_audio_buffer.cleared").type == "input_audio_buffer.cleared"
        session.cancel()
        with pytest.raises(ServerError):
            session.cancel("resp_unknown")
        assert (session.state, session.id, session.dialect.name) == ("open", "sess_script", dialect)
        assert session.config["audio"]["output"]["voice"] == "ash"
        assert session.usage["total_tokens"] == 164
        assert len(session.responses) == 2
        assert session.endpoint.url == service.url
        assert "Session open" in repr(session)
        assert session._repr_mimebundle_()["text/html"]
    assert session.state == "closed"
    assert session.closed is not None
    wait_until(lambda: len(heard) == 4)
    wait_until(lambda: service.scripts[0].closed)
    with pytest.raises(SessionClosed):
        session.ask("x")


def test_images_and_approvals_from_a_plain_script(serve: Callable[..., Service]) -> None:
    """A question about an image, a call that is approved, another that is denied."""
    service = serve(script=ToolService, approval=True)
    with rtnb.connect(service.url, tools=[SERVER]) as session:
        r = session.ask("What does this show?", image=picture())
        assert "session.approve(r.items[-1])" in repr(r)
        assert session.conversation.items["item_1"].images == [image()]
        assert session.add_message(["Look:", picture()]).images == [image()]
        assert session.approve(r.items[-1]).transcript == "It is three."
    with rtnb.connect(serve(script=ToolService, approval=True).url) as session:
        assert session.deny(session.ask("x"), reason="no").transcript == "It is three."


def test_a_response_that_is_live(serve: Callable[..., Service]) -> None:
    """wait=False returns at once; wait() finishes it."""
    service = serve(holds=True)
    with rtnb.connect(service.url) as session:
        r = session.ask("Hi", wait=False)
        wait_until(lambda: r.audio_seconds)
        assert (r.status, r.done) == ("in_progress", False)
        assert r._repr_mimebundle_()["text/html"]
        service.do(service.scripts[0].release())
        assert r.wait() is r
        assert r.status == "completed"


def test_events_one_after_the_other(serve: Callable[..., Service]) -> None:
    """A second loop goes on where the first was left; it ends with the session."""
    service = serve()
    session = rtnb.connect(service.url)
    session.ask("x", wait=False).wait()
    for event in session.events():
        if event.kind == "response.created":
            break
    second = next(iter(session.events()))
    assert second.seq == event.seq + 1
    session.close()
    assert [event.type for event in session.events("close")] == ["close"]
    assert list(session.events("close", since=len(session.timeline))) == []


async def test_inside_a_running_loop(serve: Callable[..., Service]) -> None:
    """As in a notebook's cell: it blocks, and works."""
    service = serve()
    with rtnb.connect(service.url) as session:
        assert session.ask("x").status == "completed"


async def test_an_async_session_on_a_loop_of_ones_own(serve: Callable[..., Service]) -> None:
    """Awaited, in async with, its responses awaited, its events iterated, cancelled."""
    service = serve()
    async with rtnb.connect_async(service.url, voice="ash") as session:
        r = await session.ask("x", wait=False)
        assert await r is r
        async for event in session.events():
            if event.kind == "response.done":
                break
        service.scripts[0].holds = True
        task = asyncio.create_task(session.ask("y"))
        await asyncio.to_thread(wait_until, lambda: len(session.responses) == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(wait_until, lambda: session.responses[1].status == "cancelled")
        service.scripts[0].holds = False
        assert (await session.ask("z")).status == "completed"
    assert session.state == "closed"
    again = await rtnb.connect_async(service.url)
    await again.close()


def test_tools_interruption_and_resumption_from_a_plain_script(serve: Callable[..., Service]) -> None:
    """A decorator whose tool the service has taken when it returns, or that raises; calls that block, and return."""
    service = serve()
    session = rtnb.connect(service.url)

    @session.tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @session.tool(name="other")
    def named() -> None: ...

    assert [tool["name"] for tool in service.scripts[0].session["tools"]] == ["add", "other"]
    assert add(1, 2) == 3
    service.scripts[0].answers["session.update"] = refuse
    with pytest.raises(ServerError, match="No tools"):
        session.tool(add)
    session.ask("x")
    assert session.mix().right.duration >= 0.25
    heard = session.interrupt()
    assert heard is None or heard.heard_ms < heard.received_ms
    session.close()
    assert session.resume() is session
    assert session.ask("y").status == "completed"
    assert [tool["name"] for tool in service.scripts[1].session["tools"]] == ["add", "other"]
    assert session.ask("z", out_of_band=True).transcript == "Aside"
    session.close()


async def refuse(service: Script, heard: Any) -> None:
    await service.say(error("invalid_value", "No tools here.", heard["event_id"]))


def test_what_a_cell_shows_while_it_waits(serve: Callable[..., Service]) -> None:
    """The response as it grows; and the line is taken away, also when it fails."""
    service = serve(holds=True)
    shown: list[str] = []
    finished: list[bool] = []

    class Progress:
        def update(self, response: Response) -> None:
            shown.append(response.transcript)
            if response.transcript and service.scripts[0].active and len(shown) > 2:
                service.do(service.scripts[0].release())

        def finish(self) -> None:
            finished.append(True)

    plain = rtnb.connect(service.url)
    session = Session(plain._session, plain._io, Progress)
    assert session.ask("x").status == "completed"
    assert "Of course" in shown
    assert finished == [True]
    with pytest.raises(ResponseTimeout):
        Session(plain._session, plain._io, lambda: Mute(finished)).ask("y", timeout=0.2)
    assert finished == [True, True]
    plain.close()


class Mute:
    def __init__(self, finished: list[bool]) -> None:
        self.finished = finished

    def update(self, response: Response) -> None: ...

    def finish(self) -> None:
        self.finished.append(True)


def test_the_facade_has_what_the_core_has() -> None:
    """Every public name of AsyncSession, with the same parameters; of its own only what a notebook shows."""
    inner = {"open", "finish", "add_tool", "summary", "submit", "call_soon", "now", "note_problem"}
    attributes = {"timeline", "endpoint", "playback"}
    shown = {"panel"}

    def public(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(AsyncSession) - inner | attributes | shown == public(Session)
    for name in public(Session) - attributes - shown:
        core, face = inspect.getattr_static(AsyncSession, name), inspect.getattr_static(Session, name)
        assert isinstance(core, property) == isinstance(face, property), name
        if not isinstance(face, property):
            assert list(inspect.signature(core).parameters.values()) == list(
                inspect.signature(face).parameters.values()
            ), name
        documented = face.fget if isinstance(face, property) else face
        assert documented.__doc__, name


# In a process of its own ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def child(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own, which does not outlive the block."""
    environ = {**os.environ, "PYTHONPATH": str(Path(rtnb.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        try:
            yield process
        finally:
            process.kill()


BLOCKING = """
import sys, rtnb
session = rtnb.connect(sys.argv[1])
try:
    session.ask("one", timeout=600)
except KeyboardInterrupt:
    print("interrupted", session.state)
print(session.ask("two").status)
"""
AWAITING = """
import sys, asyncio, rtnb
async def main():
    async with rtnb.connect_async(sys.argv[1]) as session:
        task = asyncio.current_task()
        try:
            await session.ask("one", timeout=600)
        except asyncio.CancelledError:
            task.uncancel()
            print("interrupted", session.state)
        print((await session.ask("two")).status)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize("script", [BLOCKING, AWAITING], ids=["blocking", "awaiting"])
def test_an_interrupt_lands_and_the_session_lives(serve: Callable[..., Service], script: str) -> None:
    """SIGINT while it waits for a service that says nothing more: the response is cancelled, the next ask works."""
    service = serve(holds=True)
    with child(script, service.url) as process:
        wait_until(lambda: service.scripts and service.scripts[0].active)
        service.scripts[0].holds = False
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert out.split() == ["interrupted", "open", "completed"], err
    assert service.scripts[0].types().count("response.cancel") == 1
    assert process.returncode == 0, err


@pytest.mark.parametrize("last", ["", "raise SystemExit(3)", "del session", "session.ask('x', wait=False)"])
def test_the_end_of_the_process_says_goodbye(serve: Callable[..., Service], last: str) -> None:
    """1001, also for a session that nobody holds any more, and no traceback."""
    service = serve(holds=True)
    with child(f"import sys, rtnb\nsession = rtnb.connect(sys.argv[1])\n{last}", service.url) as process:
        _, err = process.communicate(timeout=30)
    wait_until(lambda: service.scripts[0].closed)
    assert service.scripts[0].closed is not None
    assert service.scripts[0].closed.code == 1001
    assert err == ""


def test_a_refused_connection_leaves_nothing_behind() -> None:
    """The error, and a process that ends at once."""
    with child("import rtnb\nrtnb.connect('ws://127.0.0.1:9/v1/realtime')") as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "cannot be reached" in err
    assert issubclass(ConnectError, ConnectionError)
