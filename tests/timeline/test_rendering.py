"""A timeline shows both ends of itself, whatever it holds, and never more than a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
from failing import FAILING, FINE

from rtnb.formatting import ERROR_COLOUR
from rtnb.timeline import Timeline
from rtnb.timeline.grouping import fold
from rtnb.timeline.rendering import shown, to_bundle, to_text

Build = Callable[..., bytes]


class Page(HTMLParser):
    """Tags and text of an HTML string."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.rows = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def html(timeline: Timeline) -> str:
    return to_bundle(timeline[:])["text/html"]


def test_text_and_html_say_the_same(turn: Timeline) -> None:
    """Each row's cells stand in both forms: arrow, seq, time, type, item, size, content; and the total."""
    text, page = to_text(turn[:]), Page(html(turn))
    for words in (
        "→",
        "←",
        "•",
        "4–6",
        "2.000",
        "2 × response.output_audio.delta",
        "item_1",
        "500 ms of audio",
        "How are you?",
    ):
        assert words in text
        assert words in page.text
    total = "10 rows · 1 sent, 8 received, 1 local · 4.50 s · a test"
    assert text.endswith(total)
    assert page.text.endswith(total)
    assert not page.open


def test_text_columns_are_aligned(turn: Timeline) -> None:
    """Types begin in one column of the text."""
    lines = to_text(turn[:]).splitlines()
    assert (
        len(
            {line.index(word) for line, word in ((lines[1], "session.c"), (lines[2], "response.c"), (lines[0], "type"))}
        )
        == 1
    )


def test_empty() -> None:
    """A timeline without events says so."""
    assert repr(Timeline()) == "No events yet."
    assert "No events yet." in html(Timeline())


def test_an_empty_selection(turn: Timeline) -> None:
    """A selection that nothing matches does not say that nothing happened."""
    assert repr(turn.select(type="nothing.at.all")) == "None of the 10 events."


def test_ends_of_a_long_log(timeline: Timeline, frame: Build) -> None:
    """The first and the last rows stand, and the number between them is true."""
    for number in range(100):
        timeline.store.append(frame("rate_limits.updated", n=number), direction="received", t=float(number))
    parts = shown(timeline[:])
    assert [each.seqs[0] for each in parts.first] == list(range(12))
    assert [each.seqs[0] for each in parts.last] == list(range(88, 100))
    assert parts.between == 76
    assert "… 76 rows between …" in repr(timeline)
    assert "… 76 rows between …" in html(timeline)


@pytest.mark.parametrize("length", [3_999, 4_000, 4_001, 9_000])
def test_rows_shown_and_between_are_all_rows(timeline: Timeline, frame: Build, word: Build, length: int) -> None:
    """However the ends are folded, the rows in them and the rows between add up, and none is in both ends."""
    for number in range(length):
        raw = frame("rate_limits.updated") if number % 700 == 0 else word("a ")
        timeline.store.append(raw, direction="received", t=float(number))
    parts = shown(timeline[:])
    places = [seq for each in parts.first + parts.last for seq in each.seqs]
    assert len(places) == len(set(places))
    assert len(places) + parts.between == length


@pytest.mark.large
def test_cost_is_bounded(timeline: Timeline, frame: Build, word: Build, sound: Build) -> None:
    """100,000 rows of worst content make less than 60 kB, and only the ends are looked at."""
    for number in range(100_000):
        raw = frame("t" + '"<&' * 100, item_id='"' * 200, delta=str(number)) if number % 2 else word('"' * 300)
        timeline.store.append(raw, direction="received", t=number / 10, late_ms=99.0)
    assert len(html(timeline)) < 60_000
    assert sum(each.count for each in shown(timeline[:]).first) < 4000


