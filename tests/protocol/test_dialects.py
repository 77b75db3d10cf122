"""Two dialects, one meaning: golden examples from the protocol's description, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.protocol.dialects import (
    GA,
    PREVIEW,
    PREVIEW_WITH_DELTAS,
    Dialect,
    check_version,
    choose_dialect,
    dialect_of_request,
    ga_settings,
    squeeze_slashes,
)

CONFIGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"audio": {"output": {"voice": "verse"}}}, {"voice": "verse"}),
    ({"audio": {"output": {"speed": 1.1}}}, {"speed": 1.1}),
    ({"output_modalities": ["audio"]}, {"modalities": ["text", "audio"]}),
    ({"output_modalities": ["text"]}, {"modalities": ["text"]}),
    ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}}}, {"input_audio_format": "pcm16"}),
    ({"audio": {"output": {"format": {"type": "audio/pcmu"}}}}, {"output_audio_format": "g711_ulaw"}),
    ({"audio": {"output": {"format": {"type": "audio/pcma"}}}}, {"output_audio_format": "g711_alaw"}),
    ({"audio": {"input": {"turn_detection": None}}}, {"turn_detection": None}),
    ({"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.5}}}},
     {"turn_detection": {"type": "server_vad", "threshold": 0.5}}),
    ({"audio": {"input": {"transcription": {"model": "whisper-1"}}}}, {"input_audio_transcription": {"model": "whisper-1"}}),
    ({"audio": {"input": {"noise_reduction": {"type": "far_field"}}}}, {"input_audio_noise_reduction": {"type": "far_field"}}),
    ({"max_output_tokens": 100}, {"max_response_output_tokens": 100}),
    ({"instructions": "Hi", "tools": [{"type": "function", "name": "f"}], "tool_choice": "auto"},) * 2,
    ({"temperature": 0.7}, {"temperature": 0.7}),
]  # fmt: skip


@pytest.mark.parametrize(("ga", "preview"), CONFIGS)
def test_settings_translate_both_ways(ga: dict[str, Any], preview: dict[str, Any]) -> None:
    """What GA nests, the preview dialect has flat, and the other way round."""
    assert PREVIEW.flattened(ga) == preview
    assert PREVIEW.nested(preview) == ga
    assert GA.flattened(ga) == GA.nested(ga) == ga


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        ("response.output_text.delta", "response.text.delta"),
        ("response.output_text.done", "response.text.done"),
        ("response.output_audio.delta", "response.audio.delta"),
        ("response.output_audio.done", "response.audio.done"),
        ("response.output_audio_transcript.delta", "response.audio_transcript.delta"),
        ("response.output_audio_transcript.done", "response.audio_transcript.done"),
        ("conversation.item.added", "conversation.item.created"),
        ("response.create", "response.create"),
        ("error", "error"),
    ],
)
def test_names_translate_both_ways(kind: str, wire: str) -> None:
    """The rename table of section 1."""
    assert PREVIEW.encode({"type": kind})["type"] == PREVIEW.wire_name(kind) == wire
    assert PREVIEW.decode({"type": wire})["type"] == kind
    assert GA.wire_name(kind) == kind


def test_a_session_update_in_each_dialect() -> None:
    """GA requires the type, the preview dialect has none."""
    command = {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": "ash"}}}}
    assert GA.encode(command) == command
    assert PREVIEW.encode(command) == {"type": "session.update", "session": {"voice": "ash"}}


def test_assistant_parts_are_renamed_and_others_are_not() -> None:
    """GA items say output_audio and output_text; user parts, and content_part events, are the same in both."""
    answer = {"role": "assistant", "type": "message", "content": [{"type": "output_audio", "transcript": "Hi"}]}
    spoken = {"role": "assistant", "type": "message", "content": [{"type": "audio", "transcript": "Hi"}]}
    assert PREVIEW.wire_item(answer) == spoken
    assert PREVIEW.ga_item(spoken) == answer
    asked = {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    assert PREVIEW.wire_item(asked) == PREVIEW.ga_item(asked) == asked
    part = {"type": "response.content_part.added", "part": {"type": "audio", "transcript": ""}}
    assert PREVIEW.encode(part) == PREVIEW.decode(part) == part


def test_the_items_inside_a_response_are_translated_too() -> None:
    """`response.done` holds items."""
    ga = {"output": [{"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}]}
    preview = {"output": [{"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}]}
    assert PREVIEW.decode({"type": "response.done", "response": preview})["response"] == ga
    assert PREVIEW.encode({"type": "response.done", "response": ga})["response"] == preview


def test_turn_detection_of_type_none_is_off() -> None:
    """Azure's preview takes it; GA says null."""
    assert PREVIEW.nested({"turn_detection": {"type": "none"}}) == {"audio": {"input": {"turn_detection": None}}}


