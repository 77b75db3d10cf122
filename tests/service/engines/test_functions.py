"""Functions that people bring: they speak and transcribe in a worker process, whatever they return, raise or crash."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from speaking import say, seconds_of, sound_of, text_of

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.functions import FunctionTranscriber, FunctionVoice
from rtnb.service.engines.tasks import Transcribe, Transcript
from rtnb.service.engines.user_function import FunctionError, UserFunction

MODULE = """
import os, sys, threading
import numpy as np

def speak(text, voice):
    print("speaking", flush=True)
    if text == "crash":
        os._exit(3)
    if text == "hang":
        open("hanging", "w").close()
        threading.Event().wait()
    if text == "leave":
        sys.exit("enough")
    if text == "pid":
        return np.full(os.getpid() % 30_000 + 1, 100, np.int16), 24_000
    return np.full(22_050, len(voice) * 100, np.int16), 22_050

def transcribe(samples, rate, language):
    return f" {len(samples)} {samples.dtype} at {rate} in {language} "

def keyword_only(*, text, voice): ...

class Model:
    speak = staticmethod(speak)

model = Model()
rate = 5
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a module into the working folder, which is not on the path."""
    name = f"engines_of_test_{os.getpid()}_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return name


def workers() -> set[psutil.Process]:
    return {child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())}


@pytest.fixture
async def voice(module: str) -> AsyncIterator[FunctionVoice]:
    before = workers()
    made = FunctionVoice(f"{module}:speak", seconds=20)
    yield made
    await made.close()
    assert workers() <= before


async def failed(voice: FunctionVoice, text: str) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        _ = [word async for word in voice.run(say(text))]
    return caught.value


async def test_a_function_speaks(voice: FunctionVoice, module: str) -> None:
    """Its samples become words at 24 kHz; what it prints stays off stdout; marks alone do not reach it."""
    await voice.check()
    words = [word async for word in voice.run(say("Hello there, my friend.", "coral"))]
    assert text_of(words) == "Hello there, my friend."
    assert len(words) == 4
    assert seconds_of(words) == pytest.approx(1.0, abs=0.001)
    assert np.median(sound_of(words)) == 500
    assert text_of([word async for word in voice.run(say("…"))]) == "…"
    assert voice.name == f"function {module}:speak"


async def test_a_crash_is_a_failure_and_the_next_call_has_a_new_process(voice: FunctionVoice) -> None:
    """The process that died is replaced, whether it died during a call or between two."""
    others = workers()
    before = sound_of([word async for word in voice.run(say("pid"))])
    crashed = await failed(voice, "crash")
    assert crashed.code == "speaker_crashed"
    assert "next call starts a new process" in crashed.message
    after = sound_of([word async for word in voice.run(say("pid"))])
    assert len(before) != len(after)
    for child in workers() - others:
        child.kill()
        with contextlib.suppress(ChildProcessError):  # its parent has noticed already
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - killed, so it ends
    assert seconds_of([word async for word in voice.run(say("Hello"))]) == pytest.approx(1.0, abs=0.001)


async def test_a_call_that_hangs_is_ended(module: str) -> None:
    """A function that does not return is given up, its process ended, and the next call works."""
    voice = FunctionVoice(f"{module}:speak", seconds=0.2)
    await voice.check()
    assert (await failed(voice, "hang")).code == "speaker_timeout"
    await voice.check()
    await voice.close()


async def test_a_running_call_does_not_keep_the_service_from_closing(module: str, tmp_path: Path) -> None:
    """Closing ends a process in the middle of a call, which fails."""
    voice = FunctionVoice(f"{module}:speak")
    call = asyncio.ensure_future(failed(voice, "hang"))
    while not (tmp_path / "hanging").exists():
        await asyncio.sleep(0)
    await voice.close()
    assert (await call).code == "speaker_crashed"


async def test_what_the_function_raises_is_reported(
    voice: FunctionVoice, module: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An exception, an exit too, is a failure with its words and its line; its traceback goes to stderr, without our frames."""
    failure = await failed(voice, "leave")
    assert failure.code == "speaker_failed"
    assert "SystemExit: enough" in failure.message
    assert f"{module}.py, line 13" in failure.message
    written = capfd.readouterr()
    assert f"{module}.py" in written.err
    assert "user_function.py" not in written.err
    assert written.out == ""


