"""The conversation as people see it: turns, their sound, what was not heard, and only what is new to the browser."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import fake_comm
import numpy as np
import pytest
from pictures import image
from remote_tools import asking, listing, ran, wanting
from scripted import Ladder

from rtnb.audio import AudioClip, to_clip
from rtnb.conversation.conversation import Conversation
from rtnb.notebook.conversation_view import ConversationView
from rtnb.notebook.turn_list import ShownTurn, TurnList
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.timeline import Timeline

RAMP = AudioClip(np.arange(-12_000, 12_000, dtype=np.int16), 24_000)


class Growing:
    """A timeline that grows, and the conversation that its events make."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._conversation = Conversation()
        self._applied = 0

    @property
    def conversation(self) -> Conversation:
        for event in self.timeline[self._applied :]:
            self._conversation.apply(event)
            self._applied += 1
        return self._conversation


@pytest.fixture(params=[GA, PREVIEW], ids=lambda dialect: dialect.name)
def story(request: pytest.FixtureRequest, new_story: Callable[..., Any]) -> Any:
    return new_story(request.param)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> fake_comm.Wire:
    return fake_comm.connected(monkeypatch)


def said_by_user(story: Any, t: float, identifier: str, words: str, after: str | None = None) -> None:
    content = [{"type": "input_text", "text": words}] if words else [{"type": "input_audio", "transcript": None}]
    item = {"id": identifier, "type": "message", "role": "user", "content": content}
    story.received(t, Kind.ITEM_ADDED, previous_item_id=after, item=item)


def answered(story: Any, t: float, response: str, words: list[str], clip: AudioClip, after: str | None) -> None:
    item = {"id": f"item_{response}", "type": "message", "role": "assistant", "content": []}
    story.created(t, response)
    story.received(t, Kind.OUTPUT_ITEM_ADDED, response_id=response, output_index=0, item=item)
    story.received(t, Kind.ITEM_ADDED, previous_item_id=after, item=item)
    for word in words:
        story.said(t + 0.01, response, word)
    story.spoke(t + 0.02, response, clip)


def looks(story: Any) -> list[ShownTurn]:
    return TurnList(Growing(story.timeline)).turns()


def test_turns_come_in_the_order_of_the_conversation(story: Any) -> None:
    """Question, answer with sound and figures; while it is on its way it is live."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    answered(story, 0.2, "resp_1", ["Of", " course!"], RAMP, "item_1")
    question, answer = looks(story)
    assert (question.role, question.text, question.seconds) == ("user", "Hello?", 0.0)
    assert (answer.role, answer.text, answer.live) == ("assistant", "Of course!", True)
    story.done(0.5, "resp_1")
    _, answer = looks(story)
    assert (answer.seconds, answer.heard, answer.live) == (1.0, 1.0, False)
    pairs = np.frombuffer(base64.b64decode(answer.wave), np.int8).reshape(-1, 2)
    assert len(pairs) == 50  # steps of 20 ms
    assert np.all(np.diff(pairs[:, 0].astype(int)) >= 0)


def test_only_what_has_changed_goes_to_the_browser(story: Any, wire: fake_comm.Wire) -> None:
    """A question that was told stays told; a tick in which nothing came sends nothing."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    view = ConversationView(Growing(story.timeline))
    assert [turn["id"] for turn in view.turns] == ["item_1"]
    view.refresh()
    assert wire.sent == []
    answered(story, 0.2, "resp_1", ["Of"], RAMP, "item_1")
    view.refresh()
    (message,) = wire.sent
    assert [turn["id"] for turn in message["changed"]] == ["item_resp_1"]
    assert message["order"] == ["item_1", "item_resp_1"]
    story.said(0.3, "resp_1", " course!")
    view.refresh()
    assert [turn["text"] for turn in wire.sent[-1]["changed"]] == ["Of course!"]
    assert [turn["text"] for turn in view.get_state("turns")["turns"]] == ["Hello?", "Of course!"]


