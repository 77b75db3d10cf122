"""What a player tells of itself, and what is believed of it."""

from __future__ import annotations

import pytest

from rtnb.client.playback import Playback, spoken_response
from rtnb.conversation.items import Item, ResponseState


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(clock: Clock) -> Playback:
    made = Playback(clock=clock)
    made.running = True
    return made


def test_heard_is_what_the_player_says(playback: Playback) -> None:
    """Of each item in its own rate; an item that it was never given is unknown to it."""
    playback.give("item_1", 48_000, 24_000)
    playback.give("item_2", 8_000, 8_000)
    playback.report({"item_1": 48_000, "item_2": 4_000})
    assert (playback.heard_ms("item_1"), playback.heard_ms("item_2"), playback.heard_ms("item_3")) == (2000, 500, None)
    assert playback.at == "item_2"
    assert playback.seconds == 2.5


def test_more_than_was_given_was_not_heard(playback: Playback) -> None:
    """Nor less than before, nor a number that is none, nor an item that nobody knows."""
    playback.give("item_1", 24_000, 24_000)
    playback.report({"item_1": 12_000})
    playback.report({"item_1": 6_000, "item_9": 5})
    assert playback.heard_ms("item_1") == 500
    playback.report({"item_1": "all"})
    playback.report({"item_1": 10**9})
    assert playback.heard_ms("item_1") == 1000
    assert playback.heard_ms("item_9") is None


def test_a_player_that_is_silent_too_long_does_not_know(playback: Playback, clock: Clock) -> None:
    """While it has something to play it tells how far it is; a finished item stays heard."""
    playback.give("item_1", 24_000, 24_000)
    playback.report({"item_1": 24_000})
    playback.give("item_2", 24_000, 24_000)
    clock.now += 5.0
    assert playback.heard_ms("item_1") == 1000
    assert playback.heard_ms("item_2") is None
    playback.report({})
    assert playback.heard_ms("item_2") == 0


def test_a_player_without_leave_has_played_nothing(playback: Playback, clock: Clock) -> None:
    """However long that takes."""
    playback.running = False
    playback.give("item_1", 24_000, 24_000)
    clock.now += 60.0
    assert playback.heard_ms("item_1") == 0


def test_an_idle_player_that_is_given_something_is_asked_anew(playback: Playback, clock: Clock) -> None:
    """It had nothing to tell before."""
    clock.now += 60.0
    playback.give("item_1", 24_000, 24_000)
    assert playback.heard_ms("item_1") == 0


def test_what_was_thrown_away_is_not_waited_for(playback: Playback) -> None:
    """Of one item, or of all; what was heard stays."""
    for item in ("item_1", "item_2", "item_3"):
        playback.give(item, 24_000, 24_000)
    playback.report({"item_1": 2_400})
    playback.drop(["item_1", "item_9"])
    assert playback.at == "item_2"
    playback.drop()
    assert playback.at == ""
    assert playback.heard_ms("item_1") == 100


def test_a_player_that_did_not_say_where_it_stopped_does_not_know(playback: Playback) -> None:
    """Neither then nor later; one without leave was nowhere, and what had sounded to its end has."""
    playback.give("item_1", 24_000, 24_000)
    playback.report({"item_1": 24_000})
    playback.give("item_2", 24_000, 24_000)
    playback.drop(reported=False)
    assert (playback.at, playback.heard_ms("item_1"), playback.heard_ms("item_2")) == ("", 1000, None)
    playback.running = False
    playback.give("item_3", 24_000, 24_000)
    playback.drop(reported=False)
    assert playback.heard_ms("item_3") == 0


def test_the_response_that_is_spoken_is_the_one_the_player_is_at(playback: Playback) -> None:
    """Not the one that is made meanwhile; without a player, the one in progress, else the newest in the conversation."""
    first, second = ResponseState("resp_1", "completed"), ResponseState("resp_2", "in_progress")
    beside = ResponseState("resp_3", "in_progress", conversation_id=None)
    first.items["item_1"] = Item("item_1")
    playback.give("item_1", 24_000, 24_000)
    assert spoken_response([first, second, beside], playback) is first
    playback.drop()
    assert spoken_response([first, second, beside], playback) is second
    assert spoken_response([second, first, beside], None) is second
    second.status = "completed"
    assert spoken_response([second, first, beside], None) is first
    assert spoken_response([beside], None) is None
