"""`rtnb.client_secret`: one POST to a service, or to an endpoint that plays its answers."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stand_in_endpoints import Start, endpoints, reply

import rtnb
from rtnb.errors import AuthError, ConfigurationError, ConnectError

KEY = "sk-planted-0123456789abcdef"
VALUE = "ek_planted_0123456789abcdef"
GRANTED = {
    "value": VALUE,
    "expires_at": 1_795_600_000,
    "session": {"type": "realtime", "model": "gpt-realtime", "client_secret": {"value": VALUE}},
}


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    async with endpoints() as made:
        yield made


async def ask(start: Start, answer: bytes, **options: Any) -> tuple[Any, Any]:
    """Ask an endpoint for a secret, as a URL of a realtime service; return the secret or the error, and the endpoint."""
    place = await start(answer)
    url = f"ws://127.0.0.1:{place.port}/v1/realtime?model=gpt-realtime"
    try:
        return await asyncio.to_thread(rtnb.client_secret, url, **{"api_key": KEY, **options}), place
    except Exception as error:
        return error, place


async def test_one_post_grants_a_key_of_a_few_minutes(start: Start) -> None:
    """With the settings of its sessions, in GA's nested form; the key goes as the service reads it."""
    secret, place = await ask(start, reply(json.dumps(GRANTED)), expires=60, voice="ash", instructions="Hi")
    assert (secret.value, secret.expires_at) == (VALUE, 1_795_600_000)
    assert secret.session == {"type": "realtime", "model": "gpt-realtime"}
    (head,) = place.heads
    assert head.startswith("POST /v1/realtime/client_secrets HTTP/1.1")
    assert f"authorization: bearer {KEY}" in head.lower()
    assert place.asked == [
        {
            "expires_after": {"anchor": "created_at", "seconds": 60},
            "session": {
                "type": "realtime",
                "model": "gpt-realtime",
                "instructions": "Hi",
                "audio": {"output": {"voice": "ash"}},
            },
        }
    ]


async def test_on_azure_the_deployment_is_the_model_and_the_key_has_its_header(start: Start) -> None:
    """At the resource's own path."""
    place = await start(reply(json.dumps(GRANTED)))
    azure = {"endpoint": place.url, "deployment": "my-gpt", "api_key": KEY}
    await asyncio.to_thread(rtnb.client_secret, "azure", **azure)
    (head,) = place.heads
    assert head.startswith("POST /openai/v1/realtime/client_secrets HTTP/1.1")
    assert f"api-key: {KEY}" in head.lower()
    assert place.asked[0]["session"] == {"type": "realtime", "model": "my-gpt"}


async def test_a_key_for_transcription_sessions(start: Start) -> None:
    """Its settings have what transcribes, and no model beside."""
    _, place = await ask(
        start, reply(json.dumps(GRANTED)), intent="transcription", transcription={"model": "whisper-1"}
    )
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    assert place.asked[0]["session"] == session


async def test_functions_go_as_their_definitions(start: Start) -> None:
    """As `connect` takes them."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    _, place = await ask(start, reply(json.dumps(GRANTED)), tools=[add])
    assert place.asked[0]["session"]["tools"][0]["name"] == "add"


async def test_nothing_but_the_value_shows_the_key(start: Start) -> None:
    """Neither repr, text, page nor the settings."""
    secret, _ = await ask(start, reply(json.dumps(GRANTED)))
    shown = [repr(secret), str(secret), f"{secret}", str(secret.session), *secret._repr_mimebundle_().values()]
    assert not [text for text in shown if VALUE in text or KEY in text]
    assert "until 2026-11-25 09:46:40 UTC" in repr(secret)
    assert "model gpt-realtime" in repr(secret)


async def test_a_key_that_has_expired_says_so(start: Start) -> None:
    """By this computer's clock."""
    secret, _ = await ask(start, reply(json.dumps({**GRANTED, "expires_at": 60})))
    assert secret.seconds_left == 0
    assert "until 1970-01-01 00:01:00 UTC (it has expired)" in repr(secret)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (reply('{"error": {"code": "invalid_api_key", "message": "Wrong key."}}', status=401), AuthError, "Wrong key"),
        (reply('{"error": "no"}', status=403), AuthError, "HTTP 403, no — check that the key, or the role"),
        (reply("<html><title>x</title>", "text/html", status=404), ConnectError, "HTTP 404 — check the address"),
        (
            reply("nothing here", "text/plain", status=405),
            ConnectError,
            "405, nothing here — this server has no client",
        ),
        (
            reply('{"error": {"message": "later"}}', status=503),
            ConnectError,
            "HTTP 503, later — the service is in trouble",
        ),
        (reply("", status=307), ConnectError, "HTTP 307"),
        (reply('{"id": "sess_1"}'), ConnectError, "no client secret in its answer"),
        (reply('{"value": "", "expires_at": 1}'), ConnectError, "no client secret in its answer"),
        (reply("not JSON"), ConnectError, "no client secret in its answer"),
        (b"", ConnectError, "cannot be reached for a client secret"),
    ],
)
async def test_a_refusal_is_one_clear_error(start: Start, answer: bytes, error: type, words: str) -> None:
    """What the service said, and what to do."""
    raised, _ = await ask(start, answer)
    assert type(raised) is error
    assert words in str(raised)