def test_what_was_not_heard_is_distinguished(story: Any) -> None:
    """A truncated answer has the words and the share of the sound that were heard, and the rest."""
    answered(story, 0.2, "resp_1", ["one", " two", " three", " four"], RAMP, None)
    story.done(0.4, "resp_1", "cancelled")
    story.received(0.5, Kind.ITEM_TRUNCATED, item_id="item_resp_1", content_index=0, audio_end_ms=500)
    (turn,) = looks(story)
    assert (turn.text, turn.unheard, turn.heard) == ("one two", " three four", 0.5)
    assert "cancelled" in turn.note


def test_a_deleted_item_is_gone(story: Any) -> None:
    """An answer of which nothing was heard is deleted, and no turn is left of it."""
    answered(story, 0.2, "resp_1", ["one"], RAMP, None)
    story.done(0.4, "resp_1", "cancelled")
    story.received(0.5, Kind.ITEM_DELETED, item_id="item_resp_1")
    assert looks(story) == []


def sends(story: Any, t: float, clip: AudioClip) -> None:
    for start in range(0, len(clip), 2_400):
        chunk = clip.samples[start : start + 2_400]
        story.sent(t, Kind.INPUT_APPEND, audio=encode_base64(chunk.tobytes()))


def test_a_spoken_question_is_the_sound_that_was_committed(story: Any) -> None:
    """What was appended between two commits belongs to the item, sample by sample; what was cleared, to none."""
    sends(story, 0.1, AudioClip.silence(0.3))
    story.received(0.2, Kind.INPUT_CLEARED)
    sends(story, 0.3, RAMP)
    story.sent(0.4, Kind.INPUT_COMMIT)
    sends(story, 0.45, AudioClip.silence(0.2))
    story.received(0.5, Kind.INPUT_COMMITTED, item_id="item_1", previous_item_id=None)
    said_by_user(story, 0.5, "item_1", "")
    turns = TurnList(Growing(story.timeline))
    (turn,) = turns.turns()
    assert (turn.role, turn.seconds, turn.text) == ("user", 1.0, "(speech; no transcript)")
    assert turns.clip("item_1") == RAMP
    story.received(0.9, Kind.INPUT_TRANSCRIPTION_COMPLETED, item_id="item_1", content_index=0, transcript="Hello?")
    assert [turn.text for turn in turns.turns()] == ["Hello?"]


def test_detected_speech_is_the_stretch_that_the_service_tells(story: Any) -> None:
    """Milliseconds of the input buffer say where speech began and ended, whatever was sent since."""
    sends(story, 0.1, AudioClip.silence(0.5) + RAMP + AudioClip.silence(0.5))
    story.received(0.2, Kind.SPEECH_STARTED, item_id="item_1", audio_start_ms=500)
    story.received(0.3, Kind.SPEECH_STOPPED, item_id="item_1", audio_end_ms=1500)
    story.received(0.3, Kind.INPUT_COMMITTED, item_id="item_1", previous_item_id=None)
    said_by_user(story, 0.4, "item_1", "")
    turns = TurnList(Growing(story.timeline))
    turns.turns()
    assert turns.clip("item_1") == RAMP


def test_functions_and_their_results_are_one_turn(story: Any) -> None:
    """A call is shown with its arguments, and with its result when there is one."""
    call = {"id": "item_f", "type": "function_call", "name": "add", "call_id": "call_1", "arguments": '{"a": 1}'}
    output = {"id": "item_o", "type": "function_call_output", "call_id": "call_1", "output": "3"}
    story.received(0.1, Kind.ITEM_ADDED, previous_item_id=None, item=call)
    story.received(0.2, Kind.ITEM_ADDED, previous_item_id="item_f", item=output)
    (turn,) = looks(story)
    assert (turn.role, turn.text) == ("tool", 'add({"a": 1}) → 3')


