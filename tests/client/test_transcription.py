"""Transcription sessions, and transcripts without a response, against a scripted service, in virtual time."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import numpy as np
import pytest
from scripted import Script, Wire, open_session
from session_kinds import (
    VAD,
    TranscribingScript,
    completed,
    delta,
    failed,
    open_kind,
    segment,
)
from virtual_time import until, virtual_time

import rtnb
from rtnb.audio import AudioClip
from rtnb.errors import AudioError, ConfigurationError, ResponseTimeout, ServerError, SessionBusy, SessionClosed
from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])
CLIP = AudioClip.from_array((np.sin(np.arange(12_000) / 20) * 9000).astype(np.int16), 24_000)
LOGPROBS = [{"token": "Hello", "logprob": -0.1, "bytes": [72]}]


def transcribing(dialect: str = "ga", **script: Any) -> Any:
    return functools.partial(TranscribingScript, dialect=dialect, **script)


@dialects
@virtual_time
async def test_ask_returns_the_transcript_of_speech(dialect: str) -> None:
    """In a transcription session of either dialect; no response is asked for."""
    session, service = await open_kind(transcribing(dialect), dialect=dialect)
    assert session.kind.type == "transcription"
    spoken = await session.ask(CLIP)
    assert isinstance(spoken, rtnb.Transcription)
    assert (spoken.transcript, spoken.text, spoken.status) == ("Hello world.", "Hello world.", "completed")
    assert spoken.usage == {"type": "duration", "seconds": 1}
    assert spoken.item is session.conversation.items["item_1"]
    assert service.types() == [*["input_audio_buffer.append"] * 5, "input_audio_buffer.commit"]
    assert session.responses == []
    assert {event.item_id for event in spoken.events} == {"item_1"}


@dialects
@virtual_time
async def test_configure_uses_the_sessions_own_type_and_words(dialect: str) -> None:
    """GA repeats session.type in every update, the preview dialect has an event of its own."""
    session, service = await open_kind(transcribing(dialect), dialect=dialect)
    granted = await session.configure(
        transcription={"model": "gpt-4o-transcribe", "language": "de"}, turn_detection=None
    )
    assert granted
    told = service.heard[-1]
    words = {"model": "gpt-4o-transcribe", "language": "de"}
    if dialect == "ga":
        assert told["type"] == "session.update"
        assert told["session"] == {
            "type": "transcription",
            "audio": {"input": {"transcription": words, "turn_detection": None}},
        }
    else:
        assert told["type"] == "transcription_session.update"
        assert told["session"] == {"input_audio_transcription": words, "turn_detection": None}
    assert session.config["type"] == "transcription"


@dialects
@virtual_time
async def test_settings_that_only_an_answer_has_are_refused_before_they_are_sent(dialect: str) -> None:
    """With the ones that there are; when the session opens, and later."""
    session, service = await open_kind(transcribing(dialect), dialect=dialect)
    for wrong in ({"voice": "ash"}, {"instructions": "Hi"}, {"audio": {"output": {"speed": 1.2}}}, {"tools": []}):
        with pytest.raises(
            ConfigurationError, match=r"no meaning in a transcription session; it takes .*transcription="
        ):
            await session.configure(**wrong)
    assert service.heard == []
    with pytest.raises(ConfigurationError, match="voice="):
        await open_kind(transcribing(dialect), dialect=dialect, intent="transcription", config={"voice": "ash"})
    assert await session.configure(include=["item.input_audio_transcription.logprobs"])


@virtual_time
async def test_what_needs_a_model_that_answers_is_refused_at_once() -> None:
    """Nothing is sent, and each sentence says what to do."""
    session, service = await open_kind(transcribing())
    refused = {
        r"ask\(text\)": session.ask("Hello?"),
        r"ask\(out_of_band=True\)": session.ask(CLIP, out_of_band=True),
        r"respond\(\)": session.respond(),
        r"add_message\(\)": session.add_message("Hello"),
        r"cancel\(\)": session.cancel(),
        r"truncate\(\)": session.truncate("item_1", 10),
    }
    for verb, call in refused.items():
        with pytest.raises(ConfigurationError, match=f"session.{verb} has no meaning in a transcription session"):
            await call
    with pytest.raises(ConfigurationError, match="transcribe"):
        await session.ask("Hello?")
    with pytest.raises(ConfigurationError, match="instructions= is for a response"):
        await session.ask(CLIP, instructions="Be kind.")
    assert await session.interrupt() is None
    assert service.heard == []


@virtual_time
async def test_captions_grow_with_their_speakers_and_probabilities() -> None:
    """In the live transcription and in the conversation alike."""
    session, service = await open_kind(transcribing(tells=[[]]))
    live = await session.ask(CLIP, wait=False)
    assert live.status == "requested"
    await until(lambda: "item_1" in session.conversation.items)
    told = {"Hel": delta("Hel", logprobs=LOGPROBS), "Hello": delta("lo")}
    for shown, event in told.items():
        await service.say(event | {"item_id": "item_1", "content_index": 0})
        await until(lambda shown=shown: live.transcript == shown)  # type: ignore[misc]
        assert session.conversation.items["item_1"].text == shown
        assert live.status == "in_progress"
    for event in (segment("A", 0.0, 0.4, "Hello"), completed("Hello!")):
        await service.say(event | {"item_id": "item_1", "content_index": 0})
    assert await live is live
    assert isinstance(live, rtnb.Transcription)
    assert live.transcript == "Hello!"
    assert live.logprobs == LOGPROBS
    assert live.segments == [rtnb.Segment("A", 0.0, 0.4, "Hello")]
    part = session.conversation.items["item_1"].content[0]
    assert (part.segments, part.logprobs, part.transcript) == (live.segments, LOGPROBS, "Hello!")


@virtual_time
async def test_the_words_of_the_segments_are_the_transcript_where_nothing_else_comes() -> None:
    """As long as a service that tells speakers apart sends no deltas."""
    told = [segment("A", 0.0, 0.4, "Hello."), segment("B", 0.5, 0.9, " Hi. ")]
    session, service = await open_kind(transcribing(tells=[told]))
    live = await session.transcribe(CLIP, wait=False)
    await until(lambda: len(live.segments) == 2)
    assert live.transcript == "Hello. Hi."
    await service.say(completed("Hello. Hi.", item_id="item_1", content_index=0, languages=[{"code": "en"}]))
    await live
    assert "2 speakers" in repr(live)
    assert live.languages == ["en"]
    page = live._repr_mimebundle_()["text/html"]
    assert ">B<" in page
    assert "in en" in page


@virtual_time
async def test_a_failed_transcription_raises_with_the_words_of_the_service() -> None:
    """And the next speech is transcribed."""
    session, _ = await open_kind(transcribing(tells=[[failed("audio_unintelligible", "No words.")], [completed("Hi")]]))
    with pytest.raises(ServerError, match="audio_unintelligible: No words") as raised:
        await session.transcribe(CLIP)
    assert raised.value.code == "audio_unintelligible"
    live = await session.transcribe(CLIP)
    assert live.transcript == "Hi"


@virtual_time
async def test_a_failure_shows_in_the_transcription_itself() -> None:
    """For a call that did not wait: status, error, repr."""
    session, _ = await open_kind(transcribing(tells=[[failed("audio_unintelligible", "<b>No</b> words.")]]))
    live = await session.transcribe(CLIP, wait=False)
    await until(lambda: live.done)
    assert live.status == "failed"
    assert live.error is not None
    assert "No</b> words" in repr(live)
    assert "&lt;b&gt;" in live._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("answers", "awaited"),
    [
        ({"input_audio_buffer.commit": Script.ignore}, "input_audio_buffer.committed"),
        ({}, "conversation.item.input_audio_transcription.completed"),
    ],
)
@virtual_time
async def test_a_timeout_names_what_was_awaited(answers: Any, awaited: str) -> None:
    """The commit, or the transcript; the session lives on."""

    def script(transport: Any) -> Script:
        made = TranscribingScript(transport, tells=[[delta("Hel")], [completed("Hi")]])
        made.answers |= answers
        return made

    session, service = await open_kind(script)
    with pytest.raises(ResponseTimeout, match=f"No {awaited} within 5") as raised:
        await session.transcribe(CLIP, timeout=5.0)
    assert raised.value.waited_for == awaited
    service.answers["input_audio_buffer.commit"] = TranscribingScript.committed
    if answers:
        await until(lambda: service.heard[-1]["type"] == "input_audio_buffer.clear")  # else the next turn would have it
    else:
        assert session.conversation.items["item_1"].text == "Hel"
        again = await session.transcribe(CLIP)
        assert again.transcript == "Hi"


@virtual_time
async def test_an_error_about_the_commit_is_the_calls_own() -> None:
    """A buffer that is too short for the service."""

    async def refuse(service: Script, heard: Wire) -> None:
        told = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "too small"}
        await service.say({"type": "error", "error": {**told, "param": None, "event_id": heard["event_id"]}})

    def script(transport: Any) -> Script:
        made = TranscribingScript(transport)
        made.answers |= {"input_audio_buffer.commit": refuse}
        return made

    session, _ = await open_kind(script)
    with pytest.raises(ServerError, match="input_audio_buffer_commit_empty"):
        await session.transcribe(CLIP)
    assert session.problems == []


@virtual_time
async def test_an_error_about_something_else_is_not() -> None:
    """The transcript is still awaited."""
    session, service = await open_kind(transcribing(tells=[[delta("Hel")]]))
    live = await session.transcribe(CLIP, wait=False)
    await until(lambda: live.transcript == "Hel")
    await service.say({"type": "error", "error": {"code": "other", "message": "?", "event_id": "event_of_another"}})
    await service.say(completed("Hello", item_id="item_1", content_index=0))
    await live
    assert (live.status, live.transcript) == ("completed", "Hello")


@dialects
@virtual_time
async def test_turn_detection_is_off_until_the_speech_is_committed(dialect: str) -> None:
    """It would cut the speech into turns; then it is as it was."""
    session, service = await open_kind(transcribing(dialect, detection=VAD), dialect=dialect)
    spoken = await session.ask(CLIP)
    assert spoken.transcript == "Hello world."
    first, *appends, commit, last = service.types()
    assert first == last == ("transcription_session.update" if dialect == "preview" else "session.update")
    assert (set(appends), commit) == ({"input_audio_buffer.append"}, "input_audio_buffer.commit")
    assert session.config["audio"]["input"]["turn_detection"] == VAD


@virtual_time
async def test_turn_detection_that_stays_on_is_named() -> None:
    """A service that does not switch it off would answer with turns of its own."""

    async def stubborn(service: Script, heard: Wire) -> None:
        await service.update({})

    def script(transport: Any) -> Script:
        made = TranscribingScript(transport, detection=VAD)
        made.answers |= {"session.update": stubborn}
        return made

    session, service = await open_kind(script)
    with pytest.raises(rtnb.RtnbError, match="did not switch its turn detection off"):
        await session.transcribe(CLIP)
    assert "input_audio_buffer.append" not in service.types()


@virtual_time
async def test_a_realtime_session_transcribes_without_a_response() -> None:
    """Where transcription is on; where not, the error says how to switch it on."""
    session, service = await open_session()
    with pytest.raises(ConfigurationError, match=r"configure\(transcription="):
        await session.transcribe(CLIP)
    assert service.heard == []

    async def commit(script: Script, heard: Wire) -> None:
        await script.usual(heard)
        await script.say(completed("Hello.", item_id="item_spoken", content_index=0))

    service.answers["input_audio_buffer.commit"] = commit
    await session.configure(transcription={"model": "gpt-4o-transcribe"}, turn_detection=VAD)
    spoken = await session.transcribe(CLIP)
    assert spoken.transcript == "Hello."
    assert "response.create" not in service.types()
    assert service.heard[1]["session"] == {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    assert session.config["audio"]["input"]["turn_detection"] == VAD


@virtual_time
async def test_transcriptions_take_their_turn() -> None:
    """Each clip becomes an item of its own, however many are asked for at once; a busy session can refuse."""
    session, service = await open_kind(transcribing(tells=[[completed("one")], [completed("two")], [delta("thr")]]))
    both = await asyncio.gather(session.transcribe(CLIP), session.transcribe(CLIP))
    assert [each.transcript for each in both] == ["one", "two"]
    live = await session.ask(CLIP, wait=False)
    with pytest.raises(SessionBusy):
        await session.ask(CLIP, when_busy="raise")
    await until(lambda: live.transcript == "thr")
    assert service.commits == 3


@virtual_time
async def test_a_connection_that_ends_ends_the_transcription() -> None:
    """With the reason, as for every other call."""
    session, service = await open_kind(transcribing(tells=[[delta("Hel")]]))
    live = await session.transcribe(CLIP, wait=False)
    await until(lambda: live.transcript == "Hel")
    service.transport.drop()
    with pytest.raises(SessionClosed):
        await live
    assert isinstance(live.failure, SessionClosed)
    assert live.transcript == "Hel"


@virtual_time
async def test_speech_that_is_none_is_refused_before_anything_is_sent() -> None:
    """No samples, no file."""
    session, service = await open_kind(transcribing())
    for nothing in (AudioClip.silence(0), "/no/such/file.wav"):
        with pytest.raises(AudioError):
            await session.transcribe(nothing)
    assert service.heard == []


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        ({}, {"model": DEFAULT_TRANSCRIPTION_MODEL}),
        ({"transcription": {"language": "de"}}, {"model": DEFAULT_TRANSCRIPTION_MODEL, "language": "de"}),
        ({"transcription": {"model": "whisper-1"}}, {"model": "whisper-1"}),
    ],
)
@virtual_time
async def test_a_session_that_would_stay_silent_gets_a_model(config: Wire, sent: Wire) -> None:
    """One that the user named, else the usual one."""
    session, service = await open_kind(transcribing(model=None), intent="transcription", config=config)
    assert service.heard[0]["session"]["audio"]["input"]["transcription"] == sent
    assert session.problems == []


@virtual_time
async def test_a_session_that_has_a_model_keeps_it() -> None:
    """Nothing is sent that nobody asked for."""
    _, service = await open_kind(transcribing(model="whisper-1"))
    assert service.heard == []


@virtual_time
async def test_a_service_that_names_no_type_is_believed_to_have_opened_what_was_asked_for() -> None:
    """By its URL, or by the intent that the user gave."""

    def script(transport: Any) -> Script:
        made = TranscribingScript(transport)
        made.session = {key: value for key, value in made.session.items() if key not in ("type", "object")}
        return made

    for place in ({"url": "ws://127.0.0.1:1/v1/realtime?intent=transcription"}, {"intent": "transcription"}):
        session, service = await open_kind(script, **place)  # type: ignore[arg-type]
        assert session.kind.type == "transcription"
        await session.configure(transcription={"model": "whisper-1"})
        assert service.heard[-1]["session"]["type"] == "transcription"


@dialects
@virtual_time
async def test_the_repr_says_what_such_a_session_has(dialect: str) -> None:
    """What transcribes, and what ends a turn; neither model nor voice of an answer."""
    session, _ = await open_kind(transcribing(dialect, detection=VAD), dialect=dialect)
    await session.configure(transcription={"model": "gpt-4o-transcribe", "language": "de"})
    assert "transcription session, gpt-4o-transcribe (de), turns by server_vad;" in repr(session)
    assert "voice" not in repr(session)
    assert "transcription session, gpt-4o-transcribe (de)" in session._repr_mimebundle_()["text/html"]
    await session.configure(turn_detection=None)
    assert "turns by commit" in repr(session)


@dialects
@virtual_time
async def test_a_resumed_session_stays_one_that_transcribes(dialect: str) -> None:
    """Its settings are sent with its type, and no items, which it cannot take."""
    session, service = await open_kind(transcribing(dialect), dialect=dialect)
    await session.ask(CLIP)
    service.transport.drop()
    await until(lambda: session.closed is not None)
    await session.resume()
    assert session.problems[1:] == []
    again = await session.ask(CLIP)
    assert again.transcript == "Hello world."
    assert session.kind.type == "transcription"


@virtual_time
async def test_a_transcript_that_comes_before_its_item_is_the_items() -> None:
    """Some services tell the words before they tell of the item, or never do."""

    async def early(script: Script, heard: Wire) -> None:
        await script.say({"type": "input_audio_buffer.committed", "item_id": "item_9"})
        await script.say(delta("Hel", item_id="item_9", content_index=0))
        await script.say(completed("Hello", item_id="item_9", content_index=0))

    def script(transport: Any) -> Script:
        made = TranscribingScript(transport)
        made.answers |= {"input_audio_buffer.commit": early}
        return made

    session, service = await open_kind(script)
    spoken = await session.transcribe(CLIP)
    assert spoken.transcript == "Hello"
    content = [{"type": "input_audio", "transcript": None}]
    await service.add({"id": "item_9", "type": "message", "role": "user", "content": content})
    await until(lambda: "item_9" in session.conversation.items)
    assert session.conversation.items["item_9"].text == "Hello"


@virtual_time
async def test_a_transcription_reads_well() -> None:
    """In one line: what was said, and how much speech it was; while it grows, too."""
    session, _ = await open_kind(transcribing())
    live = await session.transcribe(CLIP, wait=False)
    assert repr(live) == "<Transcription requested, 500 ms of speech>"
    assert live.progress_words == "500 ms of speech"
    await live
    assert repr(live) == '<Transcription completed, "Hello world.", 500 ms of speech>'
    page = live._repr_mimebundle_()
    assert page["text/plain"] == repr(live)
    assert "Hello world." in page["text/html"]
    assert "after the commit" in page["text/html"]
