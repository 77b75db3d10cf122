"""Sound for the tests of turn detection: 24 speakers of 14 languages, murmurs of other voices, and what rooms sound like.

Everything is made anew by each run, and alike: eSpeak NG in a fresh process, and noise from seeds. No person was recorded.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rtnb.audio import resample
from rtnb.audio.samples import FULL_SCALE, Samples
from rtnb.service.engines.espeak_library import EspeakLibrary, EspeakSpeech, VoiceSettings
from rtnb.service.engines.worker import Worker

Floats = NDArray[np.float64]
RATE = 24_000

_ENGLISH = ("My flight was delayed because of heavy snow.", "She bought three green apples at the market.")
SENTENCES = {
    "en-us": _ENGLISH,
    "en": ("Please turn on the lights in the kitchen.", "Tell me a short story about a dog."),
    "de": ("Bitte schalte das Licht in der Küche ein.", "Wie wird das Wetter morgen in Hamburg?"),
    "fr": ("Allume la lumière dans la cuisine, s'il te plaît.", "Quel temps fera-t-il demain à Paris?"),
    "es": ("Por favor enciende la luz de la cocina.", "¿Qué tiempo hará mañana en Madrid?"),
    "it": ("Accendi la luce in cucina, per favore.", "Che tempo farà domani a Roma?"),
    "pl": ("Proszę włączyć światło w kuchni.", "Jaka będzie jutro pogoda w Warszawie?"),
    "nl": ("Doe alsjeblieft het licht in de keuken aan.", "Ik wil graag twee broodjes en een koffie."),
    "sv": ("Tänd lampan i köket, tack.", "Hur blir vädret i Stockholm i morgon?"),
    "pt": ("Acenda a luz da cozinha, por favor.", "Como estará o tempo amanhã em Lisboa?"),
    "fi": ("Sytytä keittiön valo, kiitos.", "Millainen sää huomenna on Helsingissä?"),
    "cs": ("Rozsviť prosím světlo v kuchyni.", "Jaké bude zítra počasí v Praze?"),
    "ru": ("Пожалуйста, включи свет на кухне.", "Какая завтра будет погода в Москве?"),
    "tr": ("Lütfen mutfaktaki ışığı aç.", "Yarın İstanbul'da hava nasıl olacak?"),
}

#: Language, variant of the vocal tract, pitch, words per minute.
SPEAKERS = (
    ("en-us", "m1", 50, 175),
    ("en-us", "klatt4", 50, 175),
    ("en", "f2", 58, 180),
    ("en-us", "m3", 38, 180),
    ("en-us", "f5", 72, 170),
    ("en", "m7", 52, 155),
    ("en-us", "Gene", 12, 160),
    ("en-us", "steph", 45, 178),
    ("de", "m3", 40, 165),
    ("fr", "f4", 55, 175),
    ("es", "m4", 60, 190),
    ("it", "f3", 48, 170),
    ("pl", "m2", 45, 175),
    ("nl", "f1", 50, 165),
    ("sv", "m6", 50, 175),
    ("pt", "f5", 60, 185),
    ("fi", "klatt2", 40, 160),
    ("cs", "m5", 50, 170),
    ("ru", "f2", 50, 175),
    ("tr", "klatt5", 50, 175),
    ("en-us", "Annie", 50, 170),
    ("en", "klatt", 45, 165),
    ("de", "f2", 60, 190),
    ("fr", "klatt3", 50, 170),
)


def at_level(sound: Floats, level_db: float) -> Floats:
    """Return sound at so many dB below full scale (RMS)."""
    return np.asarray(sound * FULL_SCALE * 10 ** (level_db / 20) / np.sqrt((sound**2).mean()))


def pcm16(sound: Floats) -> Samples:
    return np.clip(np.rint(sound), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


@lru_cache
def utterances() -> list[tuple[Floats, Floats]]:
    """Return two sentences of each speaker at 24 kHz, from the first audible sample to the last."""

    async def speak() -> list[EspeakSpeech]:
        worker = Worker(EspeakLibrary, seconds=20)
        try:
            return [
                await worker.call(
                    EspeakLibrary.speak, text, [lang], VoiceSettings(*voice), speed=1.0, seed=0, pause=False
                )
                for lang, variant, pitch, pace in SPEAKERS
                for voice in [(variant, pitch, 50, pace)]
                for text in SENTENCES[lang]
            ]
        finally:
            await worker.close()

    spoken = asyncio.run(speak())
    assert all(speech.language for speech in spoken)
    sounds = [_audible(resample(np.frombuffer(each.pcm16, np.int16), each.rate, RATE)) for each in spoken]
    return list(zip(sounds[::2], sounds[1::2], strict=True))


def _audible(sound: Samples) -> Floats:
    """Cut off what is more than 35 dB below the loudest 5 ms."""
    size = RATE // 200
    values = sound[: len(sound) // size * size].astype(np.float64)
    levels = np.sqrt((values.reshape(-1, size) ** 2).mean(axis=1))
    audible = np.flatnonzero(levels > np.quantile(levels, 0.95) * 10 ** (-35 / 20))
    return values[audible[0] * size : (audible[-1] + 1) * size]


def conversation(speaker: int, level_db: float = -26, lead: float = 1.5) -> tuple[Floats, list[tuple[int, int]]]:
    """Have a speaker say two sentences with 2.5 s after each; return the sound, and the ms at which each begins and ends."""
    parts = [np.zeros(round(lead * RATE))]
    times = []
    for utterance in utterances()[speaker]:
        begin = sum(map(len, parts))
        times.append((begin * 1000 // RATE, (begin + len(utterance)) * 1000 // RATE))
        parts += [at_level(utterance, level_db), np.zeros(5 * RATE // 2)]
    return np.concatenate(parts), times


def murmur(speaker: int, count: int, voices: int = 5) -> Floats:
    """Have so many others than a speaker talk at once, all the time."""
    rng = np.random.default_rng(speaker)
    others = rng.permutation([other for other in range(len(SPEAKERS)) if other != speaker])[:voices]
    mixed = np.zeros(count)
    for other in others:
        said = [at_level(sentence, -26) for sentence in utterances()[other]]
        pauses = rng.uniform(0.05, 0.3, 2 * count // RATE + 4)
        parts = [part for index, pause in enumerate(pauses) for part in (said[index % 2], np.zeros(int(pause * RATE)))]
        begin = int(rng.integers(RATE))
        mixed += np.concatenate(parts)[begin : begin + count]
    return mixed


def noise(kind: str, count: int, seed: int = 0) -> Floats:
    """Make a steady sound: white, pink or brown noise, a hum of 50 or 60 Hz, a fan, a tone."""
    rng = np.random.default_rng(seed)
    time = np.arange(count) / RATE
    white = rng.standard_normal(count)
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20)
    overtones = {"hum 50": 50, "hum 60": 60}
    if kind in overtones:
        phases = rng.uniform(0, 6, 6)
        waves = [np.sin(2 * np.pi * overtones[kind] * n * time + phases[n - 1]) / n for n in range(1, 7)]
        return np.asarray(sum(waves))
    if kind == "fan":
        return at_level(noise("pink", count, seed), -20) + at_level(noise("hum 50", count, seed), -24)
    if kind == "tone":
        return np.asarray(np.sin(2 * np.pi * 440 * time))
    slope = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
    return np.fft.irfft(np.fft.rfft(white) / frequencies**slope, count)
