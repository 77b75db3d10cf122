"""One response from ``response.created`` to ``response.done``: every event, in the services' order, step by step.

What takes time is ordered; a step is taken when there is something to tell. A step is a word's worth, so that between two
of them a response can be cancelled, and many sessions share one thread.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS, PCM16
from rtnb.formatting import one_line
from rtnb.protocol.config import copy_tree, format_name
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Call, Result, SpokenWord, Text
from rtnb.service.script.replies import text_deltas
from rtnb.service.session.ids import Ids
from rtnb.service.session.jobs import Events, Jobs
from rtnb.service.session.outputs import Budget, FunctionCall, Message, Output, Stage
from rtnb.service.session.planning import ResponsePlan
from rtnb.service.session.sentences import Sentences
from rtnb.service.session.usage import InputTokens, usage

_TEXT_DELTA_SECONDS = 0.12  # what a text delta counts for the pace: about what it would take to say it
_SPOKEN_AT_ONCE = 2  # stretches that are being synthesized: the one that is heard, and the next


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a response gives.

    Attributes
    ----------
    events : list of dict
        To send now, in this order.
    seconds : float
        Speech that they carry, for the pace.
    """

    events: Events
    seconds: float = 0.0


@dataclass(slots=True)
class _Stretch:
    """A stretch of speech: what is to be said, and the words that were synthesized of it."""

    text: str
    job: str = ""
    words: deque[SpokenWord] = field(default_factory=deque)
    complete: bool = False
    begun: bool = False


