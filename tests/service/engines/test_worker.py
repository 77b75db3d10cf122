from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from counter import Counter, never

from rtnb.service.engines.worker import Worker, WorkerError

posix = pytest.mark.skipif(sys.platform == "win32", reason="no signals")


@pytest.fixture
async def worker() -> AsyncIterator[Worker[Counter]]:
    """Give a worker that counts."""
    made = Worker(partial(Counter, 10), seconds=30)
    yield made
    await made.close()
    assert made.pid is None


async def test_it_keeps_its_object(worker: Worker[Counter]) -> None:
    """Nothing runs before the first call; all calls go to one object, in one other process."""
    assert worker.pid is None
    assert await worker.call(Counter.add) == 11
    assert await worker.call(Counter.add, number=5) == 16
    assert worker.pid not in (None, os.getpid())


async def test_an_error_of_the_object_reaches_the_caller(worker: Worker[Counter]) -> None:
    """The error names an exception in a method, and harms neither the object nor the process."""
    await worker.call(Counter.add)
    pid = worker.pid
    with pytest.raises(WorkerError, match="ValueError: not today"):
        await worker.call(Counter.fail)
    assert await worker.call(Counter.add) == 12
    assert worker.pid == pid


async def test_an_object_that_cannot_be_made() -> None:
    """The reason reaches each caller."""
    worker = Worker(never, seconds=30)
    for _ in range(2):
        with pytest.raises(WorkerError, match="OSError: no counter is left"):
            await worker.call(Counter.add)
    await worker.close()


async def test_a_crash_costs_one_call(worker: Worker[Counter]) -> None:
    """When the process dies, its call fails; the calls that wait behind it get a new process."""
    await worker.call(Counter.add)
    pid = worker.pid
    crash, *others = await asyncio.gather(
        worker.call(Counter.crash), *(worker.call(Counter.add) for _ in range(3)), return_exceptions=True
    )
    assert isinstance(crash, WorkerError)
    assert "ended" in str(crash)
    assert others == [11, 12, 13]
    assert worker.pid not in (None, pid)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="waits for a process without reaping it")
async def test_a_process_that_died_while_idle_costs_nothing(worker: Worker[Counter]) -> None:
    """When the process is killed between two calls, the next call has a new one."""
    await worker.call(Counter.add)
    assert worker.pid is not None
    pid = worker.pid
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # the worker's thread was quicker
        await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert await worker.call(Counter.add) == 11
    assert worker.pid != pid


async def test_a_process_that_hangs_is_ended() -> None:
    """A call that takes too long fails, and the next one gets a new process."""
    worker = Worker(Counter, seconds=0.05)
    await worker.call(Counter.add)
    pid = worker.pid
    with pytest.raises(WorkerError, match=r"within 0\.05 s"):
        await worker.call(Counter.hang)
    assert worker.pid is None
    assert await worker.call(Counter.add) == 1
    assert worker.pid != pid
    await worker.close()


async def test_a_cancelled_caller_harms_no_other(worker: Worker[Counter]) -> None:
    """Callers that are cancelled at any moment leave a process that serves the others."""
    await worker.call(Counter.add)
    pid = worker.pid
    for turns in (0, 1, 2, 5):
        task = asyncio.create_task(worker.call(Counter.add))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # unless it was through already
            await task
    assert await worker.call(Counter.add) > 11
    assert worker.pid == pid


async def test_closing_ends_a_running_call(worker: Worker[Counter]) -> None:
    """A call that runs when the worker is closed fails, and so does one that comes later; closing again does nothing."""
    await worker.call(Counter.add)
    running = asyncio.create_task(worker.call(Counter.hang))
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(WorkerError, match="ended"):
        await running
    with pytest.raises(WorkerError, match="closing"):
        await worker.call(Counter.add)
    await worker.close()


@posix
async def test_an_interrupt_does_not_reach_it(worker: Worker[Counter]) -> None:
    """Ctrl-C in the terminal reaches every process of the group, also one that is just starting; a worker goes on."""
    starting = asyncio.create_task(worker.call(Counter.add))
    while worker.pid is None:
        await asyncio.sleep(0)
    os.kill(worker.pid, signal.SIGINT)
    assert await starting == 11
    os.kill(worker.pid, signal.SIGINT)
    assert await worker.call(Counter.add) == 12
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


async def test_credentials_do_not_reach_it(monkeypatch: pytest.MonkeyPatch, worker: Worker[Counter]) -> None:
    """The object sees no key of the environment, but everything else."""
    for name in ("RTNB_CHAT_API_KEY", "SOME_TOKEN", "SOME_FOLDER"):
        monkeypatch.setenv(name, "v4lue")
    assert await worker.call(Counter.variable, "RTNB_CHAT_API_KEY") is None
    assert await worker.call(Counter.variable, "SOME_TOKEN") is None
    assert await worker.call(Counter.variable, "SOME_FOLDER") == "v4lue"


async def test_the_users_own_code_is_given_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that runs a function of the user's has the whole environment."""
    monkeypatch.setenv("SOME_TOKEN", "v4lue")
    worker = Worker(Counter, seconds=30, credentials=True)
    assert await worker.call(Counter.variable, "SOME_TOKEN") == "v4lue"
    await worker.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
async def test_no_descriptor_is_left(worker: Worker[Counter]) -> None:
    """Processes that crashed, and workers that were closed, leave no descriptor open."""
    await worker.call(Counter.add)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        other = Worker(Counter, seconds=30)
        with pytest.raises(WorkerError):
            await other.call(Counter.crash)
        await other.call(Counter.add)
        await other.close()
    assert len(os.listdir("/proc/self/fd")) == before


SCRIPT = """
import asyncio, os, signal
from counter import Counter
from rtnb.service.engines.worker import Worker

print("the script runs", flush=True)

async def main():
    worker = Worker(Counter, seconds=30)
    await worker.call(Counter.say, "the worker speaks")
    {end}

asyncio.run(main())
"""


def run_script(folder: Path, end: str) -> subprocess.CompletedProcess[str]:
    """Run a script without a main guard; returns when no process holds its streams any more."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(end=end), "utf-8")
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_the_main_script_does_not_run_again(tmp_path: Path) -> None:
    """A script that has no main guard runs once; what the worker prints stays out of its standard output."""
    done = run_script(tmp_path, "await worker.close()")
    assert (done.returncode, done.stdout) == (0, "the script runs\n")
    assert done.stderr == "the worker speaks\n"


@posix
@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_the_service(tmp_path: Path, busy: bool) -> None:
    """When the service is killed its worker ends too, also while a call runs."""
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    start = "asyncio.create_task(worker.call(Counter.hang)); await asyncio.sleep(0)"
    done = run_script(tmp_path, f"{start}; {kill}" if busy else kill)
    assert done.returncode == -signal.SIGKILL
    assert "the worker speaks" in done.stderr
