"""What is judged, and in which words: those of the cloud services, as people's logs show them."""

from __future__ import annotations

import math

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.value_shapes import ANYTHING, Decimal, Either, String, Tagged, either, fields_of_kind, one_of
from rtnb.service.session.checks import check, expected
from rtnb.service.session.error_events import InvalidRequest

EFFORTS = "'minimal', 'low', 'medium', 'high', and 'xhigh'"


@pytest.mark.parametrize(
    ("session", "code", "param", "message"),
    [
        # Each of these was taken, whatever it was.
        ({"include": ["item.all"]}, "invalid_value", "include[0]",
         "Invalid value: 'item.all'. Supported values are: 'item.input_audio_transcription.logprobs'."),
        ({"include": "all"}, "invalid_type", "include",
         "Invalid type for 'session.include': expected an array, but got a string instead."),
        ({"prompt": {"version": "2"}}, "missing_required_parameter", "prompt.id",
         "Missing required parameter: 'session.prompt.id'."),
        ({"prompt": {"id": "p", "variables": []}}, "invalid_type", "prompt.variables",
         "Invalid type for 'session.prompt.variables': expected an object, but got an array instead."),
        ({"reasoning": {"effort": "some"}}, "invalid_value", "reasoning.effort",
         f"Invalid value: 'some'. Supported values are: {EFFORTS}."),
        ({"tracing": "on"}, "invalid_value", "tracing", "Invalid value: 'on'. Supported values are: 'auto'."),
        ({"tracing": {"name": "x"}}, "unknown_parameter", "tracing.name", "Unknown parameter: 'session.tracing.name'."),
        ({"tracing": {"metadata": "x"}}, "invalid_type", "tracing.metadata",
         "Invalid type for 'session.tracing.metadata': expected an object, but got a string instead."),
        ({"tracing": 5}, "invalid_type", "tracing",
         "Invalid type for 'session.tracing': expected one of 'auto' or an object, but got an integer instead."),
        ({"truncation": "never"}, "invalid_value", "truncation",
         "Invalid value: 'never'. Supported values are: 'auto' and 'disabled'."),
        ({"truncation": {"type": "retention_ratio"}}, "missing_required_parameter", "truncation.retention_ratio",
         "Missing required parameter: 'session.truncation.retention_ratio'."),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 1.5}}, "decimal_above_max_value",
         "truncation.retention_ratio", "Invalid 'session.truncation.retention_ratio': decimal above maximum value. "
         "Expected a value <= 1.0, but got 1.5 instead."),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"all": 1}}},
         "unknown_parameter", "truncation.token_limits.all", "Unknown parameter: 'session.truncation.token_limits.all'."),
        ({"audio": {"input": {"noise_reduction": {"type": "far"}}}}, "invalid_value", "audio.input.noise_reduction.type",
         "Invalid value: 'far'. Supported values are: 'near_field' and 'far_field'."),
        ({"audio": {"input": {"noise_reduction": "speech"}}}, "invalid_type", "audio.input.noise_reduction",
         "Invalid type for 'session.audio.input.noise_reduction': expected an object, but got a string instead."),
        ({"audio": {"input": {"transcription": {"delay": "long"}}}}, "invalid_value", "audio.input.transcription.delay",
         f"Invalid value: 'long'. Supported values are: {EFFORTS}."),
        # And these had other words.
        ({"audio": {"input": {"format": "pcm16"}}}, "invalid_type", "audio.input.format",
         "Invalid type for 'session.audio.input.format': expected an object, but got a string instead."),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "integer_below_min_value",
         "audio.input.format.rate", "Invalid 'session.audio.input.format.rate': integer below minimum value. "
         "Expected a value >= 24000, but got 16000 instead."),
        ({"audio": {"input": {"format": {"rate": 24000}}}}, "missing_required_parameter", "audio.input.format.type",
         "Missing required parameter: 'session.audio.input.format.type'."),
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "output_modalities",
         "Invalid modalities: ['text', 'audio']. Supported combinations are: ['text'] and ['audio']."),
        ({"audio": {"output": {"voice": {"name": "x"}}}}, "unknown_parameter", "audio.output.voice.name",
         "Unknown parameter: 'session.audio.output.voice.name'."),
        ({"max_output_tokens": True}, "invalid_type", "max_output_tokens",
         "Invalid type for 'session.max_output_tokens': expected one of an integer or 'inf', but got a boolean instead."),
        ({"tool_choice": {"type": "function"}}, "missing_required_parameter", "tool_choice.name",
         "Missing required parameter: 'session.tool_choice.name'."),
        ({"tools": [{"type": "mcp", "server_label": "x", "require_approval": "ask"}]}, "invalid_value",
         "tools[0].require_approval", "Invalid value: 'ask'. Supported values are: 'always' and 'never'."),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_as_the_cloud_does(make_client, session, code, param, message):
    """With its code, the path in the client's own words, and a sentence; nothing of the update is done."""
    client = make_client(GA)
    error = client.error(client.configure(instructions="x", **session))
    assert (error["code"], error["param"], error["message"]) == (code, f"session.{param}", message)
    assert client.configure()[0]["session"]["instructions"] == ""


