"""Spoken turns with the engines that `rtnb[voice]` installs: what is understood is answered, and nothing is invented."""

from __future__ import annotations

import numpy as np
import pytest
from speakers import RATE, SPEAKERS, at_level, noise, pcm16, utterances

import rtnb

pytest.importorskip("pocketsphinx")
pytest.importorskip("espeakng_loader")

COMMANDS = {
    "Say exactly: the lights are on.": "the lights are on",
    "Repeat after me: the train leaves at nine.": "the train leaves at nine",
    "Say the following: good morning everyone.": "good morning everyone",
}
FINNISH = next(number for number, (language, *_) in enumerate(SPEAKERS) if language == "fi")


def failures(session):
    return [
        event["error"] for event in session.timeline.select(kind="conversation.item.input_audio_transcription.failed")
    ]


def test_what_is_to_be_repeated_is_spoken_and_nothing_of_the_command():
    """A spoken «Say exactly …» is answered with what is to be said."""
    with rtnb.connect("local", pace=0, phrases=list(COMMANDS), transcription={"model": "whisper-1"}) as session:
        for command, said in COMMANDS.items():
            clip = session.ask(f"Repeat after me: {command}").audio
            assert session.ask(clip).transcript.lower().rstrip(".") == said


def test_a_language_that_is_not_understood_becomes_no_english():
    """The transcription of a Finnish sentence fails with what was heard, and the answer says the same."""
    clip = pcm16(np.concatenate([np.zeros(RATE // 2), at_level(utterances()[FINNISH][0], -24)]))
    with rtnb.connect("local", pace=0, transcription={"model": "whisper-1"}) as session:
        response = session.ask((clip, RATE))
        (error,) = failures(session)
        assert error["code"] == "audio_unintelligible"
        assert "s of speech were heard, the words could not be made out" in error["message"]
        assert "seconds of speech were heard, the words could not be made out" in response.transcript


def test_a_humming_room_is_answered_by_nobody():
    """Pink noise alone, at three levels: no turn and no answer."""
    for level in (-55, -45, -35):
        with rtnb.connect("local", pace=0, transcription={"model": "whisper-1"}) as session:
            session.append_audio((pcm16(at_level(noise("pink", 4 * RATE), level)), RATE))
            session.clear()  # everything before it has been judged when it is acknowledged
            assert not len(session.timeline.select(kind="input_audio_buffer.speech_started"))
            assert session.responses == []
