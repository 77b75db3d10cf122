"""Audio input: the buffer, turns found in it, and the items they become; written from protocol.md 3c, 3d and 3i."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from fake_engines import LoudDetector

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.session.speech_detector import SpeechFrame

MANUAL = {"audio": {"input": {"turn_detection": None}}}
TURN = (("silence", 1.0), ("speech", 1.0), ("silence", 1.0))
JOINED = {"ga": ["conversation.item.added", "conversation.item.done"], "preview": ["conversation.item.created"]}


def vad(client, **changes):
    given = {"type": "server_vad", "silence_duration_ms": 500, **changes}
    return client.configure(audio={"input": {"turn_detection": given}})


def only(client, events, kind):
    found = [event for event in events if client.kind(event) == kind]
    assert len(found) == 1, client.types(events)
    return found[0]


def test_a_turn_has_the_documented_order_and_one_item_id(client):
    """started, stopped, committed, item, response.created … with one item id from the first to the item."""
    vad(client)
    events = client.append(*TURN)
    assert client.types(events)[: 4 + len(JOINED[client.dialect.name]) - 1] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *JOINED[client.dialect.name],
    ]
    assert "response.created" in client.types(events)
    started, stopped, committed = events[:3]
    item = only(client, events, "conversation.item.added")["item"]
    assert started["item_id"] == stopped["item_id"] == committed["item_id"] == item["id"]
    assert item["content"] == [{"type": "input_audio", "transcript": None}]
    assert (item["role"], item["status"]) == ("user", "completed")
    assert committed["previous_item_id"] is None
    assert client.finish()[-1]["response"]["status"] == "completed"


def test_times_count_samples_with_prefix_and_silence(client):
    """The start is the first audible sample less the prefix padding; the end has the whole silence in it."""
    vad(client, prefix_padding_ms=300, silence_duration_ms=400)
    events = client.append(*TURN, ("silence", 3.0), *TURN)
    started = [e["audio_start_ms"] for e in events if e["type"].endswith("speech_started")]
    stopped = [e["audio_end_ms"] for e in events if e["type"].endswith("speech_stopped")]
    assert started == [700, 6700]
    assert stopped == [2400, 8400]


@pytest.mark.parametrize("chunk", [4_800, 960, 7_777, 48_000])
def test_chunks_change_nothing(client, make_client, chunk):
    """A file appended at once gives the same turns at the same times as the same file in chunks, odd ones too."""
    whole, paced = client, make_client(client.dialect)
    sound = (*TURN, ("silence", 0.5), ("speech", 0.3), ("silence", 1.0))
    events = []
    for each, size in ((whole, 0), (paced, chunk)):
        vad(each)
        told = each.append(*sound, chunk=size)
        events.append(
            [(e["type"], e.get("audio_start_ms"), e.get("audio_end_ms")) for e in told if "speech" in e["type"]]
        )
    assert events[0] == events[1]
    assert len(events[0]) == 4


def test_the_prefix_never_reaches_into_the_turn_before(client):
    """A turn right after another begins where that one ended."""
    vad(client, prefix_padding_ms=1000, silence_duration_ms=200)
    events = client.append(("speech", 0.5), ("silence", 0.3), ("speech", 0.5), ("silence", 0.3))
    stopped = [e["audio_end_ms"] for e in events if e["type"].endswith("speech_stopped")]
    started = [e["audio_start_ms"] for e in events if e["type"].endswith("speech_started")]
    assert started == [0, stopped[0]]


def test_the_committed_item_holds_exactly_the_turn(client):
    """The item's sound is from audio_start_ms to audio_end_ms, sample for sample."""
    vad(client)
    events = client.append(*TURN)
    shown = client.send("conversation.item.retrieve", item_id=events[0]["item_id"])[0]["item"]
    sound = np.frombuffer(base64.b64decode(shown["content"][0]["audio"]), "<i2")
    assert len(sound) == (events[1]["audio_end_ms"] - events[0]["audio_start_ms"]) * 24
    assert not sound[: 300 * 24].any()
    assert sound[300 * 24 : 1300 * 24].all()


