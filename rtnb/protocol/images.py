"""Images in messages: what an ``input_image`` part carries, its type and size read from its own bytes. Pure.

The services take PNG and JPEG, as a data URI in ``image_url`` (the official client's types say so of user messages).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pybase64

from rtnb import formatting
from rtnb.errors import ImageError

IMAGE_PART = "input_image"
PNG, JPEG = "image/png", "image/jpeg"
TAKEN = "PNG and JPEG"
_PNG_BEGINS = b"\x89PNG\r\n\x1a\n"
_JPEG_BEGINS = b"\xff\xd8\xff"
# The markers of a JPEG's frame header, which has its size: SOF0 to SOF15 without DHT, JPG and DAC (ITU T.81, table B.1).
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_OTHERS = {
    b"GIF8": "a GIF",
    b"RIFF": "a WebP",
    b"BM": "a BMP",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"%PDF": "a PDF",
}
_PAYLOADS = ("image_url", "audio")
_WORTH_LEAVING_OUT = 200


@dataclass(frozen=True, slots=True, repr=False)
class InputImage:
    """A PNG or JPEG image of a user message.

    Attributes
    ----------
    data : bytes
        The whole file.
    mime : str
        ``"image/png"`` or ``"image/jpeg"``.
    width, height : int
        In pixels, as the file says.
    detail : str
        How closely the model looks: ``"auto"``, ``"low"`` or ``"high"``; empty where nothing was said.
    """

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    detail: str = ""

    @classmethod
    def from_bytes(cls, data: bytes, detail: str = "") -> InputImage:
        """Read a PNG or JPEG file from its bytes; only the header is looked at.

        Raises
        ------
        ImageError
            It is neither, or its header is damaged.
        """
        mime = mime_of(data)
        if not mime:
            raise ImageError(_refusal(data))
        size = _png_size(data) if mime == PNG else _jpeg_size(data)
        if size is None or 0 in size:
            raise ImageError(f"The {mime} image is damaged: its header has no size. Save it again, whole.")
        return cls(data, mime, *size, detail)

    @classmethod
    def from_url(cls, url: str, detail: str = "") -> InputImage:
        """Read a data URL, ``data:image/png;base64,…``; the type is what the bytes are, whatever the URL says.

        Raises
        ------
        ImageError
        """
        head, comma, payload = url.partition(",")
        if not comma or not head.startswith("data:") or not head.endswith(";base64"):
            raise ImageError(
                "A data URL of an image begins with 'data:image/png;base64,' or 'data:image/jpeg;base64,'."
            )
        try:
            data = pybase64.b64decode("".join(payload.split()), validate=True)
        except ValueError as error:
            raise ImageError(
                f"The data URL of the image is not base64: {error}. Encode the file's bytes again."
            ) from None
        return cls.from_bytes(data, detail)

    @property
    def url(self) -> str:
        """Return the image as a data URL."""
        return f"data:{self.mime};base64,{pybase64.b64encode_as_string(self.data)}"

    @property
    def words(self) -> str:
        """Return type and size in words: ``image/png, 640×480, 34.0 kB``."""
        return f"{self.mime}, {self.width}×{self.height}, {formatting.size(len(self.data))}"

    def with_detail(self, detail: str) -> InputImage:
        """Return the image with another detail; the same one where `detail` is empty."""
        return replace(self, detail=detail) if detail else self

    def part(self) -> dict[str, Any]:
        """Return the image as a content part of a message."""
        return {"type": IMAGE_PART, "image_url": self.url, **({"detail": self.detail} if self.detail else {})}

    def __repr__(self) -> str:
        return f"<InputImage {self.words}{f', detail {self.detail}' if self.detail else ''}>"


def mime_of(data: bytes) -> str:
    """Return ``"image/png"`` or ``"image/jpeg"`` for bytes that begin as such a file does; else an empty string."""
    if data.startswith(_PNG_BEGINS):
        return PNG
    return JPEG if data.startswith(_JPEG_BEGINS) else ""


def is_image_file(data: bytes) -> bool:
    """Return whether bytes begin as an image file does, one that the services take or not."""
    webp = data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    known = any(data.startswith(magic) for magic in _OTHERS if magic not in (b"RIFF", b"BM"))
    return bool(mime_of(data)) or webp or known


def _refusal(data: bytes) -> str:
    kind = next((words for magic, words in _OTHERS.items() if data.startswith(magic)), "")
    if data.lstrip()[:5] in (b"<svg ", b"<?xml"):
        kind = "an SVG"
    said = f"This is {kind}" if kind else "These bytes are no image that is known" if data else "The image is empty"
    return f"{said}; the service takes {TAKEN}. PIL.Image.open(path).convert('RGB') gives one that can be sent."


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAME_HEADERS:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        if marker == 0xFF:
            place += 1  # a fill byte
        elif marker in _ALONE:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None


def image_of(part: Mapping[str, Any]) -> InputImage | None:
    """Return the image that a content part carries; None where it carries none that can be read."""
    url = part.get("image_url")
    if not isinstance(url, str) or not url:
        return None
    try:
        return InputImage.from_url(url, str(part.get("detail") or ""))
    except ImageError:
        return None


def image_words(part: Mapping[str, Any]) -> str:
    """Return what an ``input_image`` part holds, in words that never have the image itself."""
    image = image_of(part)
    if image is not None:
        return image.words
    url = part.get("image_url")
    if not isinstance(url, str) or not url:
        return IMAGE_PART
    return "an image that cannot be read" if url.startswith("data:") else f"image at {formatting.one_line(url, 60)}"


def without_payloads(value: Any) -> Any:
    """Return the fields of an event to be shown: the images and the audio of content parts replaced by words."""
    if isinstance(value, Mapping):
        kind = value.get("type")
        part = isinstance(kind, str) and (kind == IMAGE_PART or kind.endswith("audio"))
        return {
            key: _payload_words(value, key, inner) if part and _is_payload(key, inner) else without_payloads(inner)
            for key, inner in value.items()
        }
    return [without_payloads(inner) for inner in value] if isinstance(value, list) else value


def _is_payload(key: str, value: Any) -> bool:
    return key in _PAYLOADS and isinstance(value, str) and len(value) > _WORTH_LEAVING_OUT


def _payload_words(part: Mapping[str, Any], key: str, value: str) -> str:
    return f"… {image_words(part)} …" if key == "image_url" else f"… {len(value) * 3 // 4:,} bytes of audio …"
