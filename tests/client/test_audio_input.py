"""Speech on its way in: the session's format, 100 ms at a time, ended as the turn mode wants it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS
from rtnb.client.audio_input import append_commands, speech_part, spoken_turn, trailing_silence, turn_detected
from rtnb.errors import AudioError

VAD = {"type": "server_vad", "silence_duration_ms": 500}


def config(detection: Any = None, format: str = "audio/pcm") -> dict[str, Any]:
    return {"audio": {"input": {"format": {"type": format}, "turn_detection": detection}}}


def tone(seconds: float, rate: int = 24_000) -> AudioClip:
    t = np.arange(round(seconds * rate)) / rate
    return AudioClip.from_array(0.3 * np.sin(2 * np.pi * 300 * t), rate)


def appended(commands: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(each["audio"]) for each in commands if "audio" in each)


@pytest.mark.parametrize(
    ("format", "name", "chunk"),
    [("audio/pcm", "pcm16", 4800), ("audio/pcmu", "g711_ulaw", 800), ("audio/pcma", "g711_alaw", 800)],
)
def test_chunks_of_100_ms_in_the_sessions_format(format: str, name: str, chunk: int) -> None:
    """Whatever the clip's own rate is; the last one is what is left."""
    made = append_commands(tone(0.25, 16_000), config(format=format))
    assert [len(base64.b64decode(each["audio"])) for each in made] == [chunk, chunk, chunk // 2]
    heard = AudioClip.from_bytes(appended(made), FORMATS[name])
    assert heard.duration == pytest.approx(0.25)
    assert heard.rms == pytest.approx(tone(0.25).rms, rel=0.05)


def test_all_that_can_be_asked(tmp_path: Path) -> None:
    """A clip, a file, its bytes, samples and a rate in floats or integers, mono or stereo: the same sound."""
    clip = tone(0.2)
    path = clip.to_wav(tmp_path / "a.wav")
    stereo = np.stack([clip.samples, clip.samples], axis=1)
    asked = [clip, path, clip.to_wav(), (clip.samples, 24_000), (clip.samples / 32768, 24_000), (stereo, 24_000)]
    said = [appended(spoken_turn(each, config()).commands) for each in asked]
    assert all(each == said[0] for each in said)
    assert len(said[0]) == 9600


def test_without_turn_detection_it_is_committed() -> None:
    """And the response has to be asked for."""
    turn = spoken_turn(tone(0.2), config())
    assert [each["type"].split(".")[1] for each in turn.commands] == ["append", "append", "commit"]
    assert (turn.detected, turn.answered, turn.ended) == (False, False, "committed")


@pytest.mark.parametrize(
    ("detection", "seconds"),
    [
        (VAD, 0.8),
        ({**VAD, "silence_duration_ms": 1500}, 1.8),
        ({"type": "server_vad"}, 0.8),
        ({"type": "server_vad", "silence_duration_ms": None}, 0.8),
        ({"type": "semantic_vad", "eagerness": "low"}, 8.3),
        ({"type": "semantic_vad", "eagerness": "high"}, 2.3),
        ({"type": "semantic_vad"}, 4.3),
    ],
)
def test_under_turn_detection_it_ends_in_silence(detection: dict[str, Any], seconds: float) -> None:
    """As much as the detection needs, and some more: the clip alone would never end its turn."""
    turn = spoken_turn(tone(0.2), config(detection))
    assert {each["type"] for each in turn.commands} == {"input_audio_buffer.append"}
    sound = FORMATS["pcm16"].decode(appended(turn.commands))
    assert len(sound) == round((0.2 + seconds) * 24_000)
    assert not sound[4800:].any()
    assert (turn.detected, turn.answered) == (True, True)
    assert turn.ended == f"ended by {seconds:.1f} s of silence for the turn detection"
    assert trailing_silence(config(detection)).duration == pytest.approx(seconds)


def test_turn_detection_that_leaves_the_response_to_the_client() -> None:
    """create_response=False ends turns, and answers none."""
    turn = spoken_turn(tone(0.2), config({**VAD, "create_response": False}))
    assert (turn.detected, turn.answered) == (True, False)
    assert spoken_turn(tone(0.2), config({**VAD, "create_response": True})).answered


@pytest.mark.parametrize(
    "wrong",
    [7, None, b"no audio", ("x", 24_000), (np.zeros(10), 0), AudioClip.silence(0), Path("no/such/file.wav"), (1, 2, 3)],
    ids=repr,
)
def test_what_is_no_sound_is_refused(wrong: object) -> None:
    """As a turn in the conversation, and as a part of a message."""
    for make in (spoken_turn, speech_part):
        with pytest.raises(AudioError):
            make(wrong, config())


def test_speech_as_a_part_of_a_message() -> None:
    """In the session's format."""
    part = speech_part(tone(0.5), config(format="audio/pcmu"))
    assert part["type"] == "input_audio"
    assert len(base64.b64decode(part["audio"])) == 4000


def test_when_turns_are_detected() -> None:
    """Off is null, or nothing said."""
    assert turn_detected(config(VAD))
    assert not turn_detected(config(None))
    assert not turn_detected({})
