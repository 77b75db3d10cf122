"""Input transcription, and what the reply makes of what was heard; written from protocol.md 3c and 5.14."""

from __future__ import annotations

import numpy as np
import pytest
from fake_engines import Failure, hears

from rtnb.protocol.dialects import GA, PREVIEW, PREVIEW_WITH_DELTAS
from rtnb.service.engines.tasks import Feed, Finish, Start, Stop, Transcribe, Transcript, Write

TURN = (("silence", 0.5), ("speech", 1.0), ("silence", 1.0))
TRANSCRIPTION = "conversation.item.input_audio_transcription"


def configured(client, model="gpt-4o-transcribe", **more):
    transcription = {"model": model, **more}
    detection = {"type": "server_vad", "silence_duration_ms": 500}
    client.configure(audio={"input": {"transcription": transcription, "turn_detection": detection}})
    return client


def of(events, name):
    return [event for event in events if event["type"] == f"{TRANSCRIPTION}.{name}"]


def sure(task, sound):
    yield Transcript("Hello there", True, (("Hello", -0.1), (" there", -1.5)))


def unavailable(task, sound):
    raise Failure("transcription_unavailable", "Nothing is installed.")


def test_transcript_of_a_turn(client):
    """The completed event names the item, has the transcript and its usage; the item has it from then on."""
    configured(client)
    events = client.append(*TURN)
    (done,) = of(events, "completed")
    assert done["item_id"] == events[0]["item_id"]
    assert (done["content_index"], done["transcript"]) == (0, "Hello there")
    usage = done["usage"]
    assert usage["type"] == "tokens"
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_token_details"]["audio_tokens"] == 18
    shown = client.send("conversation.item.retrieve", item_id=done["item_id"])[0]["item"]
    assert shown["content"][0]["transcript"] == "Hello there"


def test_whisper_counts_seconds_and_gives_one_delta(make_client):
    """whisper-1's usage is a duration, and its text comes in one piece."""
    events = configured(make_client(GA), "whisper-1").append(*TURN)
    (done,) = of(events, "completed")
    assert done["usage"] == {"type": "duration", "seconds": 1.8}
    assert [event["delta"] for event in of(events, "delta")] == ["Hello there"]


@pytest.mark.parametrize(
    ("dialect", "deltas"), [(GA, 2), (PREVIEW_WITH_DELTAS, 2), (PREVIEW, 0)], ids=["ga", "2025", "2024"]
)
def test_deltas_come_where_the_dialect_has_them(make_client, dialect, deltas):
    """Deltas join to the transcript; before api-version 2025-04-01-preview there are none."""
    events = configured(make_client(dialect)).append(*TURN)
    pieces = [event["delta"] for event in of(events, "delta")]
    assert len(pieces) == deltas
    assert "".join(pieces) in ("Hello there", "")


def test_without_a_setting_no_transcript_is_sent_and_the_reply_has_it(dialect, make_client):
    """A session without transcription sends no transcript, and still answers what was said."""
    asked = []
    client = make_client(dialect, reply=lambda text, **_: asked.append(text) or "Yes.")
    events = client.append(*TURN) + client.finish()
    assert not any(event["type"].startswith(TRANSCRIPTION) for event in events)
    assert asked == ["Hello there"]
    shown = client.send("conversation.item.retrieve", item_id=events[0]["item_id"])[0]["item"]
    assert shown["content"][0]["transcript"] is None


def test_the_transcriber_is_fed_while_the_user_speaks(client):
    """The order is given at the start of speech, fed as the sound comes, finished at the end; all of it is the item's."""
    configured(client, language="de", prompt="Zürich")
    client.append(("silence", 1.0), ("speech", 0.2))
    (start,) = [order for order in client.bench.orders if isinstance(order, Start)]
    assert start.task == Transcribe("de", "Zürich", 24_000)
    client.append(("speech", 0.3))
    client.append(("speech", 0.5), ("silence", 1.0))
    orders = client.bench.orders
    fed = [order.samples for order in orders if isinstance(order, Feed) and order.job == start.job]
    assert len(fed) >= 3
    sound = np.concatenate(fed)
    assert len(sound) == (300 + 1000 + 500) * 24
    assert not sound[: 300 * 24].any()
    assert sound[300 * 24 : 1300 * 24].all()
    assert Finish(start.job) in orders


