"""`Refresher`: the one thread that writes to widgets, at most 12 times a second for each."""

from __future__ import annotations

import functools
import logging
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

INTERVAL = 1 / 12
_log = logging.getLogger("rtnb")


class Refreshed(Protocol):
    """A view that the refresher redraws."""

    def refresh(self) -> None:
        """Draw what has changed since the last call; on the refresher's thread."""


class Refresher:
    """Redraws views, and runs the jobs that their messages cause, on one thread.

    Events are not pushed to views: at each tick a view compares what it shows with what there is and draws the difference.
    So a burst of events costs a view no more than a trickle, and the path of an event does not depend on views.
    """

    def __init__(self) -> None:
        self._views: weakref.WeakSet[Refreshed] = weakref.WeakSet()
        self._broken: weakref.WeakSet[Refreshed] = weakref.WeakSet()
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        # Reentrant: a collected view removes itself, and it may be collected while this very thread holds the lock.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def add(self, view: Refreshed) -> None:
        """Redraw `view` from now on; the refresher holds only a weak reference to it."""
        with self._lock:
            self._views.add(view)
            self._ensure_thread()

    def remove(self, view: Refreshed) -> None:
        """Stop redrawing `view`."""
        with self._lock:
            self._views.discard(view)

    def do(self, job: Callable[[], object]) -> None:
        """Run `job` on the refresher's thread as soon as possible; callable from any thread, does not wait."""
        with self._lock:
            self._jobs.put(job)
            self._ensure_thread()

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="rtnb-refresher", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            self._work_until(due)
            self._refresh_all()
            due = time.monotonic() + INTERVAL  # from the end of the last refresh, so that no two are ever closer
            with self._lock:
                if not self._views and self._jobs.empty():
                    self._thread = None
                    return

    # In methods of their own, so that between two ticks no local of this thread keeps a view alive.

    def _work_until(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            try:
                job = self._jobs.get(timeout=left)
            except queue.Empty:
                return
            try:
                job()
            except Exception:  # one broken message must not stop the views
                _log.exception("a view's message could not be answered")
            del job

    def _refresh_all(self) -> None:
        with self._lock:
            views = list(self._views)
        for view in views:
            try:
                view.refresh()
            except Exception:  # one broken view must not stop the others, nor fill the log
                if view not in self._broken:
                    _log.exception("a view could not be drawn")
                self._broken.add(view)
            else:
                self._broken.discard(view)


def shared() -> Refresher:
    """Return the refresher of this process; a forked child has one of its own."""
    return _shared(os.getpid())


@functools.cache
def _shared(pid: int) -> Refresher:
    return Refresher()
