"""The engines that write, speak and transcribe for every session of a server. The seam is described in `base`.

Names are loaded when they are first used: a worker process needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtnb.service.engines.base import Engine as Engine
    from rtnb.service.engines.base import EngineFailure as EngineFailure
    from rtnb.service.engines.base import Engines as Engines
    from rtnb.service.engines.base import Transcriber as Transcriber
    from rtnb.service.engines.base import Voice as Voice
    from rtnb.service.engines.base import Writer as Writer
    from rtnb.service.engines.choice import make as make

__all__ = ["Engine", "EngineFailure", "Engines", "Transcriber", "Voice", "Writer", "make"]


def __getattr__(name: str) -> Any:
    """Load a name from the module that defines it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{'choice' if name == 'make' else 'base'}"), name)
