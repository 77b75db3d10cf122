"""What a message is made of: texts, images and speech in the forms in which a notebook has them."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import image, noise, picture
from PIL import Image

from rtnb.audio import AudioClip
from rtnb.client import message_content
from rtnb.client.message_content import content_parts, is_spoken, to_image
from rtnb.errors import AudioError, ConfigurationError, ImageError
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.images import InputImage

TONE = AudioClip(np.full(2400, 1000, np.int16), 24_000)


def figure() -> Figure:
    made = Figure(figsize=(4, 3), dpi=50)
    made.subplots().plot([1, 2, 3])
    return made


def parts(given: object, role: str = "user", **options: Any) -> list[dict[str, Any]]:
    return content_parts(given, role, GA, {}, **options)


def test_a_matplotlib_figure_or_anything_on_it() -> None:
    """Drawn as PNG, at the figure's own size; Axes, a subfigure and a line stand for their figure."""
    made = figure()
    (axes,) = made.axes
    whole = to_image(made)
    assert (whole.mime, whole.width, whole.height) == ("image/png", 200, 150)
    for value in (axes, axes.lines[0]):
        assert to_image(value) == whole
    nested = Figure(figsize=(4, 3), dpi=50)
    assert to_image(nested.subfigures(1, 2)[0].subplots()).width == 200


def test_a_figure_that_cannot_be_drawn() -> None:
    """Says why."""
    made = figure()
    made.axes[0].set_title("$\\nothing{$")
    with pytest.raises(ImageError, match="figure cannot be drawn"):
        to_image(made)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "HSV"])
def test_a_pil_image_of_any_mode(mode: str) -> None:
    """As PNG, which loses nothing."""
    made = to_image(Image.new(mode, (20, 10)))
    assert (made.mime, made.width, made.height) == ("image/png", 20, 10)


def test_a_photo_stays_a_photo(tmp_path: Path) -> None:
    """A PIL image that was read from a JPEG file goes out as JPEG: as PNG it would be many times as large."""
    file = tmp_path / "a.jpg"
    file.write_bytes(noise(200, 100, kind="JPEG"))
    with Image.open(file) as photo:
        assert to_image(photo).mime == "image/jpeg"


def test_a_pil_image_that_cannot_be_saved() -> None:
    """Says why."""
    with pytest.raises(ImageError, match="cannot be saved"):
        to_image(Image.new("RGB", (0, 0)))


