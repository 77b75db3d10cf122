"""Whatever arrives becomes an event; nothing is lost, nothing raises."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.protocol.events import Event, content_line, decode_base64, encode_base64, pretty_json, write_json
from rtnb.protocol.names import Kind


def event(type: str, **fields: object) -> Event:
    return Event.parse(json.dumps({"type": type, **fields}).encode())


HORRIBLE = {
    "NaN": b'{"type":"error","x":NaN}',
    "1e999": b'{"type":"error","x":1e999}',
    "duplicate keys": b'{"type":"session.created","type":"error"}',
    "deep": b'{"type":"error","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep, but within bounds": b'{"type":"error","x":' + b"[" * 600 + b"]" * 600 + b"}",
    "5000 digits": b'{"type":"error","x":' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"type":"error","error":{"message":"\\ud800"}}',
    "invalid UTF-8": b'{"type":"error","x":"\xff\xfe"}',
    "empty": b"",
    "null": b"null",
    "array": b'["type"]',
    "text": b"<html>502 Bad Gateway</html>",
    "binary": bytes(range(256)),
    "no type": b'{"event_id":"event_1"}',
    "type is a number": b'{"type":7}',
    "type is a list": b'{"type":[]}',
    "empty type": b'{"type":""}',
}


@pytest.mark.parametrize("raw", HORRIBLE.values(), ids=HORRIBLE)
def test_a_horrible_frame_is_kept_whole(raw: bytes) -> None:
    """The frame stays byte for byte, and what shows it neither raises nor grows without bound."""
    found = Event.parse(raw, seq=3, t=0.5)
    assert found.raw == raw
    assert isinstance(content_line(found), str)
    for shown in (repr(found), *found._repr_mimebundle_().values(), pretty_json(found)):
        shown.encode("utf-8")
        assert len(shown) < 250_000


@pytest.mark.parametrize(
    "name", ["deep", "5000 digits", "NaN", "1e999", "lone surrogate", "invalid UTF-8", "null", "no type"]
)
def test_what_is_wrong_with_a_frame_is_said(name: str) -> None:
    """A frame that strict JSON refuses has a problem."""
    assert Event.parse(HORRIBLE[name]).problem


@pytest.mark.parametrize(
    ("raw", "type", "kind"),
    [
        (b'{"error":{"code":"Unauthorized","message":"No."}}', "(error without a type)", "error"),
        (b'{"error":"No."}', "(error without a type)", "error"),
        (b'{"error":null,"ok":true}', "(no type)", "(no type)"),
        (b'{"type":"x","error":"No."}', "x", "x"),
    ],
)
def test_an_error_without_a_type_is_an_error(raw: bytes, type: str, kind: str) -> None:
    """The bare body of an HTTP error, as some gateways send it; a frame with a type is what its type says."""
    found = Event.parse(raw)
    assert (found.type, found.kind) == (type, kind)
    assert bool(found.problem) == (type != "x")


def test_a_good_frame_has_no_problem() -> None:
    """Nothing is wrong with an event of an unknown type."""
    found = event("response.hologram.delta", delta="x")
    assert (found.type, found.kind, found.problem, found["delta"]) == ("response.hologram.delta",) * 2 + ("", "x")


def test_lenient_json_still_tells_its_type() -> None:
    """A NaN does not cost the event its meaning."""
    assert Event.parse(HORRIBLE["NaN"]).type == "error"
    assert Event.parse(HORRIBLE["lone surrogate"]).part("error")


@pytest.mark.parametrize(
    ("name", "kind"), [("response.audio.delta", Kind.AUDIO_DELTA), ("response.text.done", Kind.TEXT_DONE)]
)
def test_a_preview_name_has_its_ga_kind(name: str, kind: Kind) -> None:
    """The type is as on the wire, the kind the same in both dialects."""
    assert (event(name).type, event(name).kind) == (name, kind)


def test_ids_are_found_where_the_event_has_them() -> None:
    """An id is at the top, or inside the object that the event is about."""
    assert event("response.done", response={"id": "resp_1"}).response_id == "resp_1"
    assert event("response.output_item.done", response_id="resp_2", item={"id": "item_1"}).item_id == "item_1"
    assert event("error").response_id == event("error").item_id == event("error").event_id == ""


@pytest.mark.parametrize("wrong", [7, None, [], {}, True])
def test_ids_of_a_wrong_type_are_none(wrong: object) -> None:
    """An id that is no text is no id."""
    found = event("x", event_id=wrong, response_id=wrong, item_id=wrong, response=wrong, item=wrong)
    assert (found.event_id, found.response_id, found.item_id) == ("", "", "")


def test_audio_is_decoded_once() -> None:
    """Deltas of both dialects, and appended audio, carry bytes."""
    pcm = bytes(range(200))
    encoded = base64.b64encode(pcm).decode()
    for found in (
        event("response.audio.delta", delta=encoded),
        event("response.output_audio.delta", delta=encoded),
        event("input_audio_buffer.append", audio=encoded),
    ):
        assert found.audio == pcm
        assert found.audio is found.audio
    assert event("response.output_text.delta", delta=encoded).audio == b""


@pytest.mark.parametrize("bad", ["&&&&", "AAA", "AAAA AAAA", "é"])
def test_bad_base64_is_no_audio(bad: str) -> None:
    """Strictly: nothing is guessed."""
    assert decode_base64(bad) == b""


def test_base64_goes_there_and_back() -> None:
    """Encoding and decoding undo one another."""
    assert decode_base64(encode_base64(b"\x00\x01\xff")) == b"\x00\x01\xff"


def test_a_shown_event_names_its_audio_by_length() -> None:
    """Nobody reads base64."""
    shown = pretty_json(event("response.output_audio.delta", delta=base64.b64encode(bytes(4800)).decode()))
    assert "4,800 bytes of audio" in shown
    assert "AAAA" not in shown


def test_a_shown_event_is_escaped() -> None:
    """Markup and bidirectional overrides are harmless in HTML and in a terminal."""
    found = event("<script>alert(1)</script>\u202e", x="<img src=x onerror=alert(1)>\u202e")
    html = found._repr_mimebundle_()["text/html"]
    assert "<script" not in html
    assert "<img" not in html
    for text in (html, repr(found), found._repr_mimebundle_()["text/plain"]):
        assert "\u202e" not in text


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (event("response.output_text.delta", delta="Of"), "Of"),
        (event("response.audio_transcript.done", transcript="Of course!"), "Of course!"),
        (event("error", error={"code": "invalid_value", "message": "No."}), "invalid_value No."),
        (event("error", message="at the top"), "at the top"),
        (
            event("response.done", response={"status": "cancelled", "status_details": {"reason": "turn_detected"}}),
            "cancelled turn_detected",
        ),
        (event("session.updated", session={"model": "m", "audio": {"output": {"voice": "marin"}}}), "m marin"),
        (event("session.created", session={"model": "m", "voice": "verse"}), "m verse"),
        (
            event("conversation.item.added", item={"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}),
            "user Hi",
        ),
        (
            event("response.output_item.done", item={"type": "function_call", "name": "f", "arguments": "{}"}),
            "function_call f({})",
        ),
        (event("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 9, "limit": 10}]), "tokens 9/10"),
        (event("input_audio_buffer.speech_started", audio_start_ms=300), "300 ms"),
        (
            event("input_audio_buffer.timeout_triggered", audio_start_ms=1200, audio_end_ms=6200, item_id="item_1"),
            "no speech from 1200 to 6200 ms",
        ),
        (event("input_audio_buffer.dtmf_event_received", event="#", received_at=1763337600), "key #"),
        (
            event(
                "conversation.item.input_audio_transcription.segment", speaker="A", text=" Hello.", start=0.1, end=0.9
            ),
            "A: Hello.",
        ),
        (event("conversation.item.input_audio_transcription.segment", text="Hello."), "Hello."),
        (event("conversation.item.input_audio_transcription.delta", delta=" Hel"), " Hel"),
        (event("error", error="a bare string"), "a bare string"),
    ],
)
def test_the_content_line_says_what_matters(found: Event, line: str) -> None:
    """One short text for each kind of row."""
    assert content_line(found) == line


def test_a_value_that_json_has_no_word_for_is_refused() -> None:
    """What is sent must stand in JSON."""
    with pytest.raises(TypeError):
        write_json({"type": "x", "value": object()})


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ["event_id", "response_id", "item_id", "delta", "audio", "text", "transcript", "session", "response", "item", "error",
          "rate_limits", "content_index", "message", "reason", "code"]  # fmt: skip
objects = st.fixed_dictionaries(
    {"type": st.sampled_from([kind.value for kind in Kind])}, optional=dict.fromkeys(FIELDS, anything)
)


@given(objects)
def test_no_object_can_make_an_event_raise(data: dict[str, object]) -> None:
    """Every accessor and every view of an event of any shape returns something."""
    found = Event.parse(json.dumps(data).encode())
    assert isinstance(content_line(found), str)
    assert isinstance(found.audio, bytes)
    found._repr_mimebundle_()
    assert all(isinstance(each, str) for each in (found.event_id, found.response_id, found.item_id))


@given(st.binary(max_size=200))
def test_no_bytes_can_make_an_event_raise(raw: bytes) -> None:
    """Whatever the bytes, there is an event with a type."""
    found = Event.parse(raw)
    assert found.raw == raw
    assert found.type
