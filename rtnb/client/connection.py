"""`Connection`: one connection, where every frame is recorded first, then interpreted, then passed on.

It owns the transport, the reader task and the timeline, and lives on the I/O loop. It decides nothing about what to say;
the session does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rtnb.client.connection_errors import closed_error, server_error
from rtnb.client.credentials import Credential
from rtnb.client.listeners import Listeners, matches
from rtnb.client.problems import Problems
from rtnb.client.remarks import REMARKED_KINDS, Remarks
from rtnb.client.transport import Closed, Transport
from rtnb.client.waiters import Waiter, Waiters
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.remote_tools import FAILURE_KINDS, remote_failure
from rtnb.errors import ServerError, SessionClosed
from rtnb.formatting import one_line, seconds
from rtnb.protocol.commands import new_id
from rtnb.protocol.dialect_mismatch import dialect_of_refusal, hint, other_dialect
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event, write_json
from rtnb.protocol.failures import failed_part, failure_words
from rtnb.protocol.mcp_tools import tool_secrets
from rtnb.protocol.names import Kind, Local, kind_of
from rtnb.timeline import Timeline

Clock = Callable[[], float]
Recorder = Callable[[Event, float], None]
Record = Callable[[Timeline], Recorder]
_DRAIN_SECONDS = 0.5
_BREATH = 100
_log = logging.getLogger("rtnb")


class Connection:
    """A transport, and the record of everything that crossed it.

    Parameters
    ----------
    transport : Transport
    dialect : Dialect
    credential : Credential
        Only to keep its secrets out of the log.
    title : str
        What this is connected to, for messages.
    clock : callable
        Monotonic seconds.
    late_ms : callable
        ``late_ms(now)``: by how much the loop may have noticed `now` too late.
    record : callable, optional
        ``record(timeline)`` returns a function that is called with each row and its lateness, to write it to a file.
    send_timeout : float
        Seconds that the peer may leave a frame unread before the connection is given up.
    explain : callable
        ``explain(error)`` returns what else is to be said of a refusal; empty for nothing.
    remarks : Remarks, optional
        Notes on the settings, for the problems.
    """

    def __init__(
        self,
        transport: Transport,
        dialect: Dialect,
        credential: Credential,
        *,
        title: str = "",
        clock: Clock = time.monotonic,
        late_ms: Callable[[float], float] = lambda now: 0.0,
        record: Record | None = None,
        send_timeout: float = 30.0,
        explain: Callable[[ServerError], str] = lambda error: "",
        remarks: Remarks | None = None,
    ) -> None:
        self._remarks = remarks or Remarks()
        self._explain = explain
        self._transport = transport
        self._credential = credential
        self._clock = clock
        self._late_ms = late_ms
        self._send_timeout = send_timeout
        self.dialect = dialect
        self.origin = clock()
        self.timeline = Timeline(started=datetime.now(UTC), origin=self.origin, title=title)
        self._recorder = record(self.timeline) if record else None
        self.conversation = Conversation()
        self.waiters = Waiters(self._resolved)
        self.listeners = Listeners(self._listener_raised)
        self._problems = Problems()
        self.closed: SessionClosed | None = None
        self.opened = Event(b"", {}, type=Local.OPEN.value, direction=LOCAL, t=0.0)
        self.created: Event | None = None
        self._closing: Closed | None = None
        self.last_error = ""
        self._error_row = -1
        self._spoken_there: Dialect | None = None
        self._last_activity: float | None = None
        self._pulse = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name="rtnb-reader")
        self.listeners.emit(self.opened)

    def now(self) -> float:
        """Return the seconds since the session opened."""
        return self._clock() - self.origin

    @property
    def problems(self) -> list[str]:
        """Return what went wrong, the newest last, see `Problems`."""
        return self._problems.words

    def reopen(self, transport: Transport) -> None:
        """Go on over another transport: one timeline, with a row where the seam is."""
        self._transport = transport
        self._closing = self.closed = self.created = None
        self.last_error = ""
        self.waiters = Waiters(self._resolved)
        self.listeners.start()
        self._reader = asyncio.create_task(self._read(), name="rtnb-reader")
        seam = self.note(Local.RESUME, message="connected anew; what follows is another connection of the same session")
        self.conversation.apply(seam)
        self.opened = Event(b"", {}, type=Local.OPEN.value, direction=LOCAL, t=seam.t)
        self.listeners.emit(seam)
        self.listeners.emit(self.opened)

    # Receiving --------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Take frames until there are no more; whatever ends this task, every waiter fails with the reason."""
        end = Closed(1006, "rtnb's reader stopped", "network")
        try:
            while True:
                self._take(await self._transport.receive())
        except Closed as closed:
            end = closed
        except asyncio.CancelledError:
            end = Closed(1006, "the session was abandoned here", "client")
            raise
        except Exception as error:
            end = Closed(1006, f"reading failed: {one_line(f'{type(error).__name__}: {error}', 200)}", "network")
            with contextlib.suppress(Exception):
                await self._transport.close(1011)
        finally:
            self._end(self._closing or end)

    def _take(self, raw: bytes) -> None:
        event = self._record(self._credential.scrub(raw), RECEIVED)
        self._last_activity = event.t
        try:
            self._interpret(event)
        except Exception as error:  # the row is there; whatever else is wrong with it, the next one must be read
            self.note_problem(
                f"row {event.seq} could not be interpreted: {one_line(f'{type(error).__name__}: {error}', 200)}"
            )

    def _interpret(self, event: Event) -> None:
        self.conversation.apply(event)
        if event.kind == Kind.SESSION_CREATED:
            self.created = event
        self.waiters.offer(event)
        if words := failure_words(event):
            self._failed(event, words)
        elif event.problem:
            self.note_problem(f"row {event.seq}: {one_line(event.problem, 200)}")
        if event.kind in FAILURE_KINDS and (words := remote_failure(self.conversation.item(event.item_id))):
            self.note_problem(words, about=event.item_id)
        if event.kind in REMARKED_KINDS:
            for words in self._remarks.take(event, self.conversation):
                self.note_problem(words)
        self.listeners.emit(event)

    def _failed(self, event: Event, words: str) -> None:
        """Keep a failure for the problems, unless a call raises it."""
        raised = self.waiters.raises(event)
        if event.kind == Kind.ERROR:
            words = str(self._explained(server_error(event)))
            if not raised:
                self.last_error, self._error_row = one_line(words, 600), event.seq
        if event.kind in (Local.NOT_JSON, Local.NO_TYPE):
            self.note_problem(f"row {event.seq}: {one_line(event.problem, 200)}")
        elif self.waiters.held is not event and event.kind not in FAILURE_KINDS:
            self._note_failure(event, words, raised=raised)

    def _note_failure(self, event: Event, words: str, *, raised: bool = False) -> None:
        problem = f"error from the service (row {event.seq}): {one_line(words, 600)}"
        self._problems.add(problem, about=failed_part(event), raised=raised)

    def _resolved(self, event: Event, raised: bool) -> None:
        """Note an error that named no event, once it is known whether a call raised it."""
        if not raised:
            self._note_failure(event, str(self._explained(server_error(event))))
        elif self._error_row == event.seq:
            self.last_error = ""

    def _record(self, raw: bytes, direction: str) -> Event:
        now = self._clock()
        late_ms = self._late_ms(now)
        event = self.timeline.store.append(raw, direction=direction, t=now - self.origin, late_ms=late_ms)
        if self._recorder is not None:
            try:
                self._recorder(event, late_ms)
            except Exception as error:
                self._recorder = None
                said = one_line(error, 200)
                self.note_problem(f"recording to the file stopped: {said}; session.save(path) still saves everything")
        self._pulse.set()
        return event

    def note(self, type: Local | Kind, **fields: Any) -> Event:
        """Record a row of our own, which never crossed the wire."""
        return self._record(self._credential.scrub(write_json({"type": type.value, **fields})), LOCAL)

    def assume(self, kind: Kind, **fields: Any) -> None:
        """Take as confirmed what the service has not refused, by a local row of the kind that would have confirmed it.

        So everything that reads the timeline, now or from a file, reads the same; that the row is local says whose word it is.
        """
        self.conversation.apply(self.note(kind, **fields))

    def greeted(self, created: Event) -> None:
        """Take note of whose shape the service's first word has, and say so where it is the other dialect's."""
        self._spoken_there = other_dialect(self.dialect, created.part("session"))
        if self._spoken_there is not None:
            self.note_problem(f"{created.type} has another shape: {hint(self.dialect, self._spoken_there)}")

    def _explained(self, error: ServerError) -> ServerError:
        """Add to a refusal that the service speaks the other dialect, or lacks the model, where that is why."""
        there = dialect_of_refusal(self.dialect, param=error.param, message=str(error), known=self._spoken_there)
        said = self._explain(error) if there is None else f"{hint(self.dialect, there)}."
        if said and said not in str(error):
            error.args = (f"{error} — {said}",)
        return error

    def note_problem(self, words: str, *, about: str = "") -> None:
        """Keep what went wrong for the session's repr, in place of earlier words about the same."""
        self._problems.add(words, about=about)

    def _listener_raised(self, name: str, error: BaseException, event: Event) -> None:
        """Report a listener's exception (on the listeners' thread)."""
        words = one_line(f"listener {name} raised {type(error).__name__}: {error}", 300)
        words = self._credential.scrub(words.encode("utf-8", "backslashreplace")).decode()
        # That the session is over is no fault of the listener's code, so where it was raised does not matter.
        expected = isinstance(error, SessionClosed) and self.closed is not None
        _log.warning("%s (on %s, row %d)", words, one_line(event.type), event.seq, exc_info=None if expected else error)
        loop = self._reader.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._note_listener, words, event.seq)

    def _note_listener(self, words: str, seq: int) -> None:
        self.note(Local.LISTENER_ERROR, message=words, row=seq)
        self.note_problem(words)

    # Sending ----------------------------------------------------------------------------------------------------------

    async def send(self, command: Mapping[str, Any]) -> str:
        """Encode, record and send a client event made in GA's shape; return its event id.

        Raises
        ------
        SessionClosed
            If the connection is at its end, with what the service last said about it.
        """
        return await self.send_wire(self.dialect.encode(command))

    async def send_wire(self, event: Mapping[str, Any]) -> str:
        """Record and send an event exactly as given, with an event id if it has none."""
        wire = dict(event)
        if secrets := list(tool_secrets(wire)):
            self._credential.keep(secrets)
        if wire.get("event_id") is None:
            wire["event_id"] = new_id("event")
        await self.send_frame(write_json(wire))
        return str(wire["event_id"])

    async def send_frame(self, frame: bytes) -> None:
        """Record and send a frame exactly as given."""
        self.check_open()
        reader = self._reader
        sent = self._record(self._credential.scrub(frame), SENT)
        self.conversation.apply(sent)
        try:
            async with asyncio.timeout(self._send_timeout):
                await self._transport.send(frame)
        except Closed as closed:
            await self._drain(reader)
            raise self.closed or self._closed_error(closed) from None
        except TimeoutError:
            await self.close(1011, f"the service read nothing for {seconds(self._send_timeout)}")
            raise self.closed or SessionClosed("The service stopped reading.", who="network") from None

    async def _drain(self, reader: asyncio.Task[None]) -> None:
        """Give the reader a moment: the frame that explains a refused send may still lie unread."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await asyncio.wait([reader])

    # Waiting ----------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def waiting(self, waiter: Waiter) -> Iterator[asyncio.Future[Event]]:
        """Offer a waiter what comes from now on, until the block is left; yields its future."""
        try:
            yield self.waiters.add(waiter).future
        except ServerError as error:
            self._explained(error)
            raise
        finally:
            self.waiters.discard(waiter)

    async def find(self, pattern: str | Callable[[Event], bool], start: int) -> Event | None:
        """Return the first received event from row `start` on that matches; None once the session is over."""
        row = start
        while True:
            self._pulse.clear()
            while row < len(self.timeline):
                event = self.timeline[row]
                row += 1
                if not row % _BREATH:
                    await asyncio.sleep(0)  # a long log must not keep the reader waiting
                if event.direction != SENT and (pattern(event) if callable(pattern) else matches(pattern, event)):
                    return event
            if self.closed is not None:
                return None
            await self._pulse.wait()

    def check_open(self) -> None:
        """Raise how the connection ended, if it has ended.

        Raises
        ------
        SessionClosed
        """
        if self.closed is not None:
            raise self.closed.with_traceback(None)

    def error_words(self, since: int) -> str:
        """Return a sentence with the last error from row `since` on that no call has raised; empty where there is none."""
        return f" The service last said: {self.last_error}." if self.last_error and self._error_row >= since else ""

    def answered(self, since: int) -> None:
        """Note that a request that was sent after row `since` was answered: no error before it can end the session now."""
        if self._error_row < since:
            self.last_error = ""

    def opening(self, type: str) -> Event | None:
        """Return the event that opened the connection, if `type` names one and it has come: for a listener that is late."""
        openings: dict[str, Event | None] = {Local.OPEN: self.opened, Kind.SESSION_CREATED: self.created}
        return openings.get(kind_of(type)) if self.closed is None else None

    # Ending -----------------------------------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; everything received stays. Returns within a few seconds whatever the peer does."""
        # A reconnect may put others in their place while this waits.
        transport, reader = self._transport, self._reader
        if self.closed is None and self._closing is None:
            self._closing = Closed(code, reason, "client")
        await transport.close(code, reason)
        if reader is not asyncio.current_task():
            await self._drain(reader)
            if not reader.done():
                reader.cancel()
                await asyncio.wait([reader])

    def _end(self, closed: Closed) -> None:
        if self.closed is not None:
            return
        reason = self._credential.scrub(closed.reason.encode("utf-8", "backslashreplace")).decode()
        closed = Closed(closed.code, reason, closed.who)
        self.waiters.release()
        event = self.note(Local.CLOSE, code=closed.code, reason=closed.reason, who=closed.who)
        self.conversation.apply(event)
        self.closed = self._closed_error(closed)
        if failure_words(event):
            self.note_problem(str(self.closed))
        self.waiters.fail(self.closed)
        self.listeners.emit(event)
        self.listeners.stop()
        self._pulse.set()

    async def close_at_exit(self) -> None:
        """Close with 1001, which says that the process is going away."""
        if self.closed is None:
            await self.listeners.end(functools.partial(self.close, 1001, "the process is ending"))

    def _closed_error(self, closed: Closed) -> SessionClosed:
        explained = "" if closed.who == "client" else self.last_error
        return closed_error(closed.code, closed.reason, closed.who, self._last_activity, explained)
