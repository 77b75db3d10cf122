"""The models and voices that rtnb knows by name: the only place that names them.

A service knows more, and newer ones; nothing here limits what a user may ask for.
"""

from __future__ import annotations

VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
"""The voices of the realtime models, in alphabetical order."""

DEFAULT_VOICE = "alloy"
DEFAULT_MODEL = "gpt-realtime"
"""The model that is asked for where the user names none, and that the local service says it is."""

PREVIEW_MODEL = "gpt-4o-realtime-preview"
"""A model of the preview dialect, for examples."""

REALTIME_MODELS = (
    "gpt-realtime",
    "gpt-realtime-1.5",
    "gpt-realtime-2",
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2025-08-28",
    "gpt-realtime-mini",
    "gpt-realtime-mini-2025-10-06",
    "gpt-realtime-mini-2025-12-15",
    PREVIEW_MODEL,
    "gpt-4o-realtime-preview-2024-10-01",
    "gpt-4o-realtime-preview-2024-12-17",
    "gpt-4o-realtime-preview-2025-06-03",
    "gpt-4o-mini-realtime-preview",
    "gpt-4o-mini-realtime-preview-2024-12-17",
)
TRANSCRIPTION_MODELS = (
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "whisper-1",
)
DEFAULT_TRANSCRIPTION_MODEL = TRANSCRIPTION_MODELS[0]

ENDPOINT_SPEECH_MODEL = "tts-1"
ENDPOINT_TRANSCRIPTION_MODEL = "whisper-1"
"""What servers of one model, with OpenAI's HTTP API, take as its name where the user gives none."""

WHOLE_TRANSCRIPT_MODELS = frozenset({"whisper-1"})
"""Transcription models that send a transcript in one delta and count its usage in seconds instead of tokens."""


def most_output_tokens(name: str) -> int:
    """Return how many tokens a response of this model may have."""
    return 4096


def most_input_tokens(name: str) -> int:
    """Return how many tokens a conversation with this model may have, the room for its answer taken off."""
    return 128_000 - 32_000 if reasons(name) else 32_000 - 4_096


def reasons(name: str) -> bool:
    """Return whether this model thinks before it answers, and says which of its messages is the answer."""
    return name.startswith("gpt-realtime-2") and not name.startswith("gpt-realtime-2025")


DIARIZING_MODELS = frozenset({"gpt-4o-transcribe-diarize"})
"""Transcription models that tell speakers apart, and send a segment for each stretch of one."""
