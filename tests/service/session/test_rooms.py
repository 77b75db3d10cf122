"""Turns of a whole session, with the real speech detector: in quiet and in noisy rooms, among other voices, spoken softly."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from speakers import RATE, SPEAKERS, Floats, at_level, conversation, murmur, noise, pcm16

from rtnb.audio import resample
from rtnb.audio.formats import G711_ULAW
from rtnb.audio.samples import Samples
from rtnb.protocol.dialects import GA
from rtnb.service.session.connection import ServiceConnection
from rtnb.service.session.speech_detector import SpeechDetector

PREFIX_MS = 300
ENGINES = pytest.mark.parametrize("webrtc", [pytest.param(False, id="loudness"), pytest.param(True, id="webrtcvad")])
Turns = list[list[int]]


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if "webrtc" in request.fixturenames and request.getfixturevalue("webrtc"):
        pytest.importorskip("webrtcvad")


class Microphone:
    """A session's input, in pieces of 0.4 s; `turns` has a list for each: the ms of the first speech, and of the end."""

    def __init__(self, *, webrtc: bool, telephone: bool = False, **detection: Any) -> None:
        self._connection = ServiceConnection(GA, make_detector=lambda rate: SpeechDetector(rate, webrtc=webrtc))
        self._connection.open()
        self._format = G711_ULAW if telephone else None
        self.turns: Turns = []
        self._input = {"format": {"type": "audio/pcmu"}} if telephone else {}
        self.detect(create_response=False, **detection)

    def detect(self, on: bool = True, **detection: Any) -> None:
        setting = {"type": "server_vad", **detection} if on else None
        self.send(
            "session.update",
            session={"type": "realtime", "audio": {"input": {**self._input, "turn_detection": setting}}},
        )

    def send(self, type: str, **fields: Any) -> None:
        for event in self._connection.receive(json.dumps({"type": type, **fields})):
            assert event["type"] != "error", event
            if event["type"] == "input_audio_buffer.speech_started":
                self.turns.append([event["audio_start_ms"] + PREFIX_MS])
            if event["type"] == "input_audio_buffer.speech_stopped":
                self.turns[-1].append(event["audio_end_ms"])
        self._connection.orders()

    def hear(self, sound: Samples) -> Turns:
        data = self._format.encode(resample(sound, RATE, 8000)) if self._format else sound.astype("<i2").tobytes()
        size = 3200 if self._format else 19_200
        for start in range(0, len(data), size):
            self.send("input_audio_buffer.append", audio=base64.b64encode(data[start : start + size]).decode())
        return self.turns


def turns_of(speaker: int, room: Callable[[int], Floats], level_db: float = -26, **options: Any) -> tuple[Turns, Any]:
    """Have a speaker talk in a room; return the turns that were found, and when each sentence began and ended."""
    sound, times = conversation(speaker, level_db)
    return Microphone(**options).hear(pcm16(sound + room(len(sound)))), times


