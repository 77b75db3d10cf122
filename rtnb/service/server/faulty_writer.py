"""The writer that is out of budget, for the fault ``rate_limit``: every response fails as a cloud's does."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from rtnb.service.engines import EngineFailure
from rtnb.service.engines.tasks import Call, Text, Write

_CODE = "rate_limit_exceeded"
_MESSAGE = (
    "Rate limit reached: no tokens are left in this minute. Please try again in 20 seconds. "
    "(Asked for by the fault rate_limit.)"
)


class OverdrawnWriter:
    """Writes nothing: every answer fails with ``rate_limit_exceeded``.

    Attributes
    ----------
    name : str
    """

    name = "none (fault: rate_limit)"

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Fail.

        Raises
        ------
        EngineFailure
            Always.
        """
        raise EngineFailure(_CODE, _MESSAGE)
        yield  # what makes it a generator

    async def close(self) -> None:
        """Do nothing: there is nothing to end."""
