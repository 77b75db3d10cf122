"""The engines that do what takes time: they speak, write and listen, on behalf of every session of a server.

Names are loaded when they are first used: the process of a worker needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtnb.service.engines.base import Engine as Engine
    from rtnb.service.engines.base import EngineFailure as EngineFailure
    from rtnb.service.engines.base import Engines as Engines
    from rtnb.service.engines.choice import make as make

_HOME = {
    "Engine": "base",
    "EngineFailure": "base",
    "Engines": "base",
    "make": "choice",
}

__all__ = ["Engine", "EngineFailure", "Engines", "make"]


def __getattr__(name: str) -> Any:
    """Load a name from the module that it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
