"""The main job without a notebook, from beginning to end on the local service."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

import rtnb
from rtnb import demo
from rtnb.audio import AudioClip
from rtnb.errors import ConnectError


@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_the_demonstration_tells_and_keeps_everything(tmp_path: Path, dialect: str) -> None:
    """It prints what the quickstarts print, in their order, and leaves sound, log, picture and page that agree."""
    out = io.StringIO()
    assert demo.run(tmp_path / "kept", stdout=out, target="local", dialect=dialect, voice="verse")
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["Connection opened!", "session created!"]
    assert "Connection closed!" in lines
    told = [int(match[1]) for line in lines if (match := re.fullmatch(r"Received (\d+) bytes of audio data\.", line))]
    words = "".join(line.removeprefix("Received text delta: ") for line in lines if line.startswith("Received text"))

    recording = rtnb.open(tmp_path / "kept" / "session.rtnb.jsonl")
    response = recording.responses[-1]
    assert response.status == "completed"
    assert recording.config["audio"]["output"]["voice"] == "verse"
    assert words == response.transcript
    clip = AudioClip.from_file(tmp_path / "kept" / "answer.wav")
    assert clip == response.audio
    assert sum(told) == 2 * len(clip) > 24_000
    assert (tmp_path / "kept" / "timeline.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "kept" / "report.html").read_text(encoding="utf-8")
    assert "<audio" in page
    assert response.transcript.split()[0] in page
    assert "rtnb inspect" in lines[-1]


def test_a_service_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    """Nothing is left behind but an empty folder."""
    with pytest.raises(ConnectError, match="cannot be reached"):
        demo.run(tmp_path / "kept", stdout=io.StringIO(), target="ws://127.0.0.1:9/v1/realtime", timeout=5)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_refused_request_still_leaves_its_log(tmp_path: Path) -> None:
    """The error reaches the caller, after log and report were written."""
    with pytest.raises(rtnb.RtnbError):
        demo.run(tmp_path, stdout=io.StringIO(), target="local", prompt="x" * 300_000)
    assert {each.name for each in tmp_path.iterdir()} >= {"session.rtnb.jsonl", "timeline.png", "report.html"}
    assert len(rtnb.open(tmp_path / "session.rtnb.jsonl").timeline.select(type="error")) == 1
