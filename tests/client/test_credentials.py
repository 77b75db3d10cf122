"""Credentials: fresh for each attempt, fetched off the loop, never shown."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from rtnb.client.credentials import SECRET, ApiKey, EntraToken, NoCredential, credential_for
from rtnb.client.endpoint import resolve
from rtnb.client.options import ConnectOptions
from rtnb.errors import AuthError, ConfigurationError
from rtnb.protocol.dialects import GA, PREVIEW

KEY = "sk-planted/0123456789+abcdef=="


class FakeCredential:
    """Shaped like azure-identity's: a new token each time; remembers scopes and threads."""

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.threads: list[threading.Thread] = []

    def get_token(self, *scopes: str, **_: Any) -> Any:
        self.scopes += scopes
        self.threads.append(threading.current_thread())
        return SimpleNamespace(token=f"planted-token-{len(self.scopes)}", expires_on=int(time.time()) + 3600)


class AsyncCredential(FakeCredential):
    async def get_token(self, *scopes: str, **_: Any) -> Any:
        await asyncio.sleep(0)
        return super().get_token(*scopes)


async def test_a_key_goes_into_the_header_that_the_service_reads() -> None:
    """`api-key` on Azure, a bearer elsewhere."""
    assert await ApiKey(KEY, "api-key").headers() == {"api-key": KEY}
    assert await ApiKey(f" {KEY}\n", "Authorization").headers() == {"Authorization": f"Bearer {KEY}"}
    assert await NoCredential().headers() == {}


@pytest.mark.parametrize("bad", ["", "  ", "a b", "“key”", "key\x00", "ключ"])
def test_what_cannot_be_a_key_is_refused(bad: str) -> None:
    """Copied with something around it; the message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        ApiKey(bad, "api-key")
    assert "copy it again" in str(caught.value)
    assert not bad.strip() or bad not in str(caught.value)


@pytest.mark.parametrize("make", [FakeCredential, AsyncCredential])
async def test_a_fresh_token_for_each_attempt(make: type[FakeCredential]) -> None:
    """Sync and async credentials alike; the scope is the one that was asked for."""
    source = make()
    credential = EntraToken(source, "scope/.default")
    assert await credential.headers() == {"Authorization": "Bearer planted-token-1"}
    assert await credential.headers() == {"Authorization": "Bearer planted-token-2"}
    assert source.scopes == ["scope/.default"] * 2


async def test_a_token_is_fetched_off_the_loop() -> None:
    """A slow credential must not stop the reader."""
    source = FakeCredential()
    await EntraToken(source, "s").headers()
    assert source.threads[0] is not threading.current_thread()


async def test_token_providers_are_taken_too() -> None:
    """A function that returns a token, sync or async."""

    async def later() -> str:
        return "planted-token-b"

    assert await EntraToken(lambda: "planted-token-a", "s").headers() == {"Authorization": "Bearer planted-token-a"}
    assert await EntraToken(later, "s").headers() == {"Authorization": "Bearer planted-token-b"}
    assert "token provider" in EntraToken(later, "s").words
    assert "FakeCredential" in EntraToken(FakeCredential(), "s").words


async def test_a_failing_credential_says_what_to_do() -> None:
    """AuthError with the reason and advice, and no chain of somebody else's frames."""

    def fail() -> str:
        raise RuntimeError("az: not logged in")

    with pytest.raises(AuthError) as caught:
        await EntraToken(fail, "scope/.default").headers()
    for words in ("az: not logged in", "az login", "api_key=", "scope/.default"):
        assert words in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("value", [None, 7, "", "  ", b"token", SimpleNamespace(token=None)])
async def test_what_is_no_token_is_refused(value: Any) -> None:
    """Named by its type, not by its value."""
    with pytest.raises(AuthError, match="where a token was expected"):
        await EntraToken(lambda: value, "s").headers()


@pytest.mark.parametrize("value", ["a key", 7, object()])
def test_what_is_no_credential_is_refused(value: Any) -> None:
    """With what to write instead."""
    with pytest.raises(ConfigurationError, match=r"credential=DefaultAzureCredential\(\)"):
        EntraToken(value, "s")


@pytest.mark.parametrize(
    ("dialect", "scope"),
    [(GA, "https://ai.azure.com/.default"), (PREVIEW, "https://cognitiveservices.azure.com/.default")],
)
async def test_the_scope_is_the_dialects(dialect: Any, scope: str) -> None:
    """As Microsoft's samples of each time have it."""
    source = FakeCredential()
    endpoint, key = resolve(
        ConnectOptions(
            "azure", deployment="d", endpoint="https://n.openai.azure.com", credential=source, dialect=dialect
        ),
        {},
    )
    await credential_for(endpoint, key, source).headers()
    assert source.scopes == [scope]


