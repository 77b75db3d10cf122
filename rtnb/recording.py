"""`rtnb.open`: a saved session, to be read like a live one."""

from __future__ import annotations

import os
from pathlib import Path

from rtnb.log.recording import Recording, open_recording


def open(path: str | os.PathLike[str]) -> Recording:
    """Open what `session.save` or ``connect(record=…)`` wrote."""
    return open_recording(Path(path))