def test_clear_stops_the_transcriber(client):
    """What was thrown away is not transcribed."""
    configured(client).append(("speech", 1.0))
    (job,) = client.bench.jobs(Transcribe)
    client.send("input_audio_buffer.clear")
    assert Stop(job) in client.bench.orders


def test_a_failure_is_sent_with_its_code(dialect, make_client):
    """Without a transcriber: failed, with the code, and never an invented text."""
    client = configured(make_client(dialect, transcribe=unavailable))
    events = client.append(*TURN)
    (failed,) = of(events, "failed")
    assert failed["item_id"] == events[0]["item_id"]
    assert failed["error"] == {
        "type": "invalid_request_error",
        "code": "transcription_unavailable",
        "message": "Nothing is installed.",
        "param": None,
    }


def test_without_a_transcriber_the_reply_is_honest(dialect, make_client):
    """It says how much it heard, that it does not understand, and what would help; the writer gets no task."""
    client = make_client(dialect, transcribe=unavailable)
    client.configure(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}})
    client.append(*TURN)
    done = client.finish()[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"] == (
        "I heard 1.8 seconds of speech, but I cannot understand it. Nothing is installed."
    )
    assert not [order for order in client.bench.orders if isinstance(order, Start) and isinstance(order.task, Write)]


def test_words_that_cannot_be_made_out_fail_in_the_clouds_form(dialect, make_client):
    """The transcription fails as the cloud's does, and the answer says how much was heard and that the words were not."""

    def unsure(task, sound):
        raise Failure(
            "audio_unintelligible", "1.8 s of speech were heard, the words could not be made out. Try phrases=."
        )

    client = configured(make_client(dialect, transcribe=unsure))
    (failed,) = of(client.append(*TURN), "failed")
    assert failed["error"] == {
        "type": "transcription_error",
        "code": "audio_unintelligible",
        "message": "1.8 s of speech were heard, the words could not be made out. Try phrases=.",
        "param": None,
    }
    done = client.finish()[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"] == (
        "1.8 seconds of speech were heard, the words could not be made out."
    )
    assert not [order for order in client.bench.orders if isinstance(order, Start) and isinstance(order.task, Write)]


def test_the_reply_waits_for_the_transcript(dialect, make_client):
    """A response that was created before the words were known answers them."""
    asked = []
    client = make_client(dialect, transcribe=None, reply=lambda text, **_: asked.append(text) or "Yes.")
    client.append(*TURN)
    assert client.finish() == []
    assert client.connection.responses
    (job,) = client.bench.jobs(Transcribe)
    client.keep(client.bench.supply(job, Transcript("What time is it?", True)) + client.bench.end(job))
    assert client.finish()[-1]["response"]["status"] == "completed"
    assert asked == ["What time is it?"]


def test_the_reply_does_not_wait_for_ever(dialect, make_client):
    """After its patience the response goes on, and says that the words came too late; they still arrive."""
    client = configured(make_client(dialect, transcribe=None))
    client.append(*TURN)
    assert client.finish() == []
    due = client.connection.due()
    assert client.now < due <= client.now + 10
    client.now = due
    done = client.finish()[-1]["response"]
    assert "not written down in time" in done["output"][0]["content"][0]["transcript"]
    (job,) = client.bench.jobs(Transcribe)
    client.bench.supply(job, Transcript("Too late", True))
    (late,) = of(client.keep(client.bench.end(job)), "completed")
    assert late["transcript"] == "Too late"
    assert client.connection.due() is None


