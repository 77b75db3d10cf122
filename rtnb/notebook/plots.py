"""Figures of matplotlib: a clip's waveform, a timeline's lanes. Made without pyplot, whose state belongs to the user.

What is where is decided by `rtnb.notebook.layout`; here it is drawn.
"""

from __future__ import annotations

import base64
import io
import math
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
from rtnb.notebook.labels import Label
from rtnb.notebook.layout import STATUS_COLOURS, Layout, runs
from rtnb.notebook.waveform import Axis, Wave
from rtnb.protocol.events import LOCAL, RECEIVED, SENT

if TYPE_CHECKING:
    from rtnb.audio import AudioClip
    from rtnb.timeline.playback import Times
    from rtnb.timeline.timeline import Timeline

INCHES = (10.0, 3.6)
DPI = 100
_SHOWN_DPI = 160
_PAPER, _INK, _FAINT = "white", "#333333", "#9a9a9a"
UNHEARD_COLOUR = "#c9c9c9"
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
    x, lower, upper = Wave(0.0, clip.duration / bins, low, high).outline()
    ax.axhline(0, color=_FAINT, linewidth=0.6, zorder=1)
    ax.fill_between(x, lower, upper, color=AUDIO_COLOUR, linewidth=0.6, zorder=2)
    _head(ax, f"{seconds(clip.duration)} · {clip.rate / 1000:g} kHz · peak {clip.peak:.2f} · rms {clip.rms:.2f}")
    return ax


