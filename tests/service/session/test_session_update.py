"""Changing a session, and frames that are refused: the errors are written from protocol.md 3i and 5.16."""

from __future__ import annotations

import pytest

from rtnb.protocol.dialects import GA, PREVIEW


def test_session_update_merges_deeply(client):
    """A change leaves what it does not name, and session.updated shows everything."""
    client.configure(audio={"output": {"voice": "verse"}})
    client.configure(audio={"output": {"speed": 1.2}}, instructions="Be kind.")
    shown = client.dialect.nested(client.configure(output_modalities=["text"])[0]["session"])
    assert shown["audio"]["output"]["voice"] == "verse"
    assert shown["audio"]["output"]["speed"] == 1.2
    assert shown["instructions"] == "Be kind."
    assert shown["output_modalities"] == ["text"]
    assert set(client.log[0]["session"]) <= set(client.log[-1]["session"])


def test_null_and_empty_clear(client):
    """Null and "" clear a setting."""
    client.configure(instructions="Be kind.")
    assert client.configure(instructions="")[0]["session"]["instructions"] == ""
    client.configure(instructions="Be kind.")
    assert client.configure(instructions=None)[0]["session"]["instructions"] == ""


def test_the_quickstart_of_march_2025_is_taken(make_client):
    """The Azure sample's session.update, model and all, is answered with session.updated."""
    client = make_client(PREVIEW)
    session = {"modalities": ["text", "audio"], "model": "gpt-4o-realtime-preview"}
    assert client.types(client.raw({"type": "session.update", "session": session})) == ["session.updated"]
    session = {"turn_detection": {"type": "none"}, "tools": [], "tracing": "auto", "input_audio_transcription": None}
    events = client.raw({"type": "session.update", "event_id": None, "session": session})
    assert client.types(events) == ["session.updated"]
    assert events[0]["session"]["turn_detection"] is None


def test_azure_extras_of_response_create_are_taken(client):
    """The members that Azure's pages show change nothing: event_id null, commit, cancel_previous."""
    wire = {"type": "response.create", "event_id": None, "response": {"commit": True, "cancel_previous": True}}
    client.message("Hello")
    assert client.types(client.raw(wire))[0] == "response.created"
    assert client.finish()[-1]["response"]["status"] == "completed"


def test_voice_may_change_until_it_was_heard(client):
    """The voice is free until audio was spoken; then changing it, and only that, is refused."""
    client.configure(audio={"output": {"voice": "verse"}})
    client.ask("Hello", output_modalities=["text"])
    client.configure(audio={"output": {"voice": "echo"}})
    client.ask("Hello")
    error = client.error(client.configure(audio={"output": {"voice": "verse"}}))
    assert error["code"] == "cannot_update_voice"
    assert client.types(client.configure(audio={"output": {"voice": "echo"}})) == ["session.updated"]
    again = client.send("response.create", response={"audio": {"output": {"voice": "verse"}}})
    assert client.error(again)["code"] == "cannot_update_voice"


def test_ga_update_needs_its_type(make_client):
    """In GA session.type is required with every session.update."""
    client = make_client(GA)
    error = client.error(client.raw({"type": "session.update", "session": {"instructions": "x"}}))
    assert (error["code"], error["param"]) == ("missing_required_parameter", "session.type")
    assert error["message"] == "Missing required parameter: 'session.type'."