async def test_an_echo_of_the_key_is_taken_out(start: Start) -> None:
    """Of the error's words and its body."""
    raised, _ = await ask(start, reply(json.dumps({"error": {"message": f"Wrong key {KEY}."}}), status=401))
    assert KEY not in f"{raised} {raised.body}"
    assert "[secret]" in str(raised)


async def test_a_service_that_says_nothing_is_not_awaited_for_ever(start: Start) -> None:
    """The timeout is that of `connect`."""

    async def silent(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    place = await start(silent)  # type: ignore[arg-type]
    url = f"ws://127.0.0.1:{place.port}/v1/realtime"
    with pytest.raises(ConnectError, match="granted no client secret within 200 ms"):
        await asyncio.to_thread(rtnb.client_secret, url, api_key=KEY, timeout=0.2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"expires": 5}, "lives 10 to 7,200 seconds"),
        ({"expires": 8000}, "lives 10 to 7,200 seconds"),
        ({"expires": True}, "lives 10 to 7,200 seconds"),
        ({"voise": "ash"}, "Did you mean voice="),
        ({"call_id": "rtc_1"}, "leave call_id= out"),
        ({"intent": "transcription", "voice": "ash"}, "no meaning in a transcription session"),
    ],
)
def test_what_cannot_be_granted_is_refused_before_anything_is_sent(options: Any, words: str) -> None:
    """With the corrected form."""
    with pytest.raises(ConfigurationError, match=words):
        rtnb.client_secret("openai", **{"api_key": KEY, **options})


def test_the_preview_dialect_has_no_client_secrets() -> None:
    """Nothing is started for it, either."""
    with pytest.raises(ConfigurationError, match="preview dialect has no client secrets"):
        rtnb.client_secret("local", dialect="preview")


@pytest.mark.parametrize("kind", [{}, {"intent": "transcription", "transcription": "whisper-1"}])
def test_the_local_service_opens_the_session_that_it_granted(kind: dict[str, str]) -> None:
    """For its own client secret it is named as without one; the repr says ephemeral key, and no key."""
    setting = kind or {"instructions": "Your name is Zoe.", "voice": "marin"}
    secret = rtnb.client_secret("local", **setting)
    with rtnb.connect("local", api_key=secret.value, intent=kind.get("intent")) as session:
        assert "ephemeral key" in repr(session)
        assert secret.value not in repr(session)
        if kind:
            assert session.config["audio"]["input"]["transcription"]["model"] == "whisper-1"
        else:
            assert session.config["instructions"] == "Your name is Zoe."
            assert session.config["audio"]["output"]["voice"] == "marin"


def test_the_local_service_opens_no_session_for_a_key_that_it_did_not_grant() -> None:
    """And says what makes one."""
    with pytest.raises(AuthError, match="POST /v1/realtime/client_secrets makes one — check the key"):
        rtnb.connect("local", api_key="ek_of_someone_else")


def test_the_arguments_are_those_of_connect() -> None:
    """Without what only a session has."""
    asked = inspect.signature(rtnb.client_secret).parameters
    connecting = inspect.signature(rtnb.connect).parameters
    assert set(asked) - set(connecting) == {"expires"}
    assert set(connecting) - set(asked) == {"record", "reconnect", "call_id"}
