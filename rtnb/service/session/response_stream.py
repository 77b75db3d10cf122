"""One response from ``response.created`` to ``response.done``: every event, in the order of the cloud services.

It advances in steps of about a word: between two of them it can be cancelled, and other sessions get their turn. What
takes time is ordered from the engines; a step can be taken when their results are there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS, PCM16
from rtnb.formatting import one_line
from rtnb.protocol.config import copy_tree, format_name
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Call, Preamble, Result, SpokenWord, Text
from rtnb.service.session.client_events import Events, Ids
from rtnb.service.session.deltas import Sentences, text_deltas
from rtnb.service.session.engine_orders import EngineOrders
from rtnb.service.session.mcp_calls import Approvals, OutputRemoteCall
from rtnb.service.session.mcp_servers import OfferedTool
from rtnb.service.session.outputs import OutputCall, OutputContext, OutputItem, OutputMessage, TokenBudget
from rtnb.service.session.response_plan import ResponsePlan
from rtnb.service.session.usage import InputTokens, usage

_TEXT_DELTA_SECONDS = 0.12  # what a text delta counts for the pace: about the time that it would take to say it
_SPOKEN_AT_ONCE = 2  # sentences that are being synthesized: the one that is sent, and the next


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a response: the events to send now, and the seconds of speech in them, for the pace."""

    events: Events
    seconds: float = 0.0


@dataclass(slots=True)
class _Sentence:
    """Text that is synthesized as a whole, and the words of it that are ready."""

    text: str
    job: str = ""
    words: deque[SpokenWord] = field(default_factory=deque)
    complete: bool = False  # all its words are here
    begun: bool = False  # its transcript is being sent


class _EndOfPreamble:
    """Where the preamble ends, and the answer begins as another message."""