@pytest.mark.parametrize(
    ("dialect", "event", "param"),
    [
        (GA, {"type": "session.update", "session": {"type": "realtime", "modalities": ["text"]}}, "session.modalities"),
        (GA, {"type": "session.update", "session": {"type": "realtime", "temperature": 1}}, "session.temperature"),
        (
            GA,
            {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"pitch": 1}}}},
            "session.audio.output.pitch",
        ),
        (PREVIEW, {"type": "session.update", "session": {"audio": {}}}, "session.audio"),
        (PREVIEW, {"type": "session.update", "session": {"output_modalities": ["text"]}}, "session.output_modalities"),
        (GA, {"type": "response.create", "response": {"modalities": ["text"]}}, "response.modalities"),
        (PREVIEW, {"type": "response.cancel", "reason": "x"}, "reason"),
    ],
)
def test_unknown_parameters_are_named_as_the_client_spelled_them(make_client, dialect, event, param):
    """A field that the dialect does not have is refused with its path, the other dialect's words too."""
    client = make_client(dialect)
    error = client.error(client.raw(event))
    assert (error["code"], error["param"]) == ("unknown_parameter", param)
    assert error["message"] == f"Unknown parameter: '{param}'."


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"voice": "nobody"}, "invalid_value", "session.voice"),
        ({"modalities": ["smell"]}, "invalid_value", "session.modalities"),
        ({"input_audio_format": "mp3"}, "invalid_value", "session.input_audio_format"),
        ({"instructions": 5}, "invalid_type", "session.instructions"),
        ({"temperature": 3}, "decimal_above_max_value", "session.temperature"),
        ({"speed": "fast"}, "invalid_type", "session.speed"),
        ({"max_response_output_tokens": 0}, "integer_below_min_value", "session.max_response_output_tokens"),
        ({"turn_detection": {"type": "magic"}}, "invalid_value", "session.turn_detection.type"),
        ({"turn_detection": {}}, "missing_required_parameter", "session.turn_detection.type"),
        ({"turn_detection": "on"}, "invalid_type", "session.turn_detection"),
        (
            {"turn_detection": {"type": "server_vad", "threshold": 2}},
            "decimal_above_max_value",
            "session.turn_detection.threshold",
        ),
        (
            {"turn_detection": {"type": "server_vad", "eagerness": "low"}},
            "unknown_parameter",
            "session.turn_detection.eagerness",
        ),
        (
            {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000}},
            "unknown_parameter",
            "session.turn_detection.idle_timeout_ms",
        ),
        (
            {"turn_detection": {"type": "semantic_vad", "eagerness": "very"}},
            "invalid_value",
            "session.turn_detection.eagerness",
        ),
        (
            {"input_audio_transcription": {"model": 1}},
            "invalid_type",
            "session.input_audio_transcription.model",
        ),
        (
            {"input_audio_transcription": {"words": 1}},
            "unknown_parameter",
            "session.input_audio_transcription.words",
        ),
        ({"tools": {}}, "invalid_type", "session.tools"),
        ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"tools": [{"type": "mcp"}]}, "invalid_value", "session.tools[0].type"),
        ({"tools": [{"name": "f", "parameters": 1}]}, "invalid_type", "session.tools[0].parameters"),
        ({"tool_choice": "sometimes"}, "invalid_value", "session.tool_choice"),
    ],
)
def test_impossible_settings_are_refused_whole(make_client, session, code, param):
    """A wrong value is refused with its path in the client's words, and nothing of the update is done."""
    client = make_client(PREVIEW)
    error = client.error(client.raw({"type": "session.update", "session": {"instructions": "x", **session}}))
    assert (error["code"], error["param"]) == (code, param)
    assert client.configure()[0]["session"]["instructions"] == ""


@pytest.mark.parametrize("frame", ["", "{", "[]", "5", "null", '{"a": NaN}', '"\\ud800"', "[" * 5000])
def test_bad_json_is_an_invalid_event(client, frame):
    """What is not a JSON object is answered with invalid_event."""
    assert client.error(client.keep(client.connection.receive(frame)))["code"] == "invalid_event"


def test_types_are_demanded_and_known(client):
    """No type, an unknown type and a type that is no string have errors of their own."""
    assert client.error(client.raw({}))["message"] == "The 'type' field is missing."
    for wrong in ("session.start", 5, ["session.update"], {}):
        error = client.error(client.raw({"type": wrong, "event_id": "mine"}))
        assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "type", "mine")
        assert "'session.update'" in error["message"]


def test_a_binary_frame_is_an_error_event(client):
    """Binary frames are answered, not obeyed."""
    assert client.error(client.keep(client.connection.receive_binary()))["code"] == "invalid_event"


def test_an_event_larger_than_an_answer_may_be_is_refused(client):
    """What would come back in a frame of nearly 1 MiB is refused, and so is a session that grows by pieces."""
    assert client.error(client.message("x" * 300_000))["code"] == "string_above_max_length"
    client.configure(instructions="x" * 200_000)
    error = client.error(client.configure(tracing={"workflow_name": "x" * 200_000}))
    assert error["code"] == "string_above_max_length"
