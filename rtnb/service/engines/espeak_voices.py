"""How eSpeak NG speaks under each voice's name. The names are the cloud's; the voices resemble none of theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["VOICE_SETTINGS", "VoiceSettings", "voice_settings"]

_SLOWEST, _FASTEST = 80, 450  # words per minute that eSpeak NG can do


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """eSpeak NG's settings for one voice.

    Attributes
    ----------
    variant : str
        Of eSpeak NG's voice variants: the size and shape of the vocal tract.
    pitch, melody : int
        Base of the pitch, and its range: 0 to 100, 50 is the variant's own.
    words_per_minute : int
    volume : int
        100 is the variant's own, 200 the most; chosen so that all voices are about equally loud.
    """

    variant: str
    pitch: int = 50
    melody: int = 50
    words_per_minute: int = 175
    volume: int = 90

    def rate(self, speed: float) -> int:
        """Return the words per minute at a speed (1.0 is normal), within the 80 to 450 that eSpeak NG can do."""
        return round(min(max(self.words_per_minute * speed, _SLOWEST), _FASTEST))


#: The settings by voice. The recogniser understands the first one best.
VOICE_SETTINGS: Mapping[str, VoiceSettings] = MappingProxyType(
    {
        "alloy": VoiceSettings("klatt4", volume=80),
        "ash": VoiceSettings("m3", pitch=38, melody=40, words_per_minute=180),
        "ballad": VoiceSettings("m7", pitch=52, melody=80, words_per_minute=155),
        "coral": VoiceSettings("f2", pitch=58, melody=60, words_per_minute=180),
        "echo": VoiceSettings("klatt2", pitch=28, melody=35, words_per_minute=165, volume=200),
        "sage": VoiceSettings("f3", pitch=40, melody=40, words_per_minute=160),
        "shimmer": VoiceSettings("f5", pitch=72, melody=75, words_per_minute=170),
        "verse": VoiceSettings("m4", pitch=66, melody=85, words_per_minute=190),
        "marin": VoiceSettings("steph", pitch=45, melody=55, words_per_minute=178),
        "cedar": VoiceSettings("Gene", pitch=12, melody=45, words_per_minute=160, volume=75),
    }
)


def voice_settings(name: str) -> VoiceSettings:
    """Return the settings of a voice; an unknown name has settings of its own, always the same."""
    if name in VOICE_SETTINGS:
        return VOICE_SETTINGS[name]
    shape, pitch, melody, pace = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    variants = sorted({known.variant for known in VOICE_SETTINGS.values()})
    return VoiceSettings(variants[shape % len(variants)], 25 + pitch % 50, 35 + melody % 45, 158 + pace % 32)
