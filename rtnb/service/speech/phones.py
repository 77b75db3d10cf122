"""The sounds of speech: how long each phone lasts and where its resonances lie.

Pure data. Frequencies are for a vocal tract of scale 1.0 (a large adult); a voice multiplies them. Symbols are those
of ARPAbet; ``"_"`` is a short silence; a vowel followed by ``"1"`` carries the stress of its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

__all__ = ["NO_BAND", "PHONES", "VOWELS", "Segment", "duration_ms", "segments"]

#: Noise band (centre, width) in Hz of a segment without friction.
NO_BAND = (3000.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of sound with constant targets.

    Attributes
    ----------
    ms : float
        Duration in milliseconds at normal pace.
    formants : tuple of 3 float, or None
        F1, F2, F3 in Hz; None takes them over from the neighbours.
    voice, breath, friction : float
        Levels (RMS, 1.0 = an open vowel) of the vocal folds, of noise in the throat, and of noise at the tongue.
    band : tuple of 2 float
        Centre and width in Hz of the friction noise.
    """

    ms: float
    formants: tuple[float, float, float] | None = None
    voice: float = 0.0
    breath: float = 0.0
    friction: float = 0.0
    band: tuple[float, float] = NO_BAND


def _vowel(ms: float, *targets: tuple[float, float, float], level: float = 1.0) -> tuple[Segment, ...]:
    shares = (1.0,) if len(targets) == 1 else (0.55, 0.45)
    return tuple(Segment(ms * share, target, level) for share, target in zip(shares, targets, strict=True))


def _stop(
    locus: tuple[float, float, float], band: tuple[float, float], *, voiced: bool, burst: float
) -> tuple[Segment, ...]:
    if voiced:
        return (Segment(45, locus, 0.16), Segment(10, locus, 0.45, 0.0, burst * 0.8, band))
    return (Segment(55, locus), Segment(12, locus, 0.0, 0.05, burst, band), Segment(28, None, 0.0, 0.2, 0.03, band))


def _affricate(*, voiced: bool) -> tuple[Segment, ...]:
    locus, band = (270.0, 1800.0, 2600.0), (3700.0, 1300.0)
    return (
        Segment(50, locus, 0.16 if voiced else 0.0),
        Segment(60, locus, 0.25 if voiced else 0.0, 0.0, 0.2 if voiced else 0.3, band),
    )


def _friction(
    ms: float, locus: tuple[float, float, float], band: tuple[float, float], level: float, voice: float = 0.0
) -> tuple[Segment, ...]:
    return (Segment(ms, locus, voice, 0.02, level, band),)


_LABIAL, _DENTAL, _ALVEOLAR, _PALATAL, _VELAR = (
    (260.0, 900.0, 2250.0),
    (280.0, 1300.0, 2550.0),
    (270.0, 1720.0, 2650.0),
    (290.0, 1850.0, 2550.0),
    (260.0, 1950.0, 2450.0),
)

_SOUNDS: dict[str, tuple[Segment, ...]] = {
    "IY": _vowel(125, (300, 2250, 2950), level=0.85),
    "IH": _vowel(95, (410, 1920, 2560), level=0.9),
    "EH": _vowel(110, (540, 1760, 2500)),
    "AE": _vowel(140, (670, 1680, 2430)),
    "AA": _vowel(140, (730, 1130, 2450)),
    "AO": _vowel(140, (590, 880, 2500)),
    "AH": _vowel(105, (630, 1230, 2550)),
    "UH": _vowel(95, (450, 1080, 2350), level=0.9),
    "UW": _vowel(125, (320, 950, 2250), level=0.85),
    "ER": _vowel(130, (480, 1280, 1650), level=0.9),
    "AX": _vowel(60, (500, 1420, 2480), level=0.75),
    "EY": _vowel(155, (500, 1850, 2530), (330, 2150, 2700)),
    "AY": _vowel(175, (700, 1150, 2480), (370, 2000, 2580)),
    "AW": _vowel(175, (700, 1250, 2480), (390, 930, 2350)),
    "OW": _vowel(150, (540, 980, 2380), (390, 820, 2300)),
    "OY": _vowel(180, (540, 850, 2450), (360, 1950, 2550)),
    "W": (Segment(60, (300, 620, 2200), 0.55),),
    "Y": (Segment(50, (280, 2250, 3000), 0.6),),
    "R": (Segment(60, (340, 1090, 1420), 0.6),),
    "L": (Segment(60, (350, 1050, 2750), 0.6),),
    "M": (Segment(70, (270, 950, 2200), 0.4),),
    "N": (Segment(65, (270, 1550, 2600), 0.4),),
    "NG": (Segment(75, (270, 2000, 2650), 0.4),),
    "HH": (Segment(55, None, 0.0, 0.22),),
    "F": _friction(85, _LABIAL, (5200, 3600), 0.09),
    "TH": _friction(80, _DENTAL, (6200, 2800), 0.09),
    "S": _friction(95, _ALVEOLAR, (7000, 1700), 0.26),
    "SH": _friction(95, _PALATAL, (3700, 1300), 0.3),
    "V": _friction(55, _LABIAL, (5200, 3600), 0.05, 0.4),
    "DH": _friction(45, _DENTAL, (6200, 2800), 0.04, 0.4),
    "Z": _friction(75, _ALVEOLAR, (7000, 1700), 0.17, 0.3),
    "ZH": _friction(75, _PALATAL, (3700, 1300), 0.2, 0.3),
    "P": _stop(_LABIAL, (1000, 700), voiced=False, burst=0.22),
    "T": _stop(_ALVEOLAR, (4800, 1800), voiced=False, burst=0.35),
    "K": _stop(_VELAR, (2100, 700), voiced=False, burst=0.32),
    "B": _stop(_LABIAL, (900, 700), voiced=True, burst=0.15),
    "D": _stop(_ALVEOLAR, (4200, 1700), voiced=True, burst=0.22),
    "G": _stop(_VELAR, (2000, 700), voiced=True, burst=0.22),
    "CH": _affricate(voiced=False),
    "JH": _affricate(voiced=True),
    "_": (Segment(110),),
}

VOWELS = frozenset(["IY", "IH", "EH", "AE", "AA", "AO", "AH", "UH", "UW", "ER", "AX", "EY", "AY", "AW", "OW", "OY"])

_STRESSED, _UNSTRESSED = 1.1, 0.8

#: Every phone as its segments; a vowel with and without stress.
PHONES: Mapping[str, tuple[Segment, ...]] = MappingProxyType(
    _SOUNDS
    | {
        name + mark: tuple(replace(segment, ms=segment.ms * stretch) for segment in _SOUNDS[name])
        for name in VOWELS
        for mark, stretch in (("1", _STRESSED), ("", _UNSTRESSED))
    }
)


def segments(phones: Iterable[str]) -> list[Segment]:
    """Expand phones into their segments.

    Raises
    ------
    KeyError
        A symbol is not in :data:`PHONES`.
    """
    return [segment for phone in phones for segment in PHONES[phone]]


def duration_ms(phones: Iterable[str]) -> float:
    """Add up the duration of phones at normal pace, in milliseconds."""
    return sum(segment.ms for segment in segments(phones))
