"""rtnb: a notebook toolkit for realtime speech models.

Open a session, talk, and everything that crossed the wire is a table that you can query, plot, hear, save and compare::

    import rtnb

    session = rtnb.connect()
    session.ask("Please assist the user.")
    session.timeline

Names are loaded when they are first used, so that ``import rtnb`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rtnb import display
from rtnb.version import __version__

if TYPE_CHECKING:
    from rtnb import ui as ui
    from rtnb.audio import AudioClip as AudioClip
    from rtnb.client.async_session import AsyncSession as AsyncSession
    from rtnb.connecting import connect as connect
    from rtnb.connecting import connect_async as connect_async
    from rtnb.conversation.recording import Recording as Recording
    from rtnb.conversation.recording import open_recording as open
    from rtnb.conversation.response import Response as Response
    from rtnb.errors import AudioError as AudioError
    from rtnb.errors import AuthError as AuthError
    from rtnb.errors import ConfigurationError as ConfigurationError
    from rtnb.errors import ConnectError as ConnectError
    from rtnb.errors import ProtocolError as ProtocolError
    from rtnb.errors import RecordingError as RecordingError
    from rtnb.errors import ResponseTimeout as ResponseTimeout
    from rtnb.errors import RtnbError as RtnbError
    from rtnb.errors import ServerError as ServerError
    from rtnb.errors import SessionBusy as SessionBusy
    from rtnb.errors import SessionClosed as SessionClosed
    from rtnb.notebook.nesting import allow_nested_asyncio as allow_nested_asyncio
    from rtnb.notebook.session import Session as Session
    from rtnb.protocol.dialects import GA as GA
    from rtnb.protocol.dialects import PREVIEW as PREVIEW
    from rtnb.protocol.events import Event as Event
    from rtnb.service.server.process import ServiceProcess as ServiceProcess
    from rtnb.timeline import Timeline as Timeline

_HOME = {
    "AudioClip": "rtnb.audio",
    "AsyncSession": "rtnb.client.async_session",
    "Session": "rtnb.notebook.session",
    "connect": "rtnb.connecting",
    "connect_async": "rtnb.connecting",
    "AudioError": "rtnb.errors",
    "AuthError": "rtnb.errors",
    "ConfigurationError": "rtnb.errors",
    "ConnectError": "rtnb.errors",
    "ProtocolError": "rtnb.errors",
    "RecordingError": "rtnb.errors",
    "ResponseTimeout": "rtnb.errors",
    "RtnbError": "rtnb.errors",
    "ServerError": "rtnb.errors",
    "SessionBusy": "rtnb.errors",
    "SessionClosed": "rtnb.errors",
    "Recording": "rtnb.conversation.recording",
    "Timeline": "rtnb.timeline",
    "allow_nested_asyncio": "rtnb.notebook.nesting",
    "GA": "rtnb.protocol.dialects",
    "PREVIEW": "rtnb.protocol.dialects",
    "Event": "rtnb.protocol.events",
    "open": "rtnb.conversation.recording:open_recording",
    "Response": "rtnb.conversation.response",
    "ServiceProcess": "rtnb.service.server.process",
    "ui": "rtnb.ui:",
}

__all__ = ["__version__", *sorted(_HOME)]


def _notebook_display() -> display.DisplayBackend:
    from rtnb.notebook.backend import NotebookDisplay

    return NotebookDisplay()


display.use(_notebook_display)


def __getattr__(name: str) -> Any:
    """Load a public name from the module that it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module 'rtnb' has no attribute {name!r}")
    home, colon, attribute = _HOME[name].partition(":")
    module = importlib.import_module(home)
    value = module if colon and not attribute else getattr(module, attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOME})
