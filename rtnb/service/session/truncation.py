"""How much of a conversation a response may see, by its session's ``truncation``, and when the rest is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Truncation:
    """A rule in tokens of the conversation; the instructions and the tools, which are never forgotten, count apart.

    Attributes
    ----------
    limit : int
        How many may be there; with more, something is forgotten.
    keep : int or None
        How many are then kept; None: nothing is forgotten, and the response fails.
    """

    limit: int
    keep: int | None

    @classmethod
    def of(cls, setting: Any, room: int) -> Truncation:
        """Return the rule of a setting; `room` is what the model takes besides the instructions and the tools.

        ``"auto"``, which is also what a dialect without the setting does, forgets no more than it must. A retention ratio
        forgets more, and so less often.
        """
        room = max(0, room)
        if isinstance(setting, Mapping):
            own = (setting.get("token_limits") or {}).get("post_instructions")
            limit = room if own is None else min(own, room)
            return cls(limit, int(limit * setting["retention_ratio"]))
        return cls(room, None if setting == "disabled" else room)
