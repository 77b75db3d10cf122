"""The table of error events."""

from __future__ import annotations

from string import Formatter

import pytest

from rtnb.service.session import error_events
from rtnb.service.session.error_events import ErrorTemplate

TEMPLATES = {name: each for name, each in vars(error_events).items() if isinstance(each, ErrorTemplate)}


def test_a_value_is_shown_as_it_is_and_bounded():
    """Braces of a client's are text, line breaks do not get into a message, and a long value is cut."""
    error = error_events.not_json("{} {0.__class__}\n" + "x" * 500)
    assert "{} {0.__class__} xxx" in str(error)
    assert len(str(error)) < 300


def test_the_field_at_fault_is_in_the_event():
    """It is the caller's, else the table's; the event has all five keys."""
    assert error_events.missing_parameter(param="item.id").event("mine") == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "code": "missing_required_parameter",
            "message": "Missing required parameter: 'item.id'.",
            "param": "item.id",
            "event_id": "mine",
        },
    }
    assert error_events.unknown_tool("f").param == "response.tool_choice"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_filled(name):
    """With a value for each of its places, no place is left open."""
    template = TEMPLATES[name]
    places = [spec for _, field, spec, _ in Formatter().parse(template.message) if field == ""]
    values = [7 if spec else "seven" for spec in places]
    message = str(template(*values, param="session.voice"))
    assert message
    assert "{" not in message
