"""A failure is one problem, in the words of the newest event about it."""

from __future__ import annotations

from rtnb.client.problems import Problems


def test_the_later_words_replace_the_earlier() -> None:
    """Of one failure, and come last; another failure is another problem."""
    problems = Problems()
    for about, words in (("item_1", "it failed"), ("item_2", "it failed"), ("item_1", "it failed: no dice")):
        problems.add(words, about=about)
    assert problems.words == ["it failed", "it failed: no dice"]


def test_the_same_words_again_change_nothing() -> None:
    """Two events may say the same of one failure."""
    problems = Problems()
    for about in ("item_1", "item_2", "item_1"):
        problems.add(about, about=about)
    assert problems.words == ["item_1", "item_2"]


def test_what_a_call_raised_is_no_problem_any_more() -> None:
    """Nor what other events say of it before or afterwards."""
    problems = Problems()
    problems.add("failed", about="resp_1")
    problems.add("failed", about="resp_1", raised=True)
    problems.add("failed: quota", about="resp_1")
    assert problems.words == []


def test_a_failure_without_an_id_stands_for_itself() -> None:
    """Each is kept, unless a call raises it."""
    problems = Problems()
    problems.add("an error")
    problems.add("an error")
    problems.add("another error", raised=True)
    assert problems.words == ["an error", "an error"]


def test_the_newest_are_kept() -> None:
    """A stream of failures does not fill memory: 20 problems, 100 failures that can still be replaced."""
    problems = Problems()
    for number in range(150):
        problems.add(f"words {number}", about=f"item_{number}")
    assert problems.words == [f"words {number}" for number in range(130, 150)]
    problems.add("more", about="item_149")
    assert problems.words == [*(f"words {number}" for number in range(130, 149)), "more"]
