"""How soon the local service speaks: from ``response.create`` sent to the first audio in the log."""

from __future__ import annotations

from figure import Figure, median, percentile

TURNS = 20
PROMPT = "Say hello."


def measure() -> list[Figure]:
    """Hold 20 turns after a first one, which is told apart."""
    import rtnb

    with rtnb.ServiceProcess.start() as service, rtnb.connect(service.url) as session:
        delays = []
        for _ in range(TURNS + 2):
            session.ask(PROMPT)
            delays.append(first_audio_ms(session.timeline))
        first, _, *warm = delays
    note = f"p95 {percentile(warm, 95):.1f} ms of {TURNS} turns; the very first turn {first:.1f} ms"
    return [Figure("local service: first audio, median", median(warm), 50, "ms", note=note)]


def first_audio_ms(timeline: object) -> float:
    """Return the milliseconds between the newest request in the log and the audio that came first after it."""
    import rtnb

    assert isinstance(timeline, rtnb.Timeline)
    asked = timeline.select(kind="response.create", direction="sent")[-1].t
    return 1000 * (timeline.select(kind="response.output_audio.delta", since=asked)[0].t - asked)
