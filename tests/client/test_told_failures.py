"""A failure is told once, in the words of the last event that tells of it."""

from __future__ import annotations

from rtnb.client.told_failures import ToldFailures


def test_the_later_words_come_in_place_of_the_earlier() -> None:
    """Of one failure; another is another problem."""
    told = ToldFailures()
    assert told.take("item_1", "it failed") == (True, "")
    assert told.take("item_2", "it failed, too") == (True, "")
    assert told.take("item_1", "it failed: no dice") == (True, "it failed")


def test_what_a_call_has_told_is_no_problem_any_more() -> None:
    """Nor what other events say of it afterwards."""
    told = ToldFailures()
    assert told.take("resp_1", "failed", reported=True) == (False, "")
    assert told.take("resp_1", "failed: quota") == (False, "")


def test_a_failure_without_an_id_stands_for_itself() -> None:
    """Each is told, unless a call tells it."""
    told = ToldFailures()
    assert told.take("", "an error") == told.take("", "an error") == (True, "")
    assert told.take("", "an error", reported=True) == (False, "")


def test_the_newest_hundred_are_kept() -> None:
    """A stream of failures does not fill memory."""
    told = ToldFailures()
    for number in range(150):
        told.take(f"item_{number}", "words")
    assert told.take("item_149", "more") == (True, "words")
    assert told.take("item_0", "more") == (True, "")
