"""Usage and rate limits. The rules are simple and stated, so that the figures can be checked by hand.

Text: a word counts one token for each six letters begun, any other visible character counts one. Assistant audio: one token
for each 50 ms; the user's: one for each 100 ms. An image: 85 tokens in low detail, else 765. Nothing is cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rtnb.protocol.catalog import WHOLE_TRANSCRIPT_MODELS
from rtnb.protocol.names import Kind

AUDIO_TOKENS_PER_SECOND = 20
USER_AUDIO_TOKENS_PER_SECOND = 10
_TOKEN = re.compile(r"\w{1,6}|[^\w\s]")
_REQUESTS, _TOKENS, _WINDOW = 1_000, 1_000_000, 60.0
_RESERVED = 4_500  # what the services reserve when a response begins


def text_tokens(text: str) -> int:
    """Return how many tokens a text counts."""
    return sum(1 for _ in _TOKEN.finditer(text))


@dataclass(frozen=True, slots=True)
class InputTokens:
    """The input tokens of something, by kind; they can be added and taken away."""

    text: int = 0
    audio: int = 0
    image: int = 0

    def __add__(self, other: InputTokens) -> InputTokens:
        return InputTokens(self.text + other.text, self.audio + other.audio, self.image + other.image)

    def __sub__(self, other: InputTokens) -> InputTokens:
        return InputTokens(self.text - other.text, self.audio - other.audio, self.image - other.image)

    @property
    def total(self) -> int:
        """Return how many tokens of all kinds there are."""
        return self.text + self.audio + self.image


def image_tokens(detail: str) -> int:
    """Return how many tokens an image counts."""
    return 85 if detail == "low" else 765


def usage(given: InputTokens, *, text_out: int = 0, audio_out: int = 0) -> dict[str, Any]:
    """Return a response's usage object."""
    return {
        "total_tokens": given.total + text_out + audio_out,
        "input_tokens": given.total,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": given.text,
            "audio_tokens": given.audio,
            "image_tokens": given.image,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def transcription_usage(model: str, seconds: float, text: str) -> dict[str, Any]:
    """Return a transcription's usage object: Whisper counts seconds, the others tokens."""
    if model in WHOLE_TRANSCRIPT_MODELS:
        return {"type": "duration", "seconds": round(seconds, 3)}
    audio, words = round(seconds * USER_AUDIO_TOKENS_PER_SECOND), text_tokens(text)
    return {
        "type": "tokens",
        "total_tokens": audio + words,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": words,
    }


class RateLimits:
    """Requests and tokens left in the current minute, by a clock in seconds. They are shown; nothing is refused for them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._requests = self._tokens = 0

    def spend(self, tokens: int) -> None:
        """Count the tokens of a finished response."""
        self._tokens += tokens

    def begin_response(self) -> dict[str, Any]:
        """Count a request; return the event that shows what is left, tokens reserved for the response taken off."""
        now = self._clock()
        if not 0 <= now - self._since < _WINDOW:
            self._since, self._requests, self._tokens = now, 0, 0
        self._requests += 1
        reset = round(_WINDOW - (now - self._since), 3)
        left = {"requests": (_REQUESTS, self._requests), "tokens": (_TOKENS, self._tokens + _RESERVED)}
        limits = [
            {"name": name, "limit": limit, "remaining": max(0, limit - used), "reset_seconds": reset}
            for name, (limit, used) in left.items()
        ]
        return {"type": Kind.RATE_LIMITS.value, "rate_limits": limits}
