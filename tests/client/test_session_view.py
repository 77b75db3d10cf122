"""What views need of a session: the verbs that they call from their own threads, and what has none of them."""

from __future__ import annotations

import asyncio
import threading

from one_loop import open_for_views, until

from rtnb.client.session_view import ViewedSession
from rtnb.conversation.recording import Recording
from rtnb.notebook.session import Session
from rtnb.timeline import Timeline


async def test_both_forms_of_a_session_can_be_viewed_and_a_recording_cannot() -> None:
    """Each names the session that does the work."""
    session, _ = await open_for_views()
    facade = Session(session, session._io)
    assert isinstance(session, ViewedSession)
    assert isinstance(facade, ViewedSession)
    assert facade.core is session.core is session
    assert not isinstance(Recording(Timeline()), ViewedSession)


async def test_a_view_begins_work_from_its_own_thread() -> None:
    """Submit runs a coroutine on the I/O loop and gives its outcome, call_soon runs a function there."""
    session, service = await open_for_views()
    called: list[tuple[str, threading.Thread]] = []
    outcomes = []

    def view() -> None:
        outcomes.append(session.submit(session.commit()))
        session.call_soon(lambda word: called.append((word, threading.current_thread())), "x")

    thread = threading.Thread(target=view)
    thread.start()
    await until(lambda: outcomes and outcomes[0].done() and called)
    thread.join()
    assert outcomes[0].result() == "item_spoken"
    assert service.types() == ["input_audio_buffer.commit"]
    assert called == [("x", threading.current_thread())]


async def test_a_view_reads_the_sessions_clock_and_notes_problems() -> None:
    """The clock is the one of the timeline's t."""
    session, _ = await open_for_views()
    await asyncio.sleep(0)
    assert session.timeline[-1].t <= session.now()
    session.note_problem("the answer could not be cut")
    assert session.problems[-1] == "the answer could not be cut"
    assert session.summary().problems == session.problems
