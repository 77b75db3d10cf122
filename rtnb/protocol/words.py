"""The words of each dialect that a client may send as ``session`` and as ``response``: trees, None where anything goes."""

from __future__ import annotations

from typing import Any

Words = dict[str, Any]

_SESSION: Words = dict.fromkeys(("instructions", "model", "tools", "tool_choice", "tracing"))
_RESPONSE: Words = {
    **dict.fromkeys(("conversation", "input", "instructions", "metadata", "prompt", "tools", "tool_choice")),
    # Azure's pages show these in both dialects; they do nothing.
    **dict.fromkeys(("commit", "cancel_previous", "append_input_items", "input_items")),
}

GA_SESSION: Words = {
    **_SESSION,
    **dict.fromkeys(("type", "include", "max_output_tokens", "output_modalities")),
    **dict.fromkeys(("parallel_tool_calls", "prompt", "reasoning", "truncation")),
    "audio": {
        "input": dict.fromkeys(("format", "noise_reduction", "transcription", "turn_detection")),
        "output": dict.fromkeys(("format", "speed", "voice")),
    },
}
GA_RESPONSE: Words = {
    **_RESPONSE,
    **dict.fromkeys(("max_output_tokens", "output_modalities", "parallel_tool_calls", "reasoning")),
    "audio": {"output": dict.fromkeys(("format", "voice"))},
}

PREVIEW_SESSION: Words = {
    **_SESSION,
    **dict.fromkeys(("modalities", "voice", "speed", "temperature", "max_response_output_tokens")),
    **dict.fromkeys(("input_audio_format", "output_audio_format", "turn_detection")),
    **dict.fromkeys(("input_audio_transcription", "input_audio_noise_reduction")),
}
_TRANSCRIBED = ("format", "noise_reduction", "transcription", "turn_detection")
GA_TRANSCRIPTION: Words = {"type": None, "include": None, "audio": {"input": dict.fromkeys(_TRANSCRIBED)}}
PREVIEW_TRANSCRIPTION: Words = dict.fromkeys(
    (
        *("client_secret", "include", "input_audio_format", "input_audio_noise_reduction"),
        *("input_audio_transcription", "modalities", "turn_detection"),
    )
)
PREVIEW_RESPONSE: Words = {
    **_RESPONSE,
    **dict.fromkeys(("modalities", "voice", "output_audio_format", "temperature")),
    # The official types say the first, Azure's pages the second.
    **dict.fromkeys(("max_response_output_tokens", "max_output_tokens")),
}
