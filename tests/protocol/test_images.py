"""Images in messages: what they are, how large, and that they are shown as words."""

from __future__ import annotations

import base64
import json

import pytest
from pictures import picture

from rtnb.errors import ImageError
from rtnb.protocol.events import Event, pretty_json, shown_fields
from rtnb.protocol.images import InputImage, image_of, image_words, is_image_file, without_payloads

PNG, JPEG = picture("PNG"), picture("JPEG")


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (picture("JPEG", progressive=True), "image/jpeg"),
        (picture("JPEG", exif=b"Exif\x00\x00" + bytes(5000), icc_profile=bytes(100_000)), "image/jpeg"),
    ],
    ids=["png", "jpeg", "progressive", "long-header"],
)
def test_type_and_size_are_in_the_bytes(data: bytes, mime: str) -> None:
    """Whatever stands between the beginning of the file and its size."""
    image = InputImage.from_bytes(data)
    assert (image.mime, image.width, image.height, image.data) == (mime, 64, 48, data)
    assert InputImage.from_url(image.url) == image


def test_an_image_says_what_it_is_and_never_its_bytes() -> None:
    """In its words, its repr and its part; the part alone has all of it."""
    image = InputImage.from_bytes(PNG, "low")
    assert image.words == f"image/png, 64×48, {len(PNG)} B"
    assert repr(image) == f"<InputImage {image.words}, detail low>"
    assert image.part() == {
        "type": "input_image",
        "image_url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        "detail": "low",
    }
    assert "detail" not in InputImage.from_bytes(PNG).part()
    assert image.with_detail("high").detail == "high"
    assert image.with_detail("") is image


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (picture("GIF"), "a GIF"),
        (picture("WEBP"), "a WebP"),
        (picture("BMP"), "a BMP"),
        (b"<svg xmlns='x'/>", "an SVG"),
        (b"hello", "no image that is known"),
        (PNG[:16], "damaged"),
        (JPEG[:20], "damaged"),
        (PNG[:16] + bytes(16), "damaged"),
    ],
)
def test_what_no_service_takes_is_named(data: bytes, words: str) -> None:
    """With what to do instead."""
    with pytest.raises(ImageError, match=words):
        InputImage.from_bytes(data)


@pytest.mark.parametrize(
    "url", ["https://x.test/a.png", "data:image/png,abc", "data:image/png;base64,?", "data:image/png;base64"]
)
def test_a_url_that_holds_no_image_is_refused(url: str) -> None:
    """Links, URLs without base64, damaged base64."""
    with pytest.raises(ImageError):
        InputImage.from_url(url)


def test_the_bytes_decide_about_the_type_of_a_data_url() -> None:
    """Not what the URL says; line breaks in the base64 do not matter."""
    text = base64.encodebytes(JPEG).decode()
    assert InputImage.from_url(f"data:image/png;base64,{text}").mime == "image/jpeg"


def test_parts_in_words() -> None:
    """Also where the image is a link, cannot be read, or was not given back."""
    assert image_words(InputImage.from_bytes(PNG).part()).startswith("image/png, 64×48")
    assert image_words({"image_url": "https://x.test/a.png"}) == "image at https://x.test/a.png"
    assert image_words({"image_url": "data:image/png;base64,AAAA"}) == "an image that cannot be read"
    assert image_words({"image_url": 5}) == image_words({}) == "input_image"
    assert image_of({"image_url": "https://x.test/a.png"}) is image_of({}) is None


def test_image_files_are_distinguished_from_sound_files() -> None:
    """By how they begin, also those that no service takes."""
    assert all(is_image_file(each) for each in (PNG, JPEG, picture("GIF"), picture("WEBP"), picture("TIFF")))
    assert not any(is_image_file(each) for each in (b"RIFF\x00\x00\x00\x00WAVE", b"OggS", b"", b"BM"))


def test_an_event_is_shown_without_its_images_and_its_audio() -> None:
    """In items and in a response's own input, however deep; its frame stays whole."""
    image = InputImage.from_bytes(picture("PNG", (640, 480)))
    speech = {"type": "input_audio", "audio": base64.b64encode(bytes(3000)).decode()}
    content = [{"type": "input_text", "text": "x" * 500}, image.part(), speech]
    raw = json.dumps(
        {"type": "response.create", "response": {"input": [{"type": "message", "content": content}]}}
    ).encode()
    event = Event.parse(raw)
    shown = shown_fields(event)["response"]["input"][0]["content"]
    assert shown[0]["text"] == "x" * 500
    assert shown[1]["image_url"] == f"… {image.words} …"
    assert shown[2]["audio"] == "… 3,000 bytes of audio …"
    assert "base64" not in pretty_json(event)
    assert "base64" not in event._repr_mimebundle_()["text/html"]
    assert event["response"]["input"][0]["content"][1] == image.part()
    assert event.raw == raw
    assert without_payloads({"type": "input_image", "image_url": "short"}) == {
        "type": "input_image",
        "image_url": "short",
    }