class ResponseStream:
    """A response in progress."""

    def __init__(
        self, response_id: str, plan: ResponsePlan, orders: EngineOrders, ids: Ids, approvals: Approvals
    ) -> None:
        self.id = response_id
        self.finished = False
        self.tokens_used = 0  # once it is finished
        self.seconds = 0.0  # of audio that was sent
        self._plan = plan
        self._orders = orders
        self._ids = ids
        self._approvals = approvals
        self._budget = TokenBudget(plan.most_tokens)
        output_format = FORMATS[format_name(plan.shown["audio"]["output"]["format"])]
        self._context = OutputContext(response_id, plan.conversation, output_format, self._budget)
        self._outputs: list[OutputItem] = []
        self._open: OutputMessage | None = None  # the message in progress
        self._unsent: deque[str | _Sentence | _EndOfPreamble | Call] = deque()  # text deltas, sentences to speak …
        self._sentences = Sentences()
        self._writing = ""  # the writer's job
        self._begun = self._written = False
        self._calls = 0
        self._problem: dict[str, Any] | None = plan.problem

    @property
    def in_conversation(self) -> bool:
        """Return whether its items belong to the conversation."""
        return self._plan.conversation is not None

    @property
    def due(self) -> float | None:
        """Return the Unix time at which it stops waiting for a transcript; None where it does not wait for one."""
        return None if self._begun else self._plan.patience

    def begin(self) -> dict[str, Any]:
        """Return its first event."""
        return {"type": Kind.RESPONSE_CREATED.value, "response": self._response("in_progress")}

    def unsent_seconds(self, job: str) -> float:
        """Return the seconds of a job's speech that are here and not sent yet."""
        words = [word for each in self._speech() if each.job == job for word in each.words]
        return sum(len(word.samples) for word in words) / PCM16.rate

    def advance(self, now: float) -> Step | None:
        """Return its next step; None where it waits. An exception ends it as failed, never the session."""
        try:
            return self._advance(now)
        except Exception as error:
            return self._fail("local_service_failed", f"{type(error).__name__}: {one_line(str(error), 300)}")

    def cancel(self, reason: str) -> Events:
        """End it now: what was sent stays, and the item in progress is incomplete."""
        return self._end("cancelled", {"reason": reason})

    def take(self, job: str, result: Result) -> Events:
        """Take written text, a function call or a spoken word; it is sent by the next steps."""
        match result:
            case Text():
                self._take_text(result.text)
            case Preamble():
                self._take_preamble(result.text)
            case Call():
                self._take_call(result)
            case SpokenWord():
                self._sentence(job).words.append(result)
        return []

    def end(self, job: str) -> Events:
        """Note that the writing, or the speech of a sentence, is complete."""
        if job == self._writing:
            self._take_end()
        else:
            self._sentence(job).complete = True
            self._synthesize()
        return []

    def fail(self, job: str, code: str, message: str) -> Events:
        """Note that an engine failed; the next step ends the response."""
        self._problem = {"code": code, "message": message}
        return []

    def _advance(self, now: float) -> Step | None:
        if self._problem is not None:
            return self._fail(**self._problem)
        if not self._begun:
            return self._begin_writing() if self._plan.ready(now) else None
        if self._budget.exhausted:
            return Step(self._end("incomplete", {"reason": "max_output_tokens"}))
        if self._unsent:
            return self._send_next(self._unsent[0])
        if not self._written:
            return None
        if self._open is not None and (rest := self._open.finish()):
            return self._paced(rest)
        return self._advance(now) if self._budget.exhausted else Step(self._end("completed"))

    def _begin_writing(self) -> Step:
        self._begun = True
        preface, task = self._plan.compose()
        if preface:
            self._take_text(preface)
        if task is None:
            self._take_end()
        else:
            self._writing = self._orders.start(task, self)
        return Step([])

    def _take_text(self, text: str) -> None:
        if self._plan.speaks:
            self._unsent.extend(_Sentence(each) for each in self._sentences.add(text))
            self._synthesize()
        else:
            self._unsent.extend(text_deltas(text))

    def _take_preamble(self, text: str) -> None:
        pieces = [_Sentence(text)] if self._plan.speaks else text_deltas(text)
        self._unsent.extend((*pieces, _EndOfPreamble()))
        self._synthesize()

    def _take_call(self, call: Call) -> None:
        self._unsent.extend(_Sentence(each) for each in self._sentences.rest())
        self._synthesize()
        self._calls += 1
        if self._calls <= self._plan.most_calls:
            self._unsent.append(call)

    def _take_end(self) -> None:
        self._written = True
        self._unsent.extend(_Sentence(each) for each in self._sentences.rest())
        if not self._unsent and not self._outputs and not self._calls:
            self._unsent.append(_Sentence("", complete=True) if self._plan.speaks else "")  # an empty message
        self._synthesize()

    def _synthesize(self) -> None:
        """Order the speech of the next sentences."""
        for sentence in [each for each in self._speech() if not each.complete][:_SPOKEN_AT_ONCE]:
            if not sentence.job:
                sentence.job = self._orders.start(self._plan.say(sentence.text), self)

    def _speech(self) -> list[_Sentence]:
        return [each for each in self._unsent if isinstance(each, _Sentence)]

    def _sentence(self, job: str) -> _Sentence:
        return next(each for each in self._speech() if each.job == job)

    def _send_next(self, piece: str | _Sentence | _EndOfPreamble | Call) -> Step | None:
        """Send the next piece, or as much of it as is here."""
        if isinstance(piece, Call):
            return self._close_message() or self._send_call(piece)
        if isinstance(piece, _EndOfPreamble):
            if closed := self._close_message():
                return closed
            self._unsent.popleft()
            return Step([])
        if self._open is None:
            self._open = self._new_message()
            return Step(self._open.open())
        if isinstance(piece, str):
            self._unsent.popleft()
            return Step(self._open.write(piece) if piece else [], _TEXT_DELTA_SECONDS)
        return self._send_speech(piece, self._open)

    def _send_speech(self, sentence: _Sentence, message: OutputMessage) -> Step | None:
        if not sentence.begun:
            sentence.begun = True
            message.expect(sentence.text)
        if sentence.words:
            return self._paced(message.speak(sentence.words.popleft()))
        if not sentence.complete:
            return None
        self._unsent.popleft()
        return Step([])

    def _new_message(self) -> OutputMessage:
        is_preamble = any(isinstance(each, _EndOfPreamble) for each in self._unsent)
        phase = ("commentary" if is_preamble else "final_answer") if self._plan.phases else ""
        index, item_id = len(self._outputs), self._ids.new("item")
        message = OutputMessage(self._context, index, item_id, speaks=self._plan.speaks, phase=phase)
        self._outputs.append(message)
        return message

    def _close_message(self) -> Step | None:
        """Send what is left of the open message, and end it; None where there is none."""
        if self._open is None:
            return None
        rest = self._paced(self._open.finish())
        return rest if self._budget.exhausted else Step([*rest.events, *self._close("completed")], rest.seconds)

    def _send_call(self, call: Call) -> Step:
        self._unsent.popleft()
        if (offered := self._plan.remote.get(call.name)) is not None:
            return self._send_remote_call(call, offered)
        item = OutputCall(self._context, len(self._outputs), self._ids.new("item"), self._ids.new("call", 16), call)
        self._outputs.append(item)
        events = [*item.open(), *item.write()]
        return Step([*events, *item.close("incomplete" if self._budget.exhausted else "completed")])

    def _send_remote_call(self, call: Call, offered: OfferedTool) -> Step:
        """Send a call of an MCP tool, and ask for its approval where it needs one."""
        item = OutputRemoteCall(self._context, len(self._outputs), self._ids.new("mcp"), offered, call)
        self._outputs.append(item)
        events = [*item.open(), *item.write()]
        if item.asks and not self._budget.exhausted:
            request_id = self._ids.new("mcpr")
            request = item.request(len(self._outputs), request_id)
            self._outputs.append(request)
            self._approvals.wait(request_id, item)
            events += [*request.open(), *request.close("")]
        return Step(events)

    def _paced(self, events: Events) -> Step:
        """Return a step with these events and the seconds of the audio that was sent with them."""
        seconds = sum(message.seconds for message in self._outputs if isinstance(message, OutputMessage))
        new, self.seconds = seconds - self.seconds, seconds
        return Step(events, new)

    def _close(self, status: str) -> Events:
        message, self._open = self._open, None
        return message.close(status) if message is not None else []

    def _fail(self, code: str, message: str, type: str = "server_error") -> Step:
        error = {"type": type, "code": code, "message": one_line(message, 500)}
        return Step(self._end("failed", {"error": error}))

    def _end(self, status: str, details: dict[str, Any] | None = None) -> Events:
        """Close the item in progress and the response, and stop its jobs."""
        self.finished = True
        for job in (self._writing, *(each.job for each in self._speech())):
            self._orders.stop(job)
        self._unsent.clear()
        events = self._close("completed" if status == "completed" else "incomplete")
        for output in self._outputs:
            if isinstance(output, OutputRemoteCall):
                events += output.end(completed=status == "completed")
        done = self._response(status)
        done["status_details"] = None if details is None else {"type": status, **details}
        done["output"] = [output.final() for output in self._outputs]
        given = InputTokens() if status == "failed" and not self._outputs else self._plan.tokens_in
        done["usage"] = usage(given, text_out=self._budget.text, audio_out=self._budget.audio)
        self.tokens_used = done["usage"]["total_tokens"]
        return [*events, {"type": Kind.RESPONSE_DONE.value, "response": done}]

    def _response(self, status: str) -> dict[str, Any]:
        begun = {"id": self.id, "object": "realtime.response", "status": status}
        return {**begun, "status_details": None, "output": [], **copy_tree(self._plan.shown), "usage": None}
