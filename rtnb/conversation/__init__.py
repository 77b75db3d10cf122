"""The conversation in a session's events: items, responses, and the record that live sessions and recordings share."""
