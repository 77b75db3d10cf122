from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from rtnb.service.engines.child import Child, ChildEnded, ChildPool
from rtnb.service.engines.frames import Message

pytest.importorskip("espeakng_loader")
SPEAKER = "rtnb.service.engines.espeak_worker"
ORDER: Message = {
    "say": "Hello.",
    "job": 1,
    "languages": ["en-us"],
    "variant": "m1",
    "rate": 175,
    "volume": 100,
    "pitch": 50,
    "melody": 50,
    "seed": 0,
    "pause": False,
}


async def answer(child: Child) -> tuple[int, Message]:
    """Wait for the end of a job, and return how many bytes of sound came before."""
    count = 0
    while True:
        message, data = await child.receive()
        if "end" in message:
            return count, message
        count += len(data)


async def test_a_child_greets_works_and_ends() -> None:
    """A child is ready when it has been started, does what it is told, and is gone when it was closed."""
    child = await Child.start(SPEAKER)
    assert child.greeting == {"rate": 22_050}
    await child.send(ORDER)
    count, end = await answer(child)
    assert count > 10_000
    assert end == {"end": 1, "language": "en-us"}
    await child.close()
    assert not child.running
    await child.close()


async def test_a_module_that_is_not_there() -> None:
    """What does not come up says why, in the words of the interpreter."""
    with pytest.raises(ChildEnded, match="No module named"):
        await Child.start("rtnb.service.engines.nobody")


async def test_a_child_that_never_greets() -> None:
    """What does not come up in time is ended."""
    with pytest.raises(ChildEnded, match="not ready within"):
        await Child.start("rtnb.service.engines.sphinx_worker", timeout=0.2)  # it waits for its opening


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_a_killed_child_is_noticed() -> None:
    """Whoever waits for a child that is killed learns of it, and so does whoever sends to it afterwards."""
    child = await Child.start(SPEAKER)
    waiting = asyncio.create_task(child.receive())
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildEnded):
        await waiting
    assert not child.running
    await child.close()
    with pytest.raises(ChildEnded):
        await child.receive()


async def test_stopping_ends_a_long_speech() -> None:
    """A minute of speech that is stopped at its first sound comes to an end long before."""
    child = await Child.start(SPEAKER)
    await child.send({**ORDER, "say": "word " * 400})
    _, first = await child.receive()
    await child.send({"stop": 1})
    count, _ = await answer(child)
    await child.send({**ORDER, "job": 2})
    again, _ = await answer(child)
    await child.close()
    assert (len(first) + count) / 2 / 22_050 < 60
    assert again > 10_000


@pytest.mark.parametrize("busy", [False, True])
def test_a_child_ends_with_its_input(busy: bool) -> None:
    """A child whose stdin closes ends by itself, even while it speaks and nobody reads."""
    from rtnb.service.engines.frames import pack

    child = subprocess.Popen([sys.executable, "-m", SPEAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin as pipe:
        if busy:
            pipe.write(pack({**ORDER, "say": "word " * 2000}))
    assert child.wait(30) == 0
    child.stdout.close()


async def test_a_receiver_may_be_cancelled_at_any_moment() -> None:
    """Whoever is cancelled while waiting for a frame leaves the pipe readable for the next."""
    child = await Child.start(SPEAKER)
    await child.send({**ORDER, "say": "word " * 100})
    frames = 0
    while True:
        receiving = asyncio.create_task(child.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        try:
            message, _ = await receiving
        except asyncio.CancelledError:
            message, _ = await child.receive()
        frames += 1
        if "end" in message:
            break
    assert frames > 5
    await child.close()


async def test_a_pool_lends_each_child_to_one() -> None:
    """No more children than allowed are started, each is lent to one borrower, and used again."""
    pool = ChildPool(SPEAKER, 2)
    lent: list[Child] = []
    together = asyncio.Barrier(2)

    async def borrow() -> None:
        async with pool.lend() as child:
            assert child not in lent
            lent.append(child)
            await together.wait()
            assert len(lent) <= 2
            await child.send(ORDER)
            await answer(child)
            lent.remove(child)

    await asyncio.gather(*(borrow() for _ in range(6)))
    assert len(pool.children) == pool.idle == 2
    await pool.close()
    assert not pool.children
    with pytest.raises(ChildEnded, match="closing"):
        async with pool.lend():
            pass


async def test_a_child_is_not_used_after_an_error() -> None:
    """A borrower's error ends the child, since nobody knows what it is doing; the next one gets another."""
    pool = ChildPool(SPEAKER, 1)
    with pytest.raises(ZeroDivisionError):
        async with pool.lend() as child:
            raise ZeroDivisionError
    assert not child.running
    async with pool.lend() as other:
        assert other.pid != child.pid
        assert other.running
    await pool.close()


async def test_credentials_do_not_go_to_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the environment stay here."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    monkeypatch.setenv("SOME_API_KEY", "s3cr3t")
    child = await Child.start(SPEAKER)
    with open(f"/proc/{child.pid}/environ", "rb") as environment:
        assert b"s3cr3t" not in environment.read()
    await child.close()
