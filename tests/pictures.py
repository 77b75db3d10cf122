"""Image files for the tests."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image

from rtnb.protocol.images import InputImage


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """Return a red image as a file."""
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, format=kind, **options)
    return file.getvalue()


def noise(width: int, height: int, mode: str = "RGB", kind: str = "PNG") -> bytes:
    """Return an image that hardly compresses, as a file."""
    data = random.Random(1).randbytes(width * height * len(mode))
    file = io.BytesIO()
    Image.frombytes(mode, (width, height), data).save(file, format=kind)
    return file.getvalue()


def image(**options: Any) -> InputImage:
    """Return a small red image."""
    return InputImage.from_bytes(picture(**options))