async def test_an_ephemeral_key_and_a_token_are_bearers_on_azure_too() -> None:
    """As `client_secrets` and Entra ID hand them out; the words say which it is."""
    azure = {"AZURE_OPENAI_ENDPOINT": "https://n.openai.azure.com", "AZURE_OPENAI_DEPLOYMENT_NAME": "d"}
    for key, words in (("ek_planted0123456789", "ephemeral key"), ("eyJhbGciOiJ.eyJhdWQiOiJ.c2ln", "bearer token")):
        endpoint, used = resolve(ConnectOptions(api_key=key), azure)
        credential = credential_for(endpoint, used, None)
        assert await credential.headers() == {"Authorization": f"Bearer {key}"}
        assert credential.words == words


async def test_a_sovereign_clouds_authority_reaches_the_default_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity asks the public cloud by itself, which knows no account of another."""
    import azure.identity

    made: list[dict[str, Any]] = []

    class Default(FakeCredential):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            made.append(options)

    monkeypatch.setattr(azure.identity, "DefaultAzureCredential", Default)
    for host in ("n.openai.azure.us", "n.openai.azure.com"):
        endpoint, key = resolve(ConnectOptions("azure", endpoint=f"https://{host}", deployment="d"), {})
        await credential_for(endpoint, key, None).headers()
    assert made == [{"authority": "login.microsoftonline.us"}, {}]


async def test_the_users_own_headers_go_with_every_kind_of_credential() -> None:
    """Before one of the same name, in any case; none is shown, and an echo of any is taken out."""
    own = {"X-Team": "planted-team-0123", "AUTHORIZATION": "Bearer planted-bearer-0123"}
    for credential, rest in (
        (NoCredential(own=own), {}),
        (ApiKey(KEY, "api-key", own=own), {"api-key": KEY}),
        (ApiKey(KEY, "Authorization", own=own), {}),
        (EntraToken(FakeCredential(), "s", own=own), {}),
    ):
        assert await credential.headers() == {**rest, **own}
        assert "planted" not in repr(credential)
        for echo in (b"planted-team-0123", b"planted-bearer-0123", b"Bearer planted-bearer-0123"):
            assert b"planted" not in credential.scrub(b"you sent " + echo)


def test_an_echo_of_the_url_is_taken_out_as_it_was_spelled() -> None:
    """With its percent signs."""
    secret = "planted/key+with=signs"
    endpoint, key = resolve(ConnectOptions(f"wss://h/v1/realtime?ticket-key={quote(secret, safe='')}"), {})
    credential = credential_for(endpoint, key, None)
    for echo in (secret, quote(secret), quote(secret, safe="")):
        assert credential.scrub(f"?x={echo}&".encode()) == b"?x=" + SECRET + b"&"


def test_the_credential_that_an_endpoint_was_resolved_to() -> None:
    """Key, Entra ID, the key in the URL, or none."""
    azure = {"AZURE_OPENAI_ENDPOINT": "https://n.openai.azure.com", "AZURE_OPENAI_DEPLOYMENT_NAME": "d"}
    for request, environ, words in (
        (ConnectOptions(api_key=KEY), azure, "API key"),
        (ConnectOptions(), azure, "Entra ID (DefaultAzureCredential)"),
        (ConnectOptions(), {}, "no credential"),
        (ConnectOptions(f"wss://h/v1/realtime?api-key={KEY.replace('+', '%2B')}"), {}, "key in the URL"),
    ):
        endpoint, key = resolve(request, environ)
        made = credential_for(endpoint, key, None)
        assert made.words == words
        assert KEY not in repr(made)


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        json.dumps(KEY)[1:-1],
        KEY.replace("/", "\\/"),
        "".join(f"\\u{ord(each):04x}" for each in KEY),
        "".join(f"\\u{ord(each):04X}" for each in KEY),
        KEY[:5] + "\\u0061" + KEY[6:] if KEY[5] == "a" else KEY,
        f"Bearer {KEY}",
    ],
)
def test_an_echo_is_taken_out_however_it_is_escaped(echo: str) -> None:
    """Once the frame is read, nothing of the key is in it."""
    frame = f'{{"type":"error","error":{{"message":"bad key {echo}, \\u0041"}}}}'.encode()
    clean = ApiKey(KEY, "api-key").scrub(frame)
    assert KEY not in json.loads(clean)["error"]["message"]
    assert SECRET in clean
    assert json.loads(clean)["error"]["message"].endswith(", A")


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    """Byte for byte."""
    frame = b'{"type":"x","text":"sk-planted \\u0041"}'
    assert ApiKey(KEY, "api-key").scrub(frame) is frame
    assert NoCredential().scrub(frame) is frame


def test_a_short_word_is_no_secret() -> None:
    """A server of one's own may take 'none'; taking that out would garble the log."""
    frame = b'{"type":"response.output_text.delta","delta":"none"}'
    for word in ("none", "delta", "response"):
        assert ApiKey(word, "Authorization").scrub(frame) == frame


async def test_every_token_that_was_given_out_is_remembered() -> None:
    """The token of the first attempt, too."""
    credential = EntraToken(FakeCredential(), "s")
    await credential.headers()
    await credential.headers()
    assert credential.scrub(b"planted-token-1 planted-token-2") == SECRET + b" " + SECRET
