"""`Growing`: a numpy array to which values are added at the end, at a cost that does not grow with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


class Growing:
    """A one-dimensional array with room to spare.

    Parameters
    ----------
    dtype : dtype
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: NDArray[Any] = np.empty(256, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[Any]:
        """Return what it holds so far, shape (n,); the values of an array got earlier stay as they were."""
        return self._room[: self._count]

    def extend(self, more: ArrayLike) -> None:
        """Add values at the end."""
        added = np.asarray(more, self._room.dtype)
        needed = self._count + len(added)
        if needed > len(self._room):
            larger = np.empty(2 * needed, self._room.dtype)
            larger[: self._count] = self.values
            self._room = larger
        self._room[self._count : needed] = added
        self._count = needed