def test_translation_leaves_the_original_alone() -> None:
    """No container is shared."""
    command = {"type": "session.update", "session": {"tools": [{"name": "f"}]}}
    for dialect in (GA, PREVIEW):
        dialect.encode(command)["session"]["tools"][0]["name"] = "g"
        dialect.decode(command)["session"]["tools"][0]["name"] = "g"
    assert command["session"]["tools"][0]["name"] == "f"  # type: ignore[index]


@pytest.mark.parametrize(
    ("dialect", "config", "hint"),
    [
        (GA, {"temperature": 0.8}, "leave it out, or connect with dialect='preview'"),
        (GA, {"output_modalities": ["text", "audio"]}, "write output_modalities=['audio']"),
        (PREVIEW, {"truncation": "auto"}, "connect with dialect='ga'"),
        (PREVIEW, {"prompt": {"id": "x"}}, "write instructions="),
        (PREVIEW, {"reasoning": {}}, "connect with dialect='ga'"),
    ],
)
def test_what_a_dialect_cannot_carry_is_refused(dialect: Dialect, config: dict[str, Any], hint: str) -> None:
    """With the corrected form."""
    with pytest.raises(ConfigurationError) as caught:
        dialect.check(config)
    assert hint in str(caught.value)


def test_what_a_dialect_can_carry_passes() -> None:
    """Each dialect's own words."""
    GA.check({"truncation": "auto", "output_modalities": ["audio"]})
    PREVIEW.check({"temperature": 0.8, "output_modalities": ["text", "audio"]})


@pytest.mark.parametrize(
    ("asked", "azure", "version", "dialect"),
    [
        (None, True, None, GA),
        (None, True, "2024-10-01-preview", PREVIEW),
        (None, True, "2025-04-01-preview", PREVIEW),
        (None, True, "2024-10-01", GA),
        (None, True, "preview", GA),
        (None, True, "latest", GA),
        (None, True, "v1", GA),
        (None, True, "2024-10-01-preview-x", GA),
        (None, False, "2024-10-01-preview", GA),
        ("ga", True, "2024-10-01-preview", GA),
        ("preview", False, None, PREVIEW),
        ("Preview", True, None, PREVIEW),
        (PREVIEW, True, None, PREVIEW),
    ],
)
def test_the_one_rule_for_the_dialect(asked: Any, azure: bool, version: str | None, dialect: Dialect) -> None:
    """An explicit choice wins; else a dated preview api-version on Azure; else GA, whose own versions have names."""
    assert choose_dialect(asked, azure=azure, api_version=version) is dialect


