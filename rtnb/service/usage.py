"""Tokens and limits. The rules are simple and stated, so that the figures can be checked by hand.

Text: a word counts one token for each six letters begun, any other visible character one. Assistant audio: one token
for each 50 ms. Nothing is cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rtnb.protocol.names import Kind

AUDIO_TOKENS_PER_SECOND = 20
_TOKEN = re.compile(r"\w{1,6}|[^\w\s]")
_REQUESTS, _TOKENS, _WINDOW = 1_000, 1_000_000, 60.0
_RESERVED = 4_500  # what the services set aside when a response begins


def text_tokens(text: str) -> int:
    """Return how many tokens a text counts."""
    return sum(1 for _ in _TOKEN.finditer(text))


def usage(*, text_in: int = 0, audio_in: int = 0, text_out: int = 0, audio_out: int = 0) -> dict[str, Any]:
    """Return a response's usage object."""
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


class RateLimits:
    """Requests and tokens left in the current minute. They are counted and shown; nothing is refused for them.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._requests = self._tokens = 0

    def spend(self, tokens: int) -> None:
        """Count what a finished response used."""
        self._tokens += tokens

    def begin_response(self) -> dict[str, Any]:
        """Count a request and return the event that shows what is left, with tokens set aside for the response."""
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
