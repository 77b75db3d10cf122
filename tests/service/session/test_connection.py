"""One session without a socket, judged by the official types; the expectations are written from protocol.md."""

from __future__ import annotations

import base64

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.engines.tones import tones as speak
from rtnb.service.script import answer, load_script

CREATED = {"ga": ["conversation.item.added", "conversation.item.done"], "preview": ["conversation.item.created"]}
# The strictest client needs each of these keys to be there (protocol.md 5.13).
RTCLIENT_SESSION = {
    "id", "model", "modalities", "instructions", "voice", "input_audio_format", "output_audio_format",
    "input_audio_transcription", "turn_detection", "tools", "tool_choice", "temperature", "max_response_output_tokens",
}  # fmt: skip
TEXT = {"output_modalities": ["text"]}


def folded(names):
    """Runs of one name as one."""
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


def test_session_created_comes_unprompted_with_the_services_defaults(client):
    """The first event is session.created; turn detection is on as in the cloud: 500 ms of silence in GA, 200 before."""
    assert client.types(client.log) == ["session.created"]
    session = client.dialect.nested(client.log[0]["session"])
    turns = session["audio"]["input"]["turn_detection"]
    assert turns["type"] == "server_vad"
    assert turns["silence_duration_ms"] == {"ga": 500, "preview": 200}[client.dialect.name]
    assert ("idle_timeout_ms" in turns) == (client.dialect is GA)
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["model"] == "gpt-4o-realtime-preview"
    assert session["expires_at"] == 1_800_000_000 + 3600


def test_preview_session_has_every_key_the_strictest_client_needs(make_client):
    """A preview session has all keys that rtclient requires, the null ones too, and temperature 0.8."""
    session = make_client(PREVIEW).log[0]["session"]
    assert set(session) >= RTCLIENT_SESSION
    assert session["temperature"] == 0.8
    assert session["modalities"] == ["text", "audio"]


def test_ga_session_has_its_type_and_no_temperature(make_client):
    """A GA session says what type it is; temperature is gone."""
    session = make_client(GA).log[0]["session"]
    assert session["type"] == "realtime"
    assert "temperature" not in session
    assert session["output_modalities"] == ["audio"]


@pytest.mark.parametrize("name", ["ga", "preview"])
def test_text_turn_has_the_documented_order(make_client, name):
    """A text turn gives exactly the events of protocol.md 3a in their order and with the dialect's names."""
    client = make_client({"ga": GA, "preview": PREVIEW}[name])
    assert client.types(client.message("Hello")) == CREATED[name]
    events = client.send("response.create", response=TEXT)
    assert client.types(events) == ["response.created", "rate_limits.updated"]
    text = {"ga": "response.output_text", "preview": "response.text"}[name]
    assert folded(client.types(client.finish())) == [
        "response.output_item.added",
        CREATED[name][0],
        "response.content_part.added",
        f"{text}.delta",
        f"{text}.done",
        "response.content_part.done",
        "response.output_item.done",
        *CREATED[name][1:],
        "response.done",
    ]


@pytest.mark.parametrize("name", ["ga", "preview"])
def test_audio_turn_has_the_documented_order(make_client, name):
    """An audio turn ends audio.done, audio_transcript.done, content_part.done, output_item.done, response.done."""
    client = make_client({"ga": GA, "preview": PREVIEW}[name])
    names = client.types(client.ask("Hello"))
    audio = {"ga": "response.output_audio", "preview": "response.audio"}[name]
    assert names[:5] == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        CREATED[name][0],
        "response.content_part.added",
    ]
    assert names[5] == f"{audio}_transcript.delta"
    closers = [
        f"{audio}.done",
        f"{audio}_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        *CREATED[name][1:],
        "response.done",
    ]
    assert names[-len(closers) :] == closers
    assert set(names[5 : -len(closers)]) == {f"{audio}_transcript.delta", f"{audio}.delta"}


def test_the_transcript_is_ahead_of_its_audio(make_client):
    """Whenever a word's audio is sent, the transcript sent so far already has the word."""
    words = [f" word{index}" for index in range(40)]
    client = make_client(GA, reply=lambda text, **_: "".join(words).strip())
    shown, heard = "", 0
    for event in client.ask("Go on"):
        if event["type"] == "response.output_audio_transcript.delta":
            shown += event["delta"]
        elif event["type"] == "response.output_audio.delta":
            begun = heard // 12_000  # the steady voice speaks a word in 12,000 bytes
            assert shown.split()[: begun + 1] == "".join(words).split()[: begun + 1]
            heard += len(base64.b64decode(event["delta"]))
    assert heard == 40 * 12_000


