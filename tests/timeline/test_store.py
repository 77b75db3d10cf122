"""Rows are only ever added, whole, whatever they hold; what a reader has stays as it was."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtnb.protocol.events import Event, raw_of, write_json
from rtnb.timeline import store as store_module
from rtnb.timeline.store import (
    BYTES_PER_MS,
    WORTH_PACKING,
    FormatInEffect,
    Store,
    Vocabulary,
    event_of,
    read_frame,
    unreadable,
)

Build = Callable[..., bytes]


def add(store: Store, raw: bytes, t: float = 0.0) -> Any:
    return store.append(raw, direction="received", t=t, late_ms=0.0)


def test_growing_leaves_views_alone(word: Build) -> None:
    """A column that a reader holds neither moves nor changes while the store grows past its room."""
    store = Store()
    for number in range(1000):
        add(store, word("a"), t=float(number))
    held, room = store.rows["t"][:1000], len(store.rows)
    before = held.copy()
    for _ in range(3 * room):
        add(store, word("b"), t=-1.0)
    assert len(store.rows) > room
    assert (held == before).all()
    assert (store.rows["t"][:1000] == before).all()


def test_audio_lives_once(sound: Build) -> None:
    """The bytes in the table are the very object that the event handed to the conversation."""
    store = Store()
    event = add(store, sound(b"\1\2" * 600))
    assert store.audio(0) is event.audio
    assert store.event(0).audio is event.audio


def test_audio_of_other_rows(frame: Build, word: Build) -> None:
    """A small audio frame is decoded on demand; a row without audio has none."""
    store = Store()
    add(store, frame("response.audio.delta", delta="AAAA"))
    add(store, word("x"))
    assert (store.audio(0), store.audio(1)) == (bytes(3), b"")


def test_undecodable_audio_is_a_problem(frame: Build) -> None:
    """An audio field that is no base64 leaves a row that says so; an empty one is no problem."""
    store = Store()
    assert "'delta' is not base64" in add(store, frame("response.audio.delta", delta="???")).problem
    assert add(store, frame("response.audio.delta", delta="")).problem == ""
    assert np.isnan(store.rows["audio_ms"][:2]).all()
    assert "not base64" in store.event(0).problem
    assert list(store.problems) == [0]


@pytest.mark.parametrize("name", ["content_line", "read_frame"])
def test_recorded_though_interpretation_fails(name: str, word: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """When interpreting a frame raises, the row is there with its frame and the reason, and the next row is as ever."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("boom")

    store = Store()
    with monkeypatch.context() as patch:
        patch.setattr(store_module, name, broken)
        event = add(store, word("lost?"))
    add(store, word("next"))
    assert store.length == len(store.frames) == 2
    assert store.raw(0) == word("lost?")
    assert "RuntimeError: boom" in event.problem
    assert "RuntimeError: boom" in store.texts[0]
    assert store.texts[1] == "next"


def test_reading_again_does_not_raise(word: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that breaks its parser on demand gives an event with the reason."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("boom")

    store = Store()
    add(store, word("x"))
    monkeypatch.setattr(store_module, "event_of", broken)
    event = store.event(0)
    assert event.raw == word("x")
    assert "boom" in event.problem


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"type":"x","n":' + b"9" * 5000 + b"}",
        b'{"type":"error","error":NaN}',
        b'{"type":"\\ud800","item_id":"\\udc00"}',
        b'{"type":"conversation.item.added","item":{"content":5}}',
        b'{"type":"session.created","session":{"audio":{"input":[]}}}',
        b'{"type":"response.created","response":{"output":[{"content":[1]}],"id":{}}}',
        b'{"type":"rate_limits.updated","rate_limits":[null,{}]}',
        b'{"type":"input_audio_buffer.append","audio":{}}',
        b"\xff\xfe\x00",
    ],
)
def test_hostile_frames_are_rows(raw: bytes) -> None:
    """No frame keeps itself out of the table."""
    store = Store()
    event = add(store, raw)
    assert store.length == 1
    assert store.raw(0) == event.raw == raw
    assert store.event(0).problem == event.problem