def test_what_was_said_is_remembered(dialect, make_client):
    """A spoken turn is part of the next turn's history."""
    told = []

    def reply(text, *, history, **_):
        told.append([(turn.role, turn.text) for turn in history])
        return "Yes."

    client = make_client(dialect, reply=reply)
    client.append(*TURN)
    client.finish()
    client.ask("And now?")
    assert told[1] == [("user", "Hello there"), ("assistant", "Yes.")]


def test_an_item_with_audio_is_heard_too(client):
    """A client's own user item with sound: counted, transcribed, answered; its event carries no audio."""
    configured(client)
    sound = np.full(24_000, 8000, "<i2").tobytes()
    import base64

    content = [{"type": "input_audio", "audio": base64.b64encode(sound).decode()}]
    item = {"type": "message", "role": "user", "content": content}
    events = client.send("conversation.item.create", item=item)
    assert client.kinds(events)[0] == "conversation.item.added"
    assert events[0]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert of(events, "completed")[0]["transcript"] == "Hello there"
    shown = client.send("conversation.item.retrieve", item_id=events[0]["item"]["id"])[0]["item"]
    assert base64.b64decode(shown["content"][0]["audio"]) == sound
    usage = client.send("response.create") and client.finish()[-1]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 10


def test_an_item_with_its_transcript_needs_no_transcriber(client):
    """A client that knows what was said may say so, as one that resumes a conversation does."""
    content = [{"type": "input_audio", "transcript": "Good morning"}]
    events = client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    assert events[0]["item"]["content"] == [{"type": "input_audio", "transcript": "Good morning"}]
    assert not client.bench.orders


def test_a_ga_session_that_only_transcribes(make_client):
    """intent=transcription: a session of that type, turns and transcripts, never a response."""
    client = make_client(GA, intent="transcription")
    session = client.log[0]["session"]
    assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
    assert set(session["audio"]) == {"input"}
    update = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1", "language": "en"}}}}
    shown = client.raw({"type": "session.update", "session": update})[0]["session"]
    assert shown["audio"]["input"]["transcription"] == {"model": "whisper-1", "language": "en"}
    events = client.append(*TURN)
    assert of(events, "completed")
    assert not client.connection.responses
    assert "transcription session" in client.error(client.send("response.create"))["message"]


