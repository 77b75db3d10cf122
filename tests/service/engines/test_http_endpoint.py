from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.service.engines.endpoint_url import CHAT, read_url
from rtnb.service.engines.http_reply import InvalidAnswer, event_data


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        ("localhost:8080", "http://localhost:8080/v1/chat/completions"),
        ("https://example.com/v1/", "https://example.com/v1/chat/completions"),
        ("https://example.com:443/openai/v1", "https://example.com/openai/v1/chat/completions"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
        ("https://example.com/deployments/x/chat/completions?api-version=1", "https://example.com/deployments/x/chat/completions"),
    ],
)  # fmt: skip
def test_urls_are_completed(url: str, shown: str) -> None:
    """Each usual form leads to the completions; the query is kept, and not shown."""
    made = read_url(url, CHAT)
    assert made.shown == shown
    assert made.whole.endswith("?api-version=1") == ("?" in url)


@given(st.text(max_size=60) | st.text(":/[]@?#.%h0 ", max_size=20).map(lambda end: f"http://{end}"))
def test_any_url_is_read_or_refused(url: str) -> None:
    """Nothing but a ConfigurationError comes of a URL that cannot be used, and no line break of one that can."""
    try:
        made = read_url(url, CHAT)
    except ConfigurationError:
        return
    assert made.whole.isascii()
    assert made.whole.isprintable()


@pytest.mark.parametrize(
    ("host", "nearby"),
    [("127.0.0.1", True), ("[::1]", True), ("192.168.1.9", True), ("gpu-box", True), ("box.local", True), ("8.8.8.8", False), ("example.com", False)],
)  # fmt: skip
def test_the_local_network_is_known(host: str, nearby: bool) -> None:
    """Loopback, private addresses and local names are near; everything else is not."""
    assert read_url(f"http://{host}:80", CHAT).nearby is nearby


async def _in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def events_of(*pieces: bytes) -> list[str]:
    async def found() -> list[str]:
        return [data async for data in event_data(_in_pieces(*pieces))]

    return asyncio.run(found())


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20), max_size=5),
    st.data(),
)
def test_events_are_the_same_however_the_bytes_come(said: list[str], data: st.DataObject) -> None:
    """Wherever the stream is cut into pieces, the same events come out."""
    stream = "".join(f"data: {text}\r\n\r\n" for text in said).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert events_of(*pieces) == said


@given(st.binary(max_size=300))
def test_any_bytes_are_lines(junk: bytes) -> None:
    """No bytes throw."""
    assert all(isinstance(event, str) for event in events_of(junk))


def test_the_last_line_may_have_no_end() -> None:
    """An event that the end of the stream completes is given too."""
    assert events_of(b"data: one\n\nda", b"ta: two") == ["one", "two"]


def test_a_line_without_end_is_refused() -> None:
    """Memory does not grow with a line that never ends."""
    with pytest.raises(InvalidAnswer):
        events_of(b"x" * 5_000_000)
