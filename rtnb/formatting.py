"""Text, HTML and SVG strings: pure functions that know no session, and escape what they are given.

The HTML has no script, no class names that a page could collide with, and no fixed background: it inherits the page's
colours, so that it can be read in a light and in a dark theme, in a saved notebook and on a page that strips styles. Its
one class keeps MathJax away, which would read "$5 or $6" as a formula.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterable, Sequence

SENT_COLOUR = "#3b82c4"
RECEIVED_COLOUR = "#2f9e62"
AUDIO_COLOUR = "#8a63d2"
ERROR_COLOUR = "#d64545"
LOCAL_COLOUR = "#b7791f"
MISSING = "not measured"
PROSE = "mathjax_ignore tex2jax_ignore"
"""The class of HTML that MathJax must not read as TeX: today's name, and the one of exported notebooks."""

# C0, C1, bidirectional overrides and isolates, zero-width characters, lone surrogates: they can hide or reorder what a
# person reads, and surrogates have no encoding.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: object) -> str:
    """Return `text` with control, bidirectional and unencodable characters made visible as ``\\uXXXX``."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", str(text))


def escape(text: object) -> str:
    """Return `text` safe inside HTML content and attributes."""
    return html.escape(printable(text), quote=True)


def one_line(text: object, limit: int = 100) -> str:
    """Return `text` on one line, at most `limit` characters, cut with an ellipsis."""
    line = " ".join(printable(str(text)[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def short_id(identifier: str | None, keep: int = 6) -> str:
    """Shorten ``item_AbC…xyz`` to its prefix and last characters: ``item_…uvwxyz``."""
    if not identifier:
        return ""
    prefix, underscore, rest = identifier.partition("_")
    if not underscore:
        prefix, rest = "", identifier
    if len(rest) <= keep + 1:
        return identifier
    return f"{prefix}{underscore}…{rest[-keep:]}"


def seconds(value: float) -> str:
    """Return a duration in words that suit its size: ``12 ms``, ``1.23 s``, ``2 min 5 s``."""
    if math.isnan(value):
        return MISSING
    if abs(value) < 0.9995:
        return f"{value * 1000:.0f} ms"
    if abs(value) < 99.95:
        return f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def size(count: float) -> str:
    """Return a number of bytes in decimal units: ``980 B``, ``4.8 kB``, ``3.1 MB``."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} GB"


def plural(count: int, noun: str) -> str:
    """Return ``1 event`` or ``2,345 events``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return rows as aligned text columns; `right` names the columns that are numbers."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return an HTML table; the cells are HTML, so the caller escapes them.

    Only the last column, which has the long texts, breaks its lines; a table that is too wide scrolls in its own frame.
    """
    last = len(header) - 1

    def cell(tag: str, column: int, content: str) -> str:
        align = "right" if column in right else "left"
        wrap = "min-width:12em" if column == last else "white-space:nowrap"
        border = "border-bottom:1px solid rgba(128,128,128,.25)"
        return f'<{tag} style="text-align:{align};padding:2px 8px;{border};vertical-align:top;{wrap}">{content}</{tag}>'

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, column, content) for column, content in enumerate(cells)) + "</tr>"

    head = f"<thead>{line('th', header)}</thead>" if any(header) else ""
    body = "".join(line("td", row) for row in rows)
    return (
        f'<div class="{PROSE}" style="overflow-x:auto"><table style="border-collapse:collapse;font-size:90%;background:none;color:inherit;margin:0">'
        f"{head}<tbody>{body}</tbody></table></div>"
    )


def coloured(text: object, colour: str) -> str:
    """Return `text`, escaped, in one of this module's colours."""
    return f'<span style="color:{colour};font-weight:600">{escape(text)}</span>'


def muted(text: object) -> str:
    """Return `text`, escaped, paler than its surroundings."""
    return f'<span style="opacity:.65">{escape(text)}</span>'


def banner(text: object, colour: str = ERROR_COLOUR) -> str:
    """Return a highlighted paragraph, for an error or a warning."""
    return (
        f'<div style="border-left:4px solid {colour};padding:4px 10px;margin:4px 0;'
        f'background:{colour}22">{escape(text)}</div>'
    )


def card(*parts: str) -> str:
    """Return HTML `parts` one below the other in one block."""
    inner = "".join(f'<div style="margin:3px 0">{part}</div>' for part in parts if part)
    return f'<div class="{PROSE}" style="max-width:900px;padding:2px 0;line-height:1.45">{inner}</div>'


def waveform_svg(
    low: Sequence[float], high: Sequence[float], *, width: int = 600, height: int = 64, label: str = ""
) -> str:
    """Return an inline SVG of a waveform from its envelope.

    Parameters
    ----------
    low, high : sequence of float, shape (bins,)
        Least and greatest sample of each bin, in -1..1.
    width, height : int
        Size in CSS pixels; the picture becomes narrower with its cell.
    label : str
        Text for screen readers.
    """
    middle = height / 2
    step = width / max(len(high), 1)
    upper = [f"{index * step:.1f},{middle - value * middle:.1f}" for index, value in enumerate(high)]
    lower = [f"{index * step:.1f},{middle - value * middle:.1f}" for index, value in enumerate(low)]
    points = " ".join([*upper, *reversed(lower)])
    return (
        f'<svg role="img" aria-label="{escape(label or "waveform")}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" preserveAspectRatio="none" style="max-width:100%;display:block">'
        f'<line x1="0" y1="{middle}" x2="{width}" y2="{middle}" stroke="currentColor" stroke-opacity=".3"/>'
        f'<polygon points="{points}" fill="{AUDIO_COLOUR}" stroke="{AUDIO_COLOUR}" stroke-width=".6"/></svg>'
    )


def audio_tag(wav: bytes) -> str:
    """Return an audio player around finished WAV bytes (64 kB of HTML for a second of 24 kHz PCM16)."""
    encoded = base64.b64encode(wav).decode("ascii")
    return f'<audio controls preload="metadata" src="data:audio/wav;base64,{encoded}"></audio>'
