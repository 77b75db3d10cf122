"""The conversation as a pure reducer: golden event sequences in, items and responses out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Ladder, Wire, error, session
from wire_conversation import WireConversation

from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event
from rtnb.protocol.names import GA_NAME, Kind, Local
from rtnb.timeline import Timeline

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


@dialects
def test_text_in_text_out(dialect: str) -> None:
    """Section 3a: deltas join to the text; the response completes with its usage."""
    told = WireConversation().take(
        {"type": "session.created", "session": session(dialect)}, *Ladder(dialect).text_turn(["Of", " course", "!"])
    )
    assert told.only.status == "completed"
    assert told.said() == "Of course!"
    assert told.only.usage is not None
    assert told.only.usage["total_tokens"] == 82
    assert list(told.items) == ["item_2"]
    assert told.items["item_2"] is told.only.items["item_2"]
    assert told.oddities == []
    assert told.session_id == "sess_script"


@dialects
def test_text_in_audio_out(dialect: str) -> None:
    """Section 3b: transcript and audio are assembled apart, in order, once."""
    told = WireConversation().take(*Ladder(dialect).speech_turn(["How", " are", " you?"], [b"\1\0" * 10, b"\2\0" * 10]))
    assert told.said() == "How are you?"
    assert told.sound() == b"\1\0" * 10 + b"\2\0" * 10
    assert told.only.status == "completed"
    assert told.oddities == []


@dialects
def test_a_function_call(dialect: str) -> None:
    """Section 3e: name, call id and joined arguments."""
    told = WireConversation().take(*Ladder(dialect).function_turn("weather", ['{"city":', ' "Oslo"}']))
    (item,) = told.only.items.values()
    assert (item.type, item.name, item.call_id) == ("function_call", "weather", "call_1")
    assert json.loads(item.arguments) == {"city": "Oslo"}
    assert told.oddities == []


@dialects
def test_a_cancelled_response(dialect: str) -> None:
    """Section 3f: what was said stays, the status and the reason are the service's."""
    told = WireConversation().take(*Ladder(dialect).cancelled_turn(["Of", " course"], [bytes(4800)]))
    assert (told.only.status, told.only.reason) == ("cancelled", "client_cancelled")
    assert told.said() == "Of course"
    assert len(told.sound()) == 4800
    assert told.active is None


@dialects
def test_out_of_band_responses_run_beside_the_default_one(dialect: str) -> None:
    """Section 3h: keyed by response, never mixed, not in the conversation's way, metadata kept."""
    default = Ladder(dialect).text_turn(["A", "B"])
    aside = Ladder(dialect, response="resp_x", item="item_x", conversation_id=None, metadata={"topic": "x"}).text_turn(
        ["x", "y"]
    )
    aside = [event for event in aside if not event["type"].startswith("conversation.")]
    told = WireConversation()
    for pair in zip(aside, default, strict=False):
        told.take(*pair)
        assert told.active is None or told.active.id == "resp_1"
    told.take(*default[len(aside) :])
    assert told.responses["resp_1"].items["item_2"].text == "AB"
    assert told.responses["resp_x"].items["item_x"].text == "xy"
    assert told.responses["resp_x"].metadata == {"topic": "x"}
    assert list(told.items) == ["item_2"]


@dialects
def test_settings_are_ga_nested_in_both_dialects(dialect: str) -> None:
    """`session.created` and `session.updated` merge into one tree."""
    told = WireConversation().take({"type": "session.created", "session": session(dialect)})
    assert told.config["audio"]["output"]["voice"] == "verse"
    assert told.config["output_modalities"] == ["audio"]
    assert told.config["audio"]["input"]["turn_detection"] is None
    change = {"voice": "ash"} if dialect == "preview" else {"audio": {"output": {"voice": "ash"}}}
    told.take({"type": "session.updated", "session": change})
    assert told.config["audio"]["output"]["voice"] == "ash"
    assert told.config["instructions"] == "Be kind."


@dialects
def test_the_format_in_effect_is_the_audios(dialect: str) -> None:
    """G.711 is read as G.711, and a change of settings does not reach back."""
    change: Wire = {"output_audio_format": "g711_ulaw"}
    if dialect == "ga":
        change = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    told = WireConversation().take(
        {"type": "session.created", "session": session(dialect)}, {"type": "session.updated", "session": change}
    )
    told.take(*Ladder(dialect).speech_turn(["a"], [bytes(800)]))
    (part,) = told.only.items["item_2"].content.values()
    assert part.format.name == "g711_ulaw"
    told.take({"type": "session.updated", "session": session(dialect)})
    assert part.format.name == "g711_ulaw"