def test_pil_is_not_imported_for_other_images() -> None:
    """Whoever has a path or bytes needs no Pillow."""
    code = (
        "import sys; from rtnb.client.message_content import to_image; import base64;"
        f"to_image(base64.b64decode({base64.b64encode(picture())!r})); print('PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_paths_bytes_and_data_urls(tmp_path: Path) -> None:
    """All give the bytes as they are."""
    data = picture("JPEG")
    file = tmp_path / "a b.jpg"
    file.write_bytes(data)
    url = InputImage.from_bytes(data).url
    for value in (file, str(file), data, bytearray(data), memoryview(data), url, InputImage.from_bytes(data)):
        assert to_image(value).data == data
    assert to_image(InputImage.from_bytes(data), "low").detail == "low"


def test_a_path_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~`` is the home folder."""
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    (tmp_path / "a.png").write_bytes(picture())
    assert to_image("~/a.png").width == 64


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("/nowhere/a.png", "cannot be read"),
        (Path("/nowhere/a.png"), "Check the path"),
        ("https://x.test/a.png", "takes no links"),
        (np.zeros((4, 4, 3), np.uint8), "PIL.Image.fromarray"),
        (42, "not int"),
        (mpl, "not module"),
        (b"GIF89a", "a GIF"),
        ("a\x00b", "cannot be read"),
    ],
)
def test_what_is_no_image_is_refused(value: object, words: str) -> None:
    """With what is one."""
    with pytest.raises(ImageError, match=words):
        to_image(value)


def test_a_file_that_is_no_image_names_itself(tmp_path: Path) -> None:
    """One of several may be wrong."""
    file = tmp_path / "a.webp"
    file.write_bytes(picture("WEBP"))
    with pytest.raises(ImageError, match=r"a\.webp: This is a WebP; the service takes PNG and JPEG"):
        to_image(file)


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file before it is read; several images by their sum. The error says what to do."""
    monkeypatch.setattr(message_content, "MOST_BYTES", 10_000)
    file = tmp_path / "a.png"
    file.write_bytes(noise(100, 100))
    with pytest.raises(ImageError, match=r"a\.png has 30\.\d kB, and 10\.0 kB is what one event can carry"):
        to_image(file)
    small = noise(50, 40)
    assert len(parts("x", image=small)) == 2
    with pytest.raises(ImageError, match=r"12\.. kB together"):
        parts("x", image=[small, small])


def test_texts_images_and_speech_in_their_order(tmp_path: Path) -> None:
    """A list is one message; paths and bytes are images or speech by what they hold, dicts go out as they are."""
    png, wav = tmp_path / "a.png", tmp_path / "a.wav"
    png.write_bytes(picture())
    TONE.to_wav(wav)
    raw = {"type": "input_text", "text": "raw", "odd": 1}
    made = parts(
        ["Look:", png, picture(), TONE, wav, wav.read_bytes(), (TONE.samples, 24_000), figure(), image().url, raw]
    )
    assert [part["type"] for part in made] == [
        *("input_text", "input_image", "input_image"),
        *("input_audio", "input_audio", "input_audio", "input_audio"),
        *("input_image", "input_image", "input_text"),
    ]
    assert {part["audio"] for part in made if "audio" in part} == {base64.b64encode(TONE.samples.tobytes()).decode()}
    assert made[-1] == raw
    assert parts("Hi", "assistant") == [{"type": "output_text", "text": "Hi"}]
    assert parts("", "user") == [{"type": "input_text", "text": ""}]


def test_images_beside_a_text() -> None:
    """One or several, with a detail, which goes through as it is; an empty text is left out."""
    made = parts("Compare.", image=[image(), picture("JPEG")], detail="low")
    assert [(part["type"], part.get("detail")) for part in made] == [
        ("input_text", None),
        ("input_image", "low"),
        ("input_image", "low"),
    ]
    assert len(parts("Compare.", image=(image(), image()))) == 3
    assert [part["type"] for part in parts("", image=image())] == ["input_image"]
    assert [part["type"] for part in parts(None, image=image())] == ["input_image"]


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ([], {}, "has no content"),
        (None, {}, "has no content"),
        ("x", {"detail": "low"}, "detail='low' is about images"),
        ("x", {"role": "system", "image": image()}, "Only a user's message can have an image"),
        ([TONE], {"role": "assistant"}, "Only a user's message can have speech"),
        ([object()], {}, "not of object"),
        (3, {}, "not of int"),
    ],
)
def test_what_makes_no_message_is_refused(given: object, options: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=words):
        parts(given, **options)


def test_a_dialect_without_images_refuses_them() -> None:
    """Also as a part that was made by hand."""
    for options in ({"image": image()}, {}):
        given = "x" if options else [image().part()]
        with pytest.raises(ImageError, match="preview dialect has no images"):
            content_parts(given, "user", PREVIEW, {}, **options)


def test_what_goes_through_the_input_buffer(tmp_path: Path) -> None:
    """Speech by itself; not texts, lists, images. A path that cannot be read is left to what reads speech."""
    file = tmp_path / "a.png"
    file.write_bytes(picture())
    for speech in (TONE, (TONE.samples, 24_000), Path("/nowhere.wav"), TONE.to_wav(), 42):
        assert is_spoken(speech)
    for other in ("x", ["x", TONE], {"type": "input_text"}, file, picture(), figure(), image(), Image.new("L", (1, 1))):
        assert not is_spoken(other)
    with pytest.raises(AudioError):
        parts(42, spoken=True)
