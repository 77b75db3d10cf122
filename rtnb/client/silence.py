"""Speech that turn detection did not notice: which error names it, with the figures of what was sent."""

from __future__ import annotations

from rtnb.client.audio_input import UserTurn
from rtnb.client.connection import Connection
from rtnb.errors import ResponseTimeout
from rtnb.formatting import seconds
from rtnb.protocol.names import Kind

QUIET_SECONDS = 5.0
"""Seconds after which silence that turn detection passes over is given up."""


def no_speech(connection: Connection, spoken: UserTurn, since: int, waited: float) -> ResponseTimeout | None:
    """Return the error for speech that turn detection has not noticed; None where it has noticed some.

    Parameters
    ----------
    connection : Connection
    spoken : UserTurn
        What was sent.
    since : int
        The row from which on it was sent.
    waited : float
        Seconds.
    """
    rows = connection.timeline[since:]
    if rows["kind"].isin((Kind.SPEECH_STARTED, Kind.INPUT_COMMITTED)).any():
        return None
    advice = (
        "The clip is silent: check what was recorded or read."
        if spoken.silent
        else "It may be too quiet: configure turn_detection= with a lower threshold, or None."
    )
    return ResponseTimeout(
        f"The service's turn detection noticed no speech in {spoken.seconds:.1f} s, peak {spoken.peak:.3f}, and made no "
        f"response within {seconds(waited)}.{connection.error_words(since)} {advice}",
        waited_for=str(Kind.SPEECH_STARTED),
        timeout=waited,
    )