def plot_timeline(timeline: Timeline, ax: Axes | None = None) -> Axes:
    """Draw what happened in `timeline`, a session's or a selection's, as lanes over seconds.

    The lanes are what was sent, with the user's audio, what was received, the text as it arrived, the assistant's audio
    where it arrived, and the same audio where it is heard; of an answer that was interrupted, what was not heard is grey.
    The audio is scaled to its loudest moment. Responses are shaded by how they ended; errors are red. What is too close
    together to be told apart is drawn as one.

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
    layout = Layout.of(timeline)
    axis = Axis(*layout.whole, _pixels(ax), _columns(ax))
    _frame(ax, layout, axis)
    if not layout.rows:
        _say(ax, "no events")
        return ax
    _draw_responses(ax, layout, axis)
    _draw_events(ax, layout, axis)
    _draw_audio(ax, layout, axis)
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
_MARK_HEIGHT, _SPEECH_SHARE = 0.3, 0.63


def _frame(ax: Axes, layout: Layout, axis: Axis) -> None:
    """Set up axis, lane names and title."""
    margin = 0.01 * (axis.end - axis.start)
    ax.set(
        xlim=(axis.start - margin, axis.end + margin),
        ylim=(-0.1, _TOP + _STATUS_HEIGHT),
        xlabel="seconds since the session opened",
    )
    ax.set_yticks([low + height / 2 for _, low, height in _LANES.values()], list(_LANES))
    ax.tick_params(axis="y", length=0)
    for label, (colour, _, _) in zip(ax.get_yticklabels(), _LANES.values(), strict=True):
        if colour != _INK:
            label.set_color(colour)
    lines = [low - 0.05 for _, low, _ in _LANES.values()][:-1]
    ax.hlines(lines, 0, 1, colors=_FAINT, linewidth=0.5, alpha=0.5, transform=ax.get_yaxis_transform())
    counts = [plural(layout.rows, "event"), plural(len(layout.responses), "response")]
    _head(ax, " · ".join([*counts, seconds(axis.end - axis.start)]) if layout.rows else "no events")


def _draw_responses(ax: Axes, layout: Layout, axis: Axis) -> None:
    spans = layout.responses
    if not spans:
        return
    ends = [axis.end if math.isnan(span.end) else span.end for span in spans]
    widths = [(span.start, max(end - span.start, axis.step)) for span, end in zip(spans, ends, strict=True)]
    colours = [STATUS_COLOURS.get(span.status, _FAINT) for span in spans]
    ax.broken_barh(widths, (-0.1, _TOP + 0.1), facecolors=colours, alpha=0.10, linewidth=0, zorder=0)
    ax.broken_barh(widths, (_TOP, _STATUS_HEIGHT), facecolors=colours, alpha=0.30, linewidth=0, zorder=0)
    labels = layout.statuses(axis)
    _write(ax, labels, _TOP + _STATUS_HEIGHT - 0.07, axis)
    if len(labels) == len(spans):
        return
    # Where there is no room for each status, a legend says which colour is which.
    legend = {span.label: STATUS_COLOURS.get(span.status, _FAINT) for span in spans}
    ax.legend(
        [Patch(facecolor=colour, alpha=0.4) for colour in legend.values()],
        [_drawable(label, [_FONT]) for label in legend],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(legend),
        frameon=False,
        fontsize=_LABEL_POINTS,
        labelcolor=ax.xaxis.label.get_color(),
        borderaxespad=0.2,
        handlelength=1.2,
    )


def _draw_events(ax: Axes, layout: Layout, axis: Axis) -> None:
    ticks, names = layout.ticks(axis), layout.names(axis)
    for direction, lane in ((SENT, "sent"), (RECEIVED, "received"), (LOCAL, "received")):
        colour, low, height = _LANES[lane]
        found = ticks[direction]
        colour = LOCAL_COLOUR if direction == LOCAL else colour
        _bars(ax, found.t[~found.failed], low, _MARK_HEIGHT, colour, axis.step)
        _bars(ax, found.t[found.failed], low, height, ERROR_COLOUR, 2 * axis.step)
    for lane in (SENT, RECEIVED):
        _, low, height = _LANES[lane]
        _write(ax, names[lane], low + height, axis)
    _, low, height = _LANES["text"]
    _bars(ax, ticks["text"].t, low, 0.6 * _MARK_HEIGHT, ax.xaxis.label.get_color(), axis.step)
    _write(ax, layout.text(axis, rows=3), low + height, axis)


def _draw_audio(ax: Axes, layout: Layout, axis: Axis) -> None:
    waves, loudest = layout.waves(axis), layout.peak or 1.0
    for lane, wave, colour, share in (
        ("sent", "user", SENT_COLOUR, _SPEECH_SHARE),
        ("audio arrived", "arrived", AUDIO_COLOUR, 1),
        ("audio heard", "unheard", UNHEARD_COLOUR, 1),
        ("audio heard", "heard", AUDIO_COLOUR, 1),
    ):
        _, low, height = _LANES[lane]
        x, lower, upper = waves[wave].outline()
        middle, scale = low + share * height / 2, 0.47 * share * height / loudest
        if np.isnan(lower).all():
            continue
        # A hair of height keeps silence visible as a line.
        ax.fill_between(
            x, middle + scale * lower - 0.01, middle + scale * upper + 0.01, color=colour, linewidth=0, zorder=2
        )
    if not len(layout.output.times.seq):
        for lane in ("audio arrived", "audio heard"):
            _, low, height = _LANES[lane]
            _write(ax, [Label(axis.start, ("no audio",))], low + 0.6 * height, axis, _FAINT)


def _bars(ax: Axes, times: Times, low: float, height: float, colour: Any, width: float) -> None:
    """Draw marks as one artist: a line for a mark alone, a bar for a run."""
    first, last = runs(times, 2 * width)
    if len(first):
        bars = list(zip(first, np.maximum(last - first, 1.5 * width), strict=True))
        ax.broken_barh(bars, (low, height), facecolors=colour, linewidth=0, zorder=2)


def _write(ax: Axes, labels: Sequence[Label], top: float, axis: Axis, colour: Any = None) -> None:
    fonts = _fonts()
    for label in labels:
        ax.text(
            label.t + (4 if label.loud else 1) * axis.step,
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
