"""`Transcription`: the transcript of speech on its way, and `TranscriptionRequests`, which has a service make it without a response."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from rtnb import formatting
from rtnb.audio import AudioClip
from rtnb.audio.clip import clip_html
from rtnb.client.audio_input import append_commands, spoken_clip, turn_detected
from rtnb.client.connection import Connection
from rtnb.client.connection_errors import server_error
from rtnb.client.live_response import LiveResponse
from rtnb.client.loop import LoopThread
from rtnb.client.requests import Requests
from rtnb.client.settings import SessionSettings
from rtnb.client.waiters import Waiter
from rtnb.conversation.items import IN_PROGRESS, Item, Segment
from rtnb.conversation.transcripts import TRANSCRIPT_KINDS
from rtnb.errors import ConfigurationError, RtnbError
from rtnb.protocol import commands
from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL, TRANSCRIPTION
from rtnb.protocol.commands import Command
from rtnb.protocol.config import AUDIO_SETTINGS, copy_tree, look
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

if TYPE_CHECKING:
    from rtnb.timeline import Timeline

_DETECTION = AUDIO_SETTINGS["turn_detection"]
_SHOWN_SEGMENTS = 200


class Transcription(LiveResponse):
    """The transcript of speech, as `AsyncSession.transcribe` returns it. It grows by itself, as a live response does.

    What a response has, it has too: `transcript`, `status`, `usage`, `latency` (after the commit), `error`, `events`, `wait`;
    its item is the user's.

    Attributes
    ----------
    speech : AudioClip
        What was said.
    languages : list of str
        The languages that the service says it heard; empty where it says none.
    """

    def __init__(self, connection: Connection, io: LoopThread, speech: AudioClip) -> None:
        super().__init__(connection, io)
        self.speech = speech
        self.languages: list[str] = []
        self.item_id = ""

    @property
    def item(self) -> Item | None:
        """Return the conversation item that the speech became; None before it is there."""
        return next(iter(self.state.items.values()), None)

    @property
    def transcript(self) -> str:
        """Return the words so far; those of the segments where the service sends nothing else."""
        return super().transcript or " ".join(segment.text.strip() for segment in self.segments)

    @property
    def text(self) -> str:
        """Return the words so far, as `transcript` does."""
        return " ".join(part.transcript for part in self._parts if part.transcript)

    @property
    def segments(self) -> list[Segment]:
        """Return the pieces of the transcript with speaker, start and end (seconds); empty where the service sends none."""
        return [segment for part in self._parts for segment in part.segments]

    @property
    def logprobs(self) -> list[dict[str, Any]]:
        """Return the tokens with their log probabilities, as the service sends them.

        They come with ``include=["item.input_audio_transcription.logprobs"]``.
        """
        return [each for part in self._parts for each in part.logprobs]

    @property
    def events(self) -> Timeline:
        """Return the rows of the timeline that belong to the speech."""
        return self._timeline.select(item=self.item_id) if self.item_id else self._timeline[:0]

    @property
    def progress_words(self) -> str:
        """Return how much was said, for a view that shows the transcript while it grows."""
        return f"{formatting.seconds(self.speech.duration)} of speech"

    def _timeout_words(self, waited: str, time: str, said: str) -> str:
        return (
            f"No {waited} within {time}; the session lives on.{said} Give timeout= more seconds, or look at "
            "session.timeline.tail(); a transcript that still comes will be in session.conversation."
        )

    def __repr__(self) -> str:
        return f"<Transcription {', '.join(filter(None, self._facts()))}>"

    def _facts(self) -> list[str]:
        said = formatting.one_line(self.transcript, 60)
        return [self._status_words(), f'"{said}"' if said or self.status == "completed" else "", *self._heard_words()]

    def _heard_words(self) -> list[str]:
        speakers = sorted({segment.speaker for segment in self.segments if segment.speaker})
        languages = formatting.one_line(", ".join(self.languages), 60)
        return [
            self.progress_words,
            f"{formatting.plural(len(speakers), 'speaker')}" if speakers else "",
            f"in {languages}" if languages else "",
        ]

    def _figures(self) -> list[str]:
        latency = self.latency
        figures = [
            *filter(None, self._heard_words()),
            f"first words {formatting.seconds(latency.first_text)}",
            f"all {formatting.seconds(latency.done)} after the commit",
        ]
        return figures if self.status == "completed" else [self._status_words(), *figures]

    def _to_html(self) -> str:
        error = self.error
        return formatting.card(
            formatting.banner(formatting.one_line(error, 500)) if error else "",
            self._words_html(),
            *clip_html(self.speech),
            formatting.muted(" · ".join(map(formatting.escape, self._figures()))),
        )

    def _words_html(self) -> str:
        if segments := self.segments[:_SHOWN_SEGMENTS]:
            rows = [
                [
                    formatting.muted(formatting.escape(formatting.one_line(each.speaker, 40))),
                    formatting.muted(f"{formatting.seconds(each.start)} – {formatting.seconds(each.end)}"),
                    formatting.escape(formatting.one_line(each.text, 1000)),
                ]
                for each in segments
            ]
            return formatting.html_table(("speaker", "when", "words"), rows)
        said = formatting.printable(self.transcript)[:4000]
        return f'<div style="font-size:110%;white-space:pre-wrap">{formatting.escape(said)}</div>' if said else ""


class TranscriptionRequests:
    """Has the service transcribe speech of one session, one clip after the other.

    Parameters
    ----------
    requests : Requests
    settings : SessionSettings
        Switches turn detection off and on again.
    """

    def __init__(self, requests: Requests, settings: SessionSettings) -> None:
        self._requests = requests
        self._connection = requests.connection
        self._settings = settings

    def check(self) -> None:
        """Refuse to transcribe in a session that does not.

        Raises
        ------
        ConfigurationError
            With what to do instead.
        """
        kind = self._requests.kind
        kind.check("transcribe()")
        if kind.type != TRANSCRIPTION and not look(
            self._connection.conversation.config, AUDIO_SETTINGS["transcription"]
        ):
            raise ConfigurationError(
                "Transcription is off in this session; switch it on with session.configure(transcription="
                f"{{'model': {DEFAULT_TRANSCRIPTION_MODEL!r}}}), or connect with intent='transcription'."
            )

    async def prepare(self, speech: object, io: LoopThread) -> tuple[Transcription, list[Command]]:
        """Read speech; return its transcription, which is still empty, and the commands that append it.

        Raises
        ------
        AudioError
            It is no audio that can be read, or holds no sound at all.
        """
        # Reading and resampling a long clip takes a while, in which the loop must go on.
        clip = await asyncio.to_thread(spoken_clip, speech)
        said = await asyncio.to_thread(append_commands, clip, self._connection.conversation.config)
        return Transcription(self._connection, io, clip), said

    async def run(self, transcription: Transcription, said: Sequence[Command]) -> None:
        """Append and commit the speech, and follow its transcript to the end; errors are those of `AsyncSession.transcribe`."""
        connection = self._connection
        sent = [{**each, "event_id": commands.new_id("event")} for each in (*said, commands.commit())]
        event_ids = [each["event_id"] for each in sent]
        waiter = TranscriptWaiter(connection, transcription, event_ids)
        transcription.waits_for = Kind.INPUT_COMMITTED
        try:
            async with self._without_detection():
                connection.waiters.add(waiter)
                with connection.waiting(Waiter(waiter.bound, event_ids)) as committed:
                    for each in sent:
                        await connection.send(each)
                    transcription.state.requested_t = connection.now()
                    await committed
            last = await waiter.future
            if last.kind == Kind.INPUT_TRANSCRIPTION_FAILED:
                raise server_error(last)
        except asyncio.CancelledError:
            if not transcription.item_id:  # what was appended must not become part of the next turn
                with contextlib.suppress(RtnbError):
                    await connection.send(commands.clear())
            raise
        finally:
            connection.waiters.discard(waiter)

    @contextlib.asynccontextmanager
    async def _without_detection(self) -> AsyncIterator[None]:
        """Switch turn detection off: it would cut the speech into turns, and ask for a response to each."""
        config = self._connection.conversation.config
        detection = copy_tree(look(config, _DETECTION))
        if not detection:
            yield
            return
        await self._settings.configure({"turn_detection": None})
        if turn_detected(config):
            raise RtnbError(
                "The service did not switch its turn detection off, so it would cut the speech into turns of its own. "
                "session.append_audio(clip) sends speech to it, and the transcripts are in session.conversation."
            )
        try:
            yield
        finally:
            try:
                await self._settings.configure({"turn_detection": detection})
            except RtnbError as error:
                self._connection.note_problem(f"turn detection is still off, after session.transcribe(): {error}")


class TranscriptWaiter(Waiter):
    """Follows the transcript of the speech that is committed next; settled by its end, or by its failure.

    Parameters
    ----------
    transcription : Transcription
        Shows the transcript that comes.
    event_ids : sequence of str
        All that was sent for it.
    """

    def __init__(self, connection: Connection, transcription: Transcription, event_ids: Sequence[str]) -> None:
        super().__init__(self._ended, event_ids)
        self._conversation = connection.conversation
        self._before = frozenset(connection.conversation.items)
        self._transcription = transcription
        self._is_bound = False

    @property
    def awaits_reply(self) -> bool:
        """Return whether the speech has not become an item."""
        return super().awaits_reply and not self._is_bound

    def bound(self, event: Event) -> bool:
        """Return whether it is known, by this event or an earlier one, which item the speech became."""
        # A transcript may come of an item that was committed earlier, by another call.
        is_ours = event.kind == Kind.INPUT_COMMITTED or (
            event.kind in TRANSCRIPT_KINDS and event.item_id not in self._before
        )
        if is_ours and not self._is_bound:
            self._is_bound = True
            self._transcription.item_id = event.item_id
            self._transcription.waits_for = Kind.INPUT_TRANSCRIPTION_COMPLETED
            state = self._transcription.state
            state.status, state.created_t = IN_PROGRESS, event.t
        return self._is_bound

    def _ended(self, event: Event) -> bool:
        if not self.bound(event):
            return False
        transcription, state = self._transcription, self._transcription.state
        if (item := self._conversation.item(transcription.item_id)) is not None:
            state.items[item.id] = item
        if event.kind not in TRANSCRIPT_KINDS or event.item_id not in ("", transcription.item_id):
            return False
        failed = event.kind == Kind.INPUT_TRANSCRIPTION_FAILED
        if not failed and state.first_text_t != state.first_text_t:
            state.first_text_t = event.t
        if not failed and event.kind != Kind.INPUT_TRANSCRIPTION_COMPLETED:
            return False
        state.status, state.done_t = "failed" if failed else "completed", event.t
        state.usage = event.part("usage")
        languages = event.data.get("languages")
        transcription.languages = [_language(each) for each in languages] if isinstance(languages, list) else []
        return True


def _language(value: object) -> str:
    """Return a language as a service names it: a code, or an object that has one."""
    return str(value.get("code") or value.get("language") or "") if isinstance(value, dict) else str(value)
