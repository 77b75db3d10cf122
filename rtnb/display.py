"""The display hook: how a clip, a timeline or a session reaches what draws, plays and records, without importing it.

`AudioClip.plot`, `Timeline.plot`, `AsyncSession.microphone` and their like call `backend`. The composition root, the
package's own ``__init__``, says with `use` where the implementation is: `rtnb.notebook.backend`. It is imported at the
first call, so that `import rtnb` loads no plotting and no widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rtnb.audio import AudioClip
    from rtnb.client.async_session import AsyncSession
    from rtnb.conversation.response import Response
    from rtnb.notebook.microphone import Microphone
    from rtnb.notebook.speech_capture import SpeechCapture
    from rtnb.timeline import Timeline


class DisplayBackend(Protocol):
    """What a display offers to the layers below it."""

    def plot_clip(self, clip: AudioClip, ax: Axes | None = None) -> Axes:
        """Draw a clip's waveform over seconds into `ax`, or into a new figure."""

    def plot_timeline(self, timeline: Timeline, ax: Axes | None = None) -> Axes:
        """Draw what was sent and received over time into `ax`, or into a new figure."""

    def play_clip(self, clip: AudioClip) -> Any:
        """Return a player of a clip that a notebook can show."""

    def in_notebook(self) -> bool:
        """Return whether this process is a notebook's kernel, where widgets can be shown."""

    def show_response(self, response: Response) -> Any:
        """Display a response that is still growing under the running cell, and return the view."""

    def microphone(self, session: AsyncSession, clip: object = None) -> Microphone:
        """Return a microphone widget for a session; with `clip`, one that sends the clip instead."""

    def listen(self, session: AsyncSession, seconds: float, clip: object = None) -> SpeechCapture:
        """Record the user for `seconds`, sending the audio to the session as well."""


_load: Callable[[], DisplayBackend] | None = None


def use(load: Callable[[], DisplayBackend]) -> None:
    """Set where the display comes from; `load` is called whenever something is to be shown, and imports what it needs."""
    global _load
    _load = load


def backend() -> DisplayBackend:
    """Return the display.

    Raises
    ------
    RuntimeError
        If none was set: this module was loaded without the package `rtnb`.
    """
    if _load is None:
        raise RuntimeError("No display is set: import rtnb, or call rtnb.display.use(load) with one of your own.")
    return _load()
