"""What the official client's types have and rtnb leaves out on purpose, each with the reason.

A new version of the ``openai`` package may have events, fields or values that are neither known nor here: then
`tests/protocol/test_openai_types.py` names them, and whoever upgrades decides.
"""

from __future__ import annotations

_REFERENCE = "an item reference is an item of response.create's input; as a content part nobody has seen one"
_ELAPSED = "the timeline has its own clock, and translated audio comes as 24 kHz PCM16 alone"

DELIBERATELY_LEFT_OUT: dict[str, str] = {
    "ga *: *.model = 'gpt-audio*'": "a model of the chat API, which no realtime session answers with",
    "ga server: response.mcp_call_arguments.delta.obfuscation": "padding against the measuring of sizes; it says nothing",
    "preview *: *.content[[]].type = 'item_reference'": _REFERENCE,
    "preview *: *.content[[]]<item_reference>": _REFERENCE,
    "preview *: *.content[[]].id": _REFERENCE,
    "preview server: transcription_session.updated.session.client_secret.value": "the answer of a POST, never of a session",
    "translation server: *.elapsed_ms": _ELAPSED,
    "translation server: session.output_audio.delta.channels": _ELAPSED,
    "translation server: session.output_audio.delta.format": _ELAPSED,
    "translation server: session.output_audio.delta.sample_rate": _ELAPSED,
}
"""Patterns of ``union: path`` that rtnb's shapes do not have."""

_WEBRTC = "only on WebRTC and SIP connections: a WebSocket's client plays the audio itself"
_TRANSLATION = "the local service does not translate"

NOT_SENT_BY_THE_CLIENT = {"output_audio_buffer.clear": _WEBRTC}

NOT_TAKEN_BY_THE_SERVICE = {"output_audio_buffer.clear": _WEBRTC, "session.close": _TRANSLATION}

NOT_SENT_BY_THE_SERVICE = {
    "conversation.created": "no log of a real service has it, and the strictest client ends at it",
    "input_audio_buffer.dtmf_event_received": "keys of a telephone: only on SIP connections",
    "output_audio_buffer.started": _WEBRTC,
    "output_audio_buffer.stopped": _WEBRTC,
    "output_audio_buffer.cleared": _WEBRTC,
    "session.closed": _TRANSLATION,
}

_ROW = "a row of the timeline says all of it; there is nothing to keep"
_LATER = "kept as a row only"
NOT_READ_BY_THE_MIRROR = {
    "conversation.created": _ROW,
    "output_audio_buffer.cleared": _ROW,
    "output_audio_buffer.started": _ROW,
    "output_audio_buffer.stopped": _ROW,
    "response.content_part.added": "the item and its deltas say the same",
    "response.content_part.done": "the item and its deltas say the same",
}
