import pytest

from rtnb.notebook.labels import LabelSpace, TimedText, columns_of, labels, wrap


def test_words_that_come_slowly_stand_where_they_came() -> None:
    """A piece that comes after the label before it has ended has a label of its own."""
    found = labels([TimedText(0, "one"), TimedText(50, "two")], LabelSpace(100, 1, 3))
    assert [(label.t, label.lines) for label in found] == [(0, ("one",)), (50, ("two",))]


def test_words_that_come_fast_are_gathered() -> None:
    """Deltas that come in a burst read as the sentence that they make."""
    found = labels(
        [TimedText(0.1 * place, word) for place, word in enumerate(("Hel", "lo", " there"))], LabelSpace(100, 1, 3)
    )
    assert [label.lines for label in found] == [("Hello there",)]


def test_labels_never_overlap() -> None:
    """However dense the words, no line of a label reaches to where the next label begins, nor beyond the axis."""
    texts = [TimedText(place * 3.7, f"word{place} ", group=str(place // 9)) for place in range(200)]
    found = labels(texts, LabelSpace(740, 1, 3))
    assert len(found) > 10
    for label, following in zip(found, [*(each.t for each in found[1:]), 740], strict=True):
        assert label.t + max(map(columns_of, label.lines)) <= following


def test_another_response_has_another_label() -> None:
    """Words of two responses never stand in one label; the first one's are cut with an ellipsis."""
    found = labels([TimedText(0, "a long first answer", "a"), TimedText(12, "second", "b")], LabelSpace(100, 1, 1))
    assert [label.lines for label in found] == [("a long firs…",), ("second",)]


def test_an_error_is_not_cut_short_by_what_follows() -> None:
    """The label of an error keeps its room: names that come at the same moment are left out."""
    found = labels(
        [TimedText(5, "no such thing", "error", loud=True), TimedText(5.1, "rate limits")], LabelSpace(100, 1, 2)
    )
    assert [(label.lines, label.loud) for label in found] == [(("no such thing",), True)]


def test_an_error_cuts_what_stands_before() -> None:
    """An error is told where it happened, although another label is in its way."""
    found = labels(
        [TimedText(0, "a quiet name of some length"), TimedText(15, "broken", "error", loud=True)],
        LabelSpace(100, 1, 1),
    )
    assert [label.lines for label in found] == [("a quiet name o…",), ("broken",)]


def test_an_error_at_the_very_end_is_reported_to_the_left_of_it() -> None:
    """Where there is no room before the axis ends, its label moves, and what stands in its way is cut or left out."""
    texts = [TimedText(60, "session.created"), TimedText(90, "x"), TimedText(99, "no such thing", "error", loud=True)]
    found = labels([*texts, TimedText(99.5, "close")], LabelSpace(100, 1, 2, 20))
    assert [(label.t, label.lines) for label in found] == [(60, ("session.created",)), (85, ("no such thing",))]
    (alone,) = labels([TimedText(4, "no such thing", "error", loud=True)], LabelSpace(13, 1, 2, 20, start=3))
    assert (alone.t, alone.lines) == (3, ("no such", "thing"))


def test_the_last_words_are_not_lost_for_want_of_room() -> None:
    """Words that come at the very end are added to the label before them."""
    found = labels([TimedText(0, "almost"), TimedText(99, " done.")], LabelSpace(100, 1, 2))
    assert [label.lines for label in found] == [("almost done.",)]


def test_names_give_way_after_their_columns() -> None:
    """Where later ones matter as much, a label takes no more than its columns before the next may begin."""
    texts = [
        TimedText(0, "a.long.event.name"),
        TimedText(1, "another.one"),
        TimedText(2, "third"),
        TimedText(25, "next"),
    ]
    found = labels(texts, LabelSpace(100, 1, 1, 20), joint=", ")
    assert [label.lines for label in found] == [("a.long.event.name,…",), ("next",)]


def test_a_name_never_moves_far_from_its_event() -> None:
    """A name at the very end, where there is no room, is left out rather than shown elsewhere."""
    found = labels([TimedText(0, "first"), TimedText(99, "second")], LabelSpace(100, 1, 2, 20), joint=", ")
    assert [label.lines for label in found] == [("first",)]


def test_a_label_begins_with_a_whole_name() -> None:
    """Where not even the first name fits, there is no label: half a name would mislead."""
    found = labels([TimedText(0, "a.very.long.event.name"), TimedText(12, "b", "other")], LabelSpace(20, 1, 2, 5))
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
