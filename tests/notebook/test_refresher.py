"""One thread refreshes every view, at most twelve times a second, and nothing stops it but having nothing to do."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from rtnb.notebook.refresher import INTERVAL, Refresher, shared


class View:
    """Counts its refreshes."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.times: list[float] = []
        self.threads: set[threading.Thread] = set()
        self.act = act
        self.seen = threading.Event()

    def refresh(self) -> None:
        self.times.append(time.monotonic())
        self.threads.add(threading.current_thread())
        self.seen.set()
        self.act()

    def wait(self, more: int = 1) -> None:
        """Wait until it has been refreshed so many times more."""
        for _ in range(more):
            self.seen.clear()
            assert self.seen.wait(20)


def ended(thread: threading.Thread) -> bool:
    thread.join(20)
    return not thread.is_alive()


def test_one_thread_refreshes_all_views() -> None:
    """Two views have the same writer, which is not the thread that made them."""
    refresher = Refresher()
    one, other = View(), View()
    refresher.add(one)
    refresher.add(other)
    one.wait(2)
    other.wait(2)
    assert one.threads == other.threads
    (thread,) = one.threads
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_a_view_is_refreshed_at_most_twelve_times_a_second() -> None:
    """However busy the refresher is with jobs, two refreshes are an interval apart, and jobs do not starve the views."""
    refresher, view, more = Refresher(), View(), True

    def again() -> None:
        if more:
            refresher.do(again)

    refresher.add(view)
    again()
    view.wait(6)
    more = False
    gaps = [later - earlier for earlier, later in zip(view.times, view.times[1:], strict=False)]
    assert min(gaps) >= INTERVAL * 0.99
    assert INTERVAL >= 1 / 12


def test_a_broken_view_stops_no_other_and_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in one view is one line in the log, however often it is raised."""
    refresher = Refresher()

    def fail() -> None:
        raise ValueError("cannot be drawn")

    broken, good = View(fail), View()
    refresher.add(broken)
    refresher.add(good)
    broken.wait(4)
    good.wait(2)
    assert [record.message for record in caplog.records] == ["a view could not be drawn"]
    refresher.remove(broken)


def test_a_broken_job_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What a browser's message breaks is reported, and the next message is answered."""
    refresher, done = Refresher(), threading.Event()

    def fail() -> None:
        raise KeyError("no such row")

    refresher.do(fail)
    refresher.do(done.set)
    assert done.wait(20)
    assert [record.message for record in caplog.records] == ["a view's message could not be answered"]


def test_a_view_without_references_is_forgotten_and_the_thread_ends() -> None:
    """The refresher keeps no view alive, not even between two ticks, and without views there is no thread."""
    refresher, view = Refresher(), View()
    refresher.add(view)
    view.wait(2)
    (thread,) = view.threads
    forgotten = weakref.ref(view)
    del view
    gc.collect()
    assert ended(thread)
    assert forgotten() is None


def test_the_refresher_begins_again_after_its_end() -> None:
    """A view added after the last one was removed is refreshed, by a new thread."""
    refresher, first = Refresher(), View()
    refresher.add(first)
    first.wait()
    refresher.remove(first)
    assert ended(next(iter(first.threads)))
    second = View()
    refresher.add(second)
    second.wait()
    assert first.threads != second.threads


def test_views_come_and_go_from_many_threads() -> None:
    """Adding and removing from many threads while the refresher runs breaks nothing and loses no view."""
    refresher, kept = Refresher(), View()
    refresher.add(kept)
    views = [[View() for _ in range(200)] for _ in range(4)]

    def churn(mine: list[View]) -> None:
        for view in mine:
            refresher.add(view)
        for view in mine[:-1]:
            refresher.remove(view)

    threads = [threading.Thread(target=churn, args=(mine,)) for mine in views]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in views:
        mine[-1].wait()
    kept.wait()
    assert len(kept.threads) == 1


def test_a_view_collected_inside_the_refresher_takes_itself_out() -> None:
    """A finalizer may call `remove` on a thread that is inside the refresher at that moment."""
    refresher, removed = Refresher(), threading.Event()
    view = View()
    refresher.add(view)

    def finalize() -> None:
        refresher.remove(view)
        removed.set()

    with refresher._lock:  # where a collection may happen
        finalize()
    assert removed.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_refresher_of_its_own() -> None:
    """A view made after a fork is refreshed in the child, where the parent's thread does not exist."""
    view = View()
    shared().add(view)
    view.wait()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        mine = View()
        shared().add(mine)
        os.write(write, b"y" if mine.seen.wait(20) else b"n")
        os._exit(0)
    assert os.read(read, 1) == b"y"
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    shared().remove(view)
