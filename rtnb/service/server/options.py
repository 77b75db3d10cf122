"""The options of a local service, each written once: a field, its flag of ``rtnb serve``, its word of `rtnb.connect`, its help."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.protocol.catalog import ENDPOINT_SPEECH_MODEL, ENDPOINT_TRANSCRIPTION_MODEL
from rtnb.service.faults import Faults, catalogue
from rtnb.service.server.pace import Pace, is_number

VOICE_ENGINES = ("auto", "tones", "espeak")
REFUSED = 78
"""The exit status of a service whose options are not possible on this computer; stderr has the reason."""

_ENGINES = "what writes, speaks and transcribes"
_BEHAVIOUR = "how the service behaves"


@dataclass(frozen=True, slots=True)
class Option:
    """How an option is given.

    Attributes
    ----------
    help : str
        What it does, for ``rtnb serve --help``.
    metavar : str
        What stands for its value in the help.
    read : callable
        From the command line's text to its value.
    group : str
        Where it stands in the help.
    choices : tuple of str
        All that it may be; empty: anything.
    flag : str
        Of the command line, where it is not the field's name.
    word : str
        Of `rtnb.connect`, where it is not the field's name.
    repeats : bool
        Whether it may be given several times.
    """

    help: str
    metavar: str | None = None
    read: Callable[[str], Any] = str
    group: str = _ENGINES
    choices: tuple[str, ...] | None = None
    flag: str = ""
    word: str = ""
    repeats: bool = False


def _option(default: Any, help: str, metavar: str | None = None, **how: Any) -> Any:
    return field(default=default, metadata={"option": Option(help, metavar, **how)})


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How a local service behaves. What each field means is its help, which ``rtnb serve --help`` shows.

    The same values come from Python, from the command line and to a child process; equal options are one service.

    Raises
    ------
    ConfigurationError
        A value that is not possible, with the corrected form.
    """

    chat: str | None = _option(
        None,
        "let an OpenAI-compatible chat endpoint write the answers, such as http://127.0.0.1:11434 (Ollama); "
        "a key for it goes into RTNB_CHAT_API_KEY",
        "URL",
    )
    chat_model: str | None = _option(None, "the model's name there", "NAME")
    script: str | None = _option(
        None,
        "answer by the rules of this TOML file, whose format `python -m pydoc rtnb.service.script.loader` describes",
        "FILE",
    )
    speak: str | None = _option(
        None,
        "let an OpenAI-compatible /v1/audio/speech speak, such as http://127.0.0.1:8000 (speaches, LocalAI); "
        "a key for it goes into RTNB_SPEAK_API_KEY",
        "URL",
    )
    speak_model: str | None = _option(None, f"the model's name there (default: {ENDPOINT_SPEECH_MODEL})", "NAME")
    speak_voice: str | None = _option(None, "the voice's name there (default: the session's voice)", "NAME")
    speaker: str | None = _option(
        None,
        "let a function of yours speak: (text, voice) -> (samples, rate), in a worker process",
        "MODULE:FUNCTION",
    )
    voice_engine: str = _option(
        "auto",
        "the built-in voice that speaks; auto takes the best that is installed (default: %(default)s)",
        choices=VOICE_ENGINES,
    )
    transcribe: str | None = _option(
        None,
        "let an OpenAI-compatible /v1/audio/transcriptions write down what the user says, such as "
        "http://127.0.0.1:8000; a key for it goes into RTNB_TRANSCRIBE_API_KEY",
        "URL",
    )
    transcribe_model: str | None = _option(
        None, f"the model's name there (default: {ENDPOINT_TRANSCRIPTION_MODEL})", "NAME"
    )
    transcriber: str | None = _option(
        None,
        "let a function of yours transcribe: (samples, rate, language) -> text, in a worker process",
        "MODULE:FUNCTION",
    )
    phrases: tuple[str, ...] = _option(
        (),
        "a sentence that the built-in recogniser or --transcribe should expect; can be given several times",
        "SENTENCE",
        flag="--phrase",
        repeats=True,
    )
    speed: float = _option(
        8.0,
        "pace of the speech that is sent, times real time; 0: no pauses (default: %(default)s)",
        "TIMES",
        read=float,
        group=_BEHAVIOUR,
        word="pace",
    )
    seed: int = _option(
        0,
        "makes ids and voices repeatable; the n-th session has SEED + n (default: %(default)s)",
        "SEED",
        read=int,
        group=_BEHAVIOUR,
    )
    expire_in: float | None = _option(
        None, "end each session after this time (default: an hour)", "SECONDS", read=float, group=_BEHAVIOUR
    )
    faults: Faults = field(
        default_factory=Faults,
        metadata={
            "option": Option(
                "let something go wrong on purpose, as listed below; can be given several times",
                "NAME=VALUE",
                group=_BEHAVIOUR,
                flag="--fault",
                repeats=True,
            )
        },
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "faults", Faults.of(self.faults))
        object.__setattr__(self, "phrases", _phrases(self.phrases))
        if self.script is not None:
            object.__setattr__(self, "script", _checked_script(self.script))
        Pace(self.speed)
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise ConfigurationError(f"seed={self.seed!r} is not a whole number; write one, such as seed=7.")
        if self.expire_in is not None and not (is_number(self.expire_in) and 0 <= self.expire_in < math.inf):
            raise ConfigurationError(
                f"expire_in={self.expire_in!r} is no time; write the seconds, such as expire_in=60."
            )
        if self.voice_engine not in VOICE_ENGINES:
            raise ConfigurationError(
                f"voice_engine={self.voice_engine!r} is not known; write one of {', '.join(VOICE_ENGINES)}."
            )
        _check_engines(self)

    @property
    def lifetime(self) -> float | None:
        """Return the seconds until a session expires, by option or by fault; None: an hour."""
        return self.expire_in if self.faults.expire_in is None else self.faults.expire_in

    @property
    def start_seconds(self) -> float:
        """How long the service may take to start: the user's functions may load a model."""
        return 20.0 if self.speaker is None and self.transcriber is None else 150.0

    def secrets(self, environ: Mapping[str, str]) -> set[str]:
        """Return the names of the variables with secrets that the service needs.

        They are the keys of its endpoints; the user's functions have the environment that they have elsewhere.
        """
        if self.speaker is not None or self.transcriber is not None:
            return set(environ)
        endpoints = {"CHAT": self.chat, "SPEAK": self.speak, "TRANSCRIBE": self.transcribe}
        return {f"RTNB_{name}_API_KEY" for name, url in endpoints.items() if url is not None}

    @classmethod
    def of(cls, given: argparse.Namespace) -> ServiceOptions:
        """Return the options that a parser read which :func:`add_arguments` prepared."""
        return cls(**{each.name: getattr(given, each.name) for each in fields(cls)})

    def arguments(self) -> list[str]:
        """Return the command line that makes these options; defaults are left out."""
        default, found = ServiceOptions(), []
        for name, option in options_table().items():
            value = getattr(self, name)
            if value != getattr(default, name):
                values = value.written() if isinstance(value, Faults) else value if option.repeats else [value]
                found += [f"{_flag(name, option)}={each}" for each in values]
        return found


