"""`ToldFailures`: what has been said of each failure, so that it is said once, and best. Pure."""

from __future__ import annotations

_MOST = 100


class ToldFailures:
    """The failures that a call or a problem has told of, by the id of what failed; the newest 100.

    Several events may tell of one failure: a response that fails at its creation and again at its end, a remote tool's
    call that fails and its item that is done with the reason. The last of them is told in place of those before it, and
    none where a call has told its user.
    """

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    def take(self, failed: str, problem: str, *, reported: bool = False) -> tuple[bool, str]:
        """Take a failure; return whether it is a problem to be told, and the problem in whose place it comes.

        Parameters
        ----------
        failed : str
            The id of what failed; empty for a failure that stands for itself.
        problem : str
            What is wrong, in words.
        reported : bool
            Whether a call tells its user.
        """
        if not failed:
            return not reported, ""
        earlier = self._problems.pop(failed, None)
        mute = reported or earlier == ""
        self._problems[failed] = "" if mute else problem
        while len(self._problems) > _MOST:
            del self._problems[next(iter(self._problems))]
        return not mute, earlier or ""
