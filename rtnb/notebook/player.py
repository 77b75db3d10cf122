"""A clip's player for the notebook, made from WAV bytes: given an array, IPython would change its loudness."""

from __future__ import annotations

from IPython.display import Audio

from rtnb import formatting
from rtnb.audio.clip import INLINE_SECONDS, AudioClip


class ClipPlayer(Audio):
    """IPython's audio player with a note.

    Attributes
    ----------
    note : str
        That there is no audio, or that the player holds only the first part; else empty.
    """

    def __init__(self, wav: bytes, *, note: str = "") -> None:
        super().__init__(data=wav)  # type: ignore[no-untyped-call]
        self.note = note

    def __repr__(self) -> str:
        return f"<player: {self.note or formatting.size(len(self.data)) + ' of WAV'}>"

    def _repr_html_(self) -> str:
        tag = str(super()._repr_html_()) if self.data else ""  # type: ignore[no-untyped-call]
        return formatting.card(tag, formatting.muted(self.note) if self.note else "")


def player(clip: AudioClip) -> ClipPlayer:
    """Return a player of `clip`, an `IPython.display.Audio` whose ``data`` is a WAV file's bytes, sample for sample.

    A clip longer than ``rtnb.audio.INLINE_SECONDS`` is cut there, since every second adds 64 kB to the notebook (at
    24 kHz), and the player says so. An empty clip becomes a note that there is no audio.
    """
    if not len(clip):
        return ClipPlayer(b"", note="no audio")
    if clip.duration <= INLINE_SECONDS:
        return ClipPlayer(clip.to_wav())
    note = (
        f"The player holds the first {INLINE_SECONDS} s of {formatting.seconds(clip.duration)}, to keep the notebook "
        "light; clip.to_wav(path) keeps all of it."
    )
    return ClipPlayer(clip.between(0, INLINE_SECONDS).to_wav(), note=note)
