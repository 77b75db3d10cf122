"""The content of a message: text, images and speech in any form that a notebook has them in, as content parts.

It does no I/O but reading a path that it is given, and drawing a figure: call it in a thread.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtnb import formatting
from rtnb.audio import AudioClip
from rtnb.client.audio_input import speech_part
from rtnb.errors import ConfigurationError, ImageError
from rtnb.protocol.commands import text_part
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.images import IMAGE_PART, InputImage, is_image_file

Content = object
"""Anything that `content_parts` makes a message of."""

MOST_BYTES = 11_000_000
"""Bytes that the images of one message may have together: with base64 they fit into the 15 MiB of one event."""

_FORMS = "a matplotlib figure or Axes, a PIL image, a path, the bytes of a PNG or JPEG file, or a data URL"
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def content_parts(
    given: object,
    role: str,
    dialect: Dialect,
    config: Mapping[str, Any],
    *,
    image: object = None,
    detail: str | None = None,
    spoken: bool = False,
) -> list[dict[str, Any]]:
    """Return the content parts of a message.

    Parameters
    ----------
    given : str, image, AudioClip, (samples, rate), path, bytes, dict, or a list of these
        Text, images and speech in their order; a dict is a part as it goes out. A path and bytes are an image or speech by
        what they hold.
    role : str
        Only a user's message has images and speech.
    dialect : Dialect
    config : mapping
        The session's settings, for the format of speech.
    image : image, or a list of images, optional
        Further images, behind what is `given`.
    detail : {"auto", "low", "high"}, optional
        How closely the model looks at the images.
    spoken : bool
        Whether `given` is speech where it is no text, image or list, so that an error is about speech.

    Raises
    ------
    ImageError
        An image that cannot be read, that is too large, or that the dialect does not have.
    AudioError
    ConfigurationError
        Content that is nothing of all this, or does not go with the role.
    """
    if spoken and is_spoken(given):
        given = speech_part(given, config)
    said = [each for each in _each(given) if image is None or not (isinstance(each, str) and not each)]
    parts = [_part(each, role, config, detail or "") for each in said]
    parts += [_image_part(each, detail or "") for each in _each(list(image) if isinstance(image, tuple) else image)]
    images = [part for part in parts if part.get("type") == IMAGE_PART]
    if detail is not None and not images:
        raise ConfigurationError(f"detail={detail!r} is about images, and the message has none: add image=.")
    _check(parts, images, role, dialect)
    return parts


def _each(given: object) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list) else [given]


def _check(parts: list[dict[str, Any]], images: list[dict[str, Any]], role: str, dialect: Dialect) -> None:
    if not parts:
        raise ConfigurationError("The message has no content: give a text, an image, a clip, or a list of these.")
    if images and not dialect.takes_images:
        raise ImageError(f"The {dialect.title} has no images in messages; connect with dialect='ga' to send one.")
    spoken = [part for part in parts if part.get("type") == "input_audio"]
    if role != "user" and (images or spoken):
        what = "an image" if images else "speech"
        raise ConfigurationError(f"Only a user's message can have {what}, not one with role={role!r}.")
    sizes = [len(url) * 3 // 4 for part in images if isinstance(url := part.get("image_url"), str)]
    if sum(sizes) > MOST_BYTES:
        raise ImageError(
            f"The images of the message have {formatting.size(sum(sizes))} together, and {formatting.size(MOST_BYTES)} is "
            "what one event can carry. Make them smaller: figure.savefig(path, dpi=80), or image.thumbnail((1024, 1024))."
        )


def _part(given: object, role: str, config: Mapping[str, Any], detail: str) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, str) and not given.startswith("data:image/"):
        return text_part(given, role)
    if _is_speech(given):
        return speech_part(given, config)
    if isinstance(given, str) or _is_picture(given):
        return _image_part(given, detail)
    raise ConfigurationError(
        f"A message is made of texts, images ({_FORMS}), AudioClips, (samples, rate) and dicts, not of "
        f"{type(given).__name__}."
    )


def _image_part(given: object, detail: str) -> dict[str, Any]:
    return dict(given) if isinstance(given, Mapping) else to_image(given, detail).part()


def to_image(value: object, detail: str = "") -> InputImage:
    """Return `value` as an image: a matplotlib figure or Axes, a PIL image, a path, PNG or JPEG bytes, or a data URL.

    Raises
    ------
    ImageError
    """
    if isinstance(value, InputImage):
        return value.with_detail(detail)
    if isinstance(value, str) and value.startswith("data:"):
        return InputImage.from_url(value, detail)
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        raise ImageError(
            f"The service takes no links to images ({formatting.one_line(value, 80)}): give the file itself."
        )
    if isinstance(value, (str, os.PathLike)):
        return _from_file(value, detail)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return InputImage.from_bytes(bytes(value), detail)
    if _is_pil_image(value):
        return InputImage.from_bytes(_saved(value), detail)
    if (figure := _figure_of(value)) is not None:
        return InputImage.from_bytes(_drawn(figure), detail)
    hint = " PIL.Image.fromarray(array) makes an image of an array." if hasattr(value, "shape") else ""
    raise ImageError(f"An image is {_FORMS}, not {type(value).__name__}.{hint}")


def _from_file(path: str | os.PathLike[Any], detail: str) -> InputImage:
    """Return the image in a file; one that is too large for any message is not read."""
    file = Path(os.fsdecode(path)).expanduser()
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MOST_BYTES else b""
    except (OSError, ValueError) as error:
        raise ImageError(f"The image cannot be read: {error}. Check the path.") from error
    if size > MOST_BYTES:
        raise ImageError(
            f"{file} has {formatting.size(size)}, and {formatting.size(MOST_BYTES)} is what one event can carry. Make it "
            "smaller: image = PIL.Image.open(path); image.thumbnail((1024, 1024))."
        )
    try:
        return InputImage.from_bytes(data, detail)
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from None


def _saved(picture: Any) -> bytes:
    """Return a PIL image as a file: JPEG where it was read from one, else PNG, which loses nothing."""
    jpeg = getattr(picture, "format", None) == "JPEG"
    modes = ("L", "RGB") if jpeg else _MODES
    file = io.BytesIO()
    try:
        whole = picture if picture.mode in modes else picture.convert("RGB")
        whole.save(file, format="JPEG" if jpeg else "PNG", **({"quality": 95} if jpeg else {}))
    except Exception as error:
        raise ImageError(
            f"The image cannot be saved: {type(error).__name__}: {formatting.one_line(error, 200)}."
        ) from error
    return file.getvalue()


def _figure_of(value: Any) -> Any:
    """Return the figure that a matplotlib object is, or belongs to; None for any other object."""
    seen: list[Any] = []
    while value is not None and not any(value is each for each in seen):
        if callable(getattr(value, "savefig", None)):
            return value
        seen.append(value)
        value = getattr(value, "figure", None)
    return None


def _drawn(figure: Any) -> bytes:
    file = io.BytesIO()
    try:
        figure.savefig(file, format="png")
    except Exception as error:
        raise ImageError(
            f"The figure cannot be drawn: {type(error).__name__}: {formatting.one_line(error, 200)}."
        ) from error
    return file.getvalue()


def is_spoken(prompt: object) -> bool:
    """Return whether a prompt goes through the input audio buffer: speech by itself, not a text, an image or a list."""
    return _is_speech(prompt) or not (isinstance(prompt, (str, list, Mapping)) or _is_picture(prompt))


def _is_speech(given: object) -> bool:
    if isinstance(given, (AudioClip, tuple)):
        return True
    return isinstance(given, (os.PathLike, bytes, bytearray, memoryview)) and not _is_image_file(given)


def _is_image_file(given: os.PathLike[Any] | bytes | bytearray | memoryview) -> bool:
    if not isinstance(given, os.PathLike):
        return is_image_file(bytes(given[:16]))
    try:
        with open(Path(os.fsdecode(given)).expanduser(), "rb") as opened:
            return is_image_file(opened.read(16))
    except OSError:
        return False  # what reads the speech says why


def _is_picture(value: Any) -> bool:
    """Return whether a value is an image, in a form that no speech has."""
    if isinstance(value, (os.PathLike, bytes, bytearray, memoryview)):
        return _is_image_file(value)
    return isinstance(value, InputImage) or _is_pil_image(value) or _figure_of(value) is not None


def _is_pil_image(value: Any) -> bool:
    return callable(getattr(value, "save", None)) and hasattr(value, "mode") and hasattr(value, "size")
