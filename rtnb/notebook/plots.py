"""Figures: a clip's waveform, a timeline's lanes. Made without pyplot, so nothing here is shared with the user's plots."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from rtnb.formatting import (
    AUDIO_COLOUR,
    ERROR_COLOUR,
    LOCAL_COLOUR,
    RECEIVED_COLOUR,
    SENT_COLOUR,
    plural,
    printable,
    seconds,
)
from rtnb.notebook.lanes import Lanes, lay_out
from rtnb.notebook.placement import Label, Runs, Wave
from rtnb.protocol.events import LOCAL, RECEIVED, SENT

if TYPE_CHECKING:
    from rtnb.audio import AudioClip
    from rtnb.timeline.timeline import Timeline

INCHES = (10.0, 3.6)
DPI = 100
_SHOWN_DPI = 160
_PAPER, _INK, _FAINT = "white", "#333333", "#9a9a9a"
_FONT = "DejaVu Sans"
_EAST_ASIAN_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "PingFang SC",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
_LABEL_POINTS, _HEAD_POINTS = 7.5, 9.5
_STATUS_COLOUR = {
    "completed": RECEIVED_COLOUR,
    "cancelled": LOCAL_COLOUR,
    "incomplete": LOCAL_COLOUR,
    "failed": ERROR_COLOUR,
}


class ShownAxes(Axes):
    """Axes that a notebook shows, as the picture of their figure, when they are the last value of a cell."""

    def _repr_png_(self) -> tuple[str, dict[str, int]]:
        figure = self.figure
        assert isinstance(figure, Figure), "rtnb makes these axes in figures, not in parts of one"
        width, height = figure.get_size_inches()
        shown = {"width": round(width * DPI), "height": round(height * DPI)}
        return base64.b64encode(to_png(figure, dpi=_SHOWN_DPI)).decode("ascii"), shown


def to_png(figure: Figure, *, dpi: float = _SHOWN_DPI) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor(), transparent=False)
    return buffer.getvalue()


def plot_clip(clip: AudioClip, ax: Axes | None = None) -> Axes:
    """Draw the waveform of `clip` over seconds, as the least and the greatest sample of each pixel.

    Parameters
    ----------
    clip : AudioClip
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        x in seconds, y in -1..1 of full scale.
    """
    ax = _axes(INCHES[0], 2.4) if ax is None else ax
    ax.set(xlabel="seconds", ylabel="amplitude (of full scale)", ylim=(-1, 1), xlim=(0, clip.duration or 1))
    if not len(clip):
        _head(ax, f"no audio · {clip.rate / 1000:g} kHz")
        _say(ax, "no audio")
        return ax
    bins = min(len(clip), _pixels(ax))
    low, high = clip.envelope(bins)
    edges = np.linspace(0, clip.duration, bins + 1)
    x, lower, upper = Wave(edges[:-1], float(edges[1]), low, high).outline()
    ax.axhline(0, color=_FAINT, linewidth=0.6, zorder=1)
    ax.fill_between(x, lower, upper, color=AUDIO_COLOUR, linewidth=0.6, zorder=2)
    _head(ax, f"{seconds(clip.duration)} · {clip.rate / 1000:g} kHz · peak {clip.peak:.2f} · rms {clip.rms:.2f}")
    return ax


def plot_timeline(timeline: Timeline, ax: Axes | None = None) -> Axes:
    """Draw what happened in `timeline`, a session's or a selection's, as lanes over seconds.

    The lanes are what was sent, what was received, the words as they arrived, the assistant's audio where it arrived,
    and the same audio where it is heard by somebody who plays it as it comes. The audio is scaled to its loudest moment.
    Responses are shaded by how they ended; errors are red. Whatever is too close together to be told apart is drawn as one.

    Parameters
    ----------
    timeline : Timeline
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        x in seconds since the session opened.
    """
    ax = _axes(*INCHES) if ax is None else ax
    lanes = lay_out(timeline, pixels=_pixels(ax), columns=_columns(ax))
    _frame(ax, lanes)
    if not lanes.events:
        _say(ax, "no events")
        return ax
    _draw_responses(ax, lanes)
    _draw_events(ax, lanes)
    _draw_words(ax, lanes)
    _draw_audio(ax, lanes)
    return ax


def picture(timeline: Timeline, clip: AudioClip) -> bytes:
    """Return a PNG file with the waveform of `clip` above the lanes of `timeline`."""
    figure = _figure(INCHES[0], 6.0)
    grid = figure.add_gridspec(2, 1, height_ratios=(2, 3.6))
    plot_clip(clip, _inked(figure.add_subplot(grid[0], axes_class=ShownAxes)))
    plot_timeline(timeline, _inked(figure.add_subplot(grid[1], axes_class=ShownAxes)))
    return to_png(figure)


# Lanes from the top: name, colour, bottom, height.
_LANES = {
    "sent": (SENT_COLOUR, 5.0, 0.95),
    "received": (RECEIVED_COLOUR, 3.95, 0.95),
    "text": (_INK, 2.6, 1.25),
    "audio arrived": (AUDIO_COLOUR, 1.3, 1.2),
    "audio heard": (AUDIO_COLOUR, 0.0, 1.2),
}
_TOP, _STATUS_HEIGHT = 6.05, 0.45
_MARK_HEIGHT, _SPEECH_HEIGHT = 0.3, 0.6


def _frame(ax: Axes, lanes: Lanes) -> None:
    """Set up axis, lane names and title."""
    margin = 0.01 * (lanes.end - lanes.start)
    ax.set(
        xlim=(lanes.start - margin, lanes.end + margin),
        ylim=(-0.1, _TOP + _STATUS_HEIGHT),
        xlabel="seconds since the session opened",
    )
    ax.set_yticks([low + height / 2 for _, low, height in _LANES.values()], list(_LANES))
    ax.tick_params(axis="y", length=0)
    for label, (colour, _, _) in zip(ax.get_yticklabels(), _LANES.values(), strict=True):
        if colour != _INK:
            label.set_color(colour)
    ax.hlines(
        [low - 0.05 for _, low, _ in _LANES.values()][:-1],
        0,
        1,
        colors=_FAINT,
        linewidth=0.5,
        alpha=0.5,
        transform=ax.get_yaxis_transform(),
    )
    counts = [plural(lanes.events, "event"), plural(len(lanes.responses), "response")]
    _head(ax, " · ".join([*counts, seconds(lanes.end - lanes.start)]) if lanes.events else "no events")


def _draw_responses(ax: Axes, lanes: Lanes) -> None:
    if not lanes.responses:
        return
    widths = [(span.start, max(span.end - span.start, lanes.step)) for span in lanes.responses]
    colours = [_STATUS_COLOUR.get(span.status, _FAINT) for span in lanes.responses]
    ax.broken_barh(widths, (-0.1, _TOP + 0.1), facecolors=colours, alpha=0.10, linewidth=0, zorder=0)
    ax.broken_barh(widths, (_TOP, _STATUS_HEIGHT), facecolors=colours, alpha=0.30, linewidth=0, zorder=0)
    _write(ax, lanes.statuses, _TOP + _STATUS_HEIGHT - 0.07, lanes)
    if len(lanes.statuses) < len(lanes.responses):
        _explain_colours(ax, lanes)


def _explain_colours(ax: Axes, lanes: Lanes) -> None:
    """Say above the axes which colour is which state, where there is no room to say it at each response."""
    states = dict.fromkeys(span.status for span in lanes.responses)
    ax.legend(
        [Patch(facecolor=_STATUS_COLOUR.get(state, _FAINT), alpha=0.4) for state in states],
        [_drawable(state, [_FONT]) for state in states],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(states),
        frameon=False,
        fontsize=_LABEL_POINTS,
        labelcolor=ax.xaxis.label.get_color(),
        borderaxespad=0.2,
        handlelength=1.2,
    )


def _draw_events(ax: Axes, lanes: Lanes) -> None:
    for direction, lane in ((SENT, "sent"), (RECEIVED, "received"), (LOCAL, "received")):
        colour, low, height = _LANES[lane]
        _bars(ax, lanes.marks[direction], low, _MARK_HEIGHT, LOCAL_COLOUR if direction == LOCAL else colour, lanes.step)
        _bars(ax, lanes.errors[direction], low, height, ERROR_COLOUR, 2 * lanes.step)
    for direction, lane in ((SENT, "sent"), (RECEIVED, "received")):
        _, low, height = _LANES[lane]
        _write(ax, lanes.names[direction], low + height, lanes)


def _draw_words(ax: Axes, lanes: Lanes) -> None:
    _, low, height = _LANES["text"]
    _bars(ax, lanes.text, low, 0.6 * _MARK_HEIGHT, ax.xaxis.label.get_color(), lanes.step)
    _write(ax, lanes.words, low + height, lanes)


def _draw_audio(ax: Axes, lanes: Lanes) -> None:
    loudest = max(lanes.heard.peak, lanes.appended.peak) or 1.0
    for name, wave in (("audio arrived", lanes.arrived), ("audio heard", lanes.heard)):
        colour, low, height = _LANES[name]
        _wave(ax, wave, low + height / 2, 0.47 * height / loudest, colour)
        if not len(wave.t):
            _write(ax, [Label(lanes.start, ("no audio",))], low + 0.6 * height, lanes, _FAINT)
    colour, low, _ = _LANES["sent"]
    _wave(ax, lanes.appended, low + 0.5 * _SPEECH_HEIGHT, 0.47 * _SPEECH_HEIGHT / loudest, colour)


def _wave(ax: Axes, wave: Wave, middle: float, scale: float, colour: str) -> None:
    if len(wave.t):
        x, lower, upper = wave.outline()
        # A hair of height keeps silence visible as a line.
        lower, upper = middle + scale * lower - 0.01, middle + scale * upper + 0.01
        ax.fill_between(x, lower, upper, color=colour, linewidth=0, zorder=2)


def _bars(ax: Axes, runs: Runs, low: float, height: float, colour: Any, width: float) -> None:
    """Draw marks as one artist: a line for a mark alone, a bar for a run."""
    if len(runs.start):
        widths = np.maximum(runs.end - runs.start, 1.5 * width)
        ax.broken_barh(
            list(zip(runs.start, widths, strict=True)), (low, height), facecolors=colour, linewidth=0, zorder=2
        )


def _write(ax: Axes, labels: Sequence[Label], top: float, lanes: Lanes, colour: Any = None) -> None:
    fonts = _fonts()
    for label in labels:
        ax.text(
            label.t + (4 if label.loud else 1) * lanes.step,
            top,
            _drawable("\n".join(label.lines), fonts),
            color=ERROR_COLOUR if label.loud else colour or ax.xaxis.label.get_color(),
            fontsize=_LABEL_POINTS,
            fontfamily=fonts,
            va="top",
            parse_math=False,
            clip_on=True,
            zorder=3,
        )


def _fonts() -> list[str]:
    """Return the fonts that words are set in: matplotlib's own, and one for East Asian scripts where there is one."""
    installed = {font.name for font in fontManager.ttflist}
    return [_FONT, *[name for name in _EAST_ASIAN_FONTS if name in installed][:1]]