@pytest.mark.parametrize(
    "session",
    [
        {"include": ["item.input_audio_transcription.logprobs"]},
        {
            "prompt": {
                "id": "p",
                "version": "2",
                "variables": {"city": "Bonn", "more": {"type": "input_text", "text": "Hi"}},
            }
        },
        {"reasoning": {"effort": "xhigh"}},
        {"tracing": {"workflow_name": "w", "group_id": "g", "metadata": {"a": [1]}}},
        {"tracing": "auto"},
        {"truncation": "disabled"},
        {"truncation": {"type": "retention_ratio", "retention_ratio": 1, "token_limits": {"post_instructions": 500}}},
        {"audio": {"input": {"noise_reduction": {"type": "near_field", "strength": 0.5}}}},
        {
            "audio": {
                "input": {"transcription": {"model": "any", "delay": "low", "languages": ["de"], "keywords": ["a"]}}
            }
        },
        {"audio": {"output": {"voice": {"id": "voice_1234"}}}},
        {"parallel_tool_calls": False},
        {"max_output_tokens": "inf"},
    ],
)
def test_a_setting_that_can_be_is_in_effect(make_client, session):
    """Every value of the official types is taken, and session.updated shows it as it was asked for."""
    shown = make_client(GA).configure(**session)[0]["session"]

    def within(asked, given):
        return all(
            within(each, given[key]) if isinstance(each, dict) else given[key] == each for key, each in asked.items()
        )

    assert within(session, shown)


def test_the_strength_of_noise_reduction_stays_until_it_is_named(make_client):
    """As the official types say of an update that leaves it out."""
    client = make_client(GA)
    for change in ({"type": "near_field", "strength": 0.25}, {"type": "far_field"}):
        shown = client.configure(audio={"input": {"noise_reduction": change}})[0]["session"]
    assert shown["audio"]["input"]["noise_reduction"] == {"type": "far_field", "strength": 0.25}
    shown = client.configure(audio={"input": {"noise_reduction": None}})[0]["session"]
    assert shown["audio"]["input"]["noise_reduction"] is None


@pytest.mark.parametrize(
    ("response", "code", "param"),
    [
        ({"metadata": {"a": 1}}, "invalid_type", "metadata.a"),
        ({"metadata": {str(key): "" for key in range(17)}}, "object_above_max_properties", "metadata"),
        ({"metadata": {"a": "x" * 513}}, "string_above_max_length", "metadata.a"),
        ({"metadata": {"k" * 65: ""}}, "string_above_max_length", f"metadata.{'k' * 65}"),
        ({"input": [{"type": "item_reference"}]}, "missing_required_parameter", "input[0].id"),
        ({"input": [None]}, "invalid_type", "input[0]"),
        ({"input": [{"type": "message", "role": "user"}]}, "missing_required_parameter", "input[0].content"),
        ({"conversation": "other"}, "invalid_value", "conversation"),
        ({"prompt": 5}, "invalid_type", "prompt"),
    ],
)
def test_a_response_is_judged_too(client, response, code, param):
    """Its own settings, its metadata, and the items that it is to answer; no response begins."""
    error = client.error(client.send("response.create", response=response))
    assert (error["code"], error["param"]) == (code, f"response.{param}")


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"role": "user", "content": []}, "missing_required_parameter", "item.type"),
        ({"type": "message", "role": "robot", "content": []}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user", "content": [], "status": "new"}, "invalid_value", "item.status"),
        ({"type": "message", "role": "user", "content": [], "object": "item"}, "invalid_value", "item.object"),
        ({"type": "message", "role": "user", "content": [], "id": ""}, "empty_string", "item.id"),
        ({"type": "message", "role": "user", "content": [], "id": "x" * 65}, "string_above_max_length", "item.id"),
        ({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, "missing_required_parameter",
         "item.content[0].text"),
        ({"type": "function_call", "name": "f"}, "missing_required_parameter", "item.arguments"),
    ],
)  # fmt: skip
def test_an_item_is_judged_too(client, item, code, param):
    """Its kind, its role, its status and its parts."""
    error = client.error(client.send("conversation.item.create", item=item))
    assert (error["code"], error["param"]) == (code, param)


@pytest.mark.parametrize("modalities", [["text", "audio"], ["audio", "text"], ["text"]])
def test_the_preview_dialect_has_other_combinations(make_client, modalities):
    """Text and audio go together there, in any order; audio alone does not."""
    client = make_client(PREVIEW)
    session = {"modalities": modalities}
    assert client.types(client.raw({"type": "session.update", "session": session})) == ["session.updated"]
    error = client.error(client.raw({"type": "session.update", "session": {"modalities": ["audio"]}}))
    assert (
        error["message"] == "Invalid modalities: ['audio']. Supported combinations are: ['text'] and ['audio', 'text']."
    )


def test_the_longest_answer_is_the_models_own(make_client):
    """An older model gives 4,096 tokens, and says so when more are asked for."""
    error = client_error = make_client(GA).configure(max_output_tokens=4097)[0]["error"]
    assert (error["code"], error["param"]) == ("integer_above_max_value", "session.max_output_tokens")
    assert client_error["message"].endswith("Expected a value <= 4096, but got 4097 instead.")


@pytest.mark.parametrize(
    ("shape", "value"),
    [(Decimal(0.0, 1.0), math.nan), (String(longest=2), "abc"), (Tagged({"a": fields_of_kind("a")}), {"type": ["a"]})],
)
def test_no_value_slips_through(shape, value):
    """NaN is in no range, a type that is no string is none of the kinds."""
    with pytest.raises(InvalidRequest):
        check(shape, value, "x")


def test_the_words_for_a_shape():
    """As an error has them; an alternative of alternatives is one list."""
    shape: Either = either(one_of("a", "b"), Decimal())
    assert expected(shape) == "one of 'a' or 'b' or a decimal"
    assert expected(ANYTHING) == "a value"
