"""The phases of a response: what the model says before its answer, and the answer.

Messages of gpt-realtime-2 and later carry ``phase``: ``"commentary"`` for a preamble, ``"final_answer"`` (Azure's page of
the realtime models; the official client's types have it for the Responses API).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from rtnb.audio.clip import AudioClip
from rtnb.audio.formats import AudioFormat
from rtnb.conversation.items import NAN, ContentPart, Item, ResponseState

COMMENTARY, FINAL_ANSWER = "commentary", "final_answer"


class PhaseTranscript(str):
    """What was said in one phase of a response: a str, with the audio that goes with it.

    Attributes
    ----------
    items : list of Item
        The messages of the phase.
    """

    items: list[Item]
    _format: AudioFormat

    @classmethod
    def of(cls, items: Iterable[Item], format: AudioFormat) -> PhaseTranscript:
        """Return what `items` say; `format` is that of their audio where they have none."""
        messages = list(items)
        parts = _parts(messages)
        said = " ".join(filter(None, (part.transcript for part in parts)))
        made = cls(said or " ".join(filter(None, (part.text for part in parts))))
        made.items, made._format = messages, format
        return made

    @property
    def audio(self) -> AudioClip:
        """Return the audio of the phase that has arrived so far, joined; an empty clip where there is none."""
        return joined_audio(_parts(self.items), self._format)


def _parts(items: Sequence[Item]) -> list[ContentPart]:
    return [part for item in items for part in list(item.content.values())]


def joined_audio(parts: Iterable[ContentPart], format: AudioFormat) -> AudioClip:
    """Return the audio of content parts, joined: a sample may be split between two deltas."""
    clips = [AudioClip.from_bytes(b"".join(part.chunks), part.format) for part in parts if part.chunks]
    return sum(clips[1:], clips[0]) if clips else AudioClip(np.zeros(0, np.int16), format.rate)


def preamble_items(states: Iterable[ResponseState]) -> list[Item]:
    """Return the messages that are a preamble, of all responses of a turn."""
    return [item for state in states for item in list(state.items.values()) if item.phase == COMMENTARY]


def answer_items(state: ResponseState) -> list[Item]:
    """Return the messages of a response that are its answer: all but the preamble."""
    return [item for item in list(state.items.values()) if item.phase != COMMENTARY]


def first_audio(items: Iterable[Item]) -> float:
    """Return when the first audio of items came, in seconds since the session opened; NaN where none came."""
    times = [part.first_audio_t for part in _parts(list(items)) if not math.isnan(part.first_audio_t)]
    return min(times, default=NAN)
