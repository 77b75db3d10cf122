"""Settings: GA's words, where each stands, and what is said to a wrong one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.protocol.config import (
    AUDIO_SETTINGS,
    FORMAT_OBJECTS,
    RESPONSE_SETTINGS,
    copy_tree,
    format_name,
    leaves,
    look,
    merge,
    nest,
    not_granted,
    put,
    written_out,
)


@pytest.mark.parametrize(
    ("words", "tree"),
    [
        ({"voice": "verse"}, {"audio": {"output": {"voice": "verse"}}}),
        ({"speed": 1.2, "voice": "marin"}, {"audio": {"output": {"speed": 1.2, "voice": "marin"}}}),
        ({"turn_detection": None}, {"audio": {"input": {"turn_detection": None}}}),
        ({"transcription": {"model": "whisper-1"}}, {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}),
        (
            {"noise_reduction": {"type": "near_field"}},
            {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}},
        ),
        ({"input_format": "g711_ulaw"}, {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}),
        ({"output_format": "pcm16"}, {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}}}}),
        ({"output_modalities": "text"}, {"output_modalities": ["text"]}),
        ({"transcription": "whisper-1"}, {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}),
        ({"turn_detection": "semantic_vad"}, {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}),
        ({"instructions": "Hi", "tools": []}, {"instructions": "Hi", "tools": []}),
        (
            {"audio": {"input": {"format": {"type": "audio/pcma"}}}, "voice": "ash"},
            {"audio": {"input": {"format": {"type": "audio/pcma"}}, "output": {"voice": "ash"}}},
        ),
    ],
)
def test_flat_words_travel_nested(words: dict[str, Any], tree: dict[str, Any]) -> None:
    """Each word stands where GA has it."""
    assert nest(words) == tree


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"modalities": ["text", "audio"]}, "Write output_modalities=['audio']"),
        ({"modalities": ["text"]}, "Write output_modalities=['text']"),
        ({"modalities": 5}, "Write output_modalities=5"),
        ({"input_audio_format": "pcm16"}, "Write input_format='pcm16'"),
        ({"max_response_output_tokens": 100}, "Write max_output_tokens=100"),
        ({"voise": "verse"}, "Did you mean voice=?"),
        ({"zzz": 1}, "Known:"),
        ({"input_format": "mp3"}, "write one of pcm16, g711_ulaw, g711_alaw"),
    ],
)
def test_a_wrong_word_is_refused_with_the_right_one(words: dict[str, Any], hint: str) -> None:
    """The message has the corrected form."""
    with pytest.raises(ConfigurationError) as caught:
        nest(words)
    assert hint in str(caught.value)


def test_a_response_takes_fewer_words_than_a_session() -> None:
    """Input settings are the session's own."""
    assert nest({"voice": "ash", "metadata": {}}, allowed=RESPONSE_SETTINGS)
    with pytest.raises(ConfigurationError):
        nest({"turn_detection": None}, allowed=RESPONSE_SETTINGS)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("g711_alaw", "g711_alaw"),
        ({"type": "audio/pcmu"}, "g711_ulaw"),
        ({"type": "audio/pcm", "rate": 24000}, "pcm16"),
        ("opus", "pcm16"),
        ({"type": "audio/opus"}, "pcm16"),
        (None, "pcm16"),
        ({}, "pcm16"),
        ([], "pcm16"),
        (7, "pcm16"),
        ({"type": ["audio/pcmu"]}, "pcm16"),
        ({"type": {}}, "pcm16"),
    ],
)
def test_a_format_has_one_name_however_it_is_said(value: Any, name: str) -> None:
    """Both dialects' ways, and whatever a broken service says instead."""
    assert format_name(value) == name


def test_every_format_object_has_its_name() -> None:
    """Names and objects undo one another."""
    for name, value in FORMAT_OBJECTS.items():
        assert format_name(value) == format_name(name) == name


@pytest.mark.parametrize(
    ("asked", "granted", "refused"),
    [
        ({"voice": "verse"}, {"voice": "verse", "more": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a.b": (1, 2)}),
        ({"a": {"b": 1}}, {}, {"a.b": (1, None)}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": None}, {}, {}),
        ({"tools": []}, {}, {}),
        ({"instructions": ""}, {"instructions": None}, {}),
        ({"a": 0}, {}, {"a": (0, None)}),
        ({"a": False}, {"a": True}, {"a": (False, True)}),
        ({"type": "realtime"}, {"type": "transcription"}, {}),
        ({"tools": [{"name": "f"}]}, {"tools": [{"name": "f", "strict": False}]}, {}),
        ({"tools": [{"name": "f"}]}, {"tools": []}, {"tools": ([{"name": "f"}], [])}),
        ({"voice": {"id": "x"}}, {"voice": "x"}, {"voice.id": ("x", None)}),
    ],
)
def test_what_was_not_granted_is_reported(asked: Any, granted: Any, refused: Any) -> None:
    """Compared as people mean it."""
    assert not_granted(asked, granted) == refused


def test_merging_is_deep_and_shares_nothing() -> None:
    """Absent stays, None replaces, and a later change does not reach back."""
    change = {"audio": {"output": {"voice": "ash"}}, "tools": [{"name": "f"}]}
    tree = merge({"audio": {"input": {"format": 1}, "output": {"voice": "verse", "speed": 1}}}, change)
    assert tree["audio"] == {"input": {"format": 1}, "output": {"voice": "ash", "speed": 1}}
    change["tools"][0]["name"] = "g"  # type: ignore[index]
    assert tree["tools"] == [{"name": "f"}]
    assert merge({"a": {"b": 1}}, {"a": None}) == {"a": None}


def test_merge_replaces_an_object_of_another_type():
    """What belonged to one sort of turn detection, or of audio format, is not left in another."""
    tree = {"format": {"type": "audio/pcm", "rate": 24000}, "detection": {"type": "server_vad", "threshold": 0.5}}
    merge(tree, {"format": {"type": "audio/pcmu"}, "detection": {"type": "server_vad", "prefix_padding_ms": 9}})
    assert tree["format"] == {"type": "audio/pcmu"}
    assert tree["detection"] == {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 9}


words = st.dictionaries(
    st.sampled_from([word for word in AUDIO_SETTINGS if "format" not in word]), st.text(min_size=1), max_size=5
)


@pytest.mark.large
@given(words)
def test_what_is_nested_is_found_again(flat: dict[str, str]) -> None:
    """Each value, or the object that it is short for, is at its word's path, and nothing else is in the tree."""
    tree = nest(flat)
    assert {word: look(tree, AUDIO_SETTINGS[word]) for word in flat} == {
        word: written_out(word, flat[word]) for word in flat
    }
    assert len(list(leaves(tree))) == len(flat)
    assert not_granted(tree, copy_tree(tree)) == {}


def test_put_makes_way() -> None:
    """A value in the way of a path gives way."""
    tree: dict[str, Any] = {"a": 1}
    put(tree, ("a", "b"), 2)
    assert tree == {"a": {"b": 2}}
