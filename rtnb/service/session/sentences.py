"""A text that is still being written, cut where it can be spoken: after whole sentences."""

from __future__ import annotations

import re

_SHORTEST = 12  # characters that are worth a breath of their own
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]|\n")


class Sentences:
    """Takes pieces of a text, gives stretches of whole sentences; they join to the text exactly.

    Where the cuts are depends on the text alone, never on how it came in pieces.
    """

    def __init__(self) -> None:
        self._text = ""

    def add(self, piece: str) -> list[str]:
        """Take a piece; return what is complete by it."""
        self._text += piece
        found: list[str] = []
        begin = 0
        for stop in _END.finditer(self._text):
            if stop.end() < len(self._text) and len(self._text[begin : stop.end()].strip()) >= _SHORTEST:
                found.append(self._text[begin : stop.end()])
                begin = stop.end()
        self._text = self._text[begin:]
        return found

    def rest(self) -> list[str]:
        """Return what is left at the text's end."""
        rest, self._text = self._text, ""
        return [rest] if rest else []
