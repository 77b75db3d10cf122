"""Calls back to an object that they do not keep alive.

The parts of a session call the session. If they held it, the two would be a circle, and a closed session with its audio
would stay in memory until the next run of the garbage collector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast
from weakref import WeakMethod

P = ParamSpec("P")
R = TypeVar("R")


def weakly(method: Callable[P, R]) -> Callable[P, R]:
    """Return a function that calls a bound method; its object must be alive then, and is not held."""
    reference = WeakMethod(cast("Callable[..., R]", method))

    def call(*args: P.args, **options: P.kwargs) -> R:
        alive = reference()
        assert alive is not None
        return alive(*args, **options)

    return call