PLANTED = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\u2066\x1b[31m\x00\ud800\n"


def test_everything_is_escaped(timeline: Timeline, frame: Build) -> None:
    """Markup, control, bidirectional and unencodable characters in any field are shown, not obeyed."""
    title = Timeline(title=PLANTED)
    raws = [
        frame(PLANTED, item_id=PLANTED),
        frame("response.output_text.delta", delta=PLANTED, item_id=PLANTED, response_id=PLANTED),
        frame("error", error={"message": PLANTED, "code": PLANTED}),
        frame("response.done", response={"id": PLANTED, "status": PLANTED}),
        PLANTED.encode("utf-8", "surrogatepass"),
        b'{"type":"x","bad":' + PLANTED.encode("utf-8", "surrogatepass"),
    ]
    for each in (timeline, title):
        for raw in raws:
            each.store.append(raw, direction="received", t=0.0)
        bundle = to_bundle(each[:])
        page = Page(bundle["text/html"])
        assert set(page.tags) <= {"div", "span", "table", "thead", "tbody", "tr", "th", "td"}
        for form in bundle.values():
            assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f\ud800-\udfff]", form)
            form.encode("utf-8")
        assert not page.open


def test_errors_are_red(timeline: Timeline, frame: Build) -> None:
    """An error, and a row with a problem, stand out; other rows do not."""
    timeline.store.append(frame("response.created"), direction="received", t=0.0)
    assert ERROR_COLOUR not in html(timeline)
    timeline.store.append(frame("error", error={"code": "bad", "message": "no"}), direction="received", t=0.0)
    assert html(timeline).count(ERROR_COLOUR) == 2
    timeline.store.append(b"nonsense", direction="received", t=0.0)
    assert html(timeline).count(ERROR_COLOUR) == 4
    assert "⚠ not JSON" in repr(timeline)
    assert "1 with a problem" in repr(timeline)


def test_a_problem_beside_words(timeline: Timeline) -> None:
    """A frame that is readable and wrong shows both what it says and what is wrong."""
    timeline.store.append(b'{"type":"response.text.delta","delta":"hi","n":NaN}', direction="received", t=0.0)
    assert re.search("⚠ not strict JSON.* · hi", repr(timeline))


def test_doubtful_times_are_marked(timeline: Timeline, frame: Build) -> None:
    """A row whose time may be more than 20 ms too late is marked, with the figure; one within it is not."""
    timeline.store.append(frame("response.created"), direction="received", t=1.0, late_ms=20.0)
    assert "≈" not in repr(timeline)
    timeline.store.append(frame("response.created"), direction="received", t=2.0, late_ms=35.0)
    assert "≈ 2.000" in repr(timeline)
    assert 'title="may be up to 35 ms earlier' in html(timeline)


def test_a_time_that_is_missing(timeline: Timeline) -> None:
    """A row without a time shows a question mark, and no length is made up."""
    timeline.store.append(b'{"type":"x"}', direction="received", t=float("nan"))
    assert "?" in repr(timeline)
    assert "nan" not in repr(timeline)


def test_times_without_end(timeline: Timeline) -> None:
    """A time that is no number of seconds is shown as missing."""
    for t in (0.0, float("inf")):
        timeline.store.append(b'{"type":"x"}', direction="received", t=t)
    assert "?" in repr(timeline)
    assert np.isnat(timeline["time"][1])
    assert "inf" not in repr(timeline)


def test_rows_of_the_page(turn: Timeline) -> None:
    """The page has a row for each fold and one for the header."""
    assert Page(html(turn)).rows == len(fold(turn)) + 1


@pytest.mark.parametrize("raw", [raw for raw, _ in FAILING])
def test_a_failure_of_any_kind_is_red(timeline: Timeline, raw: bytes) -> None:
    """Transcriptions, tools, responses, listeners and frames that cannot be read fail as visibly as a request does."""
    timeline.store.append(raw, direction="received", t=0.0)
    assert html(timeline).count(ERROR_COLOUR) == 2


@pytest.mark.parametrize("raw", FINE)
def test_what_did_not_fail_is_not_red(timeline: Timeline, raw: bytes) -> None:
    """Whatever its name or its words look like."""
    timeline.store.append(raw, direction="received", t=0.0)
    assert ERROR_COLOUR not in html(timeline)