def _drawable(text: str, fonts: Sequence[str]) -> str:
    """Return `text` with boxes for the characters that no font has a glyph for: matplotlib would warn of each."""
    faces = [get_font(findfont(FontProperties(family=name))) for name in fonts]
    return "".join(
        each if each == "\n" or any(face.get_char_index(ord(each)) for face in faces) else "\u25a1"
        for each in printable(text)
    )


def _head(ax: Axes, words: str) -> None:
    ax.set_title(words, loc="left", fontsize=_HEAD_POINTS, color=ax.xaxis.label.get_color())


def _say(ax: Axes, words: str) -> None:
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=_FAINT, fontsize=13)


def _axes(width: float, height: float) -> Axes:
    return _inked(_figure(width, height).add_subplot(axes_class=ShownAxes))


def _figure(width: float, height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    return figure


def _inked(ax: Axes) -> Axes:
    """Give axes of our own the colours of paper and ink, whatever style is set: a picture reads the same everywhere."""
    ax.set_facecolor(_PAPER)
    ax.tick_params(colors=_INK, labelsize=9)
    ax.xaxis.label.set(color=_INK, fontsize=9)
    ax.yaxis.label.set(color=_INK, fontsize=9)
    for side, spine in ax.spines.items():
        spine.set(color=_FAINT, linewidth=0.8, visible=side in ("left", "bottom"))
    return ax


def _pixels(ax: Axes) -> int:
    """Return the steps worth drawing along the x axis: about one for each pixel of the page."""
    return max(200, round(_width(ax) * DPI))


def _columns(ax: Axes) -> int:
    """Return how many characters of a label fit along the x axis."""
    return max(20, int(_width(ax) * 72 / (0.58 * _LABEL_POINTS)))


def _width(ax: Axes) -> float:
    """Return how wide the x axis is, in inches; axes of our own are laid out only when they are drawn."""
    if isinstance(ax, ShownAxes):
        return 0.9 * float(ax.figure.bbox.width) / ax.figure.dpi
    return float(ax.get_window_extent().width) / ax.figure.dpi
