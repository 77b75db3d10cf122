"""Timelines with frames in them."""

from frames import frame, sound, timeline, turn, word  # noqa: F401
