"""Images of a message as HTML: small files as they are, large ones reduced, or named where they cannot be reduced."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rtnb.formatting import escape, muted
from rtnb.protocol.images import JPEG, PNG, InputImage

MOST_IMAGES = 6
"""Images of one message that are shown; further ones are named."""

WIDTH, HEIGHT = 320, 240
"""The largest size at which an image is shown, in CSS pixels."""

_SMALL_BYTES = 48_000
# Pixels for each CSS pixel, type and quality of what is tried, until one is a small file.
_ATTEMPTS = ((2, PNG, 100), (2, JPEG, 80), (1, JPEG, 70), (1, JPEG, 30))
_FORMAT = {PNG: "PNG", JPEG: "JPEG"}
_MOST_PIXELS = 60_000_000  # a larger picture would take seconds and hundreds of megabytes to decode


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An image as it is shown.

    Attributes
    ----------
    url : str
        A data URL of at most about 64 kB; empty where the image is too large to show and cannot be reduced.
    words : str
        Type and size of the whole image.
    """

    url: str
    words: str


def thumbnails(images: Sequence[InputImage]) -> list[Thumbnail]:
    """Return the images of a message as they are shown; those after the sixth without a picture."""
    return [thumbnail(each) if place < MOST_IMAGES else Thumbnail("", each.words) for place, each in enumerate(images)]


def thumbnail(image: InputImage) -> Thumbnail:
    """Return an image as it is shown: as it is where it is a small file, else reduced by Pillow."""
    if len(image.data) <= _SMALL_BYTES:
        return Thumbnail(image.url, image.words)
    return Thumbnail(_reduced(image), image.words)


def _reduced(image: InputImage) -> str:
    if image.width * image.height > _MOST_PIXELS:
        return ""
    try:
        from PIL import Image

        with Image.open(io.BytesIO(image.data), formats=("PNG", "JPEG")) as whole:
            small = whole.convert("RGBA" if image.mime == PNG else "RGB")
        for scale, mime, quality in _ATTEMPTS:
            small.thumbnail((scale * WIDTH, scale * HEIGHT))
            file = io.BytesIO()
            (small if mime == PNG else _on_white(small)).save(
                file, format=_FORMAT[mime], optimize=True, quality=quality
            )
            if len(file.getvalue()) <= _SMALL_BYTES:
                return f"data:{mime};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
    except Exception:  # Pillow is missing, or cannot read what a service or a file holds: it is named instead
        return ""
    return ""


def _on_white(picture: Any) -> Any:
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def images_html(images: Sequence[InputImage]) -> str:
    """Return the images of a message as HTML; empty where there are none."""
    return thumbnails_html(thumbnails(images))


def thumbnails_html(shown: Sequence[Thumbnail]) -> str:
    """Return thumbnails as HTML, each with its words; empty where there are none."""
    return "".join(_html(each) for each in shown)


def _html(shown: Thumbnail) -> str:
    if not shown.url:
        return f"<div>{muted(f'{shown.words} (too large to show here)')}</div>"
    style = f"max-width:{WIDTH}px;max-height:{HEIGHT}px;display:block"
    return (
        f'<div style="margin:3px 0"><img src="{escape(shown.url)}" alt="{escape(shown.words)}" style="{style}">'
        f"{muted(shown.words)}</div>"
    )