def test_the_request_that_a_response_answers() -> None:
    """Requests are answered in order; a refused one is nobody's."""
    told = WireConversation()
    told.take(
        {"type": "response.create", "event_id": "event_a"},
        {"type": "response.create", "event_id": "event_b"},
        direction=SENT,
    )
    told.take(error("conversation_already_has_active_response", "…", "event_a"))
    told.take(*Ladder("ga").text_turn(["x"]))
    assert (told.only.request_id, told.only.requested_t) == ("event_b", 1.0)


def test_a_response_that_the_service_began_by_itself_loses_a_refused_request() -> None:
    """The service's own response came first, then the refusal of ours."""
    told = WireConversation().take({"type": "response.create", "event_id": "event_a"}, direction=SENT)
    told.take(Ladder("ga").created(), error("conversation_already_has_active_response", "…", "event_a"))
    assert told.only.request_id == ""
    assert math.isnan(told.only.requested_t)


def test_a_request_that_was_cancelled_unanswered_does_not_take_the_next_response() -> None:
    """The next one is the next asker's."""
    told = WireConversation().take(
        {"type": "response.create", "event_id": "event_a"}, {"type": "response.cancel"}, direction=SENT
    )
    told.take({"type": "response.create", "event_id": "event_b"}, direction=SENT)
    told.take(Ladder("ga").created())
    assert told.only.request_id == "event_b"


def test_a_request_that_was_cancelled_may_still_be_answered() -> None:
    """If there is no other, it is the one."""
    told = WireConversation().take(
        {"type": "response.create", "event_id": "event_a"}, {"type": "response.cancel"}, direction=SENT
    )
    told.take(Ladder("ga").created())
    assert told.only.request_id == "event_a"


# What bad servers do ------------------------------------------------------------------------------------------------


def test_an_odd_byte_is_carried() -> None:
    """Chunks of odd length join to the very samples that were spoken."""
    pcm = bytes(range(1, 41))
    told = WireConversation().take(*Ladder("ga").speech_turn(["a"], [pcm[:7], pcm[7:20], pcm[20:21], pcm[21:]]))
    assert told.sound() == pcm


def test_both_dialects_on_one_connection_do_not_double_anything() -> None:
    """The first spelling of a part counts; the other is an oddity."""
    ga, preview = (
        Ladder(name).speech_turn(["Of", " course"], [b"\1\0" * 8, b"\2\0" * 8]) for name in ("ga", "preview")
    )
    told = WireConversation()
    for event in ga[:-1]:
        told.take(event)
        for twin in preview:
            renamed = twin["type"] != event["type"] and GA_NAME.get(twin["type"]) == event["type"]
            if renamed and twin.get("delta") == event.get("delta"):
                told.take(twin)
    told.take(ga[-1])
    assert told.said() == "Of course"
    assert told.sound() == b"\1\0" * 8 + b"\2\0" * 8
    assert list(told.items) == ["item_2"]
    assert any("another dialect" in each for each in told.oddities)


def test_a_doubled_done_is_noted_and_harmless() -> None:
    """The first word stands."""
    turn = Ladder("ga").text_turn(["Hi"])
    told = WireConversation().take(*turn)
    before = told.only.done_t
    told.take({**turn[-1], "response": {"id": "resp_1", "status": "failed"}})
    assert (told.only.status, told.only.done_t) == ("completed", before)
    assert any("twice" in each for each in told.oddities)


def test_deltas_after_done_are_noted_and_do_not_revive_the_response() -> None:
    """The text is what its own end said."""
    ladder = Ladder("ga")
    told = WireConversation().take(*ladder.text_turn(["Hi"]), ladder.text(" there"))
    assert told.said() == "Hi"
    assert told.active is None
    assert any("after" in each for each in told.oddities)


def test_a_response_that_was_never_created_is_made_and_noted() -> None:
    """Deltas come first; everything they say is there."""
    told = WireConversation().take({"type": "response.create", "event_id": "event_a"}, direction=SENT)
    told.take(*Ladder("preview").speech_turn(["Hi"], [bytes(100)])[1:])
    assert (told.said(), told.only.status, told.only.request_id) == ("Hi", "completed", "event_a")
    assert any("never created" in each for each in told.oddities)


def test_a_created_that_comes_late_changes_nothing_but_its_facts() -> None:
    """Deltas overtook it; and one that comes after the end revives nothing."""
    turn = Ladder("ga", metadata={"a": "b"}).text_turn(["Hi"])
    told = WireConversation().take(turn[1], turn[2], turn[0], *turn[3:])
    assert (told.said(), told.only.status, told.only.metadata) == ("Hi", "completed", {"a": "b"})
    told.take(turn[0])
    assert (told.only.status, told.active) == ("completed", None)


