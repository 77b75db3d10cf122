"""A few things that everybody learns at school: lists, capitals, tables, and how sound and speech work.

Pure data and a few lookups. Only what does not change.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from rtnb.service.script.numerals import number_words, numbers_to_digits

__all__ = ["fact"]

_CAPITALS = """
Argentina Buenos Aires|Australia Canberra|Austria Vienna|Belgium Brussels|Brazil Brasília|Canada Ottawa|Chile Santiago
China Beijing|Colombia Bogotá|Croatia Zagreb|Cuba Havana|Denmark Copenhagen|Egypt Cairo|England London|Ethiopia Addis Ababa
Finland Helsinki|France Paris|Germany Berlin|Ghana Accra|Greece Athens|Hungary Budapest|Iceland Reykjavík|India New Delhi
Ireland Dublin|Italy Rome|Japan Tokyo|Kenya Nairobi|Mexico Mexico City|Morocco Rabat|Norway Oslo|Peru Lima|Poland Warsaw
Portugal Lisbon|Romania Bucharest|Russia Moscow|Scotland Edinburgh|Spain Madrid|Sweden Stockholm|Switzerland Bern
Thailand Bangkok|Turkey Ankara|Ukraine Kyiv|Vietnam Hanoi|Wales Cardiff
"""

# pattern || what is told; the first whose pattern is found is told.
_FACTS = r"""
\balphabet\b|| The English alphabet has twenty-six letters: A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z.
\bdays (?:of|in) (?:the|a) week\b|| The days of the week are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday.
\bmonths (?:of|in) (?:the|a) year\b|| The months are January, February, March, April, May, June, July, August, September, October, November and December.
\bseasons\b|| The four seasons are spring, summer, autumn and winter.
\bplanets\b|| From the Sun outwards the planets are Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune.
\bcolou?rs (?:of|in) (?:the|a) rainbow\b|| The colours of the rainbow are red, orange, yellow, green, blue, indigo and violet.
\bvowels?\b|| A vowel is a speech sound for which the mouth stays open, as in A, E, I, O and U. The shape of the mouth strengthens certain frequencies, and by these we tell vowels apart.
\bconsonants?\b|| A consonant is a speech sound for which the mouth narrows or closes the way of the air, as in P, S or M.
\bphonemes?\b|| A phoneme is the smallest sound that tells two words apart, as P and B do in pat and bat. English has about forty-four.
\bformants?\b|| A formant is a range of frequencies that the shape of the mouth and throat strengthens. The lowest two of them are enough to tell most vowels apart.
\b(?:sampling|sample) rate\b|\bnyquist\b|| The sampling rate says how many times a second sound is measured. It must be more than twice the highest frequency that is to be kept, so 24,000 samples a second reach to 12 kilohertz.
\baliasing\b|| Aliasing is what happens when sound is sampled too slowly: high frequencies fold back and are heard as low ones that were never there.
\bdecibels?\b|| A decibel compares two levels by their logarithm. Twenty decibels more is ten times the amplitude, and six decibels is about twice.
\bfrequency\b|\bhertz\b|| Frequency is how often something swings in a second, and hertz is its unit. Doubling the frequency of a tone makes it one octave higher.
\bspectrograms?\b|\bspectrum\b|| A spectrum shows how much of each frequency a sound holds. A spectrogram draws one spectrum after another, so that you see how the sound changes.
\bwaveforms?\b|\bsound waves?\b|| A sound wave is a swing of air pressure that travels. A waveform draws that pressure over time: its height is the loudness, and its pattern the tone.
\bjson\b|| JSON is a way to write data as text: objects in braces, lists in brackets, strings in quotes, numbers, true, false and null.
\bspeed of sound\b|| In air at room temperature sound travels about 343 metres a second, so a kilometre takes about three seconds.
\bspeed of light\b|| In empty space light travels 299,792,458 metres a second.
\bpi\b|| Pi is the ratio of a circle's circumference to its diameter, about 3.14159.
"""

_QUESTION = re.compile(
    r"\b(?:what|which|explain|define|describe|tell|teach|how|name|list|recite|give|say|meaning|know|learn)\b"
)
_MOST_WORDS = 12


def fact(text: str) -> str | None:
    """Tell a school fact.

    Parameters
    ----------
    text : str
        A lower-case question, such as ``"what is the capital of kenya?"``, ``"is 91 a prime number"`` or
        ``"the seven times table"``.

    Returns
    -------
    str or None
        A sentence or two; None when the text asks for nothing that is known here.
    """
    if len(text.split()) > _MOST_WORDS:
        return None
    return _capital(text) or _numbers(numbers_to_digits(text)) or _listed(text)


def _listed(text: str) -> str | None:
    if not _QUESTION.search(text) and len(text.split()) > 4:
        return None
    return next((told for pattern, told in _facts() if pattern.search(text)), None)


@lru_cache(maxsize=1)
def _facts() -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = (line.rsplit("|| ", 1) for line in _FACTS.strip().splitlines())
    return tuple((re.compile(pattern), text) for pattern, text in pairs)


@lru_cache(maxsize=1)
def _capitals() -> dict[str, tuple[str, str]]:
    pairs = (entry.split(" ", 1) for entry in re.split(r"[|\n]", _CAPITALS.strip()))
    return {country.lower(): (country, city) for country, city in pairs}


def _capital(text: str) -> str | None:
    asked = re.search(r"\bcapital(?: city)? of (?:the )?(\w+)", text)
    known = _capitals().get(asked[1]) if asked else None
    return f"The capital of {known[0]} is {known[1]}." if known else None


def _numbers(text: str) -> str | None:
    table = re.search(
        r"\b(\d{1,3})(?:'?s)? times table\b|\b(?:times|multiplication) table (?:of|for) (\d{1,3})\b", text
    )
    if table:
        factor = int(table[1] or table[2])
        return ", ".join(f"{step} times {factor} is {step * factor}" for step in range(1, 11)) + "."
    prime = re.search(r"\bis (\d{1,9}) (?:a )?prime\b", text)
    if prime:
        return _prime(int(prime[1]))
    parity = re.search(r"\bis (\d{1,15}) (?:an? )?(?:even|odd)\b", text)
    return f"{parity[1]} is {'odd' if int(parity[1]) % 2 else 'even'}." if parity else None


def _prime(number: int) -> str:
    divisor = next((divisor for divisor in range(2, math.isqrt(number) + 1) if number % divisor == 0), None)
    if number < 2:
        return f"{number} is not a prime number: the first one is two."
    if divisor is None:
        return f"Yes, {number} is a prime number."
    return f"No, {number} is not a prime number: it is {number_words(divisor)} times {number // divisor}."
