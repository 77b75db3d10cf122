"""connect(): everything is settled before anything is sent, and put together rightly."""

from __future__ import annotations

import inspect
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hostile import scripted

import rtnb
from rtnb.client.loop import loop_thread
from rtnb.client.options import ConnectOptions
from rtnb.connecting import open_session
from rtnb.errors import AuthError, ConfigurationError, SessionClosed
from rtnb.local import local_service

KEY = "sk-planted-0123456789abcdef"


OPTIONS = [
    *("target", "model", "deployment", "endpoint", "api_key", "credential", "api_version", "dialect"),
    *("scope", "intent", "call_id", "headers", "query", "record", "timeout", "reconnect", "config"),
]


@pytest.mark.parametrize(("connect", "returns"), [(rtnb.connect, "Session"), (rtnb.connect_async, "Opening")])
def test_both_forms_show_the_same_arguments(connect: Any, returns: str) -> None:
    """To completion and to ``?``: names, kinds, defaults, and the documentation of each."""
    signature = inspect.signature(connect)
    assert list(signature.parameters) == OPTIONS
    assert signature.parameters == inspect.signature(ConnectOptions).parameters
    assert signature.parameters["timeout"].default == 30.0
    assert signature.parameters["config"].kind is inspect.Parameter.VAR_KEYWORD
    assert str(signature.return_annotation) == returns
    documented = inspect.getdoc(connect) or ""
    assert documented.startswith("Open a")
    assert documented.count("Parameters\n-------") == 1
    for name in OPTIONS:
        assert re.search(rf"^(\*\*|[\w, ]*\b){name}\b", documented, re.MULTILINE), name
    assert (documented.find("Parameters\n---") < documented.find("Raises\n---")) == (returns == "Session")


def test_a_wrong_way_of_calling_is_refused_as_for_any_function() -> None:
    """All but the target are named."""
    with pytest.raises(TypeError, match="positional"):
        rtnb.connect("local", "gpt-realtime")  # type: ignore[call-arg, arg-type]


def test_options_show_no_secret() -> None:
    """Nor a target, which may hold one in its query."""
    options = ConnectOptions(f"wss://h/v1/realtime?api-key={KEY}", api_key=KEY, credential=KEY, voice="ash")
    assert KEY not in repr(options)
    assert (options.timeout, options.reconnect, options.config) == (30.0, False, {"voice": "ash"})


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"target": "azure"}, "AZURE_OPENAI_ENDPOINT"),
        ({"voise": "ash"}, "Did you mean voice=?"),
        ({"modalities": ["text", "audio"]}, "output_modalities=['audio']"),
        ({"temperature": 0.8}, "dialect='preview'"),
        ({"target": "ws://127.0.0.1:1/v1/realtime", "record": "/no/such/folder/x.jsonl"}, "make it first"),
        ({"target": "ws://127.0.0.1:1/v1/realtime", "api_key": "two words"}, "copy it again"),
        ({"target": "ws://127.0.0.1:1/v1/realtime", "credential": "text"}, "DefaultAzureCredential()"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_sent(arguments: dict[str, Any], hint: str) -> None:
    """With the corrected form; nothing listens there, so whatever was sent would fail otherwise."""
    with pytest.raises(ConfigurationError) as caught:
        rtnb.connect(**arguments)
    assert hint in str(caught.value)


async def test_an_opening_says_what_it_is() -> None:
    """And opens nothing until it is awaited."""
    assert "await it" in repr(rtnb.connect_async("ws://127.0.0.1:1/v1/realtime"))


async def test_a_recording_is_written_as_it_comes(tmp_path: Path) -> None:
    """Every row, lossless; the key is not in it; an existing file is not overwritten."""
    path = tmp_path / "lesson.rtnb.jsonl"
    async with scripted() as (url, _):
        async with rtnb.connect_async(url, api_key=KEY, record=path) as session:
            await session.ask("x")
            assert len(rtnb.open(path).timeline) == len(session.timeline)
            await session.send({"type": "x", "key": KEY})
        with pytest.raises(ConfigurationError, match="is there already"):
            await rtnb.connect_async(url, record=path)
    again = rtnb.open(path)
    assert [event.raw for event in again.timeline] == [event.raw for event in session.timeline]
    assert again.timeline[-1].type == "close"
    assert again.responses[0].transcript == "Of course!"
    assert KEY not in path.read_text()
    assert not hasattr(os, "getuid") or path.stat().st_size > 1000


async def test_the_credential_reaches_the_service_and_only_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the environment belongs to its own service; one that is given is sent as a bearer."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    given = "sk-given-0123456789"
    async with scripted() as (url, scripts), rtnb.connect_async(url), rtnb.connect_async(url, api_key=given):
        first, second = (script.transport.headers for script in scripts)
        assert KEY not in str(first) + str(second)
        assert second["Authorization"] == f"Bearer {given}"
        assert "Authorization" not in first


async def test_the_users_own_headers_and_query_reach_the_service_and_are_shown_nowhere(tmp_path: Path) -> None:
    """Not in repr, summary, log, file or problems, though the service repeats them."""
    secrets = {"team": "planted-team-0123456789", "id": "planted-id-0123456789"}
    async with scripted() as (url, scripts):
        session = await rtnb.connect_async(
            url,
            headers={"OpenAI-Safety-Identifier": secrets["id"]},
            query={"team": secrets["team"]},
            record=tmp_path / "x.rtnb.jsonl",
        )
        wire = scripts[0].transport
        assert wire.headers["OpenAI-Safety-Identifier"] == secrets["id"]
        assert f"team={secrets['team']}" in wire.socket.request.path
        said = f"you are {secrets['id']} of {secrets['team']}"
        await wire.say({"type": "error", "error": {"message": said}})
        await session.wait_for("error")
        shown = [repr(session), str(session.summary()), str(session._repr_mimebundle_()), *session.problems]
        shown += [str(event.raw) for event in session.timeline]
        await session.close()
    shown.append((tmp_path / "x.rtnb.jsonl").read_text())
    assert not any(secret in text for secret in secrets.values() for text in shown)
    assert "[secret]" in shown[-1]


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 12, 1), []),
        (date(2026, 12, 5), ["gpt-realtime"]),
        (date(2027, 3, 25), ["gpt-realtime", "whisper-1"]),
    ],
)
async def test_a_model_that_ends_soon_is_among_the_problems(today: date, told: list[str]) -> None:
    """On Azure by Azure's dates; the model of the session and that of its transcription."""
    async with scripted() as (url, _):
        options = ConnectOptions(
            "azure",
            endpoint=url.partition("/v1/")[0].replace("ws:", "http:"),
            deployment="gpt-realtime",
            api_key=KEY,
            transcription={"model": "whisper-1"} if "whisper-1" in told else None,
        )
        session = await loop_thread().acall(open_session(options, lambda: today))
        ending = [problem for problem in session.problems if "shut down" in problem]
        assert len(ending) == len(told)
        assert all(f"the model {name} " in problem for name, problem in zip(told, ending, strict=True))
        await session.close()


