"""The settings that the local service takes, as the cloud does, and that change nothing here: one list, with what happens instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rtnb.protocol.catalog import DEFAULT_VOICE, DIARIZING_MODELS

LOGPROBS, PREAMBLE = "logprobs", "preamble"
"""What an engine may give beyond its text; its attribute ``gives`` names it."""


@dataclass(frozen=True, slots=True)
class _Gap:
    setting: str  # its dotted path in GA's tree, with "=value" where only that value is not imitated
    instead: str
    unless: str = ""  # what an engine gives that fills the gap


_GAPS = (
    _Gap("audio.input.noise_reduction", "the audio is heard as it was sent"),
    _Gap("audio.input.transcription.delay", "a transcript comes when it is ready"),
    *(
        _Gap(f"audio.input.transcription.model={name}", "speakers are not distinguished: every segment is speaker A's")
        for name in sorted(DIARIZING_MODELS)
    ),
    _Gap("audio.input.turn_detection.type=semantic_vad", "a turn ends with a silence of 0.5, 1 or 2 s, by eagerness"),
    _Gap("audio.output.voice.id", f"a custom voice sounds like {DEFAULT_VOICE}"),
    _Gap("include", "the transcriber does not know how sure it is", LOGPROBS),
    _Gap("prompt", "no prompts are stored here: write instructions="),
    _Gap("reasoning", "the model does not reason: the answer comes without a preamble", PREAMBLE),
    _Gap("temperature", "answers do not vary by it"),
    _Gap("tracing", "no trace is written; the timeline has every event"),
)


def not_imitated(given: Collection[str]) -> Mapping[str, str]:
    """Return what is not imitated with engines that give these things: the setting, and what happens instead."""
    return {gap.setting: gap.instead for gap in _GAPS if gap.unless not in given}
