"""The service as a process of its own: it starts, announces its URL, and never outlives its parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rtnb.errors import ConfigurationError, ConnectError
from rtnb.service.server.process import ServiceProcess


def test_start_talk_stop():
    """The URL that it announces is a working service; stop ends the process, reaps it, and may be called again."""
    with ServiceProcess.start(seed=3) as service:
        assert service.url.startswith("ws://127.0.0.1:")
        assert repr(service) == f"<ServiceProcess {service.url} pid {service.pid} running>"
        with connect(f"{service.url}/v1/realtime") as socket:
            assert json.loads(socket.recv())["type"] == "session.created"
    assert not service.running
    assert not psutil.pid_exists(service.pid)
    service.stop()


def test_options_reach_the_process():
    """A fault that is asked for here happens in the child's sessions."""
    with ServiceProcess.start(faults="close_after=1,close_code=4321") as service:
        with connect(f"{service.url}/v1/realtime") as socket:
            assert json.loads(socket.recv())["type"] == "session.created"
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
        assert closed.value.rcvd.code == 4321


def test_an_impossible_option_starts_nothing():
    """It is refused here, before there is a child."""
    before = set(psutil.Process().children())
    with pytest.raises(ConfigurationError, match="is not a pace"):
        ServiceProcess.start(speed=-1.0)
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize(("options", "kept"), [({}, False), ({"chat": "http://127.0.0.1:9", "chat_model": "m"}, True)])
def test_only_the_key_of_its_chat_goes_to_the_child(options, kept, monkeypatch):
    """No credential of the parent's environment is in the child's, but the one that it needs."""
    for name in ("RTNB_CHAT_API_KEY", "OPENAI_API_KEY", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "planted-4711")
    with ServiceProcess.start(**options) as service:
        found = {name for name, value in psutil.Process(service.pid).environ().items() if value == "planted-4711"}
    assert found == ({"RTNB_CHAT_API_KEY"} if kept else set())


def test_a_failed_start_says_why(monkeypatch):
    """What the child wrote to stderr is in the error."""
    monkeypatch.setattr("rtnb.service.server.process.ServiceOptions.arguments", lambda _: ["--speed=fast"])
    with pytest.raises(ConnectError, match="invalid float value: 'fast'") as failed:
        ServiceProcess.start()
    assert "ended with status 2" in str(failed.value)
    assert "Traceback" not in failed.value.body


def test_what_is_not_possible_on_this_computer_is_refused(monkeypatch):
    """What only the child can know is raised as if it had been known here: the reason alone."""
    monkeypatch.setattr("rtnb.service.server.process.ServiceOptions.arguments", lambda _: ["--speed=-1"])
    with pytest.raises(ConfigurationError, match=r"^-1\.0 is not a pace"):
        ServiceProcess.start()


def test_a_start_that_takes_too_long_is_given_up():
    """The child is ended and the error says how long it was waited for."""
    before = set(psutil.Process().children())
    with pytest.raises(ConnectError, match="did not answer within 0 s"):
        ServiceProcess.start(timeout=0)
    assert set(psutil.Process().children()) <= before


def test_it_ends_with_the_process_that_started_it():
    """A parent that is killed takes the service with it."""
    script = (
        "from rtnb.service.server.process import ServiceProcess as S; s = S.start(); print(s.pid, flush=True); input()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    service = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert psutil.wait_procs([service], timeout=10)[1] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_close_sessions_with_1001(name):
    """Signals to stop, and the end of the terminal, stop it cleanly: open sessions are closed, the exit status is 0."""
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


@pytest.mark.skipif(sys.platform == "win32", reason="nohup is Unix")
def test_a_service_under_nohup_outlives_its_terminal():
    """Where SIGHUP is ignored it stays ignored."""
    script = (
        "import signal, runpy, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.argv = ['service'];"
        "runpy.run_module('rtnb.service', run_name='__main__')"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    url = json.loads(child.stdout.readline())["url"]
    child.send_signal(signal.SIGHUP)
    with connect(f"{url}/v1/realtime") as socket:
        assert json.loads(socket.recv())["type"] == "session.created"
    child.communicate(timeout=10)
    assert child.returncode == 0
