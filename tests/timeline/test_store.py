"""Rows are only ever added, whole, whatever they hold; what a reader has stays as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtnb.timeline import store as store_module
from rtnb.timeline.store import Store, Vocabulary

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
