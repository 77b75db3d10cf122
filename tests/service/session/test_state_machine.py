"""Random legal and illegal client events, engines that are slow, wrong or silent: the invariants of a session hold."""

from __future__ import annotations

import base64
import json
from collections import defaultdict

import numpy as np
import pytest
from examples import examples
from fake_engines import Bench, LoudDetector
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rtnb.protocol.dialects import GA, PREVIEW_WITH_DELTAS
from rtnb.protocol.names import kind_of
from rtnb.service.engines.tasks import Call, Say, SpokenWord, Text, Transcribe, Transcript, Write
from rtnb.service.session.connection import ServiceConnection

TOOL = {"type": "function", "name": "f", "description": "", "parameters": {"type": "object"}}
DELTAS = {
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.output_audio_transcript.delta": ("response.output_audio_transcript.done", "transcript"),
    "response.function_call_arguments.delta": ("response.function_call_arguments.done", "arguments"),
    "conversation.item.input_audio_transcription.delta": (
        "conversation.item.input_audio_transcription.completed",
        "transcript",
    ),
}
PLACE = ("response_id", "item_id", "output_index", "content_index")
TEXTS = ["Hello.", "", "One sentence here. And another one.", "é 🙂 <b>"]
unlikely = st.sampled_from([True] + [False] * 5)


