"""`Problems`: what went wrong in a session, each failure once, in the words of the newest event about it. Pure."""

from __future__ import annotations

_MOST = 20
_MOST_FAILURES = 100


class Problems:
    """The newest 20 problems of a session.

    Several events may be about one failure: a response that fails at its creation and again at its end, a remote tool's call
    that fails and its item that is done with the reason. The words of the last replace those before; a failure that a call
    has raised is no problem.

    Attributes
    ----------
    words : list of str
        The problems, the oldest first.
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        self._failures: dict[str, str] = {}  # by the id of what failed, the words; empty for what a call has raised

    def add(self, words: str, *, about: str = "", raised: bool = False) -> None:
        """Add a problem.

        Parameters
        ----------
        words : str
        about : str
            The id of what failed; empty for a failure of its own.
        raised : bool
            Whether a call raises this failure.
        """
        if about:
            earlier = self._failures.pop(about, None)
            raised = raised or earlier == ""
            self._failures[about] = "" if raised else words
            if len(self._failures) > _MOST_FAILURES:
                del self._failures[next(iter(self._failures))]
            if words == earlier and words in self.words and not raised:
                return
            if earlier in self.words:
                self.words.remove(earlier)
        if not raised:
            self.words.append(words)
            del self.words[:-_MOST]