def test_a_preview_session_that_only_transcribes(make_client):
    """The preview has event names of its own for it, and flat settings."""
    client = make_client(PREVIEW_WITH_DELTAS, intent="transcription", judged=False)
    assert client.log[0]["type"] == "transcription_session.created"
    update = {"input_audio_transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}
    event = client.raw({"type": "transcription_session.update", "session": update})[0]
    assert event["type"] == "transcription_session.updated"
    assert event["session"]["input_audio_transcription"] == {"model": "whisper-1"}
    assert "create_response" not in event["session"]["turn_detection"]
    assert "type" not in event["session"]
    events = client.append(*TURN)
    assert of(events, "completed")
    assert not client.connection.responses
    error = client.error(client.raw({"type": "session.update", "session": {"instructions": "x"}}))
    assert error["message"] == "Passing a realtime session update event to a transcription session is not allowed."


def test_a_session_does_not_change_its_type(client):
    """A transcription session's update is nothing for a session that answers."""
    wire = {
        "ga": {"type": "session.update", "session": {"type": "transcription"}},
        "preview": {"type": "transcription_session.update", "session": {"input_audio_format": "pcm16"}},
    }[client.dialect.name]
    error = client.error(client.raw(wire))
    assert error["message"] == "Passing a transcription session update event to a realtime session is not allowed."


def test_hearing_nothing_is_an_empty_transcript(dialect, make_client):
    """A transcriber that understands no words completes with none, and the reply is asked to answer that."""
    asked = []
    client = make_client(dialect, transcribe=hears(""), reply=lambda text, **_: asked.append(text) or "Pardon?")
    configured(client)
    (done,) = of(client.append(*TURN), "completed")
    assert done["transcript"] == ""
    client.finish()
    assert asked == [""]


def test_a_translation_sessions_append_is_an_event_that_the_service_does_not_know(client):
    """It has the meaning of an append, but no service of responses takes it."""
    error = client.error(client.raw({"type": "session.input_audio_buffer.append", "audio": "AAAA"}))
    assert (error["code"], error["param"]) == ("invalid_value", "type")


LOGPROBS = {"include": ["item.input_audio_transcription.logprobs"]}
HELLO = {"token": "Hello", "logprob": -0.1, "bytes": [72, 101, 108, 108, 111]}
THERE = {"token": " there", "logprob": -1.5, "bytes": [32, 116, 104, 101, 114, 101]}


def test_probabilities_come_where_they_are_asked_for(make_client):
    """Each delta has the probability of its token, the completed event those of all; without include= nobody has any."""
    client = configured(make_client(GA, transcribe=sure))
    assert not any("logprobs" in event for event in client.append(*TURN))
    client.configure(**LOGPROBS)
    events = client.append(*TURN)
    assert [(event["delta"], event["logprobs"]) for event in of(events, "delta")] == [
        ("Hello", [HELLO]),
        (" there", [THERE]),
    ]
    assert of(events, "completed")[0]["logprobs"] == [HELLO, THERE]


def test_a_transcript_in_one_delta_has_all_probabilities_there(make_client):
    """whisper-1 streams nothing."""
    client = configured(make_client(GA, transcribe=sure), "whisper-1")
    client.configure(**LOGPROBS)
    (delta,) = of(client.append(*TURN), "delta")
    assert (delta["delta"], delta["logprobs"]) == ("Hello there", [HELLO, THERE])


def test_probabilities_that_are_not_known_are_not_made_up(make_client):
    """A transcriber without them gives a transcript without them."""
    client = configured(make_client(GA))
    client.configure(**LOGPROBS)
    assert not any("logprobs" in event for event in client.append(*TURN))


def test_the_preview_dialect_asks_in_a_transcription_session(make_client):
    """Its include= is that session's alone, and has the same effect there."""
    client = make_client(PREVIEW_WITH_DELTAS, intent="transcription", transcribe=sure, judged=False)
    client.raw({"type": "transcription_session.update", "session": LOGPROBS})
    assert of(client.append(*TURN), "completed")[0]["logprobs"] == [HELLO, THERE]


@pytest.mark.parametrize(("dialect", "count"), [(GA, 1), (PREVIEW_WITH_DELTAS, 0)], ids=["ga", "preview"])
def test_a_model_that_tells_speakers_apart_sends_segments(make_client, dialect, count):
    """One speaker, A, says all of a turn; the segment comes before the transcript is completed, and GA alone has it."""
    events = configured(make_client(dialect), "gpt-4o-transcribe-diarize").append(*TURN)
    segments = of(events, "segment")
    assert len(segments) == count
    for segment in segments:
        assert (segment["speaker"], segment["text"], segment["start"]) == ("A", "Hello there", 0.0)
        assert segment["end"] == 1.8  # seconds: the speech, what was before it, and the silence that ended it
        assert segment["item_id"] == of(events, "completed")[0]["item_id"]
        assert events.index(segment) < events.index(of(events, "completed")[0])


def test_other_models_send_no_segments(make_client):
    """Nor does a turn without words have one."""
    assert of(configured(make_client(GA)).append(*TURN), "segment") == []
    silent = configured(make_client(GA, transcribe=hears("")), "gpt-4o-transcribe-diarize")
    assert of(silent.append(*TURN), "segment") == []


@pytest.mark.parametrize(
    ("asked", "language"),
    [({"languages": ["de", "en"]}, "de"), ({"language": "fr", "languages": ["de"]}, "fr"), ({"languages": []}, None)],
)
def test_the_first_of_several_languages_is_listened_for(make_client, asked, language):
    """A transcriber takes one; the language itself comes before those that are possible."""
    client = configured(make_client(GA), **asked)
    client.append(*TURN)
    assert next(order.task.language for order in client.bench.orders if isinstance(order, Start)) == language
