"""The settings of sessions and responses: the one table of them, for both dialects, the client and the local service.

A user writes a setting flat (``voice="verse"``); on the wire it stands where its dialect has it (``audio.output.voice``,
or ``voice``). The names, shapes and ranges are those of the official client's types; the ranges of turn detection are the
services' documentation's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtnb.protocol.catalog import DEFAULT_VOICE, REALTIME_MODELS, TRANSCRIPTION, TRANSLATION, VOICES
from rtnb.protocol.item_shapes import INPUT_ITEMS, PREVIEW_INPUT_ITEMS
from rtnb.protocol.setting_shapes import (
    FORMAT_OBJECTS,
    FORMATS,
    FUNCTION_TOOLS,
    GA_NOISE_REDUCTION,
    GA_TRANSCRIPTION,
    GA_TURN_DETECTION,
    LOGPROBS,
    METADATA,
    PREVIEW_FORMATS,
    PREVIEW_NOISE_REDUCTION,
    PREVIEW_TRANSCRIPTION,
    PREVIEW_TURN_DETECTION,
    PROMPT,
    REASONING,
    SERVER_VAD,
    TOOL_CHOICE,
    TOOLS,
    TRACING,
    TRUNCATION,
)
from rtnb.protocol.value_shapes import (
    ANYTHING,
    FLAG,
    STRING,
    Combination,
    Decimal,
    ListOf,
    Shape,
    String,
    Whole,
    either,
    fields,
    one_of,
)

Path = tuple[str, ...]
SESSION, RESPONSE = "session", "response"
"""What has settings, besides sessions that only transcribe or translate: a session that answers, and a response."""

ABSENT: Any = object()
"""The default of a setting that a new session does not show."""


@dataclass(frozen=True, slots=True)
class Form:
    """A setting as one dialect has it.

    Attributes
    ----------
    shape : Shape
    of : tuple of str
        What has it: ``"session"``, ``"transcription"``, ``"translation"``, ``"response"``.
    name : str
        Where it is flat: the dialect's name of it. Empty where it stands at the setting's path.
    default : Any
        What a new session has, in GA's form; `ABSENT` for one that is not shown.
    """

    shape: Shape
    of: tuple[str, ...]
    name: str = ""
    default: Any = ABSENT


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes
    ----------
    name : str
        As users write it, in both dialects.
    says : str
        What it does, in a sentence.
    path : tuple of str
        Where it stands in GA's tree.
    ga, preview : Form or None
        As each dialect has it; None where it has not.
    written : bool
        Whether users write it. Others are only sent by other clients.
    """

    name: str
    says: str
    path: Path
    ga: Form | None
    preview: Form | None
    written: bool = True

    def is_of(self, *owners: str) -> bool:
        """Return whether one of these (sessions, responses) has it, in either dialect."""
        return any(owner in form.of for form in (self.ga, self.preview) if form is not None for owner in owners)


_BOTH, _ALL = (SESSION, RESPONSE), (SESSION, TRANSCRIPTION)
_HEARD = (*_ALL, TRANSLATION)
_INPUT, _OUTPUT = ("audio", "input"), ("audio", "output")
_TOKENS = either(Whole(1), one_of("inf"))
_NO_EFFECT: dict[str, Shape] = {
    "commit": FLAG,
    "cancel_previous": FLAG,
    "append_input_items": ANYTHING,
    "input_items": ANYTHING,
}
_CLIENT_SECRET = fields(
    expires_after=fields(anchor=one_of("created_at"), seconds=Whole(10, 7200)),
    expires_at=fields(anchor=one_of("created_at"), seconds=Whole(10, 7200)),
)


def _same(name: str, says: str, shape: Shape, of: tuple[str, ...], default: Any = ABSENT) -> Setting:
    """Return a setting that both dialects have at the same place."""
    return Setting(name, says, (name,), Form(shape, of, default=default), Form(shape, of, default=default))


def _ga(name: str, says: str, shape: Shape, of: tuple[str, ...], default: Any = ABSENT) -> Setting:
    """Return a setting that only GA has."""
    return Setting(name, says, (name,), Form(shape, of, default=default), None)