def test_a_click_is_no_turn(client):
    """Forty milliseconds of noise begin nothing."""
    assert client.append(("silence", 0.5), ("speech", 0.04), ("silence", 1.0)) == []


def test_without_create_response_nothing_is_answered(client):
    """create_response false: everything up to the item, and no response until it is asked for."""
    vad(client, create_response=False)
    assert client.kinds(client.append(*TURN))[-1].startswith("conversation.item.")
    assert not client.connection.responses
    assert client.send("response.create")[0]["type"] == "response.created"


def test_speech_interrupts_the_answer(client):
    """speech_started, then the closers of the old response, which is cancelled because a turn was detected."""
    vad(client)
    client.append(*TURN)
    client.until("response.output_audio.delta")
    events = client.append(("speech", 0.2))
    assert client.kinds(events)[:3] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
    ]
    done = only(client, events, "response.done")["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert done["output"][0]["status"] == "incomplete"


def test_without_interrupt_response_the_answer_goes_on_and_the_next_is_owed(client):
    """interrupt_response false: the answer is finished, then the turn that came meanwhile gets its own."""
    vad(client, interrupt_response=False)
    client.append(*TURN)
    client.until("response.output_audio.delta")
    assert "response.created" not in client.types(client.append(*TURN))
    events = client.finish()
    dones = [event for event in events if event["type"] == "response.done"]
    assert [done["response"]["status"] for done in dones] == ["completed", "completed"]
    first = events.index(dones[0])
    assert events[first + 1]["type"] == "response.created"


def test_interruption_leaves_out_of_band_responses_alone(client):
    """Only the response of the conversation is interrupted."""
    client.message("Hello")
    aside = client.send("response.create", response={"conversation": "none"})[0]["response"]["id"]
    client.append(("speech", 0.5))
    done = only(client, client.finish(), "response.done")["response"]
    assert (done["id"], done["status"]) == (aside, "completed")


@pytest.mark.parametrize(("eagerness", "ms"), [("high", 500), ("medium", 1000), ("auto", 1000), ("low", 2000)])
def test_semantic_vad_waits_by_eagerness(client, eagerness, ms):
    """semantic_vad ends a turn after a silence that depends on its eagerness."""
    client.configure(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
    events = client.append(("speech", 0.5), ("silence", 3.0))
    assert only(client, events, "input_audio_buffer.speech_stopped")["audio_end_ms"] == 500 + ms


def test_turn_detection_of_one_type_is_merged_and_of_another_replaced(client):
    """What is not named stays, until the type changes; null is off."""
    turns = lambda events: client.dialect.nested(events[0]["session"])["audio"]["input"]["turn_detection"]  # noqa: E731
    assert turns(vad(client, threshold=0.7))["threshold"] == 0.7
    assert turns(vad(client, prefix_padding_ms=100))["threshold"] == 0.7
    semantic = turns(client.configure(audio={"input": {"turn_detection": {"type": "semantic_vad"}}}))
    assert semantic == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }
    assert turns(client.configure(**MANUAL)) is None
    assert turns(client.configure()) is None
    assert turns(vad(client))["threshold"] == 0.5


def idle_session(client):
    vad(client, idle_timeout_ms=5000)
    client.append(*TURN)
    client.finish()  # at 3000 ms, with an answer of 1000 ms


def test_idle_timeout_counts_from_the_end_of_playback(make_client):
    """After the answer was played and 5 s of silence: timeout_triggered, committed, item, response."""
    client = make_client(GA)
    idle_session(client)
    assert client.append(("silence", 5.9)) == []
    events = client.append(("silence", 0.2))
    assert client.types(events)[:3] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
    ]
    assert (events[0]["audio_start_ms"], events[0]["audio_end_ms"]) == (4000, 9000)
    assert events[0]["item_id"] == events[1]["item_id"] == events[2]["item"]["id"]
    assert only(client, events, "response.created")
    assert client.append(("silence", 10.0)) == []


def test_speech_ends_the_idle_time(make_client):
    """Who speaks in time triggers no timeout."""
    client = make_client(GA)
    idle_session(client)
    events = client.append(("silence", 4.0), ("speech", 3.0))
    assert client.types(events) == ["input_audio_buffer.speech_started"]


