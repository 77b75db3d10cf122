"""Images as they are shown: small, bounded, and named where they cannot be."""

from __future__ import annotations

import builtins
import io

import pybase64
import pytest
from pictures import noise, picture
from PIL import Image

from rtnb.conversation.thumbnails import MOST_IMAGES, images_html, thumbnail, thumbnails
from rtnb.protocol.images import InputImage


def shown(url: str) -> Image.Image:
    return Image.open(io.BytesIO(pybase64.b64decode(url.partition(",")[2])))


def test_a_small_file_is_shown_as_it_is() -> None:
    """Without Pillow, whatever is in it."""
    image = InputImage.from_bytes(picture())
    assert thumbnail(image).url == image.url


@pytest.mark.large
@pytest.mark.parametrize(
    "data", [noise(900, 600), noise(900, 600, "RGBA"), noise(900, 600, kind="JPEG"), noise(600, 400, "L")], ids=range(4)
)
def test_a_large_file_is_reduced(data: bytes) -> None:
    """To at most 64 kB of data URL, in its own proportions."""
    image = InputImage.from_bytes(data)
    small = thumbnail(image)
    assert 0 < len(small.url) < 66_000
    assert small.words == image.words
    reduced = shown(small.url)
    assert max(reduced.size) <= 640
    assert reduced.width / reduced.height == pytest.approx(image.width / image.height, rel=0.02)


@pytest.mark.large
def test_a_plot_stays_sharp() -> None:
    """What compresses well stays a PNG."""
    image = InputImage.from_bytes(picture(size=(4000, 3000)) + bytes(60_000))
    assert thumbnail(image).url.startswith("data:image/png;base64,")


def test_what_cannot_be_reduced_is_named() -> None:
    """A damaged file, one of too many pixels."""
    damaged = InputImage.from_bytes(noise(400, 400)[:60_000])
    assert thumbnail(damaged).url == ""
    bomb = InputImage(bytes(60_000), "image/png", 100_000, 100_000)
    assert thumbnail(bomb).url == ""
    html = images_html([bomb])
    assert "<img" not in html
    assert "100000×100000" in html
    assert "too large to show here" in html


def test_without_pillow_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow comes with matplotlib, but is not needed for the rest."""
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "PIL":
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    image = InputImage.from_bytes(noise(400, 400))
    monkeypatch.setattr(builtins, "__import__", without)
    assert thumbnail(image).url == ""


def test_many_images_are_bounded() -> None:
    """The first six are shown, all are named."""
    image = InputImage.from_bytes(picture())
    many = thumbnails([image] * 20)
    assert [bool(each.url) for each in many] == [True] * MOST_IMAGES + [False] * 14
    assert images_html([image] * 20).count("<img") == MOST_IMAGES
    assert images_html([]) == ""
