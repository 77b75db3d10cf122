"""Pure strings: units, tables, and escaping that nothing gets through."""

from __future__ import annotations

import base64
import html.parser
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb import formatting


@pytest.mark.parametrize(
    ("value", "words"),
    [(math.nan, "not measured"), (0.0, "0 ms"), (0.0123, "12 ms"), (0.9994, "999 ms"), (0.9996, "1.00 s"), (1.234, "1.23 s"),
     (99.9, "99.90 s"), (125.0, "2 min 5 s"), (3600.0, "60 min 0 s"), (-0.5, "-500 ms")],
)  # fmt: skip
def test_durations(value: float, words: str) -> None:
    """In words that suit their size."""
    assert formatting.seconds(value) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (4800, "4.8 kB"), (3_100_000, "3.1 MB"), (5_000_000_000, "5.0 GB")]
)
def test_sizes(count: int, words: str) -> None:
    """In decimal units."""
    assert formatting.size(count) == words


def test_plurals_and_ids() -> None:
    """One event, two events; an id's ends."""
    assert formatting.plural(1, "event") == "1 event"
    assert formatting.plural(2345, "event") == "2,345 events"
    assert formatting.short_id("item_AbCdEfGhIjKlMnOpQrStU") == "item_…PQrStU".replace("P", "p")
    assert formatting.short_id("item_short") == "item_short"
    assert formatting.short_id(None) == ""
    assert formatting.short_id("x" * 30) == "…xxxxxx"


@given(st.text(), st.integers(2, 60))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    """Short, printable, encodable."""
    line = formatting.one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")


BAD = ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800", "\udfff"]


@pytest.mark.parametrize("bad", BAD)
def test_what_could_deceive_is_made_visible(bad: str) -> None:
    """Control, bidirectional, invisible and unencodable characters."""
    assert formatting.printable(f"a{bad}b") == f"a\\u{ord(bad):04x}b"
    assert bad not in formatting.escape(bad)


class Tags(html.parser.HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet=st.sampled_from("<>&\"'/= abonclick\u202e\x00")))
def test_no_text_becomes_markup(text: str) -> None:
    """In content and in attributes."""
    for page in (formatting.coloured(text, "red"), formatting.muted(text), formatting.banner(text),
                 formatting.waveform_svg([0.0], [0.1], label=text)):  # fmt: skip
        found = Tags(page)
        assert set(found.tags) <= {"span", "div", "svg", "line", "polygon"}
        assert not {name for name in found.attributes if name.startswith("on")}
    assert Tags(formatting.muted(text)).text == formatting.printable(text)


def test_tables() -> None:
    """Columns line up; numbers to the right; the same cells in HTML."""
    text = formatting.text_table(("name", "n"), [("a", "1"), ("bb", "100")], right=(1,))
    assert text.splitlines() == ["name    n", "a       1", "bb    100"]
    page = Tags(formatting.html_table(("name", "n"), [("a", "1")]))
    assert page.tags.count("th") == page.tags.count("td") == 2
    assert "th" not in Tags(formatting.html_table(("", ""), [("a", "1")])).tags


def test_a_waveform_is_drawn_within_its_frame() -> None:
    """Every point; also of an empty one."""
    drawn = formatting.waveform_svg([-1.0, -0.5], [1.0, 0.5], width=100, height=40)
    points = drawn.split('points="')[1].split('"')[0]
    assert [tuple(map(float, pair.split(","))) for pair in points.split()] == [(0, 0), (50, 10), (50, 30), (0, 40)]
    assert "<svg" in formatting.waveform_svg([], [])


def test_a_player_holds_the_very_bytes() -> None:
    """As a data URI, without a script."""
    tag = formatting.audio_tag(b"RIFF....")
    assert base64.b64encode(b"RIFF....").decode() in tag
    assert Tags(tag).tags == ["audio"]
