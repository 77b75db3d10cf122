"""The panel's header, banners and figures as HTML; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rtnb import formatting
from rtnb.client.summary import SessionSummary
from rtnb.conversation.response import Response
from rtnb.errors import SessionClosed

_SOON_SECONDS = 120.0
_SHOWN_IN_CONVERSATION = "error from the service"


def header_html(summary: SessionSummary, left: float) -> str:
    """Return state and endpoint in one line, with the seconds left until the session expires (NaN: unknown)."""
    colour = formatting.RECEIVED_COLOUR if summary.state == "open" else formatting.ERROR_COLOUR
    state = formatting.coloured(f"● {summary.state}", colour)
    words = [
        summary.where,
        summary.dialect,
        *summary.has,
    ]
    place = formatting.escape(" · ".join(words))
    return f"<div>{state} · {place}{_expiry(left) if summary.state == 'open' else ''}</div>"


def _expiry(left: float) -> str:
    if math.isnan(left):
        return ""
    words = f"expires in {_clock(left)}" if left > 0 else "has expired"
    return " · " + (formatting.coloured(words, formatting.ERROR_COLOUR) if left < _SOON_SECONDS else words)


def _clock(left: float) -> str:
    minutes, rest = divmod(int(left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def banners_html(problems: Sequence[str], closed: SessionClosed | None, failure: BaseException | None) -> str:
    """Return what went wrong and is not in the conversation, newest last; empty if nothing did."""
    others = [each for each in problems if not each.startswith(_SHOWN_IN_CONVERSATION)]
    unique = dict.fromkeys([*others[-3:], *([str(failure)] if failure is not None else ())])
    banners = [formatting.banner(formatting.one_line(words, 600)) for words in unique]
    if closed is not None:
        colour = formatting.LOCAL_COLOUR if closed.who == "client" else formatting.ERROR_COLOUR
        banners.append(formatting.banner(formatting.one_line(closed, 600), colour))
    return "".join(banners)


def figures_html(response: Response | None, usage: Mapping[str, Any]) -> str:
    """Return the latency of the newest response, and the tokens of all responses."""
    if response is None:
        return formatting.muted("Latency and tokens come with the first answer.")
    latency = response.latency
    since = {"request": "after the request", "created": "after it began"}[latency.since]
    rows = [
        [formatting.muted(name), formatting.escape(formatting.seconds(value))]
        for name, value in (
            ("first text", latency.first_text),
            ("first audio", latency.first_audio),
            ("done", latency.done),
        )
    ]
    rows += [[formatting.muted(name), formatting.escape(value)] for name, value in _tokens(usage)]
    return formatting.html_table(("newest answer", since), rows)


def _tokens(usage: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not usage:
        return [("tokens of the session", "not counted")]
    figures = [("tokens of the session", _count(usage.get("total_tokens")))]
    for side, name in (("input", "read"), ("output", "made")):
        details = usage.get(f"{side}_token_details")
        shares = details if isinstance(details, Mapping) else {}
        text, audio = _count(shares.get("text_tokens")), _count(shares.get("audio_tokens"))
        figures.append((f"· {name}", f"{_count(usage.get(f'{side}_tokens'))} (text {text}, audio {audio})"))
    return figures


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else "–"
