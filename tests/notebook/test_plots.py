import base64
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import matplotlib
import matplotlib.colors
import matplotlib.style
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from rtnb.audio import AudioClip
from rtnb.formatting import AUDIO_COLOUR, ERROR_COLOUR, SENT_COLOUR
from rtnb.notebook.plots import picture, plot_clip, plot_timeline
from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.names import Kind
from rtnb.timeline.timeline import Timeline

Make = Callable[..., Any]
PNG = b"\x89PNG\r\n\x1a\n"


def words(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def shapes(ax: Any, colour: str) -> list[Any]:
    wanted = matplotlib.colors.to_rgb(colour)
    return [
        each
        for each in ax.collections
        if isinstance(each, PolyCollection)
        and len(each.get_facecolor())
        and tuple(each.get_facecolor()[0][:3]) == wanted
    ]


def extent(shape: Any) -> tuple[float, float]:
    x = np.concatenate([path.vertices[:, 0] for path in shape.get_paths()])
    return float(x.min()), float(x.max())


def png_of(ax: Any) -> bytes:
    encoded, _ = ax._repr_png_()
    return base64.b64decode(encoded)


def test_a_waveform_has_its_clips_time_and_height(level: Make) -> None:
    """The filled shape reaches from zero to the clip's end, and as high as its loudest sample of full scale."""
    ax = plot_clip(level(2.0, 16_384))
    (wave,) = shapes(ax, AUDIO_COLOUR)
    assert extent(wave) == pytest.approx((0, 2.0))
    y = np.concatenate([path.vertices[:, 1] for path in wave.get_paths()])
    assert y.max() == pytest.approx(0.5, abs=1e-3)
    assert ax.get_ylim() == (-1, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("seconds", "amplitude (of full scale)")
    assert "2.00 s" in ax.get_title(loc="left")


def test_a_long_clip_is_as_small_a_drawing_as_a_short_one() -> None:
    """The shape's size depends on the picture's width, not on the clip's length, and a single click is still seen."""
    samples = np.zeros(3_000_000, np.int16)
    samples[1_234_567] = 32_767
    ax = plot_clip(AudioClip(samples, 24_000))
    (wave,) = shapes(ax, AUDIO_COLOUR)
    vertices = np.concatenate([path.vertices for path in wave.get_paths()])
    assert len(vertices) < 6000
    assert vertices[:, 1].max() == pytest.approx(1.0, abs=1e-3)


def test_an_empty_clip_says_so() -> None:
    """Where there is no audio, the axes say it in words."""
    ax = plot_clip(AudioClip.silence(0))
    assert words(ax) == ["no audio"]
    assert png_of(ax).startswith(PNG)


def test_axes_that_are_given_are_drawn_into(level: Make, one_turn: Make) -> None:
    """With `ax`, the drawing is there, the same axes come back, and neither their figure nor its face is touched."""
    figure = Figure(facecolor="#123456")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2)
    assert plot_clip(level(1.0), ax=upper) is upper
    assert plot_timeline(one_turn(), ax=lower) is lower
    assert shapes(upper, AUDIO_COLOUR)
    assert shapes(lower, AUDIO_COLOUR)
    assert figure.axes == [upper, lower]
    assert matplotlib.colors.to_hex(figure.get_facecolor()) == "#123456"


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
def test_a_timeline_has_named_lanes_along_seconds(one_turn: Make, dialect: Dialect) -> None:
    """The lanes are labelled, the axis is in seconds, and the words, names and states can be read."""
    ax = plot_timeline(one_turn(dialect))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "sent",
        "received",
        "text",
        "audio arrived",
        "audio heard",
    ]
    assert ax.get_xlabel() == "seconds since the session opened"
    assert {"Hello there!", "response.create", "completed"} <= set(words(ax))
    assert ax.get_title(loc="left") == "10 events · 1 response · 1.40 s"


def test_marks_and_waves_are_where_things_happened(one_turn: Make) -> None:
    """The sent mark begins at its time; the audio is drawn once where it arrived and once where it is heard."""
    ax = plot_timeline(one_turn())
    (sent,) = shapes(ax, SENT_COLOUR)
    assert extent(sent)[0] == pytest.approx(0.1)
    arrived, heard = shapes(ax, AUDIO_COLOUR)
    assert extent(arrived) == pytest.approx((0.4, 0.6), abs=0.01)
    assert extent(heard) == pytest.approx((0.4, 1.4), abs=0.01)


