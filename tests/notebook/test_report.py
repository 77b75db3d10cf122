import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rtnb.audio import INLINE_SECONDS, AudioClip, read_wav
from rtnb.errors import ServerError
from rtnb.notebook.plots import picture
from rtnb.notebook.report import report_html, write_report
from rtnb.timeline.timeline import Timeline

Make = Callable[..., Any]
EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>\u202edesrever\x00\ud800"


@dataclass
class Answer:
    """A response as the report needs it."""

    id: str = "resp_1"
    status: str = "completed"
    transcript: str = "Hello there!"
    text: str = ""
    audio: AudioClip = field(default_factory=lambda: AudioClip.silence(0))
    usage: dict[str, Any] = field(default_factory=dict)
    latency: Any = field(
        default_factory=lambda: SimpleNamespace(first_text=math.nan, first_audio=math.nan, done=math.nan)
    )
    error: Exception | None = None


class Page(HTMLParser):
    """What a browser would make of the page."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "source", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(*answers: Answer, timeline: Timeline | None = None, title: str = "A test", png: bytes = b"") -> Page:
    timeline = Timeline() if timeline is None else timeline
    return Page(report_html(timeline=timeline, responses=answers, title=title, picture_png=png))


def test_the_page_tells_what_was_said_and_where(one_turn: Make) -> None:
    """Heading, place, time, transcript and events are words on the page."""
    timeline = Timeline(title="wss://example.test", started=datetime(2026, 11, 22, 15, tzinfo=UTC))
    for event in one_turn():
        timeline.store.append(event.raw, direction=event.direction, t=event.t)
    found = page(Answer(), timeline=timeline, title="Please assist the user.")
    assert "Please assist the user." in found.text
    assert "wss://example.test · 2026-11-22 15:00:00 UTC · 10 events" in found.text
    assert "Hello there!" in found.text
    assert "response.create" in found.text


def test_the_player_holds_the_answers_own_samples(level: Make) -> None:
    """The audio on the page is the answer, sample for sample."""
    clip = level(0.5, 1000)
    (tag,) = page(Answer(audio=clip)).of("audio")
    assert "controls" in tag
    head, _, encoded = str(tag["src"]).partition(",")
    assert head == "data:audio/wav;base64"
    samples, rate = read_wav(base64.b64decode(encoded))
    assert rate == clip.rate
    np.testing.assert_array_equal(np.ravel(samples), clip.samples)


def test_a_long_answer_is_cut_and_the_page_says_so() -> None:
    """Beyond the size limit the player holds the first part, in words."""
    found = page(Answer(audio=AudioClip.silence(INLINE_SECONDS + 2, 8000)))
    encoded = str(found.of("audio")[0]["src"]).partition(",")[2]
    samples, rate = read_wav(base64.b64decode(encoded))
    assert len(samples) == INLINE_SECONDS * rate
    assert f"first {INLINE_SECONDS} s of {INLINE_SECONDS + 2}.00 s" in found.text


def test_figures_are_those_measured(level: Make) -> None:
    """Latency, length and tokens are told in words with their units."""
    latency = SimpleNamespace(first_text=0.012, first_audio=0.25, done=1.5)
    usage = {"total_tokens": 1082, "input_tokens": 5, "output_tokens": 1077}
    text = page(Answer(latency=latency, usage=usage, audio=level(2.0))).text
    for words in (
        "first text 12 ms",
        "first audio 250 ms",
        "done 1.50 s",
        "audio length 2.00 s",
        "1,082 (5 in, 1,077 out)",
    ):
        assert words in text


@pytest.mark.parametrize("usage", [{}, {"total_tokens": None}, {"total_tokens": math.nan}, {"total_tokens": "many"}])
def test_what_was_not_measured_is_not_made_up(usage: dict[str, Any]) -> None:
    """Without a figure the page says so, and no zero or NaN stands for it."""
    text = page(Answer(usage=usage)).text
    assert text.count("not measured") == 4
    assert "nan" not in text.lower()
    assert "no audio" in text
    assert not page(Answer(usage=usage)).of("audio")


def test_a_failed_answer_says_why() -> None:
    """The error of a response is on the page, beside its status."""
    found = page(Answer(status="failed", transcript="", error=ServerError("server_error: out of order")))
    assert "failed" in found.text
    assert "server_error: out of order" in found.text
    assert "No words came with this answer." in found.text


def test_a_session_without_answers_says_so() -> None:
    """A report of nothing is a page that says that nothing came."""
    assert "No response came in this session." in page().text


def test_text_answers_are_shown_like_spoken_ones() -> None:
    """An answer in text only is told by its text."""
    assert "written words" in page(Answer(transcript="", text="written words")).text


def test_several_answers_are_numbered() -> None:
    """Answers stand in order, with their numbers."""
    text = page(Answer(transcript="first"), Answer(transcript="second")).text
    assert text.index("Answer 1") < text.index("first") < text.index("Answer 2") < text.index("second")


def test_the_picture_is_in_the_page(one_turn: Make, level: Make) -> None:
    """The PNG is embedded byte for byte, with words for those who cannot see it."""
    png = picture(one_turn(), level(1.0))
    (image,) = page(Answer(), png=png).of("img")
    assert base64.b64decode(str(image["src"]).removeprefix("data:image/png;base64,")) == png
    assert image["alt"]


def test_nothing_planted_comes_alive(new_story: Make) -> None:
    """Script, markup, quotes and direction overrides in every place are shown as text, and never become part of the page."""
    story = new_story()
    story.said(0.0, "resp_1", EVIL)
    story.received(1.0, EVIL, response_id=EVIL, item_id=EVIL)
    timeline = Timeline(title=EVIL)
    for event in story.timeline:
        timeline.store.append(event.raw, direction=event.direction, t=event.t)
    usage = {"total_tokens": EVIL}
    answer = Answer(id=EVIL, status=EVIL, transcript=EVIL, usage=usage, error=ServerError(EVIL))
    html = report_html(timeline=timeline, responses=[answer], title=EVIL)
    found = Page(html)
    assert not found.of("script")
    assert not found.of("img")
    assert not [attribute for _, attributes in found.tags for attribute in attributes if attribute.startswith("on")]
    assert not set("\u202e\x00\ud800") & set(html)
    assert "<script>alert('x')</script>" in found.text
    html.encode("utf-8")


def test_the_page_needs_nothing_beside_it(one_turn: Make, level: Make) -> None:
    """Every address on the page is a data address, and the page forbids itself to load or run anything."""
    html = report_html(
        timeline=one_turn(),
        responses=[Answer(audio=level(0.1))],
        title="A test",
        picture_png=picture(one_turn(), level(0.1)),
    )
    found = Page(html)
    addresses = [
        str(value)
        for _, attributes in found.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset")
    ]
    assert len(addresses) == 2
    assert all(address.startswith("data:") for address in addresses)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert not found.of("link")
    assert not found.of("script")
    (policy,) = [meta for meta in found.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy["content"])
    assert "script-src" not in str(policy["content"])


def test_the_page_suits_both_themes() -> None:
    """Ink and paper follow the reader's light or dark theme."""
    html = report_html(timeline=Timeline(), responses=[], title="A test")
    assert "prefers-color-scheme: dark" in html
    assert "color-scheme: light dark" in html


def test_the_file_is_utf_8(tmp_path: Path) -> None:
    """What is written is UTF-8 and says so, and its path comes back."""
    path = write_report(
        str(tmp_path / "report.html"), timeline=Timeline(), responses=[Answer(transcript="数え ✓")], title="Ünï"
    )
    assert path == tmp_path / "report.html"
    html = path.read_bytes().decode("utf-8")
    assert '<meta charset="utf-8">' in html
    assert "数え ✓" in html
    assert "\r" not in html


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """The report makes no folders: where there is none, the system's own error says so."""
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "none" / "report.html", timeline=Timeline(), responses=[], title="A test")
