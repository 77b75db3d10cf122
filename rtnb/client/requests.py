"""`Requests`: client events that the service acknowledges, each sent with an id and awaited by its acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rtnb.audio import to_clip
from rtnb.client.audio_input import UserTurn, append_commands, spoken_turn
from rtnb.client.connection import Connection
from rtnb.client.message_content import content_parts, is_spoken
from rtnb.client.session_kind import SessionKind, session_kind
from rtnb.client.waiters import MOMENT, Predicate, Waiter, never
from rtnb.conversation.items import Item
from rtnb.errors import ResponseTimeout, RtnbError, ServerError
from rtnb.formatting import seconds
from rtnb.protocol import commands
from rtnb.protocol.catalog import TRANSLATION
from rtnb.protocol.commands import Command
from rtnb.protocol.events import RECEIVED, Event
from rtnb.protocol.names import Kind

_END_SECONDS = 10.0
UNCONFIRMED_SECONDS = 5.0
"""Seconds after which a service that has never confirmed a change of settings is not expected to."""
NOT_ACTIVE = "response_cancel_not_active"
_UNCONFIRMED_CUT = "the service did not confirm that it cut an interrupted answer: it may remember more than was heard"


class Requests:
    """Sends requests over one connection; what each does and raises is described at `AsyncSession`'s method of its name.

    Parameters
    ----------
    connection : Connection
    timeout : float
        Seconds to wait for each acknowledgement.
    asked : SessionKind
        The kind of session that was asked for, for a service that does not say which one it opened.
    """

    def __init__(self, connection: Connection, timeout: float, asked: SessionKind | None = None) -> None:
        self.connection = connection
        self.timeout = timeout
        self._asked = asked or session_kind("")

    @property
    def kind(self) -> SessionKind:
        """Return which kind of session this is: what the service says, else what was asked for."""
        stated = self.connection.conversation.config.get("type")
        return session_kind(stated) if stated else self._asked

    async def acknowledged(
        self,
        command: Command,
        kind: Kind,
        matching: Predicate = lambda event: True,
        *,
        before: Iterable[Command] = (),
        proof: Predicate = never,
        timeout: float = math.inf,
    ) -> Event:
        """Send a command and return the event that acknowledges it.

        Parameters
        ----------
        command : dict
        kind : Kind
            Of the acknowledgement.
        matching : callable
            Which events of that kind are meant; by default the first.
        before : iterable of commands
            Sent first.
        proof : callable
            Which other events prove as well that it was done, such as the end of the response that is to be cancelled.
        timeout : float
            Seconds, if they are to be fewer than those of every request.

        Raises
        ------
        ServerError
            The service refused this very command.
        ResponseTimeout, SessionClosed
        """
        connection = self.connection
        connection.check_open()
        event_id, since, timeout = commands.new_id("event"), len(connection.timeline), min(timeout, self.timeout)
        try:
            waiter = Waiter(lambda event: (event.kind == kind and matching(event)) or proof(event), [event_id])
            with connection.waiting(waiter) as acknowledgement:
                async with asyncio.timeout(timeout):
                    for each in before:
                        await connection.send(each)
                    await connection.send({**command, "event_id": event_id})
                    answer = await acknowledgement
            connection.answered(since)
            return answer
        except TimeoutError:
            raise self.timed_out(kind, timeout, since) from None

    def timed_out(self, awaited: str, timeout: float, since: int) -> ResponseTimeout:
        """Return the error for something that did not come within `timeout` seconds, awaited from row `since` on."""
        return ResponseTimeout(
            f"No {awaited} within {seconds(timeout)}.{self.connection.error_words(since)} "
            "session.timeline.tail() shows what came instead.",
            waited_for=str(awaited),
            timeout=timeout,
        )

    async def send(self, event: Mapping[str, Any] | bytes | str) -> str:
        """Send anything, as it is; return the event id of an object, which gets one if it has none."""
        if isinstance(event, Mapping):
            return await self.connection.send_wire(event)
        await self.connection.send_frame(event if isinstance(event, bytes) else event.encode("utf-8", "surrogatepass"))
        return ""

    async def user_turn(self, prompt: object, *, image: object, detail: str | None) -> UserTurn:
        """Return what a prompt becomes: a message, or speech, behind a message of the images that it is about."""
        # Reading a file, drawing a figure and resampling a clip take a while, in which the loop must go on.
        spoken = await asyncio.to_thread(is_spoken, prompt) if isinstance(prompt, os.PathLike) else is_spoken(prompt)
        if not spoken:
            return UserTurn([await self.message(prompt, image=image, detail=detail)], False, False, "")
        turn = await asyncio.to_thread(spoken_turn, prompt, self.connection.conversation.config)
        if image is None and detail is None:
            return turn
        shown = await self.message(None, image=image, detail=detail)
        return replace(turn, commands=[shown, *turn.commands])

    async def message(self, content: object, role: str = "user", **images: Any) -> Command:
        """Return the command that adds a message; the keywords are those of `content_parts`."""
        alone = images.get("image") is None and images.get("detail") is None
        if alone and isinstance(content, str) and not content.startswith("data:"):
            return commands.text_message(content, role)
        connection = self.connection
        given = (content, role, connection.dialect, connection.conversation.config)
        return commands.message(await asyncio.to_thread(content_parts, *given, **images), role)

    async def add_message(self, content: object, role: str, *, detail: str | None = None) -> Item:
        """Add a message to the conversation."""
        self.kind.check("add_message()")
        command = await self.message(content, role, detail=detail)
        command["item"]["id"] = own = commands.new_id("item")

        def same(event: Event) -> bool:
            item = event.part("item")
            return item.get("id") == own or item.get("role") == role

        event = await self.acknowledged(command, Kind.ITEM_ADDED, same)
        return self.connection.conversation.items.get(event.item_id) or Item(event.item_id, role=role)

    async def append_audio(self, clip: object) -> float:
        """Append speech to the input buffer, in the session's format; return its length in seconds."""
        # Reading and resampling a long clip takes a while, in which the loop must go on.
        speech = await asyncio.to_thread(to_clip, clip)
        for command in await asyncio.to_thread(append_commands, speech, self.connection.conversation.config):
            await self.connection.send(command)
        return speech.duration

    async def update(self, command: Command) -> bool:
        """Change the settings; return whether the service confirmed it.

        Open-source servers never send ``session.updated``. One that has sent none so far, and does not refuse the change
        in a few seconds, is taken to have it in effect; if a confirmation comes after all, it counts.
        """
        timeline = self.connection.timeline
        earlier = timeline[timeline["kind"] == Kind.SESSION_UPDATED]["direction"]
        if (earlier == RECEIVED).any():
            await self.acknowledged(command, Kind.SESSION_UPDATED)
            return True
        try:
            await self.acknowledged(
                command, Kind.SESSION_UPDATED, timeout=UNCONFIRMED_SECONDS if not len(earlier) else MOMENT
            )
        except ResponseTimeout:
            self.connection.assume(Kind.SESSION_UPDATED, session=command["session"])
            return False
        return True

    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        self.kind.check("commit()")
        event = await self.acknowledged(commands.commit(), Kind.INPUT_COMMITTED, proof=_adds_speech)
        return event.item_id

    async def clear(self) -> None:
        """Empty the input buffer."""
        self.kind.check("clear()")
        await self.acknowledged(commands.clear(), Kind.INPUT_CLEARED)

    async def cancel(self, response_id: str | None = None) -> None:
        """Cancel the response in progress, or the one named, and wait for its end; where it has ended, there is no need."""
        self.kind.check("cancel()")
        conversation = self.connection.conversation
        state = conversation.responses.get(response_id) if response_id else conversation.active
        nothing = not response_id and state is None and not conversation.requested.in_band
        if nothing or (state is not None and not state.active):
            return

        def ended(event: Event) -> bool:
            return event.kind == Kind.RESPONSE_DONE if state is None else not state.active

        try:
            await self.acknowledged(commands.response_cancel(response_id), Kind.RESPONSE_DONE, never, proof=ended)
        except ServerError as error:
            if error.code != NOT_ACTIVE or (response_id and state is None):
                raise

    async def cut(self, item_id: str, heard_ms: int, content_index: int = 0) -> None:
        """Cut an item that was interrupted at what was heard of it; delete it if that is nothing.

        Open-source servers acknowledge neither. That it was cut is known here, and a refusal comes soon, if one comes.
        """
        request = self.truncate(item_id, heard_ms, content_index, MOMENT) if heard_ms else self.delete(item_id, MOMENT)
        try:
            await request
        except ResponseTimeout:
            self.connection.note_problem(_UNCONFIRMED_CUT, about=_UNCONFIRMED_CUT)
            if heard_ms:
                fields = {"item_id": item_id, "content_index": content_index, "audio_end_ms": heard_ms}
                self.connection.assume(Kind.ITEM_TRUNCATED, **fields)
            else:
                self.connection.assume(Kind.ITEM_DELETED, item_id=item_id)

    async def truncate(
        self, item_id: str, audio_end_ms: int, content_index: int = 0, timeout: float = math.inf
    ) -> None:
        """Cut an assistant item after so many milliseconds of its audio."""
        self.kind.check("truncate()")
        command = commands.item_truncate(item_id, audio_end_ms, content_index)
        await self.acknowledged(command, Kind.ITEM_TRUNCATED, lambda event: event.item_id == item_id, timeout=timeout)

    async def delete(self, item_id: str, timeout: float = math.inf) -> None:
        """Delete an item."""
        command = commands.item_delete(item_id)
        await self.acknowledged(command, Kind.ITEM_DELETED, lambda event: event.item_id == item_id, timeout=timeout)

    async def end(self) -> None:
        """Ask a translation session to end, and wait a while for what is still to come; other sessions are just closed."""
        if self.connection.closed is not None or self.kind.type != TRANSLATION:
            return
        with contextlib.suppress(RtnbError, TimeoutError):
            async with asyncio.timeout(min(self.timeout, _END_SECONDS)):
                await self.acknowledged(commands.session_close(), Kind.SESSION_CLOSED)


def _adds_speech(event: Event) -> bool:
    """Return whether an event adds speech of the user's, which some servers send without the commit's acknowledgement."""
    item = event.part("item")
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    spoken = any(isinstance(part, Mapping) and part.get("type") == "input_audio" for part in parts)
    return event.kind == Kind.ITEM_ADDED and item.get("role") == "user" and spoken