def options_table() -> dict[str, Option]:
    """Return how each option is given, by the name of its field."""
    return {each.name: each.metadata["option"] for each in fields(ServiceOptions)}


def connect_words() -> dict[str, str]:
    """Return what `rtnb.connect` takes for the local service beside the session's settings: its word, and the field."""
    return {option.word or name: name for name, option in options_table().items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser; the faults are listed at the end of its help."""
    groups = {name: parser.add_argument_group(name) for name in (_ENGINES, _BEHAVIOUR)}
    default = ServiceOptions()
    for name, option in options_table().items():
        how: dict[str, Any] = {"dest": name, "help": option.help}
        if option.repeats:
            how |= {"action": "append", "default": []}
        else:
            how |= {"type": option.read, "default": getattr(default, name)}
        if option.choices:
            how["choices"] = option.choices
        else:
            how["metavar"] = option.metavar
        groups[option.group].add_argument(_flag(name, option), **how)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        f"faults, for --fault (events are counted in each session, session.created is the first):\n{catalogue()}"
    )


def _flag(name: str, option: Option) -> str:
    return option.flag or f"--{name.replace('_', '-')}"


def _phrases(given: Any) -> tuple[str, ...]:
    phrases = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(each, str) for each in phrases):
        raise ConfigurationError(f"phrases={given!r} is no text; write phrases=['Open the door.', 'Close the door.'].")
    return phrases


def _checked_script(given: str | os.PathLike[str]) -> str:
    """Return the absolute path of a script without mistakes: a child process may have another working folder."""
    # Only a service with a script of its own pays for loading it here.
    from rtnb.service.script import load_script

    path = Path(given).expanduser().absolute()
    load_script(path)
    return str(path)


def _check_engines(options: ServiceOptions) -> None:
    """Check that each part has one engine, that what belongs together is there, and that URLs and names have their form."""
    for alternatives in (("chat", "script"), ("speak", "speaker", "voice_engine"), ("transcribe", "transcriber")):
        given = [name for name in alternatives if getattr(options, name) not in (None, "auto")]
        if len(given) > 1:
            raise ConfigurationError(f"{given[0]}= and {given[1]}= do the same work: leave one of them out.")
    if (options.chat is None) != (options.chat_model is None):
        raise ConfigurationError(
            "A chat endpoint and the model's name there go together: chat='http://127.0.0.1:11434' and chat_model='NAME' "
            "(rtnb serve --chat URL --chat-model NAME)."
        )
    for name, needed in (("speak_model", "speak"), ("speak_voice", "speak"), ("transcribe_model", "transcribe")):
        if getattr(options, name) is not None and getattr(options, needed) is None:
            raise ConfigurationError(f"{name}= belongs to an endpoint: write {needed}='http://127.0.0.1:8000' too.")
    if options.transcriber is not None and options.phrases:
        raise ConfigurationError(
            "phrases= cannot be handed to a function: leave it out, or put them into the function."
        )
    _check_function("speaker", options.speaker, "my_engines:speak")
    _check_function("transcriber", options.transcriber, "my_engines:transcribe")
    if options.chat is not None or options.speak is not None or options.transcribe is not None:
        # Only a service with an endpoint pays for loading it.
        from rtnb.service.engines.endpoint_url import CHAT, SPEECH, TRANSCRIPTION, read_url

        for kind, url in ((CHAT, options.chat), (SPEECH, options.speak), (TRANSCRIPTION, options.transcribe)):
            if url is not None:
                read_url(url, kind)


def _check_function(name: str, given: Any, example: str) -> None:
    """Check that ``package.module:function`` is given; nothing is imported."""
    if given is None:
        return
    module, _, function = given.partition(":") if isinstance(given, str) else ("", "", "")
    if module == "__main__" or not all(part.isidentifier() for part in (*module.split("."), *function.split("."))):
        raise ConfigurationError(
            f"{name}={given!r} names no function that another process can import. Put it into a file, such as "
            f"{example.partition(':')[0]}.py, and write {name}={example!r}."
        )
