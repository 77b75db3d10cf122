"""Whose shape a service's words have."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.protocol.dialect_mismatch import dialect_of_refusal, hint, other_dialect
from rtnb.protocol.dialects import GA, PREVIEW, PREVIEW_WITH_DELTAS, Dialect

GA_OBJECT: dict[str, Any] = {"type": "realtime", "output_modalities": ["audio"], "audio": {"output": {"voice": "ash"}}}
PREVIEW_OBJECT: dict[str, Any] = {"modalities": ["text", "audio"], "voice": "ash", "input_audio_format": "pcm16"}


@pytest.mark.parametrize(
    ("spoken", "session", "there"),
    [
        (GA, PREVIEW_OBJECT, PREVIEW),
        (PREVIEW, GA_OBJECT, GA),
        (GA, GA_OBJECT, None),
        (PREVIEW, PREVIEW_OBJECT, None),
        (PREVIEW_WITH_DELTAS, PREVIEW_OBJECT, None),
        (PREVIEW_WITH_DELTAS, GA_OBJECT, GA),
        (GA, {"id": "sess_1", "model": "m"}, None),
        (GA, {**GA_OBJECT, **PREVIEW_OBJECT}, None),
        (GA, {"voice": "ash", "turn_detection": None}, None),
        (GA, {}, None),
    ],
)
def test_a_session_object_of_the_other_dialect(spoken: Dialect, session: dict[str, Any], there: Dialect | None) -> None:
    """By marks that only one of the two has; one that has too few, or those of both, says nothing."""
    assert other_dialect(spoken, session) == there


@pytest.mark.parametrize(
    ("spoken", "param", "message", "there"),
    [
        (GA, "session.output_modalities", "Unknown parameter: 'session.output_modalities'.", PREVIEW),
        (GA, None, "unknown_parameter: Unknown parameter: 'session.audio'.", PREVIEW),
        (GA, "session.type", "Unknown parameter: 'session.type'.", PREVIEW),
        (GA, "response.output_modalities", "Unknown parameter: 'response.output_modalities'.", PREVIEW),
        (GA, "item.content[0].type", "Invalid value: 'output_text'. Supported values are: 'text'.", PREVIEW),
        (PREVIEW, "session.type", "Missing required parameter: 'session.type'.", GA),
        (PREVIEW, "session.modalities", "Unknown parameter: 'session.modalities'.", GA),
        (PREVIEW, "session.turn_detection", "Unknown parameter: 'session.turn_detection'.", GA),
        (PREVIEW, "item.content[0].type", "Invalid value: 'text'. Supported values are: 'output_text'.", GA),
        (GA, "session.type", "Missing required parameter: 'session.type'.", None),
        (GA, "session.audio.input.wrong", "Unknown parameter: 'session.audio.input.wrong'.", None),
        (GA, "session.reasoning", "Unknown parameter: 'session.reasoning'.", None),
        (GA, "session.type", "Invalid value: 'realtime'.", None),
        (GA, "session.audio.output.voice", "Invalid value: 'zoe'.", None),
        (GA, "item.content[0].type", "Invalid value: 'input_txt'.", None),
        (PREVIEW, None, "Cancellation failed: no active response found", None),
    ],
)
def test_a_refusal_that_a_shape_caused(spoken: Dialect, param: str | None, message: str, there: Dialect | None) -> None:
    """And no other."""
    assert dialect_of_refusal(spoken, param=param, message=message) == there


def test_where_the_other_dialect_is_known_any_setting_may_be_refused_for_it() -> None:
    """But nothing that is no setting."""
    assert dialect_of_refusal(GA, param="session.tools", message="Invalid type.", known=PREVIEW) is PREVIEW
    assert dialect_of_refusal(GA, param="audio", message="Invalid 'audio'.", known=PREVIEW) is None
    assert dialect_of_refusal(GA, param=None, message="Slow down.", known=PREVIEW) is None


def test_the_hint_has_what_to_write() -> None:
    """In both directions."""
    assert "connect with dialect='preview'" in hint(GA, PREVIEW)
    assert "api_version='2024-10-01-preview'" in hint(GA, PREVIEW)
    assert "connect with dialect='ga'" in hint(PREVIEW, GA)
