"""Running pasted asyncio code in a cell: ``asyncio.run(main())``, where a loop already runs. No part of rtnb needs it."""

from __future__ import annotations

import asyncio
import re
from importlib import metadata

from rtnb.errors import ConfigurationError

PACKAGE = "nest-asyncio2"
LEAST_VERSION = (1, 7, 3)
_INSTALL = 'Install the maintained continuation and restart the kernel: pip install "nest-asyncio2>=1.7.3"'
_LOSS = (
    "the archived nest-asyncio 1.6.0 silently loses queued cells and widget messages on ipykernel 7.1 and later, "
    "with no error in any cell"
)


def allow_nested_asyncio() -> None:
    """Let ``asyncio.run(...)`` and ``loop.run_until_complete(...)`` run in a cell, where a loop is running already.

    For code pasted from samples that end in ``asyncio.run(main())``. It applies nest-asyncio2, which changes asyncio
    for the whole process and cannot be taken back; calling it again changes nothing.

    Raises
    ------
    ConfigurationError
        nest-asyncio2 1.7.3 or later is missing, the old nest-asyncio has been applied already, or the event loop is
        one that cannot be nested, such as uvloop's. asyncio is then left as it was.
    """
    old_applied = hasattr(asyncio, "_nest_patched") and not hasattr(asyncio, "_nest_asyncio2")
    problem = refusal(_version(PACKAGE), _version("nest-asyncio"), old_applied=old_applied, loop_type=_loop_type())
    if problem:
        raise ConfigurationError(problem)
    import nest_asyncio2

    nest_asyncio2.apply()


def refusal(version: str | None, old_version: str | None, *, old_applied: bool, loop_type: type) -> str:
    """Return why asyncio cannot be nested here, and what to do about it; empty where it can.

    Parameters
    ----------
    version, old_version : str or None
        The installed versions of nest-asyncio2 and of nest-asyncio.
    old_applied : bool
        Whether nest-asyncio has changed asyncio already. Its patch cannot be replaced in a running process.
    loop_type : type
        Class of the event loop that would be changed.
    """
    if old_applied:
        return (
            f"nest_asyncio has been applied in this process, and {_LOSS}. Restart the kernel and call "
            "rtnb.allow_nested_asyncio() instead of nest_asyncio.apply()."
            + ("" if _suffices(version) else f" {_INSTALL}")
        )
    if not _suffices(version):
        if version is not None:
            found = f"nest-asyncio2 {version} is installed, which still loses queued cells as nest-asyncio did."
        elif old_version is not None:
            found = f"Only nest-asyncio {old_version} is installed: {_LOSS}."
        else:
            found = "Nesting asyncio takes nest-asyncio2, which is not installed."
        return f"{found} {_INSTALL}"
    if not issubclass(loop_type, asyncio.BaseEventLoop):
        return (
            f"The event loop is {loop_type.__module__}.{loop_type.__qualname__}, which cannot be nested. Use asyncio's own "
            "loop (leave out uvloop), or write `await main()` in the cell instead of `asyncio.run(main())`."
        )
    return ""


def _suffices(version: str | None) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version or "")
    return numbers is not None and tuple(int(number or 0) for number in numbers.groups()) >= LEAST_VERSION


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _loop_type() -> type:
    """Return the class of the running loop, or of the loop that asyncio would make."""
    try:
        return type(asyncio.get_running_loop())
    except RuntimeError:
        loop = asyncio.new_event_loop()
        loop.close()
        return type(loop)
