"""How the service and its child processes speak over a pipe: a frame is a JSON object and some bytes.

Eight bytes say how long each of the two is, little-endian; standard library only, since children import it.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

__all__ = ["HEADER", "Message", "lengths", "pack", "parse", "read"]

Message = dict[str, Any]

#: Lengths of the JSON text and of the bytes after it.
HEADER = struct.Struct("<II")
#: No frame is longer: a length beyond it means that the pipe carries something else.
LONGEST = 1 << 26


def pack(message: Message, data: bytes = b"") -> bytes:
    """Return a frame."""
    text = json.dumps(message, separators=(",", ":")).encode()
    return b"".join((HEADER.pack(len(text), len(data)), text, data))


def lengths(header: bytes) -> tuple[int, int]:
    """Return how many bytes of JSON and of data follow a header.

    Raises
    ------
    ValueError
        They cannot be lengths of a frame.
    """
    text, data = HEADER.unpack(header)
    if text > LONGEST or data > LONGEST:
        raise ValueError("The pipe carries something that is not a frame.")
    return text, data


def parse(text: bytes) -> Message:
    """Return the JSON object of a frame.

    Raises
    ------
    ValueError
        It is not one.
    """
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError("A frame begins with a JSON object.")
    return message


def read(pipe: BinaryIO) -> tuple[Message, bytes] | None:
    """Read one frame, waiting for it; None at the end of the pipe."""
    header = pipe.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    text, data = lengths(header)
    body = pipe.read(text + data)
    return (parse(body[:text]), body[text:]) if len(body) == text + data else None
