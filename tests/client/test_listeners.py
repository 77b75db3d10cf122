"""Listeners: told in order, on a thread of their own, where none can harm another."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from rtnb.client.listeners import Listeners, matches
from rtnb.errors import ConfigurationError
from rtnb.protocol.events import Event


def event(type: str, **fields: Any) -> Event:
    return Event.parse(json.dumps({"type": type, **fields}).encode())


class Heard(Listeners):
    """Listeners that keep what was reported."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, BaseException, Event]] = []
        super().__init__(lambda *report: self.reports.append(report))

    def tell(self, *events: Event) -> None:
        for each in events:
            self.emit(each)
        self.stop()
        self.join(10)


@pytest.mark.parametrize(
    ("pattern", "type", "expected"),
    [
        ("*", "anything", True),
        ("response.audio.delta", "response.output_audio.delta", True),
        ("response.output_audio.delta", "response.audio.delta", True),
        ("response.*", "response.audio.delta", True),
        ("response.output_*", "response.audio.delta", True),
        ("response.audio*", "response.audio_transcript.delta", True),
        ("*.delta", "response.text.delta", True),
        ("conversation.item.created", "conversation.item.added", True),
        ("error", "error", True),
        ("error", "response.done", False),
        ("response.*", "session.created", False),
        ("response.text.delta", "response.audio.delta", False),
        ("future.*", "future.event", True),
    ],
)
def test_a_pattern_means_a_name_in_either_dialect_or_a_glob(pattern: str, type: str, expected: bool) -> None:
    """On the wire or in GA's words."""
    assert matches(pattern, event(type)) is expected


def test_events_are_passed_on_in_order_on_another_thread() -> None:
    """Each once."""
    listeners, heard, threads = Heard(), [], set()

    def listen(each: Event) -> None:
        heard.append(each["n"])
        threads.add(threading.current_thread())

    listeners.add("*", listen)
    listeners.tell(*(event("a", n=n) for n in range(500)))
    assert heard == list(range(500))
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_once_is_once_and_off_is_off() -> None:
    """A listener that is there twice loses one registration, not both."""
    listeners = Heard()
    once: list[int] = []
    kept: list[int] = []
    gone: list[int] = []
    both: list[int] = []

    def append_both(each: Event) -> None:
        both.append(each["n"])

    listeners.add("a", lambda each: once.append(each["n"]), once=True)
    listeners.add("a", lambda each: kept.append(each["n"]))
    forgotten = gone.append
    listeners.add("a", forgotten)
    listeners.remove("a", forgotten)
    listeners.add("a", append_both)
    listeners.add("a", append_both, once=True)
    listeners.tell(event("a", n=1), event("b", n=2), event("a", n=3))
    assert (once, kept, gone, both) == ([1], [1, 3], [], [1, 1, 3])


def test_off_without_a_listener_forgets_the_whole_pattern() -> None:
    """Other patterns stay."""
    listeners = Heard()
    heard: list[str] = []
    listeners.add("a", lambda each: heard.append("a"))
    listeners.add("a", lambda each: heard.append("a too"))
    listeners.add("*", lambda each: heard.append("*"))
    listeners.remove("a")
    listeners.tell(event("a"))
    assert heard == ["*"]


@pytest.mark.parametrize("raised", [ValueError("no"), KeyboardInterrupt(), SystemExit(1), GeneratorExit()])
def test_a_listener_that_raises_is_reported_and_stops_nothing(raised: BaseException) -> None:
    """Neither the others nor the events that follow, whatever it raises."""
    listeners = Heard()
    heard: list[int] = []

    def bad(each: Event) -> None:
        raise raised

    listeners.add("*", bad)
    listeners.add("*", lambda each: heard.append(each["n"]))
    listeners.tell(event("a", n=1), event("a", n=2))
    assert heard == [1, 2]
    assert [(name, error) for name, error, _ in listeners.reports] == [("bad", raised)] * 2


def test_a_listener_may_register_and_forget_listeners() -> None:
    """From its own thread, without a deadlock."""
    listeners = Heard()
    heard: list[str] = []

    def first(each: Event) -> None:
        listeners.remove("a", first)
        listeners.add("b", lambda each: heard.append(each.type))

    listeners.add("a", first)
    told = threading.Event()
    listeners.add("a", lambda each: told.set())
    listeners.emit(event("a"))
    assert told.wait(10)
    listeners.tell(event("a"), event("b"))
    assert heard == ["b"]


def test_what_is_there_already_is_passed_on_at_once() -> None:
    """A session that is open already."""
    listeners = Heard()
    heard: list[str] = []
    listeners.add("open", lambda each: heard.append(each.type), now=event("open"))
    listeners.add("close", lambda each: heard.append(each.type), now=event("open"))
    listeners.tell()
    assert heard == ["open"]


async def coroutine(each: Event) -> None: ...


@pytest.mark.parametrize("wrong", [None, 7, "print", coroutine])
def test_what_cannot_listen_is_refused(wrong: Any) -> None:
    """A plain function is wanted; for coroutines there are events()."""
    with pytest.raises(ConfigurationError, match=r"session\.events\(\)"):
        Heard().add("*", wrong)


def test_stopping_and_starting_again_keeps_the_listeners() -> None:
    """What was queued before is told before what comes afterwards, by one thread at a time."""
    listeners, heard = Heard(), []
    gate = threading.Event()

    def slow(each: Event) -> None:
        gate.wait(10)
        heard.append(each["n"])

    listeners.add("*", slow)
    listeners.emit(event("a", n=1))
    listeners.emit(event("a", n=2))
    listeners.stop()
    listeners.start()
    listeners.emit(event("a", n=3))
    gate.set()
    listeners.tell(event("a", n=4))
    assert heard == [1, 2, 3, 4]


def test_nothing_waits_for_a_session_that_is_over() -> None:
    """A listener that is added then costs no thread, and hears what comes when it goes on."""
    listeners, heard = Heard(), []
    before = threading.active_count()
    listeners.stop()
    listeners.add("a", lambda each: heard.append(each["n"]))
    listeners.emit(event("a", n=1))
    assert threading.active_count() == before
    listeners.stop()
    listeners.start()
    listeners.tell(event("a", n=2))
    assert heard == [2]


def test_with_the_end_of_the_process_only_the_close_event_is_passed_on() -> None:
    """What waits is dropped, what a listener raises then is not reported, and a slow one does not keep the process."""
    listeners, heard = Heard(), []
    busy, free = threading.Event(), threading.Event()

    def slow(each: Event) -> None:
        heard.append(each.type)
        busy.set()
        free.wait(10)
        raise ValueError("the session is gone")

    listeners.add("response.*", slow)
    listeners.add("close", lambda each: heard.append("closed"))
    listeners.emit(event("response.created"))
    listeners.emit(event("response.done"))
    busy.wait(10)

    async def close() -> None:
        listeners.emit(event("response.output_text.delta"))
        listeners.emit(event("close"))
        listeners.stop()
        free.set()

    asyncio.run(listeners.end(close))
    listeners.join(10)
    assert heard == ["response.created", "closed"]
    assert listeners.reports == []
