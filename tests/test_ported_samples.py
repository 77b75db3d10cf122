"""The quickstarts' JavaScript, ported line by line: listeners that are added after `connect`, and scripts that simply end."""

from __future__ import annotations

import base64
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

import rtnb

MESSAGE = {
    "type": "conversation.item.create",
    "item": {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Please assist the user."}],
    },
}
UPDATES = {
    "preview": {"modalities": ["text", "audio"], "model": "gpt-4o-realtime-preview"},
    "ga": {"type": "realtime", "output_modalities": ["audio"]},
}


@pytest.mark.parametrize("dialect", ["preview", "ga"])
def test_the_quickstarts_listeners_can_be_ported_line_by_line(dialect: str) -> None:
    """Opened, created, deltas, done, closed: each is printed, in the order of the sample, though `connect` came first."""
    printed: list[str] = []
    session = rtnb.connect("local", dialect=dialect)

    def opened(event: rtnb.Event) -> None:
        printed.append("Connection opened!")
        session.send({"type": "session.update", "session": UPDATES[dialect]})
        session.send(MESSAGE)
        session.send({"type": "response.create"})

    session.on("open", opened)
    session.on("error", lambda event: printed.append(f"error {event['error']}"))
    session.on("session.created", lambda event: printed.append(f"session created! {event['session']['id']}"))
    session.on("response.text.delta", lambda event: printed.append(f"Received text delta:{event['delta']}."))
    session.on(
        "response.audio.delta",
        lambda event: printed.append(f"Received {len(base64.b64decode(event['delta']))} bytes of audio data."),
    )
    session.on(
        "response.audio_transcript.delta", lambda event: printed.append(f"Received text delta:{event['delta']}.")
    )
    session.on("response.done", lambda event: session.close())
    session.on("close", lambda event: printed.append("Connection closed!"))
    session.wait_for("close", timeout=60)
    session.core._connection.listeners.join(10)

    assert printed[:2] == ["Connection opened!", f"session created! {session.id}"]
    assert printed[-1] == "Connection closed!"
    middle = printed[2:-1]
    words = "".join(line.removeprefix("Received text delta:")[:-1] for line in middle if "delta" in line)
    assert words == session.responses[0].transcript
    assert "Received 4800 bytes of audio data." in middle
    assert not [line for line in printed if line.startswith("error")]


@pytest.mark.parametrize("dialect", ["preview", "ga"])
@pytest.mark.parametrize("name", ["session.created", "transcription_session.created"])
def test_the_recorded_event_is_replayed(dialect: str, name: str) -> None:
    """As it is in the timeline, in either spelling, once; a glob is a listener for what is to come."""
    closed = threading.Event()
    with rtnb.connect("local", dialect=dialect) as session:
        session.on("close", lambda event: closed.set())
        seen: list[Any] = []
        session.on(name, seen.append)
        session.once(name, seen.append)
        session.on("session.*", lambda event: seen.append(event.type))
        session.configure(instructions="Be kind.")
    assert closed.wait(60)
    assert [event.seq for event in seen[:2]] == [0, 0]
    assert seen[0].raw == session.timeline[0].raw
    assert seen[2:] == ["session.updated"]


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(rtnb.__file__).parents[1],
        timeout=60,
    )


@pytest.mark.parametrize(
    "listener",
    ['session.send({"type": "input_audio_buffer.clear"})', "session.cancel()", 'session.ask("Hi").transcript'],
)
def test_a_script_that_ends_while_a_response_runs_ends_quietly(listener: str) -> None:
    """Its listeners call a session that is closed under them: no traceback, and the close is still printed."""
    ended = run(f"""
        import rtnb
        session = rtnb.connect("local")
        session.on("response.*.delta", lambda event: {listener})
        session.on("close", lambda event: print("Connection closed!", event["code"], event["who"]))
        session.ask("Count from one to sixty.", wait=False)
        session.wait_for("response.*.delta")
    """)
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1] == "Connection closed! 1001 client"
    assert ended.returncode == 0


def test_a_listener_that_is_wrong_is_still_reported_before_the_end() -> None:
    """With its traceback; only what follows from the end of the session is none of its faults."""
    ended = run("""
        import rtnb
        session = rtnb.connect("local")
        session.on("response.created", lambda event: 1 / 0)
        session.ask("Hello")
        session.close()
        session.on("close", print)
    """)
    assert "ZeroDivisionError" in ended.stderr
