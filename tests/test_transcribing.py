"""Transcription with the local service: `rtnb.connect("local", intent="transcription")`, from the call to the transcript."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from stand_in_endpoints import endpoints, reply

import rtnb
from rtnb.errors import ConfigurationError, ServerError
from rtnb.local import local_service, split_options

TONE = (8_000 * np.sin(np.arange(24_000) / 17)).astype(np.int16)
CLIP = rtnb.AudioClip.from_array(TONE, 24_000)


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_speech_becomes_words_and_nothing_else(dialect: str) -> None:
    """In either dialect: the transcript, the settings with the session's own type, and turn detection as it was."""
    async with endpoints() as start:
        ears = await start(reply('{"text": "Good morning."}'), reply('{"error": "model not loaded"}', status=503))
        options = {"transcribe": ears.url, "pace": 0}
        async with rtnb.connect_async(
            "local", dialect=dialect, intent="transcription", transcription={"language": "en"}, **options
        ) as session:
            assert "transcription session, " in repr(session)
            detection = session.config["audio"]["input"]["turn_detection"]
            assert detection["type"] == "server_vad"
            spoken = await session.transcribe(CLIP)
            assert spoken.transcript == "Good morning."
            assert [item.text for item in session.conversation.items.values()] == ["Good morning."]
            assert session.config["audio"]["input"]["turn_detection"] == detection
            assert (await session.configure(noise_reduction={"type": "near_field"})).config["type"] == "transcription"
            with pytest.raises(ServerError, match="model not loaded"):
                await session.ask(CLIP)
            with pytest.raises(ConfigurationError, match=r"ask\(text\) has no meaning"):
                await session.ask("Hello?")
            assert session.responses == []
            assert session.problems == []
        local_service(split_options(options)[0]).stop()


async def test_the_blocking_session_transcribes_too() -> None:
    """In a cell: wait for it, or look at it later; in a conversation, no response comes of it."""
    async with endpoints() as start:
        ears = await start(reply('{"text": "Good morning."}'))
        options = {"transcribe": ears.url, "pace": 0}

        def cell() -> None:
            with rtnb.connect("local", transcription={"model": "whisper-1"}, **options) as session:
                assert session.transcribe(CLIP).transcript == "Good morning."
                live = session.transcribe(CLIP, wait=False)
                assert live.wait() is live
                assert live.status == "completed"
                assert session.responses == []

        await asyncio.to_thread(cell)
        local_service(split_options(options)[0]).stop()


def test_the_model_that_is_named_is_what_transcribes() -> None:
    """And no model is in the URL, where the clouds refuse it beside the intent."""
    with rtnb.connect("local", intent="transcription", model="whisper-1") as session:
        assert session.config["audio"]["input"]["transcription"]["model"] == "whisper-1"
        assert session.endpoint.url.endswith("/v1/realtime?intent=transcription")
