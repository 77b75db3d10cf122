"""`Categorical`: a column of words, kept as codes so that a million rows are compared in a millisecond."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rtnb.formatting import one_line, plural

Mask = NDArray[np.bool_]


class Categorical:
    """A column of words. Comparing it with a word returns a bool array of shape (n,), with which a timeline can be indexed.

    Attributes
    ----------
    codes : ndarray of int32, shape (n,)
        Which word each row holds.
    categories : tuple of str
        The words; some may occur in no row of this column.
    """

    __slots__ = ("categories", "codes")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, codes: NDArray[np.int32], categories: Iterable[str]) -> None:
        self.codes = codes
        self.categories = tuple(categories)

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        words = self.categories
        return (words[code] for code in self.codes.tolist())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> Categorical: ...
    def __getitem__(self, index: Any) -> str | Categorical:
        if isinstance(index, (slice, list, np.ndarray)):
            return Categorical(self.codes[index], self.categories)
        code: int = self.codes[operator.index(index)]
        return self.categories[code]

    def __eq__(self, other: object) -> Mask:  # type: ignore[override]
        if isinstance(other, str):
            return self.where(lambda word: word == other)
        mask: Mask = np.asarray(self) == np.asarray(other, dtype=object)
        return mask

    def __ne__(self, other: object) -> Mask:  # type: ignore[override]
        return ~(self == other)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a column of words has no array of its own to share: leave copy=False out")
        return self.mapped(self.categories, object).astype(dtype or object, copy=False)

    def isin(self, words: Iterable[str]) -> Mask:
        """Return the mask of the rows that hold one of `words`."""
        wanted = {words} if isinstance(words, str) else set(words)
        return self.where(wanted.__contains__)

    def where(self, accepts: Callable[[str], bool]) -> Mask:
        """Return the mask of the rows whose word `accepts` accepts; it is called once per word, not per row."""
        accepted = [code for code, word in enumerate(self.categories) if accepts(word)]
        if len(accepted) <= 1:  # the common case, without a look-up per row
            return np.asarray(self.codes == (accepted[0] if accepted else -1))
        chosen = np.zeros(len(self.categories), bool)
        chosen[accepted] = True
        return chosen[self.codes]

    def mapped(self, values: ArrayLike | Sequence[str], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of shape (n,) with each row's word replaced by the value at the word's place in `categories`."""
        table = np.empty(len(self.categories), dtype)
        table[:] = values
        return np.asarray(table[self.codes])

    def unique(self) -> list[str]:
        """Return the words that occur, in order of first appearance."""
        codes, first = np.unique(self.codes, return_index=True)
        return [self.categories[code] for code in codes[np.argsort(first)]]

    def __repr__(self) -> str:
        shown = ", ".join(repr(one_line(word, 60)) for word in self[:6])
        more = ", …" if len(self) > 6 else ""
        return f"<Categorical [{shown}{more}] {plural(len(self), 'row')}>"
