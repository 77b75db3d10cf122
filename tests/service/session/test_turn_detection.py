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
    """Has the probabilities given."""

    def __init__(self, probabilities):
        self.probabilities = probabilities
        self.at = 0

    def feed(self, samples):
        for _ in range(len(samples) // FRAME):
            start = self.at * FRAME
            yield SpeechFrame(start, self.probabilities[self.at])
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
