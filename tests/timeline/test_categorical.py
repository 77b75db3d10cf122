"""A column of words compares like an array of words."""

from __future__ import annotations

import numpy as np
import pytest

from rtnb.timeline import Categorical


@pytest.fixture
def column() -> Categorical:
    return Categorical(np.array([1, 0, 1, 2], np.int32), ["a", "b", "c", "unused"])


def test_compares_with_a_word(column: Categorical) -> None:
    """== and != with a word give bool masks, also for a word that no row holds."""
    assert (column == "b").tolist() == [True, False, True, False]
    assert (column != "b").tolist() == [False, True, False, True]
    assert (column == "nothing").tolist() == [False] * 4
    assert (column == "b").dtype == bool


def test_compares_with_a_column(column: Categorical) -> None:
    """== with another column compares the words, whatever their codes."""
    other = Categorical(np.array([0, 1, 1, 1], np.int32), ["b", "c"])
    assert (column == other).tolist() == [True, False, False, True]
    assert (column == ["b", "a", "b", "c"]).all()


def test_masks_combine(column: Categorical) -> None:
    """Masks combine with &, | and ~."""
    assert (((column == "b") | (column == "c")) & ~(column == "c")).tolist() == [True, False, True, False]


def test_isin_and_where(column: Categorical) -> None:
    """A set test takes a word or several; where asks once per word."""
    assert column.isin(["a", "c"]).tolist() == [False, True, False, True]
    assert column.isin("a").tolist() == [False, True, False, False]
    asked: list[str] = []
    column.where(lambda word: asked.append(word) or False)  # type: ignore[func-returns-value]
    assert asked == ["a", "b", "c", "unused"]


def test_is_a_sequence(column: Categorical) -> None:
    """Length, iteration, one word, and a part of it."""
    assert len(column) == 4
    assert list(column) == ["b", "a", "b", "c"]
    assert column[-1] == "c"
    assert column[np.int64(1)] == "a"
    assert list(column[1:3]) == list(column[[1, 2]]) == ["a", "b"]
    assert list(column[column == "c"]) == ["c"]


def test_becomes_an_array(column: Categorical) -> None:
    """An array of it is made of str; a view of it does not exist."""
    assert np.asarray(column).tolist() == ["b", "a", "b", "c"]
    assert np.asarray(column, dtype="U4").dtype == "U4"
    with pytest.raises(ValueError, match="no array of its own"):
        np.asarray(column, copy=False)


def test_unique_in_order_of_appearance(column: Categorical) -> None:
    """Unique names the words that occur, first come first."""
    assert column.unique() == ["b", "a", "c"]


def test_has_no_hash(column: Categorical) -> None:
    """A column compares by row, so it cannot be a key."""
    with pytest.raises(TypeError):
        hash(column)


def test_repr_is_short() -> None:
    """The repr shows six words, on one line, and the length."""
    column = Categorical(np.zeros(10, np.int32), ["x\ny" * 100])
    assert repr(column).count("'x y") == 6
    assert repr(column).endswith("…] 10 rows>")
    assert "\n" not in repr(column)
