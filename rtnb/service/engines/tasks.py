"""Tasks for the engines, their results, and the orders by which a session starts, feeds and stops them: plain values.

The session's core does no I/O and never waits. It gives orders; the server runs the engines and hands the results back,
one at a time, under the name of the job. A `Say` gives `SpokenWord` values, a `Write` gives `Preamble`, `Text` and `Call`
values, a `Transcribe` gives `Transcript` values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rtnb.audio.samples import Samples

__all__ = [
    "UNINTELLIGIBLE",
    "Call",
    "Feed",
    "Finish",
    "Message",
    "NamedTool",
    "Order",
    "Preamble",
    "Result",
    "Say",
    "SpokenWord",
    "Start",
    "Stop",
    "Task",
    "Text",
    "ToolSpec",
    "Transcribe",
    "Transcript",
    "Write",
]  # fmt: skip


UNINTELLIGIBLE = "audio_unintelligible"
"""The code of a failure because the words of a turn could not be made out, in the cloud's word."""


@dataclass(frozen=True, slots=True)
class Message:
    """An earlier message of the conversation, or a function's call or output.

    Attributes
    ----------
    role : str
        ``"user"``, ``"assistant"``, ``"system"``, ``"function_call"`` or ``"function_call_output"``.
    text : str
        Its text or transcript; a function's output.
    name, arguments : str
        Of a function call: the function, and its arguments in JSON.
    call_id : str
        Of a function call and of its output.
    """

    role: str
    text: str
    name: str = ""
    arguments: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that the writer may call.

    Attributes
    ----------
    name, description : str
    parameters : mapping
        JSON schema of its arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The choice of one function, which must be called."""

    name: str


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text; gives a `SpokenWord` for each word, whose texts join to it.

    Attributes
    ----------
    text : str
    voice : str
        One of the services' names.
    language : str or None
        A language tag such as ``"de"``; None: as the text is.
    seed : int
        The same one gives the same sound.
    speed : float
        1.0 is normal.
    """

    text: str
    voice: str
    language: str | None
    seed: int
    speed: float


@dataclass(frozen=True, slots=True)
class Write:
    """Answer the user; gives `Text` pieces, which join to the answer, and `Call` pieces, with a `Preamble` first, if any.

    Attributes
    ----------
    prompt : str
        The user's message. Empty after a function's output, which is then the last entry of `history`.
    history : tuple of Message
        What came before it, oldest first: messages, function calls and their outputs.
    instructions : str
    voice : str
        The name of the session's voice.
    now : datetime
        The user's date and time.
    tools : tuple of ToolSpec
    tool_choice : str or NamedTool
        ``"auto"``, ``"none"``, ``"required"`` or one function.
    speaks : bool
        Whether the answer is spoken rather than shown.
    effort : str
        How long to think first: ``"minimal"`` … ``"xhigh"``; empty where the model does not, or it is not asked for.
    """

    prompt: str
    history: tuple[Message, ...]
    instructions: str
    voice: str
    now: datetime
    tools: tuple[ToolSpec, ...]
    tool_choice: str | NamedTool
    speaks: bool
    effort: str = ""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Transcribe a turn of the user; fed while they speak, gives `Transcript` values, the last one final.

    Attributes
    ----------
    language : str or None
        A language tag; None: unknown.
    prompt : str
        Words that are likely.
    rate : int
        Samples per second (Hz) of what it is fed.
    """

    language: str | None
    prompt: str
    rate: int


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of an answer, with the spaces around it."""

    text: str


@dataclass(frozen=True, slots=True)
class Preamble:
    """What is said before the answer, as a message of its own, while the assistant thinks. It comes first."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call in an answer: the function, and its arguments as a JSON object."""

    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole text of a turn so far; a `final` one does not change any more.

    Attributes
    ----------
    text : str
    final : bool
    logprobs : tuple of (str, float), optional
        Of a final one, by an engine that knows them: the pieces that join to the text, each with the natural logarithm of
        its probability.
    """

    text: str
    final: bool
    logprobs: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SpokenWord:
    """A word of the text, with the spaces before and the punctuation after it, and its sound.

    Attributes
    ----------
    text : str
    samples : int16 array, shape (n,)
        The word and the pause after it, at 24 kHz; read-only.
    """

    text: str
    samples: Samples


Task = Say | Write | Transcribe
Result = SpokenWord | Text | Preamble | Call | Transcript


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a job."""

    job: str
    task: Task


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Give a job more input: int16 samples, shape (n,)."""

    job: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class Finish:
    """End the input of a job, whose results are still wanted."""

    job: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End a job, whose results are not wanted any more."""

    job: str


Order = Start | Feed | Finish | Stop
