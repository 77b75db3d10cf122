"""How many examples a property test draws: few where the pure ring alone is wanted, so that it answers in seconds."""

from __future__ import annotations

import hypothesis

FEW = 5


def examples(count: int) -> int:
    """Return `count`, or few."""
    return min(count, FEW) if hypothesis.settings.get_current_profile_name() == "pure" else count
