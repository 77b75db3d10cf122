"""The pieces in which a text is streamed. Pure."""

from __future__ import annotations

import re

__all__ = ["text_deltas"]


def text_deltas(text: str) -> list[str]:
    """Cut a text into the pieces in which it is streamed.

    Returns
    -------
    list of str
        Words with their leading space, long words in parts, punctuation; they join to `text` exactly.
    """
    return re.findall(r" ?\w{1,8}| ?[^\w\s]{1,4}|\s", text)