SETTINGS: tuple[Setting, ...] = (
    Setting("voice", "The voice of the answers: a name, or {'id': …} for one of your own.", (*_OUTPUT, "voice"),
        Form(either(one_of(*VOICES), fields("id", id=STRING)), _BOTH, default=DEFAULT_VOICE),
        Form(one_of(*VOICES), _BOTH, "voice", DEFAULT_VOICE)),
    Setting("speed", "How fast the answers are spoken: 1.0 is normal.", (*_OUTPUT, "speed"),
        Form(Decimal(0.25, 1.5), (SESSION,), default=1.0), Form(Decimal(0.25, 1.5), (SESSION,), "speed", 1.0)),
    Setting("output_format", "The encoding of the answers' audio.", (*_OUTPUT, "format"),
        Form(FORMATS, _BOTH, default=FORMAT_OBJECTS["pcm16"]),
        Form(PREVIEW_FORMATS, _BOTH, "output_audio_format", FORMAT_OBJECTS["pcm16"])),
    Setting("input_format", "The encoding of the audio that is sent.", (*_INPUT, "format"),
        Form(FORMATS, _ALL, default=FORMAT_OBJECTS["pcm16"]),
        Form(PREVIEW_FORMATS, _ALL, "input_audio_format", FORMAT_OBJECTS["pcm16"])),
    Setting("turn_detection", "What ends the user's turn, an object or its type; None: the client commits.", (*_INPUT, "turn_detection"),
        Form(GA_TURN_DETECTION, _ALL, default={**SERVER_VAD, "silence_duration_ms": 500, "idle_timeout_ms": None}),
        Form(PREVIEW_TURN_DETECTION, _ALL, "turn_detection", {**SERVER_VAD, "silence_duration_ms": 200})),
    Setting("transcription", "How the user's speech is written down, an object or a model; None: it is not.", (*_INPUT, "transcription"),
        Form(GA_TRANSCRIPTION, _HEARD, default=None),
        Form(PREVIEW_TRANSCRIPTION, _ALL, "input_audio_transcription", None)),
    Setting("noise_reduction", "Takes noise out of the audio that is sent.", (*_INPUT, "noise_reduction"),
        Form(GA_NOISE_REDUCTION, _HEARD, default=None),
        Form(PREVIEW_NOISE_REDUCTION, _ALL, "input_audio_noise_reduction", None)),
    _same("instructions", "What the model is to do and how it is to speak.", STRING, _BOTH, ""),
    Setting("output_modalities", "['audio'], whose transcript always comes with it, or ['text'].", ("output_modalities",),
        Form(Combination((("text",), ("audio",))), _BOTH, default=["audio"]),
        Form(Combination((("text",), ("audio", "text"))), (*_BOTH, TRANSCRIPTION), "modalities", ["audio"])),
    Setting("max_output_tokens", "The longest answer, in tokens; 'inf': as long as the model can.", ("max_output_tokens",),
        Form(_TOKENS, _BOTH, default="inf"), Form(_TOKENS, _BOTH, "max_response_output_tokens", "inf")),
    Setting("temperature", "How much the answers vary.", ("temperature",),
        None, Form(Decimal(0.6, 1.2), _BOTH, default=0.8)),
    Setting("tools", "The functions and MCP servers that the model may call.", ("tools",),
        Form(TOOLS, _BOTH, default=[]), Form(FUNCTION_TOOLS, _BOTH, default=[])),
    _same("tool_choice", "'auto', 'none', 'required', or one tool that has to be called.", TOOL_CHOICE, _BOTH, "auto"),
    _ga("parallel_tool_calls", "Whether one answer may call several tools.", FLAG, _BOTH),
    _ga("reasoning", "How long the model thinks before it answers.", REASONING, _BOTH),
    Setting("prompt", "A stored prompt, by its id.", ("prompt",),
        Form(PROMPT, (SESSION,), default=None), None),
    Setting("include", "Further fields of the service's events.", ("include",),
        Form(ListOf(one_of(LOGPROBS)), _ALL, default=None), Form(ListOf(STRING), (TRANSCRIPTION,))),
    Setting("tracing", "Whether, and under which name, the service keeps a trace.", ("tracing",),
        Form(TRACING, (SESSION,), default=None), Form(TRACING, (SESSION,))),
    _ga("truncation", "What is forgotten when the conversation is longer than the model can take.",
        TRUNCATION, (SESSION,), "auto"),
    Setting("type", "'realtime', or 'transcription' for a session that only transcribes.", ("type",),
        Form(one_of("realtime", "transcription"), _ALL), None),
    _same("conversation", "'none': the answer stays outside the conversation.", one_of("auto", "none"), (RESPONSE,)),
    Setting("input", "The items that are answered, instead of the conversation.", ("input",),
        Form(INPUT_ITEMS, (RESPONSE,)), Form(PREVIEW_INPUT_ITEMS, (RESPONSE,))),
    _same("metadata", "Up to 16 texts that come back with the response.", METADATA, (RESPONSE,)),
    # In Azure's out-of-band examples the prompt of a response is the question itself.
    _same("prompt", "A stored prompt, by its id; or the question itself.", either(STRING, PROMPT), (RESPONSE,)),
    Setting("language", "", (*_OUTPUT, "language"), Form(STRING, (TRANSLATION,)), None, written=False),
    Setting("model", "", ("model",), *(Form(String(known=REALTIME_MODELS), (SESSION,)),) * 2, written=False),
    Setting("client_secret", "", ("client_secret",), None, Form(_CLIENT_SECRET, _ALL), written=False),
    # The types have max_response_output_tokens here, Azure's pages this.
    Setting("max_output_tokens", "", ("max_output_tokens",), None, Form(_TOKENS, (RESPONSE,)), written=False),
    *(Setting(name, "", (name,), *(Form(shape, (RESPONSE,)),) * 2, written=False) for name, shape in _NO_EFFECT.items()),
)  # fmt: skip
"""Every setting. What other clients alone send comes last."""
