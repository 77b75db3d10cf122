"""What is taken and changes nothing is one list, of settings that exist."""

from __future__ import annotations

import pytest
from fake_engines import Saying

from rtnb.protocol.config import without_effect
from rtnb.protocol.settings import SETTINGS
from rtnb.service.engines.base import Engines
from rtnb.service.engines.pocketsphinx import Pocketsphinx
from rtnb.service.engines.script_writer import ScriptWriter
from rtnb.service.session.not_imitated import LOGPROBS, PREAMBLE, not_imitated


def test_every_entry_is_a_setting():
    """A name that no setting has would never be told."""
    paths = {".".join(each.path) for each in SETTINGS}
    for name in not_imitated(()):
        dotted = name.partition("=")[0]
        assert any(dotted == path or dotted.startswith(f"{path}.") for path in paths), name


def test_what_the_engines_give_is_imitated():
    """A transcriber that is sure of its words, and a writer that speaks before it answers, fill a gap each."""
    alone = set(not_imitated(()))
    assert alone - set(not_imitated({LOGPROBS})) == {"include"}
    assert alone - set(not_imitated({PREAMBLE})) == {"reasoning"}
    built_in = Engines(voice=Saying(), writer=ScriptWriter(), transcriber=Pocketsphinx())
    assert built_in.gives == {LOGPROBS, PREAMBLE}
    assert Engines(voice=Saying(), writer=ScriptWriter(), transcriber=None).gives == {PREAMBLE}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"tracing": "auto"}, {"tracing"}),
        ({"tracing": None, "prompt": None, "include": []}, set()),
        ({"temperature": 0.8}, set()),
        ({"temperature": 1.0}, {"temperature"}),
        ({"audio": {"output": {"voice": {"id": "voice_1"}}}}, {"audio.output.voice.id"}),
        ({"audio": {"output": {"voice": "ash"}}}, set()),
        ({"audio": {"input": {"transcription": {"model": "whisper-1"}}}}, set()),
        (
            {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe-diarize"}}}},
            {"audio.input.transcription.model"},
        ),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}, set()),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}, {"audio.input.turn_detection.type"}),
        ({"audio": {"input": {"noise_reduction": {"type": "near_field"}}}}, {"audio.input.noise_reduction"}),
    ],
)
def test_only_what_was_asked_for_is_reported(asked, told):
    """A default, a null and another value ask for nothing that is missing."""
    assert set(without_effect(asked, not_imitated(()))) == told
