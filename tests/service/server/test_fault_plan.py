"""What becomes of a session's events, without a socket and without a clock."""

from __future__ import annotations

import json

import pytest

from rtnb.service.faults import Faults
from rtnb.service.server.fault_plan import Close, Drop, FaultPlan, Send, refused, retirement

DELTA = "response.output_audio_transcript.delta"


def frame(type="response.created", number=0):
    return json.dumps({"type": type, "event_id": f"event_{number}"}).encode()


def acts(faults, types=("response.created",) * 6, *, seed=0, step=0.0):
    """Send one event of each type, `step` seconds apart; return what is done for each."""
    plan = FaultPlan(Faults.of(faults), seed)
    return [plan.actions(frame(name, number), number * step) for number, name in enumerate(types)]


def sent(steps):
    return [act.frame for step in steps for act in step if isinstance(act, Send)]


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("drop_after={}", [Drop(0.0)]),
        ("close_after={}", [Close(0.0, 1011, "asked for by the fault close_after={}")]),
        ("close_after={},close_code=4001", [Close(0.0, 4001, "asked for by the fault close_after={}")]),
        ("stall_after={}", []),
    ],
)
def test_after_n_events_it_ends(fault, end, after):
    """Exactly N events leave, then the end comes at once, and nothing after it."""
    steps = acts(fault.format(after))
    ends = [act for step in steps for act in step if not isinstance(act, Send)]
    assert sent(steps) == [frame(number=number) for number in range(after)]
    assert [type(act) for act in ends] == [type(act) for act in end]
    assert [(act.code, act.reason) for act in ends if isinstance(act, Close)] == [
        (act.code, act.reason.format(after)) for act in end if isinstance(act, Close)
    ]


@pytest.mark.parametrize("delta", [DELTA, "response.audio.delta", "response.output_text.delta"])
def test_closing_in_a_response_waits_for_its_third_delta(delta):
    """Events before the deltas do not count; the third delta of either dialect is the last event."""
    types = ["session.created", "response.created", delta, delta, delta, delta]
    steps = acts("close_in_response=1001", types)
    assert len(sent(steps)) == 5
    assert steps[4][-1].code == 1001
    assert steps[5] == []


def test_a_malformed_frame_is_extra_and_is_no_json():
    """After the N-th event comes its first half; everything else is unchanged."""
    frames = sent(acts("malformed_after=2"))
    (extra,) = [each for each in frames if each not in [frame(number=number) for number in range(6)]]
    assert frames.index(extra) == 2
    with pytest.raises(ValueError):
        json.loads(extra)


def test_an_unknown_event_is_extra_and_well_formed():
    """After the N-th event comes one of a type that no service has, with an id like any other."""
    frames = sent(acts("unknown_event_after=1"))
    extra = json.loads(frames[1])
    assert len(frames) == 7
    assert extra["type"] == "rtnb.fault.unknown_event"
    assert len(extra["event_id"]) == len("event_") + 21


def test_delay_shifts_everything_and_slows_nothing():
    """Each event leaves 200 ms after it was due, however close together they come."""
    steps = acts("delay_ms=200", step=0.01)
    assert [step[0].due for step in steps] == pytest.approx([0.2 + 0.01 * number for number in range(6)])


def test_jitter_keeps_the_order_and_repeats_with_its_seed():
    """Lateness varies within its bounds, no event overtakes another, and the same seed gives the same lateness."""
    many = ("response.created",) * 200
    dues = [step[0].due for step in acts("delay_ms=10,jitter_ms=50", many, seed=3, step=0.001)]
    late = [due - 0.001 * number for number, due in enumerate(dues)]
    assert dues == sorted(dues)
    assert min(late) >= 0.0099
    assert max(late) <= 0.0601
    assert len({round(each, 6) for each in late}) > 10
    assert dues == [step[0].due for step in acts("delay_ms=10,jitter_ms=50", many, seed=3, step=0.001)]
    assert dues != [step[0].due for step in acts("delay_ms=10,jitter_ms=50", many, seed=4, step=0.001)]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_refusal_has_the_body_of_the_clouds(status):
    """Azure's paths get Azure's shape, OpenAI's get theirs; what can be tried again says when."""
    azure, own = refused(status, "/openai/v1/realtime"), refused(status, "/v1/realtime")
    assert azure.status == own.status == status
    assert set(json.loads(azure.body)["error"]) == {"code", "message"}
    assert json.loads(azure.body)["error"]["code"] == str(status)
    assert set(json.loads(own.body)["error"]) == {"message", "type", "param", "code"}
    assert ("Retry-After" in dict(azure.headers)) == (status != 401)


def test_the_retirement_is_the_one_that_was_seen():
    """The error and the closing reason are those with which the preview dialect was turned away."""
    event, reason = retirement(0)
    assert event["type"] == "error"
    assert event["error"]["code"] == "beta_api_shape_disabled"
    assert set(event["error"]) == {"type", "code", "message", "param", "event_id"}
    assert reason == "invalid_request_error.beta_api_shape_disabled"
