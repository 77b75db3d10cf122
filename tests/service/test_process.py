"""The service as a process of its own: it starts, tells its URL, and never outlives who started it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import psutil
import pytest
from websockets.sync.client import connect

from rtnb.errors import ConnectError
from rtnb.service.process import ServiceProcess


def test_start_talk_stop():
    """The URL it tells is a working service; stop ends the process, reaps it, and may be called again."""
    with ServiceProcess.start(seed=3) as service:
        assert service.url.startswith("ws://127.0.0.1:")
        assert repr(service) == f"<ServiceProcess {service.url} pid {service.pid} running>"
        with connect(f"{service.url}/v1/realtime") as socket:
            assert json.loads(socket.recv())["type"] == "session.created"
    assert not service.running
    assert not psutil.pid_exists(service.pid)
    service.stop()


def test_a_failed_start_says_why():
    """What the child wrote to stderr is in the error."""
    with pytest.raises(ConnectError, match="is not a pace") as failed:
        ServiceProcess.start(speed=-1.0)
    assert "ended with status 1" in str(failed.value)
    assert "is not a pace" in failed.value.body


def test_a_start_that_takes_too_long_is_given_up():
    """The child is ended and the error says how long it was waited for."""
    before = set(psutil.Process().children())
    with pytest.raises(ConnectError, match="did not answer within 0 s"):
        ServiceProcess.start(timeout=0)
    assert set(psutil.Process().children()) <= before


def test_it_ends_with_the_process_that_started_it():
    """A parent that is killed takes the service with it."""
    script = "from rtnb.service.process import ServiceProcess as S; s = S.start(); print(s.pid, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    service = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert psutil.wait_procs([service], timeout=10)[1] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signals_close_sessions_with_1001(name):
    """SIGINT and SIGTERM stop it cleanly: open sessions are closed, the exit status is 0."""
    child = subprocess.Popen(
        [sys.executable, "-m", "rtnb.service"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    url = json.loads(child.stdout.readline())["url"]
    with connect(f"{url}/v1/realtime") as socket:
        socket.recv()
        child.send_signal(getattr(signal, name))
        with pytest.raises(Exception, match="1001"):
            socket.recv(timeout=10)
    _, errors = child.communicate(timeout=10)
    assert (child.returncode, errors) == (0, b"")


def test_the_command_line_prints_the_urls_that_clients_need():
    """run() tells the three URLs and the environment of the official clients, and stops on Ctrl-C."""
    script = "from rtnb.service.server import run; run()"
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    lines = [child.stdout.readline() for _ in range(12)]
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=10)
    text = "".join(lines) + rest
    for part in (
        "/v1/realtime?model=",
        "/openai/v1/realtime?model=",
        "/openai/realtime?api-version=",
        "OPENAI_API_KEY=",
    ):
        assert part in text
    assert child.returncode == 0