def test_an_unknown_dialect_is_refused() -> None:
    """With what to write."""
    with pytest.raises(ConfigurationError, match="dialect='ga' or dialect='preview'"):
        choose_dialect("beta", azure=True, api_version=None)


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/realtime?model=m", {}, GA),
        ("/openai/v1/realtime?model=m", {}, GA),
        ("/openai/realtime?api-version=2024-10-01-preview&deployment=d", {}, PREVIEW),
        ("//openai/realtime?deployment=d&api-version=2025-04-01-preview", {}, PREVIEW_WITH_DELTAS),
        ("/v1/realtime?model=m", {"openai-beta": "realtime=v1"}, PREVIEW_WITH_DELTAS),
        ("/v1/realtime?model=m", {"OpenAI-Beta": "realtime=v1"}, PREVIEW_WITH_DELTAS),
        ("/v1/realtime?model=m", {"Sec-WebSocket-Protocol": "realtime, openai-beta.realtime-v1"}, PREVIEW_WITH_DELTAS),
        ("/openai/v1/realtime?model=m&api-version=2024-10-01-preview", {}, GA),
        ("/openai/v1/realtime?model=m&api-version=preview", {}, GA),
        ("/openai/realtime?api-version=preview&deployment=d", {}, GA),
    ],
)
def test_the_dialect_that_a_client_asked_for(path: str, headers: dict[str, str], dialect: Dialect) -> None:
    """By header first, then by path and api-version, which also decides whether transcripts come in pieces."""
    assert dialect_of_request(path, headers) is dialect


def test_the_header_that_chooses_a_dialect_at_openai() -> None:
    """Preview's; GA has none."""
    assert PREVIEW.openai_headers == {"OpenAI-Beta": "realtime=v1"}
    assert GA.openai_headers == {}
    assert squeeze_slashes("//openai//realtime?x=//") == "/openai/realtime?x=//"


@pytest.mark.parametrize(
    ("dialect", "version"), [(GA, "2024-10-01-preview"), (PREVIEW, "2024-10-01"), (PREVIEW, "preview")]
)
def test_a_version_that_contradicts_the_dialect_is_refused(dialect: Dialect, version: str) -> None:
    """With a version that does not."""
    with pytest.raises(ConfigurationError, match="2024-10-01-preview"):
        check_version(dialect, version)


@pytest.mark.parametrize("version", ["v1", "preview", "latest", None])
def test_the_names_of_azures_v1_api_go_with_ga(version: str | None) -> None:
    """Its URLs take none of them, so that nothing is wrong."""
    check_version(GA, version)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
words = st.dictionaries(
    st.sampled_from([*PREVIEW.paths, "audio", "output", "input", "item", "type", "content", "role"]), trees, max_size=6
)


@given(st.sampled_from([GA, PREVIEW]), words, words)
def test_no_shape_can_make_a_translation_raise(dialect: Dialect, config: dict[str, Any], item: dict[str, Any]) -> None:
    """A broken peer's settings and items are translated as far as they make sense, and stay JSON."""
    event = {"type": "response.output_audio.delta", "session": config, "response": config, "item": item}
    json.dumps(dialect.encode(dialect.decode(event)))
    json.dumps(dialect.encode_all(dialect.decode(event)))


voices = st.fixed_dictionaries({}, optional={"voice": st.sampled_from(["ash", "verse"]), "speed": st.floats(0.25, 1.5)})
inputs = st.fixed_dictionaries(
    {},
    optional={
        "turn_detection": st.none()
        | st.fixed_dictionaries({"type": st.just("server_vad"), "threshold": st.floats(0, 1)}),
        "transcription": st.none() | st.fixed_dictionaries({"model": st.just("whisper-1")}),
        "format": st.sampled_from([{"type": "audio/pcmu"}, {"type": "audio/pcm", "rate": 24000}]),
    },
)


@given(voices, inputs, st.sampled_from([["audio"], ["text"]]))
def test_a_session_survives_the_way_through_the_preview_dialect(output: Any, input: Any, modalities: Any) -> None:
    """Flattened and nested again, every setting is as it was."""
    audio = {key: value for key, value in (("output", output), ("input", input)) if value}
    tree = {"output_modalities": modalities, **({"audio": audio} if audio else {})}
    assert PREVIEW.nested(PREVIEW.flattened(tree)) == tree


@pytest.mark.parametrize(("ga", "preview"), CONFIGS)
def test_settings_of_either_dialect_are_read_without_asking_which(ga: dict[str, Any], preview: dict[str, Any]) -> None:
    """A service may answer in either, and mix the two."""
    assert ga_settings(ga) == ga_settings(preview) == ga
