"""Client secrets: what is granted, refused, kept and forgotten; and where a request may bring one."""

from __future__ import annotations

import json

import pytest
from openai.types.realtime import ClientSecretCreateResponse

from rtnb.service.server.client_secrets import ClientSecrets, client_secret_of
from rtnb.service.session.error_events import InvalidRequest

NOW = 1_800_000_000


class Clock:
    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def secrets(clock):
    return ClientSecrets(clock)


def grant(secrets, **body):
    return secrets.grant(json.dumps(body).encode())


@pytest.mark.parametrize(
    "session",
    [
        {
            "type": "realtime",
            "instructions": "Be brief.",
            "audio": {"output": {"voice": "verse"}},
            "model": "gpt-realtime",
        },
        {"type": "realtime", "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}]},
        {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1", "language": "de"}}}},
    ],
)
def test_an_answer_is_as_the_official_types_have_it(secrets, session):
    """Value, expiry and the whole session, with what was asked for in it."""
    answer = grant(secrets, expires_after={"anchor": "created_at", "seconds": 60}, session=session)
    model = ClientSecretCreateResponse.model_validate(json.loads(json.dumps(answer)), strict=True)
    assert model.value.startswith("ek_")
    assert model.expires_at == NOW + 60
    assert model.session.type == session["type"]
    assert not model.model_extra
    assert not model.session.model_extra
    for key in ("instructions", "model"):
        assert answer["session"].get(key) == session.get(key, answer["session"].get(key))


def test_what_was_asked_is_what_is_found(secrets, clock):
    """A key gives its own settings, as often as it is used, until it expires; then it is forgotten."""
    keys = [grant(secrets, session={"type": "realtime", "instructions": text})["value"] for text in ("one", "two")]
    assert [secrets.find(key).session["instructions"] for key in keys] == ["one", "two"]
    assert not secrets.find(keys[0]).transcribes
    clock.now += 599
    assert secrets.find(keys[0]) is not None
    clock.now += 1
    assert secrets.find(keys[0]) is None
    clock.now -= 1
    assert secrets.find(keys[0]) is None
    assert secrets.find("ek_unknown") is None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"session": null, "expires_after": null}'])
def test_nothing_asked_is_a_usual_session_for_ten_minutes(secrets, body):
    """Without a body there is a realtime session."""
    answer = secrets.grant(body)
    assert answer["expires_at"] == NOW + 600
    assert answer["session"]["type"] == "realtime"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_event", None),
        (b"[]", "invalid_event", None),
        (b'{"seconds": 3}', "unknown_parameter", "seconds"),
        (b'{"expires_after": 60}', "invalid_type", "expires_after"),
        (b'{"expires_after": {"seconds": 9}}', "integer_below_min_value", "expires_after.seconds"),
        (b'{"expires_after": {"seconds": 7201}}', "integer_above_max_value", "expires_after.seconds"),
        (b'{"expires_after": {"seconds": 60.5}}', "invalid_type", "expires_after.seconds"),
        (b'{"expires_after": {"anchor": "now"}}', "invalid_value", "expires_after.anchor"),
        (b'{"expires_after": {"minutes": 1}}', "unknown_parameter", "expires_after.minutes"),
        (b'{"session": {"instructions": "x"}}', "missing_required_parameter", "session.type"),
        (b'{"session": []}', "invalid_type", "session"),
        (b'{"session": {"type": "translation"}}', "invalid_value", "session.type"),
        (b'{"session": {"type": "realtime", "model": 3}}', "invalid_type", "session.model"),
        (b'{"session": {"type": "realtime", "voice": "verse"}}', "unknown_parameter", "session.voice"),
        (b'{"session": {"type": "realtime", "instructions": 3}}', "invalid_type", "session.instructions"),
    ],
)
def test_what_is_wrong_is_named(secrets, body, code, param):
    """Each fault has the code and the path of the field, as in a session."""
    with pytest.raises(InvalidRequest) as refused:
        secrets.grant(body)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_a_thousand_grants_are_kept(secrets):
    """A client that asks for keys without end does not fill the memory: the oldest go."""
    first = grant(secrets)["value"]
    keys = [grant(secrets)["value"] for _ in range(1_000)]
    assert secrets.find(first) is None
    assert all(map(secrets.find, keys))
    assert len(set(keys)) == 1_000


def test_a_grant_does_not_show_its_settings(secrets):
    """Instructions may hold what is nobody's business; the repr has none of them."""
    key = grant(secrets, session={"type": "realtime", "instructions": "planted"})["value"]
    assert "planted" not in repr(secrets.find(key))
    assert key not in repr(secrets)


@pytest.mark.parametrize(
    ("target", "headers", "key"),
    [
        ("/v1/realtime", {"Authorization": "Bearer ek_1"}, "ek_1"),
        ("/v1/realtime", {"authorization": "bearer  ek_1 "}, "ek_1"),
        ("/v1/realtime", {"Authorization": "Bearer sk-1"}, ""),
        ("/v1/realtime", {"Authorization": "ek_1"}, ""),
        ("/v1/realtime", {"api-key": "ek_1"}, "ek_1"),
        ("/v1/realtime?api-key=ek_1", {}, "ek_1"),
        ("/v1/realtime", {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.ek_1"}, "ek_1"),
        ("/v1/realtime", {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.sk_1"}, ""),
        ("/v1/realtime", {}, ""),
    ],
)
def test_where_a_key_may_be(target, headers, key):
    """As Bearer, as api-key in a header or the query, and among a browser's subprotocols; other keys are none."""
    assert client_secret_of(target, headers) == key
