"""A frame is kept in less room and comes back byte for byte."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtnb.protocol.events import Event, raw_of
from rtnb.timeline.frames import WORTH_PACKING, event_of, read_frame, unreadable

BODY = base64.b64encode(bytes(range(256)) * 4 + b"x").decode()
DELTA = '{"type":"response.output_audio.delta","item_id":"item_1","delta":"%s"}'
APPEND = '{"type":"input_audio_buffer.append","audio":"%s"}'


def read(raw: bytes) -> tuple[Event, object]:
    return read_frame(raw, seq=3, t=1.5, direction="received")


@pytest.mark.parametrize(
    "template",
    [
        DELTA,
        APPEND,
        '{ "delta" : "%s" , "type" : "response.audio.delta" }',
        '{"delta":"%s","type":"response.output_audio.delta","metadata":{"delta":"AAAA"}}\n',
        '{"type":"response.output_audio.delta","delta":"early","delta":"%s"}',
    ],
)
def test_audio_is_kept_decoded(template: str) -> None:
    """An audio frame of either dialect, spaced and ordered as it likes, is kept as head, PCM and tail."""
    raw = (template % BODY).encode()
    event, kept = read(raw)
    assert isinstance(kept, tuple)
    assert kept[1] == base64.b64decode(BODY)
    assert event.audio is kept[1]
    assert raw_of(kept) == raw
    assert event.data == json.loads(raw)
    assert sum(map(len, kept)) < 0.85 * len(raw)


@pytest.mark.parametrize(
    "template",
    [
        DELTA.replace("%s", BODY[:-4] + "eB=="),  # bits behind the padding that encoding would not set
        DELTA.replace("%s", BODY.replace("/", "\\/", 1)),
        DELTA.replace("%s", BODY[:76] + "\\n" + BODY[76:]),
        DELTA.replace("%s", BODY[:400] + " " + BODY[400:]),
        DELTA.replace("%s", BODY.rstrip("=")),
        DELTA.replace("%s", "-_" * 200),
        DELTA.replace("%s", "AAAA"),
        DELTA.removesuffix("}"),
        "\ufeff" + DELTA,
        '{"type":"response.output_text.delta","delta":"%s"}',
        '{"type":"response.output_audio.delta","delta":"","other":"%s"}',
        '{"type":"response.output_audio.delta","delta":"~audio~","other":"%s"}',
        '{"type":"response.output_audio.delta","delta":"%s","delta":"late"}',
        '{"type":"response.output_audio.delta","x":{"delta":"%s"},"\\u0064elta":"~audio~"}',
        '{"type":"response.output_audio.delta","x":{"delta":"%s"}}',
        '{"type":"response.output_audio.delta","%s":"delta"}',
        '["response.output_audio.delta","delta","%s"]',
        '{"type":["response.output_audio.delta"],"delta":"%s"}',
        '{"type":"response.output_audio.delta","n":NaN,"delta":"%s"}',
    ],
)
def test_awkward_frames_are_kept_whole(template: str) -> None:
    """Where packing could lose or misread a byte, the frame is kept as it came, and read by the careful parser."""
    frame = template.replace("%s", BODY).encode()
    event, kept = read(frame)
    assert kept is frame
    assert event.data == Event.parse(frame).data


@given(st.binary(max_size=2000))
def test_any_bytes_come_back(raw: bytes) -> None:
    """Whatever bytes a frame holds, it comes back as it was."""
    event, kept = read(raw)
    assert raw_of(kept) == raw == event.raw


@given(
    st.binary(min_size=200, max_size=900),
    st.text(max_size=20),
    st.sampled_from([DELTA, APPEND, '{"audio": "%s", "type": "input_audio_buffer.append"}']),
    st.integers(0, 1300),
)
@example(b"\xff" * 300, "\\/", DELTA, 250)
def test_any_audio_comes_back(pcm: bytes, noise: str, template: str, at: int) -> None:
    """Base64 with anything strewn into it comes back as it was, and reads as the careful parser reads it."""
    encoded = base64.b64encode(pcm).decode()
    raw = (template % (encoded[:at] + noise + encoded[at:])).encode("utf-8", "surrogatepass")
    event, kept = read(raw)
    whole = Event.parse(raw)
    assert raw_of(kept) == raw
    assert (event.type, event.data, event.audio, event.problem) == (whole.type, whole.data, whole.audio, whole.problem)
    again = event_of(kept, seq=3, t=1.5, direction="received")
    assert (again.raw, again.data, again.audio) == (raw, whole.data, whole.audio)


def test_event_of_packed_frame_does_not_decode_again() -> None:
    """The event made of a kept audio frame holds the kept bytes themselves."""
    _, kept = read((DELTA % BODY).encode())
    event = event_of(kept, seq=7, t=2.5, direction="sent")
    assert event.audio is kept[1]
    assert event["delta"] == BODY
    assert (event.seq, event.t, event.direction) == (7, 2.5, "sent")


def test_small_frames_are_not_worth_it() -> None:
    """A short audio frame is kept as it is."""
    raw = (DELTA % base64.b64encode(bytes(30)).decode()).encode()
    assert len(raw) < WORTH_PACKING
    assert read(raw)[1] is raw


def test_unreadable_says_why() -> None:
    """A frame that broke its own interpretation becomes an event with the reason."""
    event = unreadable(b"x", RuntimeError("boom"), seq=1, t=0.5, direction="received")
    assert (event.raw, event.seq, event.type) == (b"x", 1, "(not JSON)")
    assert "RuntimeError: boom" in event.problem
