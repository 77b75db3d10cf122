"""`rtnb.connect("local", …)`: how the local service behaves is said where one connects."""

from __future__ import annotations

from dataclasses import fields

import pytest

import rtnb
from rtnb.errors import AuthError, ConfigurationError, ConnectError, SessionClosed
from rtnb.local import OPTION_WORDS, local_service
from rtnb.protocol.config import SESSION_SETTINGS
from rtnb.service.server.options import ServiceOptions


def test_a_service_for_each_way_to_behave():
    """The same options lead to the same process, however they are written; others, and none, to one of their own."""
    plain, same = local_service(), local_service(ServiceOptions())
    faulty = local_service(ServiceOptions(faults={"delay_ms": 1}))
    assert plain is same
    assert faulty is local_service(ServiceOptions(faults="delay_ms=1"))
    assert faulty is not plain
    faulty.stop()
    again = local_service(ServiceOptions(faults="delay_ms=1"))
    assert again.running
    assert again is not faulty


def test_every_option_of_the_service_can_be_given_where_one_connects():
    """Under a name of its own, which is no setting of the session."""
    assert sorted(OPTION_WORDS.values()) == sorted(each.name for each in fields(ServiceOptions))
    assert not OPTION_WORDS.keys() & SESSION_SETTINGS
    assert OPTION_WORDS["pace"] == "speed"


def test_a_drop_in_the_middle_of_an_answer():
    """The one line of a teacher: the answer ends with what was lost, and the log has what came."""
    with rtnb.connect("local", faults={"drop_after": 9}) as session:
        with pytest.raises(SessionClosed):
            session.ask("Count from one to sixty.").audio  # noqa: B018
        assert len(session.timeline.select(direction="received")) >= 9


@pytest.mark.parametrize(("status", "error"), [(401, AuthError), (429, ConnectError), (503, ConnectError)])
def test_a_refused_handshake_is_reported(status, error):
    """A refusal is the error that the cloud's would be, with its status."""
    with pytest.raises(error) as refused:
        rtnb.connect("local", faults=f"refuse={status}")
    assert refused.value.status == status


def test_a_retired_dialect_is_reported():
    """A preview session is turned away with what to do; the message names the other dialect."""
    with pytest.raises(ConnectError, match="dialect='ga'"):
        rtnb.connect("local", dialect="preview", faults="retire_preview")


def test_what_the_recogniser_wants_told_reaches_the_session():
    """An unknown word of phrases= is a problem of each session from the start; 8 kHz is one when the input first has it."""
    pytest.importorskip("pocketsphinx")
    with rtnb.connect("local", phrases=["The zxqvw is open."]) as session:
        (problem,) = session.problems
        assert "has no 'zxqvw'" in problem
        session.configure(input_format="g711_ulaw")
        assert session.problems == [problem]
    with rtnb.connect("local") as session:
        assert session.problems == []
        for encoding in ("g711_ulaw", "pcm16", "g711_alaw"):
            session.configure(input_format=encoding)
        (problem,) = session.problems
        assert "8 kHz" in problem
        assert "phrases=" in problem


def test_the_seed_makes_sessions_repeatable():
    """Two services with one seed give their first sessions the same id, another seed another."""
    services = [rtnb.ServiceProcess.start(seed=seed) for seed in (7, 7, 8)]
    ids = []
    for service in services:
        with service, rtnb.connect(service.url) as session:
            ids.append(session.id)
    assert ids[0] == ids[1] != ids[2]


async def test_options_of_an_async_session():
    """connect_async takes the same options."""
    async with rtnb.connect_async("local", faults="unknown_event_after=1") as session:
        await session.ask("Say hello.")
        assert len(session.timeline.select(type="rtnb.fault.*")) == 1


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("faults", {"faults": "drop_after=1"}),
        ("seed", {"seed": 3}),
        ("pace", {"pace": 0}),
        ("chat", {"chat": "http://127.0.0.1:1", "chat_model": "m"}),
        ("expire_in", {"expire_in": 5}),
    ],
)
def test_other_services_have_no_such_options(word, options):
    """For another target an option is refused before anything is sent, with what to write."""
    with pytest.raises(ConfigurationError, match=rf"rtnb\.connect\('local', {word}=…\)"):
        rtnb.connect("openai", api_key="sk-planted-key-4711", **options)


@pytest.mark.parametrize("words", [{"faults": "nonsense"}, {"pace": -1}, {"chat_model": "m"}, {"expire_in": -2}])
def test_an_impossible_option_starts_nothing(words):
    """What cannot be is refused at once."""
    with pytest.raises(ConfigurationError):
        rtnb.connect("local", **words)


@pytest.mark.parametrize(
    ("word", "meant"), [("fault", "faults"), ("expires_in", "expire_in"), ("chatmodel", "chat_model")]
)
def test_a_word_that_is_almost_an_option(word, meant):
    """What was probably meant is said."""
    with pytest.raises(ConfigurationError, match=f"Did you mean {meant}=") as refused:
        rtnb.connect("local", **{word: "x"})
    assert word in str(refused.value)


def test_settings_of_the_session_stay_settings():
    """speed= is how fast the voice speaks, in the session, as for every service; it is not the service's pace."""
    with rtnb.connect("local", speed=1.2, pace=0) as session:
        assert session.config["audio"]["output"]["speed"] == 1.2


def test_a_script_of_ones_own_answers(tmp_path):
    """A lesson or a test double is one file: its sentences are spoken, its failures reach the caller, its mistakes have a line."""
    lesson = tmp_path / "lesson.toml"
    lesson.write_text(
        '[[rule]]\nmatch = "capital of {country}"\nsay = "Which city of {country} is it?"\n'
        '[[rule]]\nmatch = "break"\nfail = { code = "server_error", message = "Overloaded." }\n'
    )
    with rtnb.connect("local", script=lesson) as session:
        assert session.ask("What is the capital of France?").transcript == "Which city of France is it?"
        failed = session.ask("Break, please.")
        assert (failed.status, failed.error and failed.error.code) == ("failed", "server_error")
        assert "Overloaded." in str(failed.error)
        assert session.ask("What is 2 + 2?").transcript == "2 plus 2 is 4."
        lesson.write_text('[[rule]]\nmatch = "capital"\nsay = "Rome."\n')
        assert session.ask("And the capital of Italy?").transcript == "Rome."
    lesson.write_text('[[rule]]\nmatch = "capital"\nsai = "Rome."\n')
    with pytest.raises(ConfigurationError, match=r'lesson\.toml, line 3: .* did you mean "say"'):
        rtnb.connect("local", script=lesson)