def test_errors_are_red(new_story: Make) -> None:
    """An error's mark and its words have the colour of errors."""
    story = new_story()
    story.received(1.0, Kind.ERROR, error={"code": "bad", "message": "No such thing."})
    ax = plot_timeline(story.timeline)
    (mark,) = shapes(ax, ERROR_COLOUR)
    assert extent(mark)[0] == pytest.approx(1.0)
    (label,) = [text for text in ax.texts if "No such thing." in text.get_text()]
    assert label.get_color() == ERROR_COLOUR


def test_ten_thousand_events_are_few_artists(long_session: Make) -> None:
    """The number of artists does not grow with the events, and the colours that cannot be labelled are explained."""
    ax = plot_timeline(long_session())
    assert len(ax.get_children()) < 100
    assert sum(len(path.vertices) for each in ax.collections for path in each.get_paths()) < 50_000
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cancelled", "completed"]


def test_labels_do_not_run_into_one_another(long_session: Make) -> None:
    """In the finished picture, no two labels of words or names cover one another."""
    ax = plot_timeline(long_session(600))
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) > 5
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across <= 2 or down <= 2, (box, other)


def test_an_empty_timeline_says_so() -> None:
    """Without events, the axes say so in words, and are shown like others."""
    ax = plot_timeline(Timeline())
    assert words(ax) == ["no events"]
    assert png_of(ax).startswith(PNG)


def test_a_timeline_without_audio_says_so(new_story: Make) -> None:
    """The lanes of audio are not left blank without a word."""
    story = new_story()
    story.said(0.0, "resp_1", "only words")
    assert words(plot_timeline(story.timeline)).count("no audio") == 2


@pytest.mark.parametrize(
    "text", ["$\\frac{1}{", "100 $ and 5 $", "数えて", "🎈", "\u202eabc", "\x00", "\ud800", "a\nb"]
)
def test_any_words_can_be_drawn(new_story: Make, text: str) -> None:
    """Formulas, other scripts, control characters and lone surrogates are drawn as text, without a warning."""
    story = new_story()
    story.said(0.0, "resp_1", text)
    story.received(1.0, Kind.ERROR, error={"code": text, "message": text})
    story.done(2.0, "resp_1", text)
    assert png_of(plot_timeline(story.timeline)).startswith(PNG)


def test_axes_show_themselves_in_a_notebook(one_turn: Make, level: Make) -> None:
    """As the last value of a cell, the axes are a picture; what is displayed is what was drawn."""
    formatter = DisplayFormatter()
    for ax in (plot_timeline(one_turn()), plot_clip(level(1.0))):
        data, metadata = formatter.format(ax)
        assert base64.b64decode(data["image/png"]).startswith(PNG)
        assert metadata["image/png"]["width"] == 1000


def test_a_picture_is_opaque_paper_whatever_the_style(one_turn: Make, tmp_path: Any) -> None:
    """Under a dark style the picture is the same: dark ink on opaque white, so that it reads on any page."""
    plain = png_of(plot_timeline(one_turn()))
    with matplotlib.style.context("dark_background"), matplotlib.rc_context({"savefig.transparent": True}):
        dark = png_of(plot_timeline(one_turn()))
    (tmp_path / "plain.png").write_bytes(plain)
    (tmp_path / "dark.png").write_bytes(dark)
    pixels = imread(tmp_path / "dark.png")
    assert pixels[..., 3].min() == 1.0
    np.testing.assert_allclose(pixels[2, 2, :3], 1.0)
    np.testing.assert_allclose(pixels, imread(tmp_path / "plain.png"), atol=0.02)


def test_the_picture_has_both(one_turn: Make, level: Make) -> None:
    """The demonstration's picture, waveform above lanes, is a PNG file's bytes; it is made without any audio, too."""
    assert picture(one_turn(), level(1.0)).startswith(PNG)
    assert picture(Timeline(), AudioClip.silence(0)).startswith(PNG)


def test_a_plot_may_be_made_on_any_thread(one_turn: Make) -> None:
    """Nothing of a plot belongs to the main thread."""
    made: list[bytes] = []
    thread = threading.Thread(target=lambda: made.append(png_of(plot_timeline(one_turn()))))
    thread.start()
    thread.join()
    assert made[0].startswith(PNG)


def test_pyplot_is_never_loaded() -> None:
    """Plotting shares no state with the user's own pyplot: it is not even imported."""
    code = (
        "import sys; from rtnb.audio import AudioClip; AudioClip.silence(1).plot()._repr_png_(); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_data_objects_plot_themselves(one_turn: Make, level: Make) -> None:
    """`clip.plot()` and `timeline.plot()` are these plots."""
    assert "10 events" in one_turn().plot().get_title(loc="left")
    assert "1.00 s" in level(1.0).plot().get_title(loc="left")