def test_an_error_stands_where_it_happened_and_says_what_to_do(story: Any) -> None:
    """After the item before it, in the service's words and ours."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    error = {"type": "invalid_request_error", "code": "cannot_update_voice", "message": "Cannot update."}
    story.received(0.2, Kind.ERROR, error=error)
    said_by_user(story, 0.3, "item_2", "Still there?", "item_1")
    turns = looks(story)
    assert [turn.role for turn in turns] == ["user", "error", "user"]
    assert "Cannot update." in turns[1].text
    assert "Connect anew" in turns[1].text


def test_a_response_that_failed_without_a_word_is_shown(story: Any) -> None:
    """Once, in the words of its end, and with what to do; one that said something has its note."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    turns = TurnList(Growing(story.timeline))
    story.received(0.2, Kind.RESPONSE_CREATED, response={"id": "resp_1", "status": "failed"})
    assert [turn.text for turn in turns.turns()] == ["Hello?", "the response failed; the service did not say why"]
    error = {"code": "insufficient_quota", "message": "No credit."}
    done = {"id": "resp_1", "status": "failed", "status_details": {"type": "failed", "error": error}}
    story.received(0.3, Kind.RESPONSE_DONE, response=done)
    said_by_user(story, 0.4, "item_2", "And now?", "item_1")
    shown = turns.turns()
    assert [turn.role for turn in shown] == ["user", "error", "user"]
    assert shown[1].text.startswith("the response failed: insufficient_quota: No credit. — The account has no credit")
    answered(story, 0.5, "resp_2", ["Half"], RAMP, "item_2")
    cut = {"id": "resp_2", "status": "incomplete", "status_details": {"reason": "max_output_tokens"}}
    story.received(0.6, Kind.RESPONSE_DONE, response=cut)
    assert [turn.role for turn in turns.turns()] == ["user", "error", "user", "assistant"]
    assert "max_output_tokens" in turns.turns()[3].note


def test_a_failed_transcription_is_noted_at_its_turn(story: Any) -> None:
    """Where the words would be; a later transcript takes its place. Without its item it is an error of its own."""
    said_by_user(story, 0.1, "item_1", "")
    turns = TurnList(Growing(story.timeline))
    failed = {"content_index": 0, "error": {"message": "Too noisy."}}
    story.received(0.2, Kind.INPUT_TRANSCRIPTION_FAILED, item_id="item_1", **failed)
    (turn,) = turns.turns()
    assert (turn.role, turn.note) == ("user", "the transcription of speech failed: Too noisy.")
    story.received(0.3, Kind.INPUT_TRANSCRIPTION_COMPLETED, item_id="item_1", content_index=0, transcript="Hello")
    (turn,) = turns.turns()
    assert (turn.text, turn.note) == ("Hello", "")
    story.received(0.4, Kind.MCP_CALL_FAILED, item_id="item_m")
    assert [turn.text for turn in turns.turns()] == ["Hello", "an MCP call failed"]


