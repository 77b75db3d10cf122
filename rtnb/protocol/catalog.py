"""The models and voices that rtnb knows by name: the only place that names them.

`MODELS` is one table, read on the day `READ`: what each model is for, how much it takes and gives, and when it is shut down,
by provider, with the page that says so. A service knows more, and newer ones; nothing here limits what a user may ask for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

READ = date(2026, 11, 22)
"""The day on which the table was last compared with its sources."""

REALTIME, TRANSCRIPTION, TRANSLATION, LIVE, SPEECH = "realtime", "transcription", "translation", "live", "speech"
"""What a model is for; the first three are also the types of session, as in ``session.type``."""

OPENAI, AZURE = "openai", "azure"
SOON_DAYS = 90


@dataclass(frozen=True, slots=True)
class Source:
    """A page that announces when models are shut down: its address, and the date of what it said."""

    title: str
    url: str
    dated: date

    def __str__(self) -> str:
        return f"{self.title} of {self.dated}: {self.url}"


OPENAI_DEPRECATIONS = Source("OpenAI's deprecations", "https://developers.openai.com/api/docs/deprecations", READ)
AZURE_RETIREMENTS = Source(
    "Azure's retirement schedule",
    "https://learn.microsoft.com/azure/foundry/openai/concepts/model-retirement-schedule",
    date(2026, 9, 2),
)
SOURCES = {OPENAI: OPENAI_DEPRECATIONS, AZURE: AZURE_RETIREMENTS}
"""By provider, where the shut-down dates of `MODELS` are from."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes
    ----------
    name : str
        As OpenAI spells it; a deployment on Azure has a name of its own, often this one.
    use : str
        ``"realtime"`` (conversations), ``"transcription"`` and ``"translation"`` (sessions of their own, and the input
        transcription of conversations), ``"live"`` (another protocol, which rtnb does not speak) or ``"speech"`` (HTTP).
    context, most_output : int or None
        Tokens that a conversation, and that one response may have; None where no page says it.
    openai_end, azure_end : date or None
        The day on which it is shut down there; None where none is announced.
    successor : str
        What the provider recommends instead; empty for a model that stays.
    detects_turns : bool
        Of a transcription model: whether the service takes turn detection with it. The streaming ones refuse it ("Turn
        detection is not supported for this transcription model").
    whole_transcripts : bool
        Of a transcription model: whether it sends a transcript in one delta and counts its usage in seconds.
    diarizes : bool
        Of a transcription model: whether it distinguishes speakers, and sends a segment for each stretch of one.
    reasons : bool
        Of a realtime model: whether it thinks before it answers, and says which of its messages is the answer.
    of_preview : bool
        Whether it was made for the preview dialect.
    """

    name: str
    use: str
    context: int | None = None
    most_output: int | None = None
    openai_end: date | None = None
    azure_end: date | None = None
    successor: str = ""
    detects_turns: bool = True
    whole_transcripts: bool = False
    diarizes: bool = False
    reasons: bool = False
    of_preview: bool = False

    def end(self, provider: str) -> date | None:
        """Return the day on which `provider` (``"openai"``, ``"azure"``) shuts it down; None where none is announced."""
        return {OPENAI: self.openai_end, AZURE: self.azure_end}.get(provider)

    def lives(self, provider: str, today: date) -> bool:
        """Return whether `provider` still has it on the day `today`, as far as is announced."""
        end = self.end(provider)
        return end is None or today < end


DEFAULT_MODEL = "gpt-realtime-2.1"
"""The model that is asked for where the user names none, and that the local service says it is."""

DEFAULT_TRANSCRIPTION_MODEL = "gpt-transcribe"
"""The transcription model where the user names none: of those without an announced end the one that goes with turn detection,
which a conversation has by default. The streaming ones (`STREAMING_TRANSCRIPTION_MODEL`) refuse that."""

STREAMING_TRANSCRIPTION_MODEL = "gpt-live-transcribe"
"""The transcription model that writes while one speaks, for a transcription session without turn detection."""

PREVIEW_MODEL = "gpt-4o-realtime-preview"
"""A model of the preview dialect, for examples."""

_MINI = "gpt-realtime-2.1-mini"


def _reasoning(name: str, azure_end: date, successor: str = "") -> Model:
    """A realtime model of 2026: https://developers.openai.com/api/docs/models/gpt-realtime-2.1."""
    return Model(name, REALTIME, 128_000, 32_000, azure_end=azure_end, successor=successor, reasons=True)


def _older(name: str, openai_end: date | None, azure_end: date, successor: str = DEFAULT_MODEL) -> Model:
    """A realtime model of 2025, or its small sister: https://developers.openai.com/api/docs/models/gpt-realtime."""
    return Model(name, REALTIME, 32_000, 4_096, openai_end=openai_end, azure_end=azure_end, successor=successor)


def _preview(name: str, openai_end: date, successor: str = DEFAULT_MODEL) -> Model:
    """A model of the preview dialect."""
    return Model(name, REALTIME, 128_000, 4_096, openai_end=openai_end, successor=successor, of_preview=True)


def _transcribing(name: str, azure_end: date, *, whole: bool = False, diarizes: bool = False) -> Model:
    """A transcription model of the first generation."""
    return Model(
        name,
        TRANSCRIPTION,
        openai_end=date(2027, 2, 26),
        azure_end=azure_end,
        successor=DEFAULT_TRANSCRIPTION_MODEL,
        whole_transcripts=whole,
        diarizes=diarizes,
    )


MODELS: tuple[Model, ...] = (
    _reasoning(DEFAULT_MODEL, date(2027, 6, 25)),
    _reasoning(_MINI, date(2027, 6, 25)),
    _reasoning("gpt-realtime-2", date(2026, 8, 31), DEFAULT_MODEL),
    _older("gpt-realtime-1.5", None, date(2027, 8, 24), ""),
    _older("gpt-realtime", date(2027, 1, 20), date(2027, 3, 2)),
    _older("gpt-realtime-2025-08-28", date(2027, 1, 20), date(2027, 3, 2)),
    _older("gpt-realtime-mini", date(2027, 1, 20), date(2027, 6, 15), _MINI),
    _older("gpt-realtime-mini-2025-12-15", date(2027, 1, 20), date(2027, 6, 15), _MINI),
    _older("gpt-realtime-mini-2025-10-06", date(2026, 7, 23), date(2027, 4, 6), _MINI),
    _preview(PREVIEW_MODEL, date(2026, 5, 7)),
    _preview("gpt-4o-realtime-preview-2025-06-03", date(2026, 5, 7)),
    _preview("gpt-4o-realtime-preview-2024-12-17", date(2026, 5, 7)),
    _preview("gpt-4o-realtime-preview-2024-10-01", date(2025, 10, 10)),
    _preview("gpt-4o-mini-realtime-preview", date(2026, 5, 7), _MINI),
    _preview("gpt-4o-mini-realtime-preview-2024-12-17", date(2026, 7, 23), _MINI),
    Model(DEFAULT_TRANSCRIPTION_MODEL, TRANSCRIPTION),
    Model(STREAMING_TRANSCRIPTION_MODEL, TRANSCRIPTION, detects_turns=False),
    Model("gpt-realtime-whisper", TRANSCRIPTION, 16_000, 2_000, detects_turns=False),
    _transcribing("gpt-4o-transcribe", date(2026, 10, 15)),
    _transcribing("gpt-4o-mini-transcribe", date(2027, 6, 15)),
    _transcribing("gpt-4o-mini-transcribe-2025-12-15", date(2027, 6, 15)),
    _transcribing("gpt-4o-transcribe-diarize", date(2027, 4, 15), diarizes=True),
    _transcribing("whisper-1", date(2026, 12, 15), whole=True),
    Model("gpt-realtime-translate", TRANSLATION),
    Model("gpt-live-1", LIVE),
    Model("gpt-live-1.1", LIVE),
    Model("tts-1", SPEECH, openai_end=date(2027, 1, 6), azure_end=date(2026, 12, 15)),
)
"""The models, by use, the newest first. OpenAI's dates are also in the types of its Python package 3.57; on Azure a name
without a version has the date of the version that it deploys by default."""

_BY_NAME = {model.name: model for model in MODELS}

ENDPOINT_SPEECH_MODEL = "tts-1"
ENDPOINT_TRANSCRIPTION_MODEL = "whisper-1"
"""What servers of one model, with OpenAI's HTTP API, take as its name where the user gives none."""

REALTIME_MODELS = tuple(model.name for model in MODELS if model.use == REALTIME)
TRANSCRIPTION_MODELS = tuple(model.name for model in MODELS if model.use == TRANSCRIPTION)
WHOLE_TRANSCRIPT_MODELS = frozenset(model.name for model in MODELS if model.whole_transcripts)
"""Transcription models that send a transcript in one delta and count its usage in seconds instead of tokens."""

DIARIZING_MODELS = frozenset(model.name for model in MODELS if model.diarizes)
"""Transcription models that send a segment for each stretch of one speaker."""

VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
"""The voices of the realtime models, in alphabetical order."""

DEFAULT_VOICE = "alloy"


def model_named(name: str) -> Model | None:
    """Return the model of this name; None for one that the table does not have."""
    return _BY_NAME.get(name)


def most_output_tokens(name: str) -> int:
    """Return how many tokens a response of this model may have; of one that is not known, as many as the default model's."""
    return _limits(name)[1]


def most_input_tokens(name: str) -> int:
    """Return how many tokens a conversation with this model may have, the room for its answer taken off."""
    context, most_output = _limits(name)
    return context - most_output


def reasons(name: str) -> bool:
    """Return whether this model thinks before it answers; one that is not known does as the default model."""
    return (_BY_NAME.get(name) or _BY_NAME[DEFAULT_MODEL]).reasons


def _limits(name: str) -> tuple[int, int]:
    model, default = _BY_NAME.get(name), _BY_NAME[DEFAULT_MODEL]
    known = model if model is not None and model.context and model.most_output else default
    return known.context or 0, known.most_output or 0


def living(use: str, provider: str, today: date) -> tuple[str, ...]:
    """Return the names of the models of one use that `provider` still has, the preview dialect's left out."""
    return tuple(
        model.name for model in MODELS if model.use == use and not model.of_preview and model.lives(provider, today)
    )


def lifetimes(use: str, provider: str, today: date) -> str:
    """Return the models of one use that `provider` still has, each with its last day, where that is announced."""
    ends = {name: _BY_NAME[name].end(provider) for name in living(use, provider, today)}
    return ", ".join(f"{name} (until {end})" if end else name for name, end in ends.items())


def unknown_model(name: str, provider: str, today: date, use: str = REALTIME) -> str:
    """Return what to say about a model that a service does not know: the end of it, near names, and those that live.

    `provider` is ``"openai"``, ``"azure"`` or empty.
    """
    model, alive = _BY_NAME.get(name), living(use, provider, today)
    if model is not None and not model.lives(provider, today):
        said = f"{name} was shut down on {model.end(provider)}; write {model.successor or alive[0]}"
    elif model is not None and model.use == LIVE:
        said = f"{name} speaks another protocol, which rtnb does not"
    else:
        near = difflib.get_close_matches(name, [each for each in alive if each != name], n=2, cutoff=0.75)
        said = f"did you mean {' or '.join(near)}?" if near and model is None else ""
    known = f"{use} models that live, as read on {READ}: {', '.join(alive)}"
    return f"{said} ({known})" if said else known


def ending_soon(names: Iterable[str], provider: str, today: date) -> list[str]:
    """Return a sentence for each of the models that `provider` has shut down, or does within 90 days of `today`."""
    said: list[str] = []
    for name in dict.fromkeys(names):
        model = _BY_NAME.get(name)
        end = model.end(provider) if model else None
        if model is None or end is None or (days := (end - today).days) > SOON_DAYS:
            continue
        when = f"is shut down on {end}, in {days} days" if days > 0 else f"was to be shut down on {end}"
        instead = f"; {model.successor} takes its place" if model.successor else ""
        said.append(f"the model {name} {when} ({SOURCES[provider]}){instead}")
    return said