def test_a_failed_created_is_the_end() -> None:
    """Some proxies begin with it."""
    failed = {"status": "failed", "status_details": {"type": "failed", "error": {"code": "quota", "message": "No."}}}
    told = WireConversation().take(Ladder("ga").created(**failed))
    assert (told.only.status, told.active) == ("failed", None)
    assert told.only.error == {"code": "quota", "message": "No."}
    assert told.only.done_t == 0.0


def test_a_service_that_omits_every_id() -> None:
    """Never require what is not used: one response at a time needs no names."""

    def bare(event: Wire) -> Wire:
        kept = {key: value for key, value in event.items() if key not in ("response_id", "item_id", "event_id")}
        for key in ("response", "item"):
            if key in kept:
                kept[key] = {name: value for name, value in kept[key].items() if name in ("status", "role", "type")}
        return kept

    told = WireConversation().take(*map(bare, Ladder("ga").speech_turn(["Of", " course"], [bytes(10), bytes(10)])))
    assert told.said() == "Of course"
    assert len(told.sound()) == 20
    assert told.only.status == "completed"


def test_a_service_that_names_items_only_in_the_item_events() -> None:
    """A delta without an item id belongs to the item in progress, and nothing is said twice."""
    turn = [
        {key: value for key, value in event.items() if key != "item_id"}
        for event in Ladder("ga").text_turn(["Of", " course"])
    ]
    assert WireConversation().take(*turn).said() == "Of course"


def test_a_done_without_status_or_usage_is_a_completion() -> None:
    """Proxies and mocks leave them out."""
    told = WireConversation().take(Ladder("ga").created(), {"type": "response.done", "response": {"id": "resp_1"}})
    assert (told.only.status, told.only.usage) == ("completed", None)


def test_a_close_ends_what_is_in_progress() -> None:
    """Incomplete, with the reason, not completed."""
    told = WireConversation().take(*Ladder("ga").text_turn(["Hi"])[:5])
    told.take({"type": Local.CLOSE.value, "code": 1000, "reason": "bye", "who": "service"}, direction=LOCAL)
    assert told.only.status == "incomplete"
    assert "1000 bye" in told.only.reason
    assert told.active is None


@pytest.mark.parametrize(
    ("previous", "order"),
    [("item_a", ["item_a", "item_x", "item_b"]), ("item_b", ["item_a", "item_b", "item_x"]), ("root", ["item_x", "item_a", "item_b"]),
     (None, ["item_a", "item_b", "item_x"]), ("item_unknown", ["item_a", "item_b", "item_x"]), ([], ["item_a", "item_b", "item_x"])],
)  # fmt: skip
def test_an_item_stands_behind_the_one_it_names(previous: Any, order: list[str]) -> None:
    """In conversation order, also for an insertion."""
    told = WireConversation()
    for name in ("item_a", "item_b"):
        told.take(
            {
                "type": "conversation.item.added",
                "item": {"id": name},
                "previous_item_id": next(reversed(told.items), None),
            }
        )
    told.take({"type": "conversation.item.created", "item": {"id": "item_x"}, "previous_item_id": previous})
    assert list(told.items) == order


def test_an_item_whose_addition_never_came_is_kept() -> None:
    """Its done is enough."""
    told = WireConversation().take(
        {"type": "conversation.item.done", "item": {"id": "item_1", "role": "user", "content": []}}
    )
    assert list(told.items) == ["item_1"]


def test_a_deleted_item_is_gone_and_a_transcription_is_filled_in() -> None:
    """Section 3c and the delete of an item."""
    told = WireConversation().take(
        {
            "type": "conversation.item.added",
            "item": {"id": "item_1", "role": "user", "content": [{"type": "input_audio"}]},
        }
    )
    told.take(
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "item_1",
            "content_index": 0,
            "transcript": "Hi",
        }
    )
    assert told.items["item_1"].text == "Hi"
    told.take({"type": "conversation.item.deleted", "item_id": "item_1"})
    assert told.items == {}


def test_oddities_are_bounded_and_printable() -> None:
    """A hostile stream cannot fill memory or a terminal with them."""
    told = WireConversation()
    for number in range(300):
        told.take(
            {"type": "response.done\u202e" if number % 2 else "response.output_text.delta", "response_id": f"r{number}"}
        )
    assert len(told.oddities) <= 100
    assert all(len(each) <= 300 and "\u202e" not in each for each in told.oddities)


def test_a_deeply_nested_session_is_an_oddity() -> None:
    """Too deep to copy, and still no exception; the next one is read."""
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    told = WireConversation()
    told.apply(Event(b"", {"type": "session.created", "session": {"audio": deep}}, type="session.created"))
    assert told.oddities
    assert told.take({"type": "session.updated", "session": {"instructions": "x"}}).config["instructions"] == "x"


def request(event_id: str, **response: Any) -> Wire:
    return {"type": "response.create", "event_id": event_id, "response": response}


