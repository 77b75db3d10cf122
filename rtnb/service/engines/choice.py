"""Which engines a server uses: those that are asked for, else the best that are installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import Engine, Engines

__all__ = ["make"]


def make(
    writer: Engine | None = None,
    *,
    voice: str = "auto",
    transcriber: str = "auto",
    phrases: Iterable[str] = (),
    script: str | None = None,
    seed: int = 0,
) -> Engines:
    """Make the engines of a server. Nothing is started yet.

    Parameters
    ----------
    writer : Engine, optional
        Who finds the words; without one, the script that is built in.
    voice : str
        ``"numpy"``, ``"espeak"``, or ``"auto"``: eSpeak NG where it is installed.
    transcriber : str
        ``"pocketsphinx"``, ``"none"``, or ``"auto"``: pocketsphinx where it is installed.
    phrases : iterable of str
        Sentences that the transcriber should expect, besides its own.
    script : str, optional
        The file whose rules answer where there is no `writer`.
    seed : int
        For the rules that pick a sentence at random.

    Raises
    ------
    ConfigurationError
        An engine's name is unknown, or it is not installed.
    """
    if writer is None:
        from rtnb.service.engines.script_writer import ScriptWriter

        writer = ScriptWriter(script, seed)
    return Engines(_voice(voice), writer, _transcriber(transcriber, tuple(phrases)))


def _workers(most: int = 2) -> int:
    """Return how many child processes of a kind are worth having on this machine."""
    return max(1, min(most, os.cpu_count() or 1))


def _voice(name: str) -> Engine:
    from rtnb.service.engines.numpy_voice import NumpyVoice

    chosen = _chosen("voice_engine", name, {"espeak": "espeakng_loader", "numpy": ""})
    if chosen == "numpy":
        return NumpyVoice()
    from rtnb.service.engines.espeak import EspeakVoice

    return EspeakVoice(fallback=NumpyVoice(), size=_workers())


def _transcriber(name: str, phrases: tuple[str, ...]) -> Engine | None:
    chosen = _chosen("transcriber", name, {"pocketsphinx": "pocketsphinx", "none": ""})
    if chosen == "none":
        return None
    from rtnb.service.engines.pocketsphinx import Pocketsphinx

    return Pocketsphinx(phrases, size=_workers())


def _chosen(part: str, name: str, modules: dict[str, str]) -> str:
    """Return the engine to use: each is known with the module that it needs, the best first, the last needs none."""
    installed = [engine for engine, module in modules.items() if not module or importlib.util.find_spec(module)]
    if name == "auto":
        return installed[0]
    if name not in modules:
        raise ConfigurationError(f'{part}={name!r} is unknown: choose {", ".join(modules)} or "auto".')
    if name not in installed:
        raise ConfigurationError(f'{part}={name!r} is not installed here: pip install "rtnb[voice]" brings it.')
    return name
