"""The phases of the newer models: what is said before the answer, the answer, and when each was heard first."""

from __future__ import annotations

import json
import math

from scripted import Ladder, Wire

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.response import Response
from rtnb.protocol.events import SENT, Event
from rtnb.timeline import Timeline

PCM = bytes(range(250)) * 10


def message(ladder: Ladder, phase: str | None, words: str, pcm: bytes = b"") -> list[Wire]:
    """The events of one message of a response."""
    events = [*ladder.opening("audio"), ladder.transcript(words), *([ladder.audio(pcm)] if pcm else [])]
    events += ladder.closing("audio", words)[:-1]
    for event in events:
        if phase is not None and isinstance(event.get("item"), dict):
            event["item"]["phase"] = phase
    return events


def two_phases() -> list[Wire]:
    before, answer = Ladder("ga", item="item_a"), Ladder("ga", item="item_b", after="item_a")
    said = [
        *message(before, "commentary", "Let me see.", PCM),
        *message(answer, "final_answer", "It is three.", PCM + PCM),
    ]
    return [before.created(), *said, answer.closing("audio", "It is three.")[-1]]


def response_of(*events: Wire) -> Response:
    conversation = Conversation()
    asked = {"type": "response.create", "event_id": "event_1"}
    conversation.apply(Event.parse(json.dumps(asked).encode(), direction=SENT, t=0.0))
    for seq, event in enumerate(events, start=1):
        conversation.apply(Event.parse(json.dumps(event).encode(), seq=seq, t=seq / 10))
    (state,) = conversation.responses.values()
    return Response(state, Timeline())


def test_preamble_and_answer_are_apart() -> None:
    """Words and audio of each; the transcript is all of it."""
    r = response_of(*two_phases())
    assert (r.preamble, r.answer, r.transcript) == ("Let me see.", "It is three.", "Let me see. It is three.")
    assert [item.phase for item in r.items] == ["commentary", "final_answer"]
    assert r.preamble.audio.samples.tobytes() == PCM
    assert r.answer.audio.samples.tobytes() == PCM + PCM
    assert (r.preamble.items, r.answer.items) == (r.items[:1], r.items[1:])
    assert "commentary" in repr(r.items[0])


def test_each_phase_has_its_latency() -> None:
    """From the request to its first audio."""
    r = response_of(*two_phases())
    first_audio = [
        index for index, event in enumerate(two_phases(), 1) if event["type"] == "response.output_audio.delta"
    ]
    assert [r.latency.preamble, r.latency.answer] == [index / 10 for index in first_audio]
    assert r.latency.preamble == r.latency.first_audio
    assert "preamble " in repr(r.latency)
    assert "answer " in repr(r.latency)
    html = r._repr_mimebundle_()["text/html"]
    assert html.index("Let me see.") < html.index("It is three.")
    assert "preamble 600 ms after request" in html


def test_without_phases_all_of_it_is_the_answer() -> None:
    """As models before gpt-realtime-2 speak; the latencies of phases are missing, and left out of the repr."""
    ladder = Ladder("ga")
    r = response_of(*ladder.speech_turn(["It is three."], [PCM]))
    assert (r.preamble, r.answer) == ("", "It is three.")
    assert r.answer.audio.samples.tobytes() == PCM
    assert len(r.preamble.audio) == 0
    assert math.isnan(r.latency.preamble)
    assert math.isnan(r.latency.answer)
    assert "preamble" not in repr(r.latency)
    assert "answer" not in repr(r.latency)


def test_a_phase_without_audio() -> None:
    """Its words are there, its latency is not measured."""
    ladder = Ladder("ga")
    r = response_of(ladder.created(), *message(ladder, "commentary", "Hm."), ladder.closing("audio", "Hm.")[-1])
    assert (r.preamble, r.answer) == ("Hm.", "")
    assert math.isnan(r.latency.preamble)
    assert "preamble" not in repr(r.latency)