def test_an_onset_that_is_not_sure_yet_holds_the_idle_time(make_client):
    """Speech that began in time triggers no timeout, even if it is known to be speech only later."""

    class Unsure(LoudDetector):
        def feed(self, samples):
            for frame in super().feed(samples):
                changes = frame.start_sample >= 24_000 * 6.1
                yield SpeechFrame(frame.start_sample, frame.probability, -20.0, 9.0 * changes)

    client = make_client(GA, make_detector=Unsure)
    client.configure(audio={"input": {"turn_detection": None}})
    client.append(("silence", 3.0))
    vad(client, idle_timeout_ms=5000)
    client.message("Hello")
    client.send("response.create")
    client.finish()
    told = client.append(("silence", 5.9), ("speech", 0.14)) + client.append(("speech", 0.5))
    assert client.types(told) == ["input_audio_buffer.speech_started"]


def test_manual_turn(client):
    """Without turn detection: append is silent, commit makes the item, and nothing is answered until asked."""
    client.configure(**MANUAL)
    first = client.message("Before")[0]["item"]["id"]
    assert client.append(("speech", 1.0)) == []
    events = client.send("input_audio_buffer.commit")
    assert client.types(events) == ["input_audio_buffer.committed", *JOINED[client.dialect.name]]
    assert events[0]["previous_item_id"] == events[1]["previous_item_id"] == first
    assert events[0]["item_id"] == events[1]["item"]["id"]
    assert not client.connection.responses
    assert client.send("response.create")[0]["type"] == "response.created"


@pytest.mark.parametrize(("milliseconds", "said"), [(0, "0.00ms"), (99, "99.00ms"), (12.5, "12.50ms")])
def test_committing_less_than_100_ms_is_refused_word_for_word(client, milliseconds, said):
    """The error is the service's own."""
    client.configure(**MANUAL)
    client.append(("speech", milliseconds / 1000))
    error = client.error(client.send("input_audio_buffer.commit"))
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["message"] == (
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least 100ms of audio, but buffer only has {said} of audio."
    )


