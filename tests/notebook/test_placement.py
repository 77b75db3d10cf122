import numpy as np
import pytest

from rtnb.notebook.placement import (
    Piece,
    Room,
    Wave,
    arrival_widths,
    bins_for,
    columns_of,
    labels,
    merged,
    placed,
    wrap,
)
from rtnb.timeline.sound import playback_starts


def seconds(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def flat(bins: int, value: float) -> tuple[np.ndarray, np.ndarray]:
    return np.full(bins, -value, np.float32), np.full(bins, value, np.float32)


def test_marks_close_together_become_runs() -> None:
    """Marks not farther apart than the gap are one run; the others stand alone; none is lost."""
    runs = merged(seconds(0, 0.1, 0.2, 1.0, 2.0, 2.1), 0.15)
    np.testing.assert_allclose(runs.start, [0, 1, 2])
    np.testing.assert_allclose(runs.end, [0.2, 1, 2.1])
    assert runs.count.tolist() == [3, 1, 2]


def test_no_marks_are_no_runs() -> None:
    """An empty lane has no run."""
    assert merged(seconds(), 1.0).count.tolist() == []


def test_sound_is_heard_without_gaps() -> None:
    """What arrives faster than it plays is heard gapless from the first arrival on."""
    np.testing.assert_allclose(playback_starts(seconds(1.0, 1.1, 1.2), seconds(0.5, 0.5, 0.5)), [1.0, 1.5, 2.0])


def test_sound_is_not_heard_before_it_arrives() -> None:
    """A piece that comes late is heard when it comes, and what follows it is moved along."""
    np.testing.assert_allclose(playback_starts(seconds(0, 2.0, 2.1), seconds(0.5, 0.5, 0.5)), [0, 2.0, 2.5])


def test_an_answer_waits_for_the_one_before() -> None:
    """A second response that arrives while the first is still heard begins where the first one ends."""
    np.testing.assert_allclose(playback_starts(seconds(0, 0.1, 1.0), seconds(2.0, 2.0, 1.0)), [0, 2.0, 4.0])


def test_arriving_sound_is_as_narrow_as_it_came_fast() -> None:
    """Each piece reaches to the next one's arrival; the last before a pause is as narrow as the one before it."""
    widths = arrival_widths(seconds(0, 0.1, 0.2, 9.0, 9.2), np.full(5, 0.5))
    np.testing.assert_allclose(widths, [0.1, 0.1, 0.1, 0.2, 0.2])


def test_no_sound_is_drawn_longer_than_it_lasts() -> None:
    """Sound that arrives in real time, or slower, or alone, keeps its length."""
    np.testing.assert_allclose(arrival_widths(seconds(0, 0.5, 1.2), np.full(3, 0.5)), 0.5)
    np.testing.assert_allclose(arrival_widths(seconds(3.0), seconds(0.5)), 0.5)
    assert len(arrival_widths(seconds(), seconds())) == 0


def test_sound_of_no_length_takes_no_width() -> None:
    """An audio delta without a sample is nowhere."""
    np.testing.assert_allclose(arrival_widths(seconds(0, 1), seconds(0, 0.5)), [0, 0.5])


def test_placed_sound_covers_its_time_and_nothing_else() -> None:
    """Two pieces with silence between: their steps are where the pieces are, each with its own height."""
    wave = placed(seconds(1.0, 3.0), seconds(1.0, 0.5), [flat(10, 0.5), flat(5, 0.25)], 0.1)
    np.testing.assert_allclose(wave.t, np.concatenate((np.arange(10, 20), np.arange(30, 35))) * 0.1)
    np.testing.assert_allclose(wave.high, [0.5] * 10 + [0.25] * 5)
    np.testing.assert_allclose(wave.low, -wave.high)


def test_squeezed_sound_keeps_its_extremes() -> None:
    """Many stretches drawn in one step leave the least and the greatest sample of all of them."""
    low, high = flat(100, 0.1)
    high[37], low[80] = 0.9, -0.8
    wave = placed(seconds(0.0), seconds(0.05), [(low, high)], 0.1)
    assert wave.t.tolist() == [0.0]
    assert (wave.low[0], wave.high[0]) == (np.float32(-0.8), np.float32(0.9))


def test_no_sound_is_an_empty_wave() -> None:
    """Nothing to place is a wave without steps, of no height."""
    wave = placed(seconds(), seconds(), [], 0.1)
    assert len(wave.t) == 0
    assert wave.peak == 0


def test_an_outline_breaks_where_the_sound_stops() -> None:
    """The filled shape has both edges of each step, and NaN between two stretches of sound."""
    wave = Wave(seconds(0.0, 0.1, 0.5), 0.1, -np.ones(3, np.float32), np.ones(3, np.float32))
    x, low, high = wave.outline()
    np.testing.assert_allclose(x, [0, 0.1, 0.1, 0.2, np.nan, 0.5, 0.6])
    np.testing.assert_allclose(high, [1, 1, 1, 1, np.nan, 1, 1])
    np.testing.assert_allclose(low, -high)


@pytest.mark.parametrize(("duration", "bins"), [(0.0, 1), (0.01, 1), (0.1, 1), (0.25, 3), (1.0, 10)])
def test_there_is_a_bin_for_each_step(duration: float, bins: int) -> None:
    """A piece is measured at least as finely as it is drawn, and never in no bin at all."""
    assert bins_for(duration, 0.1) == bins


def test_words_that_come_slowly_stand_where_they_came() -> None:
    """A piece that comes after the label before it has ended has a label of its own."""
    found = labels([Piece(0, "one"), Piece(50, "two")], Room(100, 1, 3))
    assert [(label.t, label.lines) for label in found] == [(0, ("one",)), (50, ("two",))]


def test_words_that_come_fast_are_gathered() -> None:
    """Deltas that come in a burst read as the sentence that they make."""
    found = labels([Piece(0.1 * place, word) for place, word in enumerate(("Hel", "lo", " there"))], Room(100, 1, 3))
    assert [label.lines for label in found] == [("Hello there",)]


def test_labels_never_overlap() -> None:
    """However dense the words, no line of a label reaches to where the next label begins, nor beyond the axis."""
    pieces = [Piece(place * 3.7, f"word{place} ", group=str(place // 9)) for place in range(200)]
    found = labels(pieces, Room(740, 1, 3))
    assert len(found) > 10
    for label, following in zip(found, [*(each.t for each in found[1:]), 740], strict=True):
        assert label.t + max(map(columns_of, label.lines)) <= following


def test_another_response_has_another_label() -> None:
    """Words of two responses never stand in one label; the first one's are cut with an ellipsis."""
    found = labels([Piece(0, "a long first answer", "a"), Piece(12, "second", "b")], Room(100, 1, 1))
    assert [label.lines for label in found] == [("a long firs…",), ("second",)]


def test_an_error_is_not_cut_short_by_what_follows() -> None:
    """The label of an error keeps its room: names that come at the same moment are left out."""
    found = labels([Piece(5, "no such thing", "error", loud=True), Piece(5.1, "rate limits")], Room(100, 1, 2))
    assert [(label.lines, label.loud) for label in found] == [(("no such thing",), True)]


def test_an_error_cuts_what_stands_before() -> None:
    """An error is told where it happened, although another label is in its way."""
    found = labels([Piece(0, "a quiet name of some length"), Piece(15, "broken", "error", loud=True)], Room(100, 1, 1))
    assert [label.lines for label in found] == [("a quiet name o…",), ("broken",)]


def test_the_last_words_are_not_lost_for_want_of_room() -> None:
    """Words that come at the very end are added to the label before them."""
    found = labels([Piece(0, "almost"), Piece(99, " done.")], Room(100, 1, 2))
    assert [label.lines for label in found] == [("almost done.",)]


def test_names_give_way_after_their_columns() -> None:
    """Where later ones matter as much, a label takes no more than its columns before the next may begin."""
    pieces = [Piece(0, "a.long.event.name"), Piece(1, "another.one"), Piece(2, "third"), Piece(25, "next")]
    found = labels(pieces, Room(100, 1, 1, 20), joint=", ")
    assert [label.lines for label in found] == [("a.long.event.name,…",), ("next",)]


def test_a_name_never_moves_far_from_its_event() -> None:
    """A name at the very end, where there is no room, is left out rather than shown elsewhere."""
    found = labels([Piece(0, "first"), Piece(99, "second")], Room(100, 1, 2, 20), joint=", ")
    assert [label.lines for label in found] == [("first",)]


def test_a_label_begins_with_a_whole_name() -> None:
    """Where not even the first name fits, there is no label: half a name would mislead."""
    found = labels([Piece(0, "a.very.long.event.name"), Piece(12, "b", "other")], Room(20, 1, 2, 5))
    assert [label.lines for label in found] == [("b",)]


@pytest.mark.parametrize(
    ("text", "columns", "rows", "lines"),
    [
        ("", 20, 2, ()),
        ("Hi", 2, 1, ("Hi",)),
        ("two words", 9, 1, ("two words",)),
        ("two words", 8, 1, ()),
        ("alpha beta gamma", 12, 2, ("alpha beta", "gamma")),
        ("alpha beta gamma delta", 12, 2, ("alpha beta", "gamma delta")),
        ("alpha beta gamma delta epsilon", 12, 2, ("alpha beta", "gamma delta…")),
        ("abcdefghijklmnopqrstuvwxyz", 10, 2, ("abcdefghij", "klmnopqrs…")),
        ("数えてください一二三四五", 10, 3, ("数えてくだ", "さい一二三", "四五")),
        ("  spaces \n and\tlines ", 30, 2, ("spaces and lines",)),
        ("words", 0, 3, ()),
        ("words", -5, 3, ()),
    ],
)
def test_text_is_wrapped_and_cut(text: str, columns: int, rows: int, lines: tuple[str, ...]) -> None:
    """Lines break at spaces, or within a word too long for one; wide characters count twice; a cut is visible."""
    assert wrap(text, columns, rows) == lines
