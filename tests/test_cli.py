"""The command line as a person meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import rtnb
from rtnb.cli import main
from rtnb.doctor import Checkup, Finding
from rtnb.service.faults import catalogue

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def serve():
    """Start ``rtnb serve`` on a free port; return the process and what it says until it has said everything."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "rtnb", "serve", "--port=0", *arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(child)
        lines = []
        while "Ctrl-C stops it" not in (lines[-1] if lines else "") and child.poll() is None:
            lines.append(child.stdout.readline())
        return child, "".join(lines)

    yield start
    for child in started:
        child.kill()
        child.communicate()


def url_in(text, scheme="ws"):
    return next(word for word in text.split() if word.startswith(f"{scheme}://")).rstrip(".")


@UNIX
def test_serve_says_everything_and_stops_on_ctrl_c(serve):
    """A stranger reads the URLs, the variables of the official clients, and how to stop it; Ctrl-C ends it with 0."""
    child, told = serve("--tls")
    with connect(f"{url_in(told)}/v1/realtime") as socket:
        assert json.loads(socket.recv())["type"] == "session.created"
        child.send_signal(signal.SIGINT)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd.code == 1001
    _, errors = child.communicate(timeout=10)
    for part in (
        "/v1/realtime?model=",
        "/openai/v1/realtime?model=",
        "/openai/realtime?api-version=",
        "OPENAI_API_KEY=",
        "IDENTITY_ENDPOINT=http://127.0.0.1:",
        "NODE_EXTRA_CA_CERTS=/",
        "wss://127.0.0.1:",
    ):
        assert part in told
    certificate = next(word for word in told.split() if word.startswith("NODE_EXTRA_CA_CERTS=")).partition("=")[2]
    assert not Path(certificate).parent.exists()
    assert (child.returncode, errors) == (0, "")


@UNIX
def test_serve_tells_what_goes_wrong_on_purpose(serve):
    """The engines, and the faults that are on with their values, are listed; /health has them."""
    child, told = serve("--fault", "drop_after=3", "--fault", "delay_ms=5", "--speak", "127.0.0.1:9")
    assert "voice: speech tts-1 at 127.0.0.1:9, writer: script, transcriber: " in told
    with urllib.request.urlopen(url_in(told).replace("ws", "http", 1) + "/health") as answer:
        assert json.loads(answer.read())["faults"] == ["drop_after=3", "delay_ms=5"]
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=10)
    assert child.returncode == 0
    assert "break the connection after 3 events" in told
    assert "5 milliseconds later" in told


@UNIX
def test_serve_is_interrupted_while_a_function_loads(tmp_path):
    """Ctrl-C does not wait for a model that takes minutes to load, and leaves no process behind."""
    os.mkfifo(tmp_path / "loading")
    (tmp_path / "slow_engines.py").write_text(
        "import os, threading\nopen('loading', 'w').write(str(os.getpid()))\nthreading.Event().wait()\n"
    )
    command = [sys.executable, "-m", "rtnb", "serve", "--port=0", "--speaker=slow_engines:speak"]
    environ = {**os.environ, "PYTHONPATH": str(Path(rtnb.__file__).parents[1])}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as child:
        worker = psutil.Process(int((tmp_path / "loading").read_text()))
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=20)
    assert (child.returncode, errors.strip()) == (130, "Interrupted.")
    assert not worker.is_running()


@UNIX
def test_serve_on_the_network_is_warned_of(serve):
    """With --host beyond loopback it works, and says loudly what that means."""
    child, told = serve("--host", "0.0.0.0")
    with connect(f"{url_in(told)}/v1/realtime") as socket:
        assert json.loads(socket.recv())["type"] == "session.created"
    assert "From other computers, by its address or its name: ws://" in told
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=10)
    assert "WARNING: --host 0.0.0.0 opens the service to the network" in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fault", "drop=1"], "Did you mean drop_after?"),
        (["--fault", "refuse=500"], "refuse=401|429|503"),
        (["--speed=-1"], "is not a pace"),
        (["--expire-in=-1"], "is no time"),
        (["--chat", "http://127.0.0.1:1"], "--chat-model NAME"),
        (["--host", "192.0.2.5", "--port", "0"], "no address of this computer"),
        (["--port", "99999"], "There is no port 99999"),
    ],
)
def test_serve_refuses_what_cannot_be(arguments, told, capsys):
    """The message on stderr says what is right, in no traceback, and the status is 1."""
    assert main(["serve", *arguments]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("rtnb serve: ")
    assert told in errors


def test_the_help_of_serve_lists_the_faults(capsys):
    """Every fault with its meaning is in rtnb serve --help."""
    with pytest.raises(SystemExit) as left:
        main(["serve", "--help"])
    assert left.value.code == 0
    assert catalogue() in capsys.readouterr().out


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("note", 0), ("PROBLEM", 1)])
def test_doctor_prints_its_report(state, status, capsys, monkeypatch):
    """The status is 1 where something must be put right."""
    monkeypatch.setattr("rtnb.doctor.examine", lambda: Checkup((Finding("Python", state, "found", "do this"),)))
    assert main(["doctor"]) == status
    assert "do this" in capsys.readouterr().out


def test_version(capsys):
    """--version prints the version."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"rtnb {rtnb.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve", "--port", "x"], ["serve", "--voice-engine", "x"]])
def test_a_wrong_command_line_is_2(arguments, capsys):
    """As of every program."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: rtnb" in capsys.readouterr().err


def test_inspect_shows_a_saved_session(tmp_path, capsys):
    """A recording is shown with its events; a file that is none is refused."""
    path = tmp_path / "talk.rtnb.jsonl"
    with rtnb.connect("local", record=path) as session:
        session.ask("Say hello.")
    assert main(["inspect", str(path)]) == 0
    assert "response.done" in capsys.readouterr().out
    (tmp_path / "x").write_text("{")
    assert main(["inspect", str(tmp_path / "x")]) == 1
    assert main(["inspect", str(tmp_path / "missing")]) == 1