def test_deltas_join_to_what_done_says(client):
    """The transcript's deltas join to audio_transcript.done, the part, the item and the response's output."""
    events = client.ask("Hello")
    by_kind = {client.kind(event): event for event in events}
    transcript = "".join(
        event["delta"] for event in events if client.kind(event) == "response.output_audio_transcript.delta"
    )
    assert transcript == "Of course! I can."
    assert by_kind["response.output_audio_transcript.done"]["transcript"] == transcript
    assert by_kind["response.content_part.done"]["part"] == {"type": "audio", "transcript": transcript}
    content = {"type": client.dialect.item_parts.get("output_audio", "output_audio"), "transcript": transcript}
    assert by_kind["response.output_item.done"]["item"]["content"] == [content]
    assert by_kind["response.done"]["response"]["output"][0]["content"] == [content]


@pytest.mark.large
def test_audio_deltas_have_the_services_sizes(make_client):
    """Deltas are whole tokens of 2400 bytes: 2, 3, 5, 5, 5 … and a tail of 10 to 12."""
    for words in range(8, 40):
        client = make_client(GA, reply=lambda text, *, count=words, **_: " ".join(["word"] * count))
        sizes = [len(data) / 2400 for data in client.audio(client.ask("Go on"))]
        assert sizes[:3] == [2, 3, 5]
        assert set(sizes[2:-2]) <= {5}
        assert sizes[-2] <= 5
        assert 10 <= sizes[-1] <= 12
        assert sum(sizes) == words * 5


def test_audio_is_the_voices_own_samples(make_client):
    """What is heard is what the voice gave, sample for sample, then silence to the end of the token."""
    client = make_client(GA)
    sound = b"".join(client.audio(client.ask("Hello")))
    assert sound == b"\xe8\x03" * (4 * 6_000)


@pytest.mark.parametrize(("name", "kind"), [("g711_ulaw", "audio/pcmu"), ("g711_alaw", "audio/pcma")])
def test_telephone_formats_have_8000_bytes_a_second(client, name, kind):
    """A session may ask for G.711: 8 kHz, a byte a sample, and as long as it would be in PCM16."""
    client.configure(audio={"output": {"format": {"type": kind}}})
    events = client.ask("Hello")
    assert sum(map(len, client.audio(events))) == 8_000
    shown = client.dialect.nested(events[0]["response"])["audio"]["output"]["format"]
    assert shown in ({"type": kind}, name)


def test_ids_tie_a_response_together(client):
    """Every event of a response has its response_id, its one item_id, and indexes 0."""
    events = client.ask("Hello")
    response_id, item_id = events[0]["response"]["id"], events[2]["item"]["id"]
    assert (response_id[:5], len(response_id)) == ("resp_", 26)
    assert (item_id[:5], len(item_id)) == ("item_", 26)
    assert {event["response_id"] for event in events if "response_id" in event} == {response_id}
    assert {event["item_id"] for event in events if "item_id" in event} == {item_id}
    assert {event[key] for event in events for key in ("output_index", "content_index") if key in event} == {0}
    assert len({event["event_id"] for event in client.log}) == len(client.log)


def test_the_same_seed_gives_the_same_events(dialect, make_client):
    """Ids and sound are repeatable by seed."""
    logs = []
    for seed in (7, 7, 8):
        client = make_client(dialect, seed=seed)
        client.ask("Hello")
        logs.append(client.log)
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


def test_previous_item_id_chains_the_conversation(client):
    """Each item names the one before; the first names none."""
    client.ask("One")
    client.ask("Two")
    added = [event for event in client.log if client.kind(event) == "conversation.item.added"]
    ids = [event["item"]["id"] for event in added]
    assert [event["previous_item_id"] for event in added] == [None, *ids[:-1]]


def test_usage_counts_text_and_audio(client):
    """Input counts words, output counts 20 audio tokens a second and the transcript's; the sums agree."""
    usage = client.ask("Hello there")[-1]["response"]["usage"]
    assert usage["input_token_details"]["text_tokens"] == 2
    assert usage["output_token_details"] == {"text_tokens": 6, "audio_tokens": 20}
    assert usage["input_tokens"] == 2
    assert usage["output_tokens"] == 26
    assert usage["total_tokens"] == 28
    second = client.ask("And again")[-1]["response"]["usage"]
    assert second["input_token_details"]["audio_tokens"] == 20
    assert second["input_token_details"]["text_tokens"] == 4
    assert ("image_tokens" in second["input_token_details"]) == (client.dialect is GA)


