"""`LiveResponse`: a response on its way, as `ask` returns it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from rtnb import display
from rtnb.client.connection import Connection
from rtnb.client.loop import LoopThread
from rtnb.conversation.items import ResponseState
from rtnb.conversation.response import Response
from rtnb.errors import ResponseTimeout, RtnbError, ServerError
from rtnb.formatting import seconds
from rtnb.protocol.names import Kind

ITS_TURN = "its turn"
REMOTE = "MCP tool"
"""What a response may wait for besides events: a turn before it, and a remote tool, whose call follows the word."""


class LiveResponse(Response):
    """A response on its way. It grows by itself; ``await`` it, or call `wait`, to have it finished.

    Attributes
    ----------
    input_ended : str
        How a spoken question was ended: ``"committed"``, or ``"ended by 0.8 s of silence for the turn detection"``; empty
        for text.
    since : int
        The row from which on it was asked for.
    awaited : str
        The calls of functions that are waited for, in words.
    missed : callable
        ``missed(seconds)`` returns the error for speech that turn detection has not noticed in that time; None for any other
        question.
    """

    def __init__(self, connection: Connection, io: LoopThread) -> None:
        super().__init__(ResponseState(), connection.timeline)
        self._io = io
        self.task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.waits_for = ITS_TURN
        self.input_ended = ""
        self.since = len(connection.timeline)
        self.awaited = ""
        self.missed: Callable[[float], RtnbError | None] = lambda seconds: None
        self._earlier: list[ResponseState] = []
        self._settled = asyncio.Event()

    def follow(self, state: ResponseState) -> None:
        """Show `state` from now on."""
        self._state = state

    def next_round(self) -> None:
        """Begin to wait for the response to the outputs of functions; what came before, the calls, stays in view."""
        self._earlier.append(self._state)
        self._state = ResponseState()

    def _facts(self) -> list[str]:
        return [*super()._facts(), self._input_words()]

    def _figures(self) -> list[str]:
        return [*super()._figures(), *filter(None, [self._input_words()])]

    def _input_words(self) -> str:
        return f"speech {self.input_ended}" if self.input_ended else ""

    @property
    def _states(self) -> list[ResponseState]:
        return [*self._earlier, self._state]

    @property
    def status(self) -> str:
        """Return the status that the service gave it; ``"failed"`` where a failure came before that."""
        return "failed" if self.failure is not None and not self._state.status else super().status

    @property
    def reason(self) -> str:
        """Return why it ended other than completed: the service's reason, or the failure that kept it from coming."""
        return super().reason or ("" if self.failure is None else str(self.failure))

    @property
    def done(self) -> bool:
        """Return whether nothing more will come, the calls of functions and the answer to them included."""
        return self._settled.is_set()

    @property
    def error(self) -> ServerError | None:
        """Return why the response failed, or why it never began; None while there is no failure."""
        return self.failure if isinstance(self.failure, ServerError) else super().error

    def settle(self, failure: BaseException | None = None) -> None:
        """End every wait for it: the response is finished, or `failure` says why it never will be."""
        self.failure = self.failure or failure
        self._settled.set()

    def give_up(self, failure: BaseException) -> None:
        """End its turn with a failure, if it has not ended yet; the response is then cancelled on the service."""
        if self.task is not None and not self.task.done():
            self.settle(failure)
            self.task.cancel()

    def timed_out(self, timeout: float, said: str) -> RtnbError:
        """Return the error for a turn that has not ended within `timeout` seconds.

        Parameters
        ----------
        timeout : float
        said : str
            What the service last said about a failure, as a sentence after a space; empty for nothing.
        """
        waited = str(self.waits_for)
        if waited == Kind.RESPONSE_CREATED and (missed := self.missed(timeout)) is not None:
            return missed
        if waited == ITS_TURN:
            words = (
                f"Its turn did not come within {seconds(timeout)}: another response is in progress.{said} "
                "session.cancel() stops that one, and so does when_busy='cancel'; or give timeout= more seconds."
            )
        elif waited.startswith(REMOTE):
            words = (
                f"The {waited} gave no result within {seconds(timeout)}; it runs at the service, and the session lives on. "
                "Give timeout= more seconds, or ask again later."
            )
        else:
            words = self._timeout_words(waited, seconds(timeout), said)
        return ResponseTimeout(words, waited_for=waited, timeout=timeout)

    def _timeout_words(self, waited: str, time: str, said: str) -> str:
        """Return what to say where an event, or a function, was waited for in vain."""
        if self._state.status and not self._state.active:
            return (
                f"The {waited} gave no result within {time} (called: {self.awaited}); the model was told, "
                "the session lives on, and so does the function. Give timeout= more seconds, or make the function quicker."
            )
        return (
            f"No {waited} within {time}; the response was cancelled and the session lives on.{said} "
            "Give timeout= more seconds, or look at session.timeline.tail()."
        )

    def wait(self) -> LiveResponse:
        """Block until the response is finished, and return it.

        Raises
        ------
        ServerError, ResponseTimeout, SessionClosed
            As `Session.ask` does.
        """
        return self._io.call(self.finished())

    def __await__(self) -> Generator[Any, None, LiveResponse]:
        return self._io.acall(self.finished()).__await__()

    def _ipython_display_(self) -> None:
        if self.done or not display.backend().in_notebook():
            raise NotImplementedError  # IPython then shows it as it shows any finished response
        display.backend().show_response(self)

    async def finished(self) -> LiveResponse:
        """Wait until the response is finished, and return it; on the I/O loop. Raises as `wait` does."""
        await self._settled.wait()
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        return self
