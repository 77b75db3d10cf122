"""The state machine that finds turns, on probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.session.speech_detector import SpeechFrame
from rtnb.service.session.turn_detection import TurnDetector, TurnRules

RATE, FRAME = 24_000, 480


class Given:
    """Has the probabilities given, or (probability, level, fall)."""

    def __init__(self, probabilities):
        self.probabilities = probabilities
        self.at = 0

    def feed(self, samples):
        for _ in range(len(samples) // FRAME):
            start = self.at * FRAME
            given = self.probabilities[self.at]
            yield SpeechFrame(start, *(given if isinstance(given, tuple) else (given,)))
            self.at += 1


def rules(**changes):
    return TurnRules(
        **{
            "threshold": 0.5,
            "prefix_ms": 300,
            "silence_ms": 100,
            "idle_ms": None,
            "creates": True,
            "interrupts": True,
            **changes,
        }
    )


def turns(probabilities, start=0, **changes):
    detector = TurnDetector(rules(**changes), RATE, start, lambda rate: Given(probabilities))
    return [(b.begins, b.sample, b.known) for b in detector.feed(np.zeros(len(probabilities) * FRAME, np.int16))]


def test_three_frames_begin_a_turn_and_silence_ends_it():
    """It begins at the first of the three, and ends when the silence is long enough."""
    assert turns([0, 0.9, 0.9, 0.9, 0, 0, 0, 0, 0, 0]) == [
        (True, 1 * FRAME, 4 * FRAME),
        (False, 9 * FRAME, 9 * FRAME),
    ]


def test_numbers_go_on_from_where_it_started():
    """A detector that is made later counts on."""
    assert turns([0.9] * 3, start=1000) == [(True, 1000, 1000 + 3 * FRAME)]


def test_a_gap_shorter_than_the_silence_is_part_of_the_turn():
    """Four frames of silence of five needed do not end it."""
    assert len(turns([0.9] * 3 + [0] * 4 + [0.9] + [0] * 4)) == 1


def test_speech_goes_on_a_little_below_the_threshold():
    """What would not begin a turn keeps one going; nothing at all does not, however low the threshold is."""
    assert turns([0.4] * 9) == []
    assert len(turns([0.9] * 3 + [0.4] * 9)) == 1
    assert len(turns([0.9] * 3 + [0.3] * 9)) == 2
    assert len(turns([0.9] * 3 + [0.0] * 9, threshold=0.1)) == 2


@pytest.mark.parametrize(("threshold", "count"), [(0.3, 2), (0.6, 0)])
def test_threshold(threshold, count):
    """A higher one needs more."""
    assert len(turns([0.5] * 5 + [0] * 6, threshold=threshold)) == count


@given(
    probabilities=st.lists(st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]), max_size=120),
    silence=st.sampled_from([0, 40, 200]),
)
def test_turns_alternate_and_do_not_overlap(probabilities, silence):
    """Begin, end, begin, end …, each known no earlier than it is and than the one before."""
    found = turns(probabilities, silence_ms=silence)
    assert [begins for begins, _, _ in found] == [index % 2 == 0 for index in range(len(found))]
    assert all(sample <= known for _, sample, known in found)
    knowns = [known for _, _, known in found]
    assert knowns == sorted(knowns)
    ends = [sample for begins, sample, _ in found if not begins]
    begins = [sample for begins, sample, _ in found if begins]
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))


STEADY, CHANGED = (0.9, -30.0, 1.0), (0.9, -30.0, 9.0)
QUIET = (0.1, -65.0, 1.0)


def test_a_turn_begins_when_its_sound_has_changed_with_its_first_frame():
    """What is loud but steady may be a fan: the onset waits, and is then reported backdated."""
    assert turns([QUIET] * 5 + [STEADY] * 10 + [CHANGED]) == [(True, 5 * FRAME, 16 * FRAME)]


def test_a_sound_that_stays_steady_is_no_turn():
    """After 0.6 s it is given up, however long it goes on; what changes later begins then."""
    assert turns([STEADY] * 200) == []
    assert turns([STEADY] * 29 + [CHANGED]) == [(True, 0, 30 * FRAME)]
    (begin,) = turns([STEADY] * 30 + [QUIET] * 10 + [CHANGED] * 3)
    assert begin == (True, 40 * FRAME, 43 * FRAME)


def test_a_word_that_ended_while_it_was_unsure_ends_on_time():
    """A short word is known by its end; the silence is counted from there."""
    found = turns([STEADY] * 4 + [(0.0, -65.0, 20.0)] * 10)
    assert found == [(True, 0, 5 * FRAME), (False, 9 * FRAME, 9 * FRAME)]


def test_a_turn_ends_by_its_own_loudness():
    """Speech that is 20 dB softer than the turn is another's; 10 dB softer is its own."""
    soft, softer = (0.9, -40.0, 9.0), (0.9, -50.0, 9.0)
    assert len(turns([CHANGED] * 20 + [soft] * 50)) == 1
    _, end = turns([CHANGED] * 20 + [softer] * 30)[:2]
    assert end[1] <= (20 + 4 + 5) * FRAME


def test_speech_as_soft_as_ever_between_the_turns_begins_none():
    """Other voices that were there before the turn and after it begin no turn; who is louder does."""
    others = (0.9, -50.0, 9.0)
    louder = (0.9, -40.0, 9.0)
    murmur = [(0.1, -50.0, 9.0)] * 20 + [others] * 100
    assert [begins for begins, _, _ in turns(murmur[:20] + [CHANGED] * 20 + murmur)] == [True, False]
    assert [begins for begins, _, _ in turns(murmur[:20] + [CHANGED] * 20 + murmur + [louder] * 3)] == [
        True,
        False,
        True,
    ]


def test_a_restart_forgets_the_turn_and_not_the_room():
    """After clear or commit numbers go on, no sound from before counts, and the others' voices are still known."""
    others = (0.9, -50.0, 9.0)
    sound = [(0.1, -50.0, 9.0)] * 20 + [others] * 2 + [CHANGED] * 2 + [others] * 50 + [CHANGED] * 3
    detector = TurnDetector(rules(), RATE, 0, lambda rate: Given(sound))
    assert list(detector.feed(np.zeros(24 * FRAME, np.int16))) == []
    detector.restart(100 * FRAME)
    found = list(detector.feed(np.zeros(53 * FRAME, np.int16)))
    assert [(b.begins, b.sample) for b in found] == [(True, 150 * FRAME)]


def test_until_when_it_is_certain_that_nothing_begins():
    """While an onset waits, it is certain up to there only."""
    sound = [QUIET] * 5 + [STEADY] * 33
    detector = TurnDetector(rules(), RATE, 0, lambda rate: Given(sound))
    settled = []
    for _ in sound:
        assert not list(detector.feed(np.zeros(FRAME, np.int16)))
        settled.append(detector.settled // FRAME)
    assert settled[:6] == [1, 2, 3, 4, 5, 5]
    assert set(settled[6:34]) == {5}
    assert settled[34] == 35