def test_an_answer_beside_the_conversation_is_shown_as_such(story: Any) -> None:
    """Out-of-band answers have a turn, after what was said when they came."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    beside = {"id": "resp_9", "status": "in_progress", "conversation_id": None}
    turns = TurnList(Growing(story.timeline))
    story.received(0.2, Kind.RESPONSE_CREATED, response=beside)
    story.said(0.3, "resp_9", "yes")
    assert [turn.text for turn in turns.turns()] == ["Hello?", "yes"]
    said_by_user(story, 0.4, "item_2", "And now?", "item_1")
    assert [turn.text for turn in turns.turns()] == ["Hello?", "yes", "And now?"]
    assert "out of band" in turns.turns()[1].note


def test_a_play_button_gets_the_very_samples(story: Any, wire: fake_comm.Wire) -> None:
    """The WAV file that goes to the asking page holds what arrived; a turn without sound answers with nothing."""
    said_by_user(story, 0.1, "item_1", "Hello?")
    answered(story, 0.2, "resp_1", ["Of"], RAMP, "item_1")
    view = ConversationView(Growing(story.timeline))
    wire.say(view, play="item_resp_1", to="page 1")
    assert wire.sent == [{"wav": "item_resp_1", "to": "page 1"}]
    ((wav,),) = wire.buffers
    assert to_clip(bytes(wav)) == RAMP
    wire.say(view, play="item_1", to="page 1")
    assert [bytes(each) for each in wire.buffers[-1]] == [b""]
    for nonsense in ({"play": 3}, {"other": "x"}):
        wire.say(view, **nonsense)
    assert len(wire.sent) == 2


def test_the_snapshot_is_bounded_and_escaped(story: Any, wire: fake_comm.Wire) -> None:
    """Markup is text, control characters are visible, and of a long talk the newest 40 turns are shown."""
    before = None
    for number in range(60):
        said_by_user(story, number / 10, f"item_{number}", f"<script>{number}\u202e", before)
        before = f"item_{number}"
    shown = ConversationView(Growing(story.timeline)).snapshot()
    assert "<script>" not in shown["text/html"]
    assert "&lt;script&gt;59\\u202e" in shown["text/html"]
    assert "20 earlier turns not shown" in shown["text/html"]
    assert shown["text/plain"].count("\n") == 39


def test_images_are_shown_small(new_story: Callable[..., Any]) -> None:
    """In the turn, from the data; named in text; in HTML within a bounded size."""
    story = new_story(GA)
    content = [{"type": "input_text", "text": "Look:"}, image().part()]
    item = {"id": "item_1", "type": "message", "role": "user", "content": content}
    story.sent(0.0, Kind.ITEM_CREATE, item=item)
    story.received(0.1, Kind.ITEM_ADDED, item=item | {"content": [content[0], {"type": "input_image"}]})
    (turn,) = looks(story)
    assert (turn.text, [each.words for each in turn.images]) == ("Look:", [image().words])
    view = ConversationView(Growing(story.timeline))
    assert view.turns[0]["images"] == ({"url": image().url, "words": image().words},)
    shown = view.snapshot()
    assert shown["text/plain"] == f"You: Look: [{image().words}]"
    assert f'src="{image().url}"' in shown["text/html"]
    assert "max-width:320px" in shown["text/html"]


def test_remote_tools_are_turns(new_story: Callable[..., Any]) -> None:
    """Their tools, calls with results, and approvals with what was decided; the decision is no turn of its own."""
    story = new_story(GA)
    for event in [*listing(), *wanting(Ladder("ga")), *asking()]:
        story.received(0.1, **{"kind": event.pop("type")}, **event)
    turns = TurnList(Growing(story.timeline))
    assert [(turn.role, turn.text) for turn in sorted(turns.turns(), key=lambda turn: turn.id, reverse=True)] == [
        (
            "tool",
            "asks for approval to call add(a=1) on 'calculator' — session.approve('mcpr_1') or session.deny('mcpr_1')",
        ),
        ("tool", "tools of 'calculator': add, fail"),
        ("tool", "add(a=1) on 'calculator'"),
    ]
    decision = {"id": "item_9", "type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    story.received(0.2, Kind.ITEM_ADDED, item=decision)
    for event in ran():
        story.received(0.3, **{"kind": event.pop("type")}, **event)
    said = {turn.id: turn.text for turn in turns.turns()}
    assert said == {
        "mcpl_1": "tools of 'calculator': add, fail",
        "item_call": "add(a=1) on 'calculator' → 3",
        "mcpr_1": "asks for approval to call add(a=1) on 'calculator': approved",
    }


def test_a_preamble_is_marked(new_story: Callable[..., Any]) -> None:
    """In the note of its turn."""
    story = new_story(GA)
    answered(story, 0.1, "resp_1", ["Let me see."], RAMP, None)
    item = {"id": "item_resp_1", "type": "message", "role": "assistant", "phase": "commentary", "content": []}
    story.received(0.3, Kind.OUTPUT_ITEM_DONE, response_id="resp_1", item=item)
    (turn,) = looks(story)
    assert turn.note.startswith("preamble")