def test_clear_empties_the_buffer_and_keeps_the_time(client):
    """After clear there is nothing to commit, a turn that had begun is forgotten, and the clock has gone on."""
    vad(client)
    client.append(("speech", 1.0))
    assert client.types(client.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert client.error(client.send("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    events = client.append(("silence", 1.0), ("speech", 0.5), ("silence", 0.6))
    assert (events[0]["audio_start_ms"], events[1]["audio_end_ms"]) == (1700, 3000)


def test_committing_in_the_middle_of_a_turn_keeps_its_id(client):
    """A commit while the user speaks ends that item; what follows is another turn."""
    vad(client)
    started = client.append(("speech", 1.0))[0]
    events = client.send("input_audio_buffer.commit")
    assert events[0]["item_id"] == started["item_id"]
    again = client.append(("speech", 0.5))[0]
    assert (again["type"], again["audio_start_ms"]) == ("input_audio_buffer.speech_started", 1000)
    assert again["item_id"] != started["item_id"]


@pytest.mark.parametrize(("name", "kind"), [("g711_ulaw", "audio/pcmu"), ("g711_alaw", "audio/pcma")])
def test_telephone_formats_are_heard(client, name, kind):
    """G.711 has 8000 bytes a second, and the times are the same."""
    from rtnb.audio.formats import FORMATS

    client.configure(audio={"input": {"format": {"type": kind}}})
    vad(client)
    sound = np.concatenate([np.zeros(8_000), np.full(8_000, 8_000), np.zeros(8_000)]).astype(np.int16)
    events = client.append_bytes(FORMATS[name].encode(sound), 800)
    assert (events[0]["audio_start_ms"], events[1]["audio_end_ms"]) == (700, 2500)
    shown = client.send("conversation.item.retrieve", item_id=events[0]["item_id"])[0]["item"]
    assert len(base64.b64decode(shown["content"][0]["audio"])) == 1_800 * 8


def test_a_changed_format_keeps_the_clock(client):
    """What was not committed is lost with the old format; the milliseconds go on."""
    client.configure(**MANUAL)
    client.append(("silence", 2.0))
    client.configure(audio={"input": {"format": {"type": "audio/pcmu"}}})
    assert client.error(client.send("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    vad(client)
    from rtnb.audio.formats import G711_ULAW

    sound = np.concatenate([np.zeros(8_000), np.full(8_000, 8_000)]).astype(np.int16)
    assert client.append_bytes(G711_ULAW.encode(sound))[0]["audio_start_ms"] == 2700


def test_an_odd_byte_waits_for_its_other_half(client):
    """Samples cut in two by the chunks are put together again."""
    client.configure(**MANUAL)
    data = np.arange(4_801, dtype="<i2").tobytes()
    client.append_bytes(data, 333)
    item_id = client.send("input_audio_buffer.commit")[0]["item_id"]
    shown = client.send("conversation.item.retrieve", item_id=item_id)[0]["item"]
    assert base64.b64decode(shown["content"][0]["audio"]) == data


@pytest.mark.parametrize("audio", ["%%%", "AAA", "AA=A", "AAAA\n", "ä"])
def test_audio_must_be_base64(client, audio):
    """Anything else is refused in the service's words."""
    error = client.error(client.send("input_audio_buffer.append", audio=audio))
    assert (error["code"], error["param"]) == ("invalid_value", "audio")
    assert error["message"] == (
        "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value."
    )


@pytest.mark.large
def test_audio_is_demanded_and_bounded(client):
    """No audio, audio of another kind, and more than 15 MiB are each refused; 15 MiB are taken."""
    assert client.error(client.send("input_audio_buffer.append"))["code"] == "missing_required_parameter"
    assert client.error(client.send("input_audio_buffer.append", audio=5))["code"] == "invalid_type"
    client.configure(**MANUAL)
    limit = 15 * 2**20
    assert client.append_bytes(bytes(limit)) == []
    error = client.error(client.append_bytes(bytes(limit + 2)))
    assert error["code"] == "string_above_max_length"
    assert f"{limit:,}" in error["message"]


@pytest.mark.large
def test_a_long_recording_becomes_an_item_that_is_shown_without_its_sound(client):
    """Five minutes can be committed; what does not fit in a frame is left out of the retrieved item."""
    client.configure(**MANUAL)
    client.append_bytes(bytes(15 * 2**20))
    events = client.send("input_audio_buffer.commit")
    shown = client.send("conversation.item.retrieve", item_id=events[0]["item_id"])[0]["item"]
    assert "audio" not in shown["content"][0]
    usage = client.send("response.create") and client.finish()[-1]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == round(15 * 2**20 / 48_000 * 10)


@pytest.mark.large
def test_a_buffer_that_is_never_committed_fills_up(client):
    """Half an hour is held, then an append is refused until the buffer is cleared."""
    client.configure(**MANUAL)
    for _ in range(5):
        client.append_bytes(bytes(15 * 2**20))
    assert client.error(client.append_bytes(bytes(15 * 2**20)))["code"] == "input_audio_buffer_full"
    client.send("input_audio_buffer.clear")
    assert client.append_bytes(bytes(480)) == []


def test_user_audio_counts_a_token_each_100_ms(client):
    """Input audio tokens are the item's milliseconds by 100; the sums agree."""
    client.configure(**MANUAL)
    client.append(("speech", 2.5))
    client.send("input_audio_buffer.commit")
    usage = client.send("response.create") and client.finish()[-1]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 25
    assert usage["input_tokens"] == 25 + usage["input_token_details"]["text_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_events_of_other_transports_have_an_error_of_their_own(client):
    """output_audio_buffer.clear is for WebRTC and SIP, and says so."""
    error = client.error(client.send("output_audio_buffer.clear"))
    assert re.search("WebRTC", error["message"])


def test_off_as_azure_spells_it(make_client):
    """The preview's {"type": "none"} is null."""
    client = make_client(PREVIEW)
    events = client.raw({"type": "session.update", "session": {"turn_detection": {"type": "none"}}})
    assert events[0]["session"]["turn_detection"] is None
    assert client.append(*TURN) == []