def test_rate_limits_come_once_after_created_with_all_keys(client):
    """rate_limits.updated follows response.created, once a response, and what is left shrinks."""
    first, second = ([event for event in client.ask("x") if event["type"] == "rate_limits.updated"] for _ in range(2))
    assert len(first) == len(second) == 1
    for limit in first[0]["rate_limits"]:
        assert set(limit) == {"name", "limit", "remaining", "reset_seconds"}
    before, after = ([limit["remaining"] for limit in event["rate_limits"]] for event in (first[0], second[0]))
    assert all(later < sooner for later, sooner in zip(after, before, strict=True))


def test_response_object_spells_its_token_limit_alike_in_both_dialects(client):
    """A response object has max_output_tokens, never max_response_output_tokens; status_details is null."""
    events = client.ask("Hello")
    for response in (events[0]["response"], events[-1]["response"]):
        assert response["max_output_tokens"] == "inf"
        assert "max_response_output_tokens" not in response
        assert response["status_details"] is None
        assert {"usage", "metadata", "conversation_id", "output"} <= set(response)
    assert events[0]["response"]["usage"] is None


def test_metadata_is_echoed(client):
    """What response.create has as metadata comes back in response.created and response.done."""
    events = client.ask("Hello", metadata={"topic": "greeting"})
    assert events[0]["response"]["metadata"] == events[-1]["response"]["metadata"] == {"topic": "greeting"}


def test_history_reaches_the_reply(dialect, make_client):
    """The reply is asked with the prompt, the turns before, the instructions and the voice."""
    calls = []

    def reply(text, **given):
        calls.append((text, given))
        return f"Answer {len(calls)}."

    client = make_client(dialect, reply=reply)
    client.configure(instructions="Be brief.")
    client.ask("First")
    client.ask("Second", instructions="Be long.")
    (first, given), (second, later) = calls
    assert (first, given["history"], given["instructions"], given["voice"]) == ("First", (), "Be brief.", "alloy")
    assert [(turn.role, turn.text) for turn in later["history"]] == [("user", "First"), ("assistant", "Answer 1.")]
    assert (second, later["instructions"]) == ("Second", "Be long.")


def test_response_without_a_message_follows_its_instructions(make_client):
    """response.create with instructions alone answers those."""
    client = make_client(GA, reply=lambda text, **_: text)
    events = client.send("response.create", response={"instructions": "Say hello."}) + client.finish()
    assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == "Say hello."


def test_response_input_replaces_the_context(make_client):
    """A response with its own input sees that alone; a reference brings an item of the conversation in."""
    calls = []

    def reply(text, *, history, **_):
        calls.append((text, [turn.text for turn in history]))
        return "Yes."

    client = make_client(GA, reply=reply)
    item_id = client.message("In the conversation")[0]["item"]["id"]
    part = {"type": "input_text", "text": "Aside"}
    listed = [{"type": "item_reference", "id": item_id}, {"type": "message", "role": "user", "content": [part]}]
    client.send("response.create", response={"conversation": "none", "input": listed})
    client.finish()
    client.send("response.create", response={"conversation": "none", "input": []})
    client.finish()
    assert calls == [("Aside", ["In the conversation"]), ("", [])]


def test_max_output_tokens_ends_incomplete(client):
    """A response that reaches its token limit is incomplete, says why, and keeps to the limit."""
    client.configure(max_output_tokens=12)
    done = client.ask("Hello")[-1]["response"]
    assert done["status"] == "incomplete"
    assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert done["output"][0]["status"] == "incomplete"
    assert 0 < done["usage"]["output_tokens"] <= 12


def test_a_broken_voice_fails_the_response_not_the_session(dialect, make_client):
    """What goes wrong in speaking ends the response as failed; the next turn works."""
    wrong = iter([True])

    def speak(text, voice, **_):
        if next(wrong, False):
            raise RuntimeError("no breath")
        return iter(())

    client = make_client(dialect, voice=speak)
    done = client.ask("Hello")[-1]["response"]
    assert done["status"] == "failed"
    assert "no breath" in done["status_details"]["error"]["message"]
    assert client.ask("Hello")[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize(
    "prompt", ["Please assist the user.", "Count from one to twenty", "", "¿Qué tal? 你好 🙂 <b>&"]
)
def test_the_services_own_voice_and_script_hold_a_turn(dialect, make_client, prompt):
    """With its own voice and script a turn completes, and the transcript is the same in every event."""
    client = make_client(dialect, write=lambda task: answer(load_script(), task), voice=speak)
    events = client.ask(prompt)
    output = events[-1]["response"]["output"][0]
    assert output["status"] == "completed"
    transcript = output["content"][0]["transcript"]
    assert transcript == "".join(event["delta"] for event in events if event["type"].endswith("transcript.delta"))
    assert events[-1]["response"]["usage"]["output_token_details"]["audio_tokens"] > 5