class Ladder:
    """A response in progress.

    Parameters
    ----------
    response_id : str
    plan : ResponsePlan
    jobs : Jobs
        Who is asked to write and to speak.
    ids : Ids
        Names its items and calls.
    """

    def __init__(self, response_id: str, plan: ResponsePlan, jobs: Jobs, ids: Ids) -> None:
        self.id = response_id
        self.finished = False
        self.tokens_used = 0
        self.seconds = 0.0
        self._plan = plan
        self._jobs = jobs
        self._ids = ids
        self._budget = Budget(plan.most_tokens)
        sound = FORMATS[format_name(plan.shown["audio"]["output"]["format"])]
        self._stage = Stage(response_id, plan.conversation, sound, self._budget)
        self._outputs: list[Output] = []
        self._open: Message | None = None
        self._ahead: deque[str | _Stretch | Call] = deque()
        self._sentences = Sentences()
        self._writing = ""
        self._begun = self._written = False
        self._calls = 0
        self._problem: dict[str, Any] | None = None

    @property
    def in_conversation(self) -> bool:
        """Return whether its items belong to the conversation."""
        return self._plan.conversation is not None

    @property
    def due(self) -> float | None:
        """Return the time at which it goes on by itself, None where it waits for nothing of that kind."""
        return None if self._begun else self._plan.patience

    def begin(self) -> dict[str, Any]:
        """Return the event that opens it."""
        return {"type": Kind.RESPONSE_CREATED.value, "response": self._response("in_progress")}

    def ahead(self, job: str) -> float:
        """Return the seconds of a job's speech that are there and not yet told."""
        stretches = (each for each in self._ahead if isinstance(each, _Stretch) and each.job == job)
        return sum(len(word.samples) / PCM16.rate for each in stretches for word in each.words)

    def advance(self, now: float) -> Step | None:
        """Return its next step, None where it waits. What goes wrong ends it as failed, never the session."""
        try:
            return self._advance(now)
        except Exception as error:
            return self._failed("local_service_failed", f"{type(error).__name__}: {one_line(str(error), 300)}")

    def cancel(self, reason: str = "client_cancelled") -> Events:
        """End it now: what was already said stays, and the item is incomplete."""
        return self._end("cancelled", {"reason": reason})

    def take(self, job: str, result: Result) -> Events:
        """Take what was written or spoken; it is told in the next steps."""
        match result:
            case Text():
                self._take_text(result.text)
            case Call():
                self._take_call(result)
            case SpokenWord():
                self._stretch(job).words.append(result)
        return []

    def end(self, job: str) -> Events:
        """Know that the writing, or a stretch of the speech, is complete."""
        if job == self._writing:
            self._all_written()
        else:
            self._stretch(job).complete = True
            self._synthesize()
        return []

    def fail(self, job: str, code: str, message: str) -> Events:
        """Know that it cannot be done; the next step says so."""
        self._problem = {"code": code, "message": message}
        return []

    def _advance(self, now: float) -> Step | None:
        if self._problem is not None:
            return self._failed(**self._problem)
        if not self._begun:
            if not self._plan.ready(now):
                return None
            self._begin_writing()
            return Step([])
        if self._budget.exhausted:
            return Step(self._end("incomplete", {"reason": "max_output_tokens"}))
        if self._ahead:
            return self._next(self._ahead[0])
        if not self._written:
            return None
        if self._open is not None and (rest := self._told(self._open.finish())):
            return rest
        return self._advance(now) if self._budget.exhausted else Step(self._end("completed"))

    def _begin_writing(self) -> None:
        self._begun = True
        answer = self._plan.compose()
        if answer.preface:
            self._take_text(answer.preface)
        if answer.task is None:
            self._all_written()
        else:
            self._writing = self._jobs.start(answer.task, self)

    def _take_text(self, text: str) -> None:
        if not self._plan.speaks:
            self._ahead.extend(text_deltas(text))
            return
        self._ahead.extend(_Stretch(each) for each in self._sentences.add(text))
        self._synthesize()

    def _take_call(self, call: Call) -> None:
        self._ahead.extend(_Stretch(each) for each in self._sentences.rest())
        self._synthesize()
        self._calls += 1
        if self._calls <= self._plan.most_calls:
            self._ahead.append(call)

    def _all_written(self) -> None:
        self._written = True
        self._ahead.extend(_Stretch(each) for each in self._sentences.rest())
        if not self._ahead and not self._outputs and not self._calls:
            self._ahead.append(_Stretch("", complete=True) if self._plan.speaks else "")
        self._synthesize()

    def _synthesize(self) -> None:
        """Order the speech of the next stretches."""
        unspoken = [each for each in self._ahead if isinstance(each, _Stretch) and not each.complete]
        for stretch in unspoken[:_SPOKEN_AT_ONCE]:
            if not stretch.job:
                stretch.job = self._jobs.start(self._plan.say(stretch.text), self)

    def _stretch(self, job: str) -> _Stretch:
        return next(each for each in self._ahead if isinstance(each, _Stretch) and each.job == job)

    def _next(self, piece: str | _Stretch | Call) -> Step | None:
        """Tell the next piece, or as much of it as is there."""
        if isinstance(piece, Call):
            return self._tell_call(piece)
        if self._open is None:
            return Step(self._open_message())
        if isinstance(piece, str):
            self._ahead.popleft()
            return Step(self._open.write(piece) if piece else [], _TEXT_DELTA_SECONDS)
        return self._tell_speech(piece, self._open)

    def _tell_speech(self, stretch: _Stretch, message: Message) -> Step | None:
        if not stretch.begun:
            stretch.begun = True
            message.expect(stretch.text)
        if stretch.words:
            return self._told(message.speak(stretch.words.popleft())) or Step([])
        if not stretch.complete:
            return None
        self._ahead.popleft()
        return Step([])

    def _tell_call(self, call: Call) -> Step:
        if self._open is not None:
            rest = self._told(self._open.finish())
            events = [] if self._budget.exhausted else self._close_message("completed")
            return Step([*(rest.events if rest else ()), *events], rest.seconds if rest else 0.0)
        self._ahead.popleft()
        item = FunctionCall(self._stage, len(self._outputs), self._ids.new("item"), self._ids.new("call", 16), call)
        self._outputs.append(item)
        events = [*item.open(), *item.write()]
        return Step([*events, *item.close("incomplete" if self._budget.exhausted else "completed")])

    def _told(self, events: Events) -> Step | None:
        """Return a step with these events, and the speech that they carry."""
        seconds = sum(message.seconds for message in self._outputs if isinstance(message, Message))
        new, self.seconds = seconds - self.seconds, seconds
        return Step(events, new) if events else None

    def _open_message(self) -> Events:
        self._open = Message(self._stage, len(self._outputs), self._ids.new("item"), speaks=self._plan.speaks)
        self._outputs.append(self._open)
        return self._open.open()

    def _close_message(self, status: str) -> Events:
        message, self._open = self._open, None
        return message.close(status) if message is not None else []

    def _failed(self, code: str, message: str) -> Step:
        error = {"type": "server_error", "code": code, "message": one_line(message, 500)}
        return Step(self._end("failed", {"error": error}))

    def _end(self, status: str, details: dict[str, Any] | None = None) -> Events:
        """Close what is open, and the response; nothing that was ordered for it is wanted any more."""
        self.finished = True
        for job in (self._writing, *(each.job for each in self._ahead if isinstance(each, _Stretch))):
            self._jobs.stop(job)
        self._ahead.clear()
        events = self._close_message("completed" if status == "completed" else "incomplete")
        done = self._response(status)
        done["status_details"] = None if details is None else {"type": status, **details}
        done["output"] = [output.final() for output in self._outputs]
        given = InputTokens() if status == "failed" and not self._outputs else self._plan.tokens_in
        done["usage"] = usage(given, text_out=self._budget.text, audio_out=self._budget.audio)
        self.tokens_used = done["usage"]["total_tokens"]
        return [*events, {"type": Kind.RESPONSE_DONE.value, "response": done}]

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": [],
            **copy_tree(self._plan.shown),
            "usage": None,
        }