@ENGINES
@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum 50", "hum 60", "fan", "tone"])
def test_a_steady_background_is_no_turn(kind: str, webrtc: bool) -> None:
    """Noise alone, from -60 to -20 dBFS: no turn begins with the session, after clear, commit, or off and on again."""
    for level in (-60, -50, -40, -30, -20):
        sound = pcm16(at_level(noise(kind, 3 * RATE, seed=-level), level))
        microphone = Microphone(webrtc=webrtc)
        assert microphone.hear(sound) == [], level
        for change in ("input_audio_buffer.clear", "input_audio_buffer.commit"):
            microphone.send(change)
            assert microphone.hear(sound) == [], (level, change)
        microphone.detect(on=False)
        microphone.hear(np.zeros(RATE // 3, np.int16))
        microphone.detect()
        assert microphone.hear(sound) == [], level


@ENGINES
@pytest.mark.parametrize("kind", ["white", "pink", "hum 50"])
def test_noise_that_begins_later_is_no_turn(kind: str, webrtc: bool) -> None:
    """A fan that is switched on in a quiet room, and a microphone that is no longer muted, begin no turn."""
    for room in (noise("pink", 2 * RATE) * 0.0, at_level(noise("pink", 2 * RATE), -65)):
        for level in (-50, -35, -20):
            later = at_level(noise(kind, 4 * RATE), level)
            assert Microphone(webrtc=webrtc).hear(pcm16(np.concatenate([room, later]))) == [], level


@ENGINES
def test_noise_on_the_telephone_is_no_turn(webrtc: bool) -> None:
    """The same at 8 kHz, through mu-law."""
    for level in (-60, -40, -20):
        assert Microphone(webrtc=webrtc, telephone=True).hear(pcm16(at_level(noise("pink", 4 * RATE), level))) == []


@ENGINES
@pytest.mark.parametrize("telephone", [False, True])
def test_in_a_quiet_room_all_turns_are_found(webrtc: bool, telephone: bool) -> None:
    """Each of two sentences of a speaker is one turn: its begin is known to 50 ms, its end is the 500 ms of silence after it."""
    pytest.importorskip("espeakng_loader")
    for speaker in range(0, len(SPEAKERS), 3 if telephone else 1):
        room = lambda count: at_level(noise("pink", count), -70)  # noqa: E731
        turns, times = turns_of(speaker, room, webrtc=webrtc, telephone=telephone)
        assert len(turns) == 2, SPEAKERS[speaker]
        for (begin, end), (first, last) in zip(turns, times, strict=True):
            assert abs(begin - first) <= 50, SPEAKERS[speaker]
            assert 250 <= end - last <= 550, SPEAKERS[speaker]


@ENGINES
@pytest.mark.parametrize("voices", [1, 5])
def test_a_turn_ends_among_other_voices(webrtc: bool, voices: int) -> None:
    """With others 20 dB below the speaker, turns end within a second in 22 of 24, and hardly any is the others'."""
    pytest.importorskip("espeakng_loader")
    ended = more = 0
    for speaker in range(len(SPEAKERS)):
        room = lambda count, one=speaker: at_level(murmur(one, count, voices), -46)  # noqa: E731
        turns, times = turns_of(speaker, room, webrtc=webrtc)
        last_ends = [max((turn[-1] for turn in turns if turn[0] < last), default=0) for _, last in times]
        ended += all(0 <= end - last <= 1000 for end, (_, last) in zip(last_ends, times, strict=True))
        more += len(turns) - 2
    assert ended >= 22
    assert more <= 6


@ENGINES
@pytest.mark.parametrize("room_db", [-75, None])
def test_quiet_speakers_are_not_missed(webrtc: bool, room_db: float | None) -> None:
    """Sentences at -44 dBFS are all found, as one turn each."""
    pytest.importorskip("espeakng_loader")
    for speaker in range(0, len(SPEAKERS), 2):
        room = lambda count: at_level(noise("pink", count), room_db) if room_db else np.zeros(count)  # noqa: E731
        turns, times = turns_of(speaker, room, -44, webrtc=webrtc)
        assert len(turns) == 2, SPEAKERS[speaker]
        for (begin, end), (first, last) in zip(turns, times, strict=True):
            assert abs(begin - first) <= 250, SPEAKERS[speaker]
            assert 250 <= end - last <= 550, SPEAKERS[speaker]


@ENGINES
def test_speech_from_the_first_sample_is_found(webrtc: bool) -> None:
    """A clip that was cut exactly has both its turns, in noise too."""
    pytest.importorskip("espeakng_loader")
    for speaker in range(0, len(SPEAKERS), 3):
        for room_db in (-70, -46):
            sound, times = conversation(speaker, lead=0)
            room = at_level(noise("pink", len(sound)), room_db)
            turns = Microphone(webrtc=webrtc).hear(pcm16(sound + room))
            assert [begin for begin, _ in turns] == pytest.approx([PREFIX_MS, times[1][0]], abs=250), SPEAKERS[speaker]


@ENGINES
def test_a_loud_noise_does_not_hide_the_speech_after_it(webrtc: bool) -> None:
    """Who coughs and goes on 20 dB softer is still in the turn, or at once in the next."""
    pytest.importorskip("espeakng_loader")
    cough = at_level(noise("pink", RATE // 4), -10) * np.hanning(RATE // 4)
    for speaker in range(0, len(SPEAKERS), 3):
        sound, times = conversation(speaker, -32, lead=0.35)
        sound[: len(cough)] += cough
        sound = np.concatenate([np.zeros(2 * RATE), sound]) + at_level(noise("pink", len(sound) + 2 * RATE), -65)
        turns = Microphone(webrtc=webrtc).hear(pcm16(sound))
        for first, last in times:
            items = [(begin - PREFIX_MS, end) for begin, end in turns]
            heard = sum(max(0, min(end, last + 2000) - max(begin, first + 2000)) for begin, end in items)
            assert heard > 0.8 * (last - first), (SPEAKERS[speaker], turns)


@ENGINES
def test_noise_that_stopped_hides_no_turn(webrtc: bool) -> None:
    """Right after a fan was switched off, speech that is softer than it was is found."""
    pytest.importorskip("espeakng_loader")
    for speaker in range(0, len(SPEAKERS), 3):
        sound, times = conversation(speaker, -34, lead=0.4)
        fan = np.concatenate([at_level(noise("pink", 4 * RATE), -30), np.zeros(len(sound))])
        sound = np.concatenate([np.zeros(4 * RATE), sound]) + fan + at_level(noise("pink", len(fan)), -70)
        turns = Microphone(webrtc=webrtc).hear(pcm16(sound))
        assert [begin for begin, _ in turns] == pytest.approx([4000 + begin for begin, _ in times], abs=250)
