"""Which engines a server uses: those that its options name, else the best that are installed."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import Engines, Transcriber, Voice, Writer

if TYPE_CHECKING:
    from rtnb.service.server.options import ServiceOptions

__all__ = ["make"]

_MOST_WORKERS = 2  # of the transcriber

# Each engine's module is imported only where the engine is used: none of them costs a service that does without.


def make(options: ServiceOptions, writer: Writer | None = None) -> Engines:
    """Make the engines of a server. Nothing is started yet.

    Parameters
    ----------
    options : ServiceOptions
        ``chat`` or ``script`` names the writer; ``speak``, ``speaker`` or ``voice_engine`` the voice; ``transcribe`` or
        ``transcriber`` the transcriber.
    writer : Writer, optional
        Instead of the one that the options name.

    Raises
    ------
    ConfigurationError
        An engine is not installed, or cannot be used as the options say.
    """
    return Engines(_voice(options), writer or _writer(options), _transcriber(options))


def _writer(options: ServiceOptions) -> Writer:
    if options.chat is not None:
        from rtnb.service.engines.chat import ChatWriter

        return ChatWriter(options.chat, options.chat_model)
    from rtnb.service.engines.script_writer import ScriptWriter

    return ScriptWriter(options.script, options.seed)


def _voice(options: ServiceOptions) -> Voice:
    if options.speak is not None:
        from rtnb.service.engines.speech_endpoint import EndpointVoice

        return EndpointVoice(options.speak, options.speak_model, options.speak_voice)
    if options.speaker is not None:
        from rtnb.service.engines.functions import FunctionVoice

        return FunctionVoice(options.speaker)
    installed = importlib.util.find_spec("espeakng_loader") is not None
    if options.voice_engine == "espeak" and not installed:
        raise ConfigurationError('voice_engine="espeak" is not installed here: pip install "rtnb[voice]" brings it.')
    if options.voice_engine == "tones" or not installed:
        from rtnb.service.engines.tones import ToneVoice

        return ToneVoice()
    from rtnb.service.engines.espeak import EspeakVoice

    return EspeakVoice()


def _transcriber(options: ServiceOptions) -> Transcriber | None:
    if options.transcribe is not None:
        from rtnb.service.engines.transcription_endpoint import EndpointTranscriber

        return EndpointTranscriber(options.transcribe, options.transcribe_model, options.phrases)
    if options.transcriber is not None:
        from rtnb.service.engines.functions import FunctionTranscriber

        return FunctionTranscriber(options.transcriber)
    if importlib.util.find_spec("pocketsphinx") is None:
        return None
    from rtnb.service.engines.pocketsphinx import Pocketsphinx

    return Pocketsphinx(options.phrases, size=min(_MOST_WORKERS, os.cpu_count() or 1))
