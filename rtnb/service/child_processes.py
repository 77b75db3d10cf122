"""How the service's child processes are started: an environment without credentials, a process group of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def child_environment(*keep: str) -> dict[str, str]:
    """Return the environment of a child: without credentials but the variables in `keep`, and able to import rtnb."""
    home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    kept = {name: value for name, value in os.environ.items() if name in keep or not name.upper().endswith(_SECRET)}
    return {**kept, "PYTHONPATH": path, "PYTHONUTF8": "1"}


def own_group() -> dict[str, Any]:
    """Return the `subprocess.Popen` options that keep an interrupt of the notebook or the terminal from the child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
