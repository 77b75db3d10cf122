"""Ids in the services' form, deterministic by seed."""

from __future__ import annotations

import random
import string

_BASE62 = string.digits + string.ascii_letters


class Ids:
    """A source of ids: ``item_``, ``resp_``, ``event_`` … and 21 base62 characters.

    Parameters
    ----------
    seed : int
        The same seed gives the same ids in the same order.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def new(self, prefix: str, length: int = 21) -> str:
        """Return a fresh id."""
        return f"{prefix}_" + "".join(self._random.choices(_BASE62, k=length))
