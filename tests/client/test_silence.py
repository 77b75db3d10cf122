"""Speech that turn detection does not notice is named, with the figures of what was sent."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from scripted import Ladder, Script, Wire, open_session
from virtual_time import until, virtual_time

from rtnb import AudioClip
from rtnb.errors import ResponseTimeout, ServerError


def quiet(peak: float, seconds: float = 2.0) -> AudioClip:
    """A clip whose greatest sample is `peak` (0..1)."""
    samples = np.zeros(round(24_000 * seconds), np.int16)
    samples[100] = round(peak * 32_767)
    return AudioClip.from_array(samples, 24_000)


async def deaf(answers: dict[str, Any] | None = None, **settings: Any) -> tuple[Any, Script]:
    """Open a session whose turn detection notices nothing."""

    def make(transport: Any) -> Script:
        made = Script(transport, answers={"input_audio_buffer.append": Script.ignore, **(answers or {})})
        made.session["audio"]["input"]["turn_detection"] = {"type": "server_vad", **settings}
        return made

    return await open_session(script=make)


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_silent_clip_is_named_soon() -> None:
    """With its length and its peak; nothing is cancelled, the session lives, and so does the next ask."""
    session, service = await deaf()
    with pytest.raises(ResponseTimeout, match=r"no speech in 2\.0 s, peak 0\.000.*The clip is silent") as caught:
        await session.ask(quiet(0.0), timeout=60.0)
    assert caught.value.waited_for == "input_audio_buffer.speech_started"
    assert caught.value.timeout == 5.0
    assert now() == pytest.approx(5.0)
    assert set(service.types()) == {"input_audio_buffer.append"}
    assert (await session.ask("x")).status == "completed"


@virtual_time
async def test_a_quiet_clip_is_named_at_the_timeout() -> None:
    """It may be speech after all, so there is time for it; what helps is said."""
    session, _ = await deaf()
    with pytest.raises(ResponseTimeout, match=r"no speech in 1\.0 s, peak 0\.010.*lower threshold") as caught:
        await session.ask(quiet(0.01, 1.0), timeout=20.0)
    assert (caught.value.timeout, now()) == (20.0, pytest.approx(20.0))


@virtual_time
async def test_silence_that_the_service_answers_is_waited_for() -> None:
    """With an idle timeout the service answers silence, too."""
    session, _ = await deaf(idle_timeout_ms=6000)
    with pytest.raises(ResponseTimeout, match="no speech"):
        await session.ask(quiet(0.0), timeout=20.0)
    assert now() == pytest.approx(20.0)


@virtual_time
async def test_speech_that_was_noticed_is_not_called_silence() -> None:
    """What is missing then is the response."""

    async def notice(service: Script, heard: Wire) -> None:
        if service.types().count("input_audio_buffer.append") == 1:
            await service.say({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "u"})

    session, _ = await deaf({"input_audio_buffer.append": notice})
    with pytest.raises(ResponseTimeout, match=r"No response\.created within 20"):
        await session.ask(quiet(0.0), timeout=20.0)


@virtual_time
async def test_a_silent_clip_whose_turn_has_not_come_is_not_given_up() -> None:
    """It is looked at again once it was sent."""
    session, service = await deaf()
    turn = Ladder("ga").speech_turn(["Mine."], [bytes(100)])
    await service.say(*turn[:-1])
    await until(lambda: session.conversation.active)
    silent = await session.ask(quiet(0.0), wait=False, timeout=60.0)
    asyncio.get_running_loop().call_later(7.0, lambda: asyncio.ensure_future(service.say(turn[-1])))
    with pytest.raises(ResponseTimeout, match="The clip is silent"):
        await silent
    assert [each.status for each in session.responses] == ["completed"]
    assert now() == pytest.approx(10.0)


@virtual_time
async def test_silence_where_the_client_asks_for_the_response() -> None:
    """Nothing is committed, so nothing is asked for."""
    session, service = await deaf(create_response=False)
    with pytest.raises(ResponseTimeout, match=r"no speech in 2\.0 s, peak 0\.000"):
        await session.ask(quiet(0.0))
    assert "response.create" not in service.types()
    assert now() == pytest.approx(5.0)


@virtual_time
async def test_an_error_explains_more_than_the_silence() -> None:
    """A refused append is the call's error, though it names nothing."""

    async def refuse(service: Script, heard: Wire) -> None:
        if service.types().count("input_audio_buffer.append") == 28:
            await service.say({"type": "error", "error": {"message": "Bad audio."}})

    session, _ = await deaf({"input_audio_buffer.append": refuse})
    with pytest.raises(ServerError, match="Bad audio"):
        await session.ask(quiet(0.0))


@virtual_time
async def test_an_answer_ends_the_watch() -> None:
    """A service that answers silence after all is listened to."""

    async def answer(service: Script, heard: Wire) -> None:
        if service.types().count("input_audio_buffer.append") == 28:
            await service.say(*Ladder("ga").speech_turn(["Hello?"], [bytes(100)]))

    session, _ = await deaf({"input_audio_buffer.append": answer})
    assert (await session.ask(quiet(0.0))).transcript == "Hello?"
