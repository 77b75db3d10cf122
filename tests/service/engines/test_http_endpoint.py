from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.service.engines.endpoint_url import CHAT, read_url
from rtnb.service.engines.http_reply import EventLines, InvalidAnswer


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


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20), max_size=5),
    st.data(),
)
def test_events_are_the_same_however_the_bytes_come(said: list[str], data: st.DataObject) -> None:
    """Wherever the stream is cut into pieces, the same events come out."""
    stream = "".join(f"data: {text}\r\n\r\n" for text in said).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    lines = EventLines()
    found = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in lines.add(stream[start:end])
    ]
    assert [*found, *lines.rest()] == said


@given(st.binary(max_size=300))
def test_any_bytes_are_lines(junk: bytes) -> None:
    """No bytes throw."""
    lines = EventLines()
    assert all(isinstance(event, str) for event in [*lines.add(junk), *lines.rest()])


def test_a_line_without_end_is_refused() -> None:
    """Memory does not grow with a line that never ends."""
    with pytest.raises(InvalidAnswer):
        list(EventLines().add(b"x" * 5_000_000))
