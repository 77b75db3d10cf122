"""The report page of a session: its answers, its picture and its events in one HTML file that loads nothing else."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rtnb import formatting
from rtnb.audio.clip import INLINE_SECONDS, AudioClip
from rtnb.notebook.layout import STATUS_COLOURS

if TYPE_CHECKING:
    from rtnb.timeline.timeline import Timeline

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem 1.2rem 3rem;
  color: #1d2327; background: #fdfdfc; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .6em 0 .2em; }
h2 { font-size: 1.15rem; margin: 2em 0 .5em; }
section + section { border-top: 1px solid rgba(128,128,128,.25); }
.about { opacity: .7; margin: 0; }
.said { font-size: 1.1rem; white-space: pre-wrap; margin: .4em 0 .8em; }
audio { width: 100%; max-width: 32rem; display: block; }
dl { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin: .8em 0; }
dt { font-size: .8rem; opacity: .7; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.wide img { width: 100%; min-width: 44rem; height: auto; border-radius: 4px; display: block; }
.wide td:not(:last-child) { white-space: nowrap; }
.wide td:last-child { min-width: 18rem; }
@media (prefers-color-scheme: dark) { body { color: #e4e6e8; background: #17191c; } }
@media print { body { max-width: none; } }
"""
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


class Reported(Protocol):
    """The part of `rtnb.Response` that the report shows."""

    @property
    def id(self) -> str:
        """The service's id."""

    @property
    def status(self) -> str:
        """``"completed"``, ``"failed"`` …, ``"in_progress"``."""

    @property
    def transcript(self) -> str:
        """The transcript of its audio."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def audio(self) -> AudioClip:
        """Its audio."""

    @property
    def usage(self) -> dict[str, Any]:
        """The service's token counts."""

    @property
    def latency(self) -> Any:
        """Seconds until ``first_text``, ``first_audio`` and ``done``; NaN for what did not come."""

    @property
    def error(self) -> Exception | None:
        """The reason of its failure, None where it did not fail."""


def write_report(
    path: str | Path, *, timeline: Timeline, responses: Iterable[Reported], title: str, picture_png: bytes = b""
) -> Path:
    """Write the report page of a session and return its path. The page loads nothing and runs no script.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    timeline : Timeline
        The events that the page shows.
    responses : iterable of Response
        The answers, in order.
    title : str
        The page's heading.
    picture_png : bytes
        The picture of the session, a PNG file; none if empty.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    target = Path(path).expanduser()
    page = report_html(timeline=timeline, responses=responses, title=title, picture_png=picture_png)
    target.write_text(page, encoding="utf-8", newline="\n")
    return target


def report_html(*, timeline: Timeline, responses: Iterable[Reported], title: str, picture_png: bytes = b"") -> str:
    """Return the report page as HTML; parameters as of `write_report`."""
    heading = formatting.escape(title)
    answers = list(responses)
    sections = [_answer(response, place if len(answers) > 1 else 0) for place, response in enumerate(answers, start=1)]
    if not answers:
        sections.append(_section("Answers", "<p>No response came in this session.</p>"))
    if picture_png:
        encoded = base64.b64encode(picture_png).decode("ascii")
        alternative = "waveform of the answer, and the session's events over time"
        image = f'<img alt="{alternative}" src="data:image/png;base64,{encoded}">'
        sections.append(_section("Picture", _wide(image)))
    table = timeline._repr_mimebundle_()["text/html"]
    sections.append(_section("Events", _wide(table)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{heading}</h1>\n<p class="about">{_about(timeline)}</p>\n'
        + "\n".join(sections)
        + "\n</main>\n</body>\n</html>\n"
    )


def _about(timeline: Timeline) -> str:
    """Return the endpoint, the time and the number of events, as HTML."""
    when = timeline.started
    words = [
        timeline.title,
        f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if when is not None else "",
        formatting.plural(len(timeline), "event"),
    ]
    return formatting.escape(" · ".join(word for word in words if word))


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{heading}</h2>\n{content}\n</section>"


def _wide(content: str) -> str:
    """Return content that may be wider than the page: it scrolls, also by keyboard."""
    return f'<div class="wide" tabindex="0">{content}</div>'


def _answer(response: Reported, number: int) -> str:
    said = response.transcript or response.text
    error = response.error
    colour = STATUS_COLOURS.get(response.status, formatting.LOCAL_COLOUR)
    parts = [
        formatting.banner(error) if error is not None else "",
        f'<p class="said">{formatting.escape(said)}</p>' if said else "<p>No words came with this answer.</p>",
        _player(response.audio),
        _figures(response),
    ]
    heading = f"Answer {number or ''}".strip() + f" · {formatting.coloured(response.status, colour)}"
    return _section(heading, "\n".join(part for part in parts if part))


def _player(clip: AudioClip) -> str:
    if not len(clip):
        return ""
    tag = formatting.audio_tag(clip.between(0, INLINE_SECONDS).to_wav())
    if clip.duration <= INLINE_SECONDS:
        return tag
    length = formatting.seconds(clip.duration)
    return (
        tag
        + f'<p class="about">The player holds the first {INLINE_SECONDS} s of {length}, to keep this page light.</p>'
    )


def _figures(response: Reported) -> str:
    latency, length = response.latency, response.audio.duration
    figures = {
        "first text": formatting.seconds(latency.first_text),
        "first audio": formatting.seconds(latency.first_audio),
        "done": formatting.seconds(latency.done),
        "audio length": formatting.seconds(length) if length else "no audio",
        "tokens": _tokens(response.usage),
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{formatting.escape(value)}</dd></div>" for name, value in figures.items())
    return f"<dl>{cells}</dl>"


def _tokens(usage: Mapping[str, Any]) -> str:
    """Return the service's token counts for people; counts that it did not give are left out."""
    total, asked, answered = (_count(usage.get(f"{share}_tokens")) for share in ("total", "input", "output"))
    if not total:
        return formatting.MISSING
    shares = [words for words in (f"{asked} in" if asked else "", f"{answered} out" if answered else "") if words]
    return f"{total} ({', '.join(shares)})" if shares else total


def _count(value: object) -> str:
    """Return a count for people, empty where it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return ""
    return f"{value:,.0f}"
