"""The timeline, everything that crossed the wire as a table, and its file."""

from __future__ import annotations

from rtnb.timeline.categorical import Categorical
from rtnb.timeline.file_format import Journal
from rtnb.timeline.grouping import Fold, fold
from rtnb.timeline.store import Store
from rtnb.timeline.timeline import Timeline

__all__ = [
    "Categorical",
    "Fold",
    "Journal",
    "Store",
    "Timeline",
    "fold",
]