async def test_a_function_transcribes(module: str) -> None:
    """It is given the whole turn, its rate and its language; its text comes back without the spaces around it."""

    async def fed() -> AsyncIterator[np.ndarray]:
        yield np.zeros(100, np.int16)
        yield np.zeros(50, np.int16)

    transcriber = FunctionTranscriber(f"{module}:transcribe")
    found = [each async for each in transcriber.run(Transcribe("de", "", 8_000), fed())]
    assert found == [Transcript("150 int16 at 8000 in de", True)]
    assert transcriber.name == f"function {module}:transcribe"
    await transcriber.close()


async def test_a_function_that_is_not_there_is_refused_at_the_start(module: str) -> None:
    """Before the service listens, with the option and the reason; nothing is left running."""
    for spec, reason in ((f"{module}:speek", "has no 'speek'"), ("no_such_module:speak", "no module 'no_such_module'")):
        voice = FunctionVoice(spec)
        with pytest.raises(ConfigurationError, match=f"--speaker {spec}: .*{reason}"):
            await voice.check()
        await voice.close()


def test_what_can_be_wrong_with_a_function(module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reason says which part of the name is wrong, and which arguments it must take."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{module}_broken.py").write_text("import no_such_library")
    (tmp_path / f"{module}_raising.py").write_text("1 / 0")
    UserFunction(f"{module}:model.speak", ("text", "voice"), str(tmp_path)).check()
    for spec, reason in (
        (f"{module}:rate", "is not a function but int"),
        (f"{module}:keyword_only", r"it must take \(text, voice\)"),
        (f"{module}:transcribe", r"it must take \(text, voice\)"),
        (f"{module}.deeper:speak", "no module"),
        (f"{module}_broken:speak", r"ModuleNotFoundError: No module named 'no_such_library' \(.*_broken.py, line 1\)"),
        (f"{module}_raising:speak", r"ZeroDivisionError: division by zero \(.*_raising.py, line 1\)"),
    ):
        with pytest.raises(FunctionError, match=reason):
            UserFunction(spec, ("text", "voice"), str(tmp_path))


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("None", r"it returned NoneType; return \(samples, rate\)"),
        ("np.zeros(5)", r"return \(samples, rate\)"),
        ("(x for x in ())", "it returned generator; return"),
        ("(np.zeros(5, np.int16), '24k')", "cannot be played: The sample rate"),
        ("(np.full(5, 1e9), 24_000)", "cannot be played: Float samples must lie"),
        ("('abc', 24_000)", "cannot be played: Samples must be numbers"),
        ("(np.zeros(0, np.int16), 24_000)", "no samples"),
        ("(np.zeros((2, 500), np.int16), 24_000)", "array.T"),
    ],
)
def test_a_wrong_return_value_is_explained(
    returned: str, reason: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a speaker must return is said, with what it did return."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{module}_wrong.py").write_text(f"import numpy as np\ndef speak(text, voice): return {returned}")
    with pytest.raises(FunctionError, match=reason):
        UserFunction(f"{module}_wrong:speak", ("text", "voice"), str(tmp_path)).speak("Hello", "alloy")
    (tmp_path / f"{module}_deaf.py").write_text("def transcribe(samples, rate, language): return {'text': ''}")
    deaf = UserFunction(f"{module}_deaf:transcribe", ("samples", "rate", "language"), str(tmp_path))
    with pytest.raises(FunctionError, match="it returned dict; return the text as a str"):
        deaf.transcribe(np.zeros(5, np.int16), 24_000, None)


def test_floats_and_stereo_are_taken_too(module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What models usually give, floats in -1..1 and two channels, becomes mono int16 at 24 kHz."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{module}_float.py").write_text(
        "import numpy as np\ndef speak(text, voice): return np.full((48_000, 2), 0.5, np.float32), 48_000"
    )
    samples = UserFunction(f"{module}_float:speak", ("text", "voice"), str(tmp_path)).speak("Hello", "alloy")
    assert (samples.dtype, samples.shape) == (np.int16, (24_000,))
    assert np.median(samples) == 16_384
