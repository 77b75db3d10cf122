from __future__ import annotations

import pytest

from rtnb.service.session.background import INAUDIBLE_DB, Background, BetweenTurns

DIGITAL = -120.0


def followed(background: Background, *levels: float, steady: bool = False) -> float:
    """Let it follow levels, return the last background."""
    return [background.follow(level, steady=steady) for level in levels][-1]


def test_the_background_is_the_quietest_of_the_last_second_and_a_half() -> None:
    """Speech does not lift it while there are pauses; what never pauses becomes the background."""
    background = Background()
    quiet = followed(background, *[-60.0] * 100)
    assert quiet == pytest.approx(-58.5, abs=0.1)
    assert followed(background, *[-25.0] * 50, *[-60.0] * 10, *[-25.0] * 50) == pytest.approx(quiet, abs=1)
    assert followed(background, *[-25.0] * 90) == pytest.approx(-23.5, abs=0.1)


def test_a_steady_sound_after_digital_silence_is_the_background_after_0_6_seconds() -> None:
    """With no sound yet, and after a muted microphone, the background is inaudible, then known at once."""
    for muted in (0, 200):
        background = Background()
        for _ in range(muted):
            background.follow(DIGITAL, steady=False)
        assert followed(background, *[-30.0] * 29, steady=True) == INAUDIBLE_DB + 1.5
        assert followed(background, -30.0, steady=True) == pytest.approx(-30)
        assert followed(background, -55.0, *[-30.0] * 5) < -37


def test_sound_that_changes_is_no_background_so_soon() -> None:
    """Speech from the first sample on leaves it inaudible for a second and a half."""
    assert followed(Background(), *[-30.0, -40.0] * 30) == INAUDIBLE_DB + 1.5


def test_the_usual_level_between_turns() -> None:
    """Four of five frames of the last three seconds are no louder; before there are enough, it is unknown."""
    between = BetweenTurns()
    for level in range(-60, -51):
        between.add(level)
    assert between.usual_db == float("-inf")
    between.add(-51)
    assert between.usual_db == -52
    for _ in range(31):
        between.add(-20)
    assert between.usual_db == -20
    for _ in range(130):
        between.add(-70)
    assert between.usual_db == -70


def test_steady_sound_is_not_usual_between_turns() -> None:
    """It counts as time, in which what was there before is forgotten."""
    between = BetweenTurns()
    for _ in range(150):
        between.add(-30)
    for _ in range(140):
        between.add(None)
    assert between.usual_db == -30
    between.add(None)
    assert between.usual_db == float("-inf")
