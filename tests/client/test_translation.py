"""Translation sessions, whose events have names of their own, against a scripted service, in virtual time."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from session_kinds import REALTIME_URL, TRANSLATION_URL, TranslatingScript, open_kind
from virtual_time import until, virtual_time

from rtnb.audio import AudioClip
from rtnb.errors import ConfigurationError

CLIP = AudioClip.from_array(np.full(4800, 1000, np.int16), 24_000)
known_by = pytest.mark.parametrize(
    ("url", "type_of_session"), [(TRANSLATION_URL, False), (REALTIME_URL, True)], ids=["URL", "session.type"]
)


@known_by
@virtual_time
async def test_speech_is_appended_and_the_translation_mirrored(url: str, type_of_session: bool) -> None:
    """With the events of such sessions; all of it is one response and the item that it fills."""
    session, service = await open_kind(functools.partial(TranslatingScript, type_of_session=type_of_session), url)
    assert session.kind.type == "translation"
    assert await session.append_audio(CLIP) == pytest.approx(0.2)
    await until(lambda: len(session.timeline.select(type="session.output_audio.delta")) == 2)
    assert service.types() == ["session.input_audio_buffer.append"] * 2
    (translated,) = session.responses
    assert (translated.transcript, translated.status) == ("GutenGuten", "in_progress")
    assert translated.audio.samples.tolist() == [16] * 4800
    items = session.conversation.items
    assert {name: (item.role, item.text) for name, item in items.items()} == {
        "source": ("user", "GoodGood"),
        "translation": ("assistant", "GutenGuten"),
    }
    assert session.conversation.oddities == []
    assert session.problems == []


@known_by
@virtual_time
async def test_closing_lets_the_translation_end(url: str, type_of_session: bool) -> None:
    """session.close is sent, and what comes before session.closed is kept."""
    session, service = await open_kind(functools.partial(TranslatingScript, type_of_session=type_of_session), url)
    await session.append_audio(CLIP)
    await session.close()
    assert service.types()[-1] == "session.close"
    (translated,) = session.responses
    assert translated.transcript.endswith(" Morgen.")
    assert translated.status == "completed"
    assert session.closed is not None
    assert session.problems == []


@virtual_time
async def test_closing_does_not_wait_for_ever() -> None:
    """A service that never says session.closed is closed all the same, and what is there is incomplete."""
    session, service = await open_kind(functools.partial(TranslatingScript, says_closed=False), TRANSLATION_URL)
    await session.append_audio(CLIP)
    await session.close()
    assert service.closed is not None or session.closed is not None
    assert session.responses[0].status == "incomplete"
    await session.close()  # once more does nothing
    assert service.types().count("session.close") == 1


@virtual_time
async def test_what_has_no_meaning_is_refused_clearly() -> None:
    """Nothing is sent, and each sentence says what there is instead."""
    session, service = await open_kind(TranslatingScript, TRANSLATION_URL)
    refused = {
        r"ask\(text\)": session.ask("Hello?"),
        r"ask\(clip\)": session.ask(CLIP),
        r"ask\(out_of_band=True\)": session.ask(CLIP, out_of_band=True),
        r"respond\(\)": session.respond(),
        r"transcribe\(\)": session.transcribe(CLIP),
        r"add_message\(\)": session.add_message("Hello"),
        r"commit\(\)": session.commit(),
        r"clear\(\)": session.clear(),
        r"cancel\(\)": session.cancel(),
        r"truncate\(\)": session.truncate("translation", 10),
    }
    for verb, call in refused.items():
        with pytest.raises(ConfigurationError, match=f"session.{verb} has no meaning in a translation session, which"):
            await call
    with pytest.raises(ConfigurationError, match="append_audio"):
        await session.ask("Hello?")
    await session.append_audio(CLIP)
    await until(lambda: session.responses)
    assert await session.interrupt() is None
    assert set(service.types()) == {"session.input_audio_buffer.append"}


@virtual_time
async def test_only_the_settings_of_a_translation_are_sent() -> None:
    """Without a type, which its update does not have."""
    session, service = await open_kind(TranslatingScript, TRANSLATION_URL)
    assert await session.configure(audio={"output": {"language": "fr"}}, transcription=None)
    assert service.heard[-1]["session"] == {"audio": {"output": {"language": "fr"}, "input": {"transcription": None}}}
    with pytest.raises(
        ConfigurationError, match=r"voice= has no meaning in a translation session; it takes .*language"
    ):
        await session.configure(voice="ash")
    with pytest.raises(ConfigurationError, match="voice="):
        await open_kind(TranslatingScript, TRANSLATION_URL, config={"voice": "ash"})


@virtual_time
async def test_the_repr_says_what_is_translated_into_what() -> None:
    """And what transcribes the source."""
    session, _ = await open_kind(TranslatingScript, TRANSLATION_URL)
    assert "translation session, into de, source transcribed by gpt-realtime-whisper;" in repr(session)


@virtual_time
async def test_a_resumed_translation_goes_on_in_its_language() -> None:
    """As another response, because the first one was cut off."""
    session, service = await open_kind(TranslatingScript, TRANSLATION_URL)
    await session.configure(audio={"output": {"language": "fr"}})
    await session.append_audio(CLIP)
    await until(lambda: session.responses)
    service.transport.drop()
    await until(lambda: session.closed is not None)
    await session.resume()
    assert session.config["audio"]["output"]["language"] == "fr"
    await session.append_audio(CLIP)
    await until(lambda: len(session.responses) == 2)
    assert [each.status for each in session.responses] == ["incomplete", "in_progress"]
    assert list(session.conversation.items) == ["source", "translation", "source 2", "translation 2"]


@virtual_time
async def test_both_sides_of_a_translation_can_be_mixed() -> None:
    """The timeline knows which of its rows are heard on which side."""
    session, _ = await open_kind(TranslatingScript, TRANSLATION_URL)
    await session.append_audio(CLIP)
    await until(lambda: len(session.timeline.select(kind="response.output_audio.delta")) == 2)
    mixed = session.mix()
    assert (mixed.left.peak > 0, mixed.right.peak > 0) == (True, True)
    assert session.timeline.select(type="session.input_audio_buffer.append")["audio_ms"].sum() == pytest.approx(200)