class Session(RuleBasedStateMachine):
    """One client, one service, and a model of what the client may conclude."""

    dialect = GA

    def __init__(self):
        super().__init__()
        self.now = 1_800_000_000.0
        self.connection = ServiceConnection(self.dialect, clock=lambda: self.now, make_detector=LoudDetector)
        self.bench = Bench(self.connection, None, None, None)
        self.event_ids = set()
        self.order = []  # the conversation, by the previous_item_id of each item
        self.items = []  # every id that was ever seen
        self.joined = {}
        self.calls = []
        self.active = {}  # response id -> whether it is the conversation's
        self.ended = set()
        self.open_parts = {}
        self.deltas = defaultdict(str)
        self.audio = defaultdict(int)
        self.speech = None
        self.clock_ms = 0
        self.take(self.connection.open())

    # -- what comes back ---------------------------------------------------------------------------------------------

    def take(self, events):
        for event in events:
            json.dumps(event, allow_nan=False).encode()
            assert event["event_id"] not in self.event_ids
            self.event_ids.add(event["event_id"])
            kind = kind_of(event["type"])
            if (response_id := event.get("response_id")) is not None:
                assert response_id in self.active, f"{kind} of a response that is not in progress"
            self.take_deltas(kind, event)
            check = getattr(self, "take_" + kind.replace(".", "_"), None)
            if check is not None:
                check(event)
        events = self.bench.work()
        if events:
            self.take(events)

    def take_deltas(self, kind, event):
        place = tuple(event.get(key) for key in PLACE)
        if kind in DELTAS:
            self.deltas[(DELTAS[kind][0], place)] += event["delta"]
        elif kind == "response.output_audio.delta":
            data = base64.b64decode(event["delta"], validate=True)
            assert data
            assert len(data) % 2 == 0
            self.audio[event["response_id"]] += len(data)
        for done, field in DELTAS.values():
            if kind == done and ((done, place) in self.deltas or "response" in kind):
                assert self.deltas.pop((done, place), "") == event[field]

    def take_error(self, event):
        assert set(event["error"]) == {"type", "code", "message", "param", "event_id"}
        assert event["error"]["message"]

    def take_response_created(self, event):
        response = event["response"]
        assert response["id"] not in self.active | dict.fromkeys(self.ended)
        assert (response["status"], response["output"], response["usage"]) == ("in_progress", [], None)
        self.active[response["id"]] = response["conversation_id"] is not None
        assert sum(self.active.values()) <= 1

    def take_response_done(self, event):
        response = event["response"]
        del self.active[response["id"]]
        self.ended.add(response["id"])
        assert response["status"] in ("completed", "cancelled", "incomplete", "failed")
        assert (response["status_details"] is None) == (response["status"] == "completed")
        assert not [place for place in self.open_parts if place[0] == response["id"]]
        usage = response["usage"]
        given, made = usage["input_token_details"], usage["output_token_details"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert usage["input_tokens"] == given["text_tokens"] + given["audio_tokens"] + given.get("image_tokens", 0)
        assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
        assert made["audio_tokens"] * 2400 == self.audio.pop(response["id"], 0)
        for item in response["output"]:
            assert item["status"] in ("completed", "incomplete")
            if item["type"] == "function_call":
                self.calls.append(item["call_id"])

    def take_response_output_item_added(self, event):
        self.open_parts[(event["response_id"], event["output_index"])] = event["item"]["id"]

    def take_response_output_item_done(self, event):
        assert self.open_parts.pop((event["response_id"], event["output_index"])) == event["item"]["id"]

    def take_conversation_item_added(self, event):
        item, previous = event["item"], event["previous_item_id"]
        assert item["id"] not in self.order
        self.order.insert(0 if previous is None else self.order.index(previous) + 1, item["id"])
        self.items.append(item["id"])
        self.joined[item["id"]] = item["type"]
        if item["type"] == "function_call" and item["status"] == "completed":
            self.calls.append(item["call_id"])

    def take_conversation_item_done(self, event):
        index = self.order.index(event["item"]["id"])
        assert event["previous_item_id"] == (self.order[index - 1] if index else None)

    def take_conversation_item_deleted(self, event):
        self.order.remove(event["item_id"])

    def take_input_audio_buffer_speech_started(self, event):
        assert self.speech is None
        self.speech = event["item_id"]
        assert 0 <= event["audio_start_ms"] <= self.clock_ms

    def take_input_audio_buffer_speech_stopped(self, event):
        assert self.speech == event["item_id"]
        assert event["audio_end_ms"] <= self.clock_ms

    def take_input_audio_buffer_committed(self, event):
        assert self.speech in (None, event["item_id"])
        self.speech = None
        assert event["previous_item_id"] == (self.order[-1] if self.order else None)

    def take_input_audio_buffer_cleared(self, _event):
        self.speech = None

    # -- what is sent ------------------------------------------------------------------------------------------------

    def send(self, type, **fields):
        events = self.connection.receive(json.dumps(self.dialect.encode({"type": type, **fields})))
        self.take(events)
        return events

    def some_item(self, data):
        return data.draw(st.sampled_from([*self.items, *self.items[-3:], "nobody", "root", None, 5]))

    @rule(text=st.sampled_from(TEXTS), role=st.sampled_from(["user", "user", "system", "assistant"]), data=st.data())
    def message(self, text, role, data):
        part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
        fields = {"item": {"type": "message", "role": role, "content": [part]}}
        if data.draw(unlikely):
            fields["previous_item_id"] = self.some_item(data)
        if data.draw(unlikely):
            fields["item"]["id"] = data.draw(st.sampled_from([*self.items, "mine", "yours"]))
        self.send("conversation.item.create", **fields)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def function_output(self, data):
        call_id = data.draw(st.sampled_from([*self.calls, "call_x"]))
        item = {"type": "function_call_output", "call_id": call_id, "output": "42"}
        events = self.send("conversation.item.create", item=item)
        if call_id == "call_x":
            assert events[0]["error"]["code"] == "invalid_tool_call_id"

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0]), loud=st.booleans(), odd=unlikely)
    def append(self, seconds, loud, odd):
        sound = np.full(round(seconds * 24_000), 8000 * loud, "<i2").tobytes() + b"\x01" * odd
        self.clock_ms += round(seconds * 1000) + odd
        self.send("input_audio_buffer.append", audio=base64.b64encode(sound).decode())

    @rule()
    def commit(self):
        self.send("input_audio_buffer.commit")

    @rule()
    def clear(self):
        assert self.send("input_audio_buffer.clear")[0]["type"] == "input_audio_buffer.cleared"

    @rule(
        aside=unlikely,
        modality=st.sampled_from(["audio", "text"]),
        limit=st.sampled_from(["inf", "inf", 5, 30]),
        data=st.data(),
    )
    def respond(self, aside, modality, limit, data):
        response = {"output_modalities": [modality], "max_output_tokens": limit}
        if aside:
            response["conversation"] = "none"
        if data.draw(unlikely):
            response["input"] = [{"type": "item_reference", "id": self.some_item(data)}]
        if data.draw(unlikely):
            response["metadata"] = {"a": "b"}
        before = [each for each, joins in self.active.items() if joins]
        events = self.send("response.create", response=response)
        if before and not aside:
            assert events[0]["type"] == "error"

    @rule(data=st.data())
    def cancel(self, data):
        named = data.draw(st.sampled_from([None, *self.active, *sorted(self.ended)[:2], "resp_x"]))
        before = dict(self.active)
        events = self.send("response.cancel", response_id=named)
        if named in before:
            assert named not in self.active
        elif named is not None or not any(before.values()):
            assert events[0]["error"]["code"] == "response_cancel_not_active"

    @rule(end=st.sampled_from([0, 40, 250, 5000, -1]), data=st.data())
    def truncate(self, end, data):
        fields = {"item_id": self.some_item(data), "content_index": 0, "audio_end_ms": end}
        events = self.send("conversation.item.truncate", **fields)
        assert events[0]["type"] in ("conversation.item.truncated", "error")

    @rule(verb=st.sampled_from(["delete", "retrieve", "retrieve"]), data=st.data())
    def look(self, verb, data):
        item_id = self.some_item(data)
        there = item_id in self.order
        events = self.send(f"conversation.item.{verb}", item_id=item_id)
        assert (events[0]["type"] == "error") == (not there)

    @rule(
        detection=st.sampled_from(
            [
                None,
                {"type": "server_vad"},
                {"type": "server_vad", "interrupt_response": False},
                {"type": "semantic_vad"},
            ]
        ),
        transcription=st.sampled_from([None, {"model": "whisper-1"}, {"model": "gpt-4o-transcribe"}]),
        tools=st.sampled_from([[], [TOOL]]),
    )
    def configure(self, detection, transcription, tools):
        typed = {"type": "realtime"} if self.dialect.typed_session else {}
        session = {"audio": {"input": {"turn_detection": detection, "transcription": transcription}}, "tools": tools}
        events = self.send("session.update", session={**typed, **session})
        assert events[0]["type"] == "session.updated"
        if detection is None:
            self.speech = None

    @rule(
        frame=st.sampled_from(
            ["", "{", "[]", '{"type": 5}', '{"type": "nonsense"}', '{"type": "response.create", "x": 1}']
        )
    )
    def nonsense(self, frame):
        (event,) = self.connection.receive(frame)
        assert event["type"] == "error"
        self.take([event])

    # -- what the engines do -----------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 12))
    def advance(self, count):
        for _ in range(count):
            step = self.connection.advance()
            if step is None:
                break
            assert step.seconds >= 0
            self.take(step.events)

    @precondition(lambda self: self.bench.open)
    @rule(data=st.data())
    def engine_goes_on(self, data):
        for _ in range(3):
            if self.bench.open:
                self.engine(data, "result")
                self.advance(8)

    @precondition(lambda self: self.bench.open)
    @rule(data=st.data(), outcome=st.sampled_from(["result", "result", "result", "end", "end", "end", "fail"]))
    def engine(self, data, outcome):
        job = data.draw(st.sampled_from(sorted(self.bench.open)))
        task = self.bench.open[job]
        if outcome == "end":
            self.take(self.bench.end(job))
        elif outcome == "fail":
            self.take(self.bench.fail(job, "engine_failed", "It broke."))
        elif isinstance(task, Write):
            result = data.draw(st.sampled_from([Text(text) for text in TEXTS] + [Call("f", '{"a": [1, 2]}')]))
            self.take(self.bench.supply(job, result))
        elif isinstance(task, Say):
            for size in data.draw(st.lists(st.sampled_from([0, 1, 3_000, 20_000]), min_size=1, max_size=4)):
                self.take(self.bench.supply(job, SpokenWord(" word", np.full(size, 5, np.int16))))
        elif isinstance(task, Transcribe):
            self.take(self.bench.supply(job, Transcript("Hello there", True)))

    @rule(seconds=st.sampled_from([0.1, 20.0]))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def the_service_agrees_what_is_in_progress(self):
        assert sorted(self.connection.responses) == sorted(self.active)

    def teardown(self):
        """However it went, everything comes to an end: what is open is ended, and nothing is left."""
        for _ in range(200):
            self.now += 60
            for job in list(self.bench.open):
                if not isinstance(self.bench.open[job], Transcribe):
                    self.take(self.bench.end(job))
            while step := self.connection.advance():
                self.take(step.events)
            if not self.active and not [
                job for job, task in self.bench.open.items() if not isinstance(task, Transcribe)
            ]:
                return
        raise AssertionError("a response never ended")


class PreviewSession(Session):
    """The same in the preview dialect."""

    dialect = PREVIEW_WITH_DELTAS


SETTINGS = settings(
    max_examples=examples(60), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestGa = pytest.mark.timeout(300)(Session.TestCase)
TestGa.settings = SETTINGS
TestPreview = pytest.mark.timeout(300)(PreviewSession.TestCase)
TestPreview.settings = SETTINGS