def test_a_response_answers_a_request_of_its_own_sort() -> None:
    """One beside the conversation is not the answer to a request within it, nor one that the service began by itself."""
    inside, beside = Ladder("ga", response="resp_in"), Ladder("ga", response="resp_by", conversation_id=None)
    for first, second in ((inside, beside), (beside, inside)):
        told = WireConversation().take(request("e1"), request("e2", conversation="none"), direction=SENT)
        told.take(first.created(), second.created())
        assert (told.responses["resp_in"].request_id, told.responses["resp_by"].request_id) == ("e1", "e2")
    told = (
        WireConversation()
        .take(request("e2", conversation="none"), direction=SENT)
        .take(inside.created(), beside.created())
    )
    assert (told.responses["resp_in"].request_id, told.responses["resp_by"].request_id) == ("", "e2")
    silent = Ladder("ga", response="resp_s").created()
    del silent["response"]["conversation_id"]
    told = WireConversation().take(request("e1"), direction=SENT).take(silent)
    assert told.responses["resp_s"].request_id == "e1"
    told = WireConversation().take(request("e1"), direction=SENT).take(beside.created())
    assert told.responses["resp_by"].request_id == "e1"


def test_a_new_connection_may_use_a_name_again() -> None:
    """Its response is another one; requests of the connection that ended are nobody's cause any more."""
    told = WireConversation().take(*Ladder("ga").text_turn(["Old."])).take(request("e1"), direction=SENT)
    told.take({"type": "close", "code": 1006}, {"type": "resume"}, direction=LOCAL)
    told.take(*Ladder("ga", item="item_3").text_turn(["New."]))
    old, new = told.responses.values()
    assert [next(iter(each.items.values())).text for each in (old, new)] == ["Old.", "New."]
    assert (new.request_id, told.responses["resp_1"]) == ("", new)
    assert told.oddities == []


def test_sent_and_heard_words_of_an_item() -> None:
    """All of it, and as many words as the share of its audio that was heard; a deleted item says so."""
    turn = Ladder("ga").speech_turn(["one", " two", " three", " four"], [bytes(48_000)])
    cut = {"type": "conversation.item.truncated", "item_id": "item_2", "content_index": 0}
    for end, heard in (
        (0, ""),
        (250, "one"),
        (500, "one two"),
        (1000, "one two three four"),
        (True, "one two three four"),
    ):
        item = WireConversation().take(*turn, {**cut, "audio_end_ms": end}).items["item_2"]
        assert (item.text, item.heard) == ("one two three four", heard)
    told = WireConversation().take(*turn, {"type": "conversation.item.deleted", "item_id": "item_2"})
    assert told.items == {}
    assert told.only.items["item_2"].status == "deleted"


def test_the_output_of_a_call_that_only_its_response_tells_of() -> None:
    """Is on the call all the same."""
    turn = [event for event in Ladder("ga").function_turn("f", ["{}"]) if not event["type"].startswith("conversation.")]
    output = {"id": "item_o", "type": "function_call_output", "call_id": "call_1", "output": "42"}
    told = WireConversation().take(*turn, {"type": "conversation.item.added", "item": output})
    assert told.only.items["item_2"].output == "42"


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.sampled_from(["resp_1", "item_1", "", "in_progress", "AAAA"])
)
keys = st.sampled_from(["id", "type", "status", "output", "input", "content", "audio", "format", "usage", "metadata", "status_details",
                        "error", "reason", "text", "transcript", "voice", "modalities", "session", "event_id", "name"])  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
FIELDS = ["event_id", "response_id", "item_id", "delta", "text", "transcript", "session", "response", "item", "error", "arguments",
          "content_index", "previous_item_id", "call_id", "name", "code", "reason"]  # fmt: skip
events = st.fixed_dictionaries(
    {"type": st.sampled_from([*(kind.value for kind in Kind), *GA_NAME, "close"])},
    optional=dict.fromkeys(FIELDS, anything),
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(events, st.sampled_from([RECEIVED, SENT, LOCAL])), max_size=12))
def test_no_stream_of_objects_can_break_it(stream: list[tuple[Wire, str]]) -> None:
    """Whatever comes, nothing raises, every frame is a row, and a good turn afterwards is understood."""
    told, timeline = WireConversation(), Timeline()
    for number, (event, direction) in enumerate(stream):
        told.apply(timeline.store.append(json.dumps(event).encode(), direction=direction, t=float(number)))
    assert len(timeline) == len(stream)
    repr(timeline)
    told.take(*Ladder("ga", response="resp_good", item="item_good").text_turn(["Fine", "."]))
    assert told.responses["resp_good"].status == "completed"
    assert told.responses["resp_good"].items["item_good"].text == "Fine."
