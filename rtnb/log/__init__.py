"""Everything that crossed the wire, as a table: the timeline and its file."""

from __future__ import annotations

from rtnb.log.categorical import Categorical
from rtnb.log.folding import Fold, fold
from rtnb.log.journal import Journal
from rtnb.log.timeline import Timeline

__all__ = [
    "Categorical",
    "Fold",
    "Journal",
    "Timeline",
    "fold",
]
