"""Everything that crossed the wire, as a table: the timeline, its file, and a recording opened again."""

from __future__ import annotations

from rtnb.log.categorical import Categorical
from rtnb.log.folding import Fold, fold
from rtnb.log.journal import Journal
from rtnb.log.lines import RecordingError
from rtnb.log.recording import Recording, open_recording
from rtnb.log.timeline import Timeline

__all__ = [
    "Categorical",
    "Fold",
    "Journal",
    "Recording",
    "RecordingError",
    "Timeline",
    "fold",
    "open_recording",
]