def test_unknown_direction_is_refused(word: Build) -> None:
    """A direction that is none of the three is the caller's mistake, and leaves no trace."""
    store = Store()
    with pytest.raises(ValueError, match="'back' is not one of 'sent', 'received', 'local'"):
        store.append(word("x"), direction="back", t=0.0, late_ms=0.0)
    assert store.length == len(store.frames) == 0


def test_vocabulary_numbers_words_as_they_come() -> None:
    """A word keeps its code."""
    words = Vocabulary("")
    assert [words.code(word) for word in ("a", "", "b", "a")] == [1, 0, 2, 1]
    assert words.words == ["", "a", "b"]


@pytest.mark.large
def test_readers_see_whole_rows_while_one_thread_writes(word: Build) -> None:
    """A reader on another thread finds every published row complete, at any moment of the store's growth."""
    store, failures = Store(), []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            length = store.length
            rows = store.rows[:length]
            if not (rows["t"] == np.arange(length)).all() or len(store.texts) < length or len(store.frames) < length:
                failures.append(length)
            if length and store.texts[length - 1] != str(length - 1):
                failures.append(length)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(10_000):
        add(store, word(str(number)), t=float(number))
    done.set()
    for reader in readers:
        reader.join()
    assert not failures


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


INPUT = {"type": "input_audio_buffer.append", "audio": "AAAA"}
OUTPUT = {"type": "response.output_audio.delta", "response_id": "resp_1", "delta": "AAAA"}


def event(fields: dict[str, Any]) -> Event:
    return Event.parse(write_json(fields))


def both(formats: FormatInEffect) -> tuple[str, str]:
    return formats.of(event(INPUT)), formats.of(event(OUTPUT))


GA_SESSION = {"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}}
PREVIEW_SESSION = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw"}


def test_pcm16_until_an_event_says_otherwise() -> None:
    """A session that says nothing speaks 24 kHz PCM16: 48 bytes a millisecond."""
    assert both(FormatInEffect()) == ("pcm16", "pcm16")
    assert BYTES_PER_MS == {"pcm16": 48.0, "g711_ulaw": 8.0, "g711_alaw": 8.0}


@pytest.mark.parametrize("session", [GA_SESSION, PREVIEW_SESSION])
@pytest.mark.parametrize("type", ["session.created", "session.updated"])
def test_service_sets_both(type: str, session: dict[str, Any]) -> None:
    """What the service says of the session holds for both directions, in either dialect's spelling."""
    formats = FormatInEffect()
    formats.watch(event({"type": type, "session": session}))
    assert both(formats) == ("g711_ulaw", "g711_alaw")


@pytest.mark.parametrize("session", [GA_SESSION, PREVIEW_SESSION])
def test_request_sets_input_only(session: dict[str, Any]) -> None:
    """A sent session.update changes what is appended after it; the answer changes with the service's word."""
    formats = FormatInEffect()
    formats.watch(event({"type": "session.update", "session": session}))
    assert both(formats) == ("g711_ulaw", "pcm16")


@pytest.mark.parametrize(
    "response",
    [
        {"id": "resp_1", "output_audio_format": "g711_ulaw"},
        {"id": "resp_1", "audio": {"output": {"format": {"type": "audio/pcmu"}}}},
    ],
)
def test_response_has_its_own(response: dict[str, Any]) -> None:
    """A response that was asked for in another encoding is measured by it, and no other is."""
    formats = FormatInEffect()
    formats.watch(event({"type": "response.created", "response": response}))
    assert both(formats) == ("pcm16", "g711_ulaw")
    assert formats.of(event({**OUTPUT, "response_id": "resp_2"})) == "pcm16"


@pytest.mark.parametrize("session", [{}, {"audio": None}, {"output_audio_format": "flac"}, {"audio": {"output": 5}}])
def test_nonsense_changes_nothing(session: dict[str, Any]) -> None:
    """A session that says nothing, or nothing known, leaves the encodings as they are."""
    formats = FormatInEffect()
    formats.watch(event({"type": "session.updated", "session": PREVIEW_SESSION}))
    formats.watch(event({"type": "session.updated", "session": session}))
    formats.watch(event({"type": "response.created", "response": {"id": "resp_1"}}))
    assert both(formats) == ("g711_ulaw", "g711_alaw")
