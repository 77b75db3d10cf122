"""What the events of a session mean: items, responses, and the record that live sessions and recordings share."""