async def test_a_failing_credential_is_reported_before_anything_is_dialled() -> None:
    """AuthError with advice."""

    def fail() -> str:
        raise RuntimeError("not signed in")

    with pytest.raises(AuthError, match=r"not signed in.*az login"):
        await rtnb.connect_async("azure", endpoint="https://n.openai.azure.com", deployment="d", credential=fail)


@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_the_local_service_needs_nothing(dialect: str) -> None:
    """Started when it is first wanted, reused, and a turn is held in either dialect."""
    with rtnb.connect(dialect=dialect, output_modalities=["text"]) as session:
        r = session.ask("Hello")
        assert r.status == "completed"
        assert r.text
        assert session.problems == []
        assert "the local service" in repr(session)
        assert session.endpoint.url.startswith(local_service().url)


def test_a_session_says_what_its_service_does_not_imitate() -> None:
    """Where it was asked for, at connect or later: in the repr, in both forms, and in what configure returns."""
    with rtnb.connect("local", tracing="auto", turn_detection=None) as session:
        assert "not imitated here: tracing;" in repr(session)
        configured = session.configure(noise_reduction={"type": "near_field"}, truncation="auto")
        assert configured
        assert set(configured.not_imitated) == {"audio.input.noise_reduction"}
        assert "not imitated here: audio.input.noise_reduction and tracing;" in repr(session)
        assert "not imitated here" in session._repr_mimebundle_()["text/html"]
        session.configure(turn_detection="semantic_vad")
        three = "audio.input.noise_reduction, audio.input.turn_detection.type and tracing;"
        assert f"not imitated here: {three}" in repr(session)
    with rtnb.connect("local", turn_detection=None) as session:
        assert "not imitated" not in repr(session)


@pytest.mark.parametrize("reconnect", [False, True])
async def test_a_lost_session_is_resumed_by_itself_if_that_is_wanted(reconnect: bool) -> None:
    """Tools given as functions, settings and recording go on; without it, by hand only."""

    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    async with scripted() as (url, scripts):
        session = await rtnb.connect_async(url, reconnect=reconnect, tools=[add], instructions="Hi")
        await session.ask("x")
        scripts[0].transport.socket.transport.abort()
        if reconnect:
            assert (await session.wait_for("resume")).type == "resume"
        else:
            with pytest.raises(SessionClosed):
                await session.wait_for("resume")
            await session.resume()
        assert (await session.ask("y")).status == "completed"
        assert scripts[1].session["tools"][0]["name"] == "add"
        assert scripts[1].session["instructions"] == "Hi"
        await session.close()


async def test_a_function_that_cannot_be_a_tool_is_refused_before_anything_is_sent() -> None:
    """Nothing listens there."""

    def untyped(x): ...  # type: ignore[no-untyped-def]

    with pytest.raises(ConfigurationError, match="type hint"):
        await rtnb.connect_async("ws://127.0.0.1:1/v1/realtime", tools=[untyped])
