"""Sound as int16 samples: clips, wire formats, files, resampling. numpy only; soxr and soundfile where installed."""

from __future__ import annotations

from rtnb.audio.clip import INLINE_SECONDS, AudioClip, StereoClip, to_clip
from rtnb.audio.formats import G711_ALAW, G711_ULAW, PCM16, AudioFormat
from rtnb.audio.resample import resample
from rtnb.audio.wav import read_wav, write_wav

__all__ = [
    "G711_ALAW",
    "G711_ULAW",
    "INLINE_SECONDS",
    "PCM16",
    "AudioClip",
    "AudioFormat",
    "StereoClip",
    "read_wav",
    "resample",
    "to_clip",
    "write_wav",
]
