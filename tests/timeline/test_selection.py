"""What the words of a selection match."""

from __future__ import annotations

import pytest

from rtnb.errors import ConfigurationError
from rtnb.timeline.selection import direction_matcher, id_matcher, kind_matcher, text_matcher, type_matcher, words_of

IDS = ["", "item_AbCdEfGhIj", "item_ZbCdEfGhIj", "item_[x]*", "resp_1"]


def matched(value: object) -> list[str]:
    return [each for each in IDS if id_matcher("item", value, IDS)(each)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("item_AbCdEfGhIj", IDS[1:2]),
        ("item_…EfGhIj", IDS[1:3]),
        ("EfGhIj", IDS[1:3]),
        ("hIj", []),
        ("item_[x]*", IDS[3:4]),
        ("item_?b*", IDS[1:3]),
        ("", IDS[:1]),
        (["resp_1", "item_[x]*"], IDS[3:]),
    ],
)
def test_ids(value: object, expected: list[str]) -> None:
    """Ids are meant whole first, then as a glob, as shortened in a table, or by four last characters and more."""
    assert matched(value) == expected


@pytest.mark.parametrize("kind", ["conversation.item.created", "conversation.item.added", "conversation.item.cre*"])
def test_kinds_by_either_name(kind: str) -> None:
    """A kind is found by the name of either dialect, or a glob of it."""
    assert kind_matcher(kind)("conversation.item.added")
    assert not kind_matcher(kind)("conversation.item.done")


def test_kinds_with_several_preview_names() -> None:
    """A preview name that is not the usual one finds its kind, too."""
    assert kind_matcher("transcription_session.update")("session.update")


def test_types_are_literal() -> None:
    """A type is as on the wire: the other dialect's name is another type."""
    assert type_matcher("response.audio.delta")("response.audio.delta")
    assert not type_matcher("response.audio.delta")("response.output_audio.delta")
    assert type_matcher("(not JSON)")("(not JSON)")


def test_text_globs_need_a_star() -> None:
    """A question mark is what people type; a star makes a glob of the whole text."""
    assert text_matcher("are you?")("How ARE you? Fine.")
    assert not text_matcher("are you?")("How are yours")
    assert text_matcher("how*?you*")("How are you")
    assert not text_matcher("are*")("How are you")
    assert text_matcher("STRASSE")("große Straße")


def test_directions_are_known() -> None:
    """A direction that there is not is refused, with the one that was meant where one is near."""
    assert direction_matcher("rec*")("received")
    with pytest.raises(ConfigurationError, match=r"'sent', 'received', 'local'\.$"):
        direction_matcher("up")
    with pytest.raises(ConfigurationError, match="Did you mean direction='sent'"):
        direction_matcher(["sent", "send"])


def test_words() -> None:
    """One word or several; nothing else."""
    assert words_of("type", "a") == ["a"]
    assert words_of("type", ("a", "b")) == ["a", "b"]
    with pytest.raises(ConfigurationError, match="type=None"):
        words_of("type", None)
