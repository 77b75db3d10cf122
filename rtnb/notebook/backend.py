"""The notebook's implementation of `rtnb.display.DisplayBackend`: each call imports the one module that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rtnb.audio import AudioClip
    from rtnb.client.async_session import AsyncSession
    from rtnb.conversation.response import Response
    from rtnb.notebook.microphone import Microphone
    from rtnb.notebook.player import ClipPlayer
    from rtnb.notebook.response_view import ResponseView
    from rtnb.notebook.speech_capture import SpeechCapture
    from rtnb.timeline import Timeline


class NotebookDisplay:
    """Draws with matplotlib, plays with IPython and records with widgets.

    Plotting loads no widgets, and playing loads no matplotlib.
    """

    def plot_clip(self, clip: AudioClip, ax: Axes | None = None) -> Axes:
        """Draw a clip's waveform over seconds into `ax`, or into a new figure."""
        from rtnb.notebook.plots import plot_clip

        return plot_clip(clip, ax=ax)

    def plot_timeline(self, timeline: Timeline, ax: Axes | None = None) -> Axes:
        """Draw what was sent and received over time into `ax`, or into a new figure."""
        from rtnb.notebook.plots import plot_timeline

        return plot_timeline(timeline, ax=ax)

    def play_clip(self, clip: AudioClip) -> ClipPlayer:
        """Return a player of a clip that a notebook can show."""
        from rtnb.notebook.player import player

        return player(clip)

    def in_notebook(self) -> bool:
        """Return whether this process is a notebook's kernel, where widgets can be shown."""
        from rtnb.notebook.cell_progress import in_kernel

        return in_kernel()

    def show_response(self, response: Response) -> ResponseView:
        """Display a response that is still growing under the running cell, and return the view."""
        from rtnb.notebook.cell_progress import show

        return show(response)

    def microphone(self, session: AsyncSession, clip: object = None) -> Microphone:
        """Return a microphone widget for a session; with `clip`, one that sends the clip instead."""
        from rtnb.notebook.microphone import Microphone

        return Microphone(session, clip)

    def listen(self, session: AsyncSession, seconds: float, clip: object = None) -> SpeechCapture:
        """Record the user for `seconds`, sending the audio to the session as well."""
        from rtnb.notebook.speech_capture import SpeechCapture

        return SpeechCapture(session, seconds, clip)
