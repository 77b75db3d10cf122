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
    from rtnb.audio import StereoClip as StereoClip
    from rtnb.client.async_session import AsyncSession as AsyncSession
    from rtnb.client.client_secret import ClientSecret as ClientSecret
    from rtnb.client.endpoint import Endpoint as Endpoint
    from rtnb.client.live_response import LiveResponse as LiveResponse
    from rtnb.client.playback import Heard as Heard
    from rtnb.client.playback import Playback as Playback
    from rtnb.client.session_kind import SessionKind as SessionKind
    from rtnb.client.settings import Configured as Configured
    from rtnb.client.subscriptions import EventStream as EventStream
    from rtnb.client.summary import SessionSummary as SessionSummary
    from rtnb.client.transcription import Transcription as Transcription
    from rtnb.client_secrets import client_secret as client_secret
    from rtnb.connecting import connect as connect
    from rtnb.connecting import connect_async as connect_async
    from rtnb.conversation.conversation import Conversation as Conversation
    from rtnb.conversation.items import ContentPart as ContentPart
    from rtnb.conversation.items import Item as Item
    from rtnb.conversation.items import ResponseState as ResponseState
    from rtnb.conversation.items import Segment as Segment
    from rtnb.conversation.phases import PhaseTranscript as PhaseTranscript
    from rtnb.conversation.recording import Recording as Recording
    from rtnb.conversation.recording import open_recording as open
    from rtnb.conversation.response import FunctionCall as FunctionCall
    from rtnb.conversation.response import Latency as Latency
    from rtnb.conversation.response import Response as Response
    from rtnb.errors import AudioError as AudioError
    from rtnb.errors import AuthError as AuthError
    from rtnb.errors import ConfigurationError as ConfigurationError
    from rtnb.errors import ConnectError as ConnectError
    from rtnb.errors import ImageError as ImageError
    from rtnb.errors import ProtocolError as ProtocolError
    from rtnb.errors import RecordingError as RecordingError
    from rtnb.errors import ResponseTimeout as ResponseTimeout
    from rtnb.errors import RtnbError as RtnbError
    from rtnb.errors import ServerError as ServerError
    from rtnb.errors import SessionBusy as SessionBusy
    from rtnb.errors import SessionClosed as SessionClosed
    from rtnb.notebook.nesting import allow_nested_asyncio as allow_nested_asyncio
    from rtnb.notebook.session import Session as Session
    from rtnb.notebook.speech_capture import SpeechCapture as SpeechCapture
    from rtnb.protocol.dialects import GA as GA
    from rtnb.protocol.dialects import PREVIEW as PREVIEW
    from rtnb.protocol.dialects import Dialect as Dialect
    from rtnb.protocol.events import Event as Event
    from rtnb.protocol.images import InputImage as InputImage
    from rtnb.service.server.process import ServiceProcess as ServiceProcess
    from rtnb.timeline import Categorical as Categorical
    from rtnb.timeline import Timeline as Timeline
    from rtnb.timeline.tables import Counts as Counts

# By module, the public names in it; "name=attribute" where the attribute is called otherwise, "name=" for the module itself.
_MODULES = {
    "rtnb.audio": "AudioClip StereoClip",
    "rtnb.client.async_session": "AsyncSession",
    "rtnb.client.client_secret": "ClientSecret",
    "rtnb.client.endpoint": "Endpoint",
    "rtnb.client.live_response": "LiveResponse",
    "rtnb.client.playback": "Heard Playback",
    "rtnb.client.session_kind": "SessionKind",
    "rtnb.client.settings": "Configured",
    "rtnb.client.subscriptions": "EventStream",
    "rtnb.client.summary": "SessionSummary",
    "rtnb.client.transcription": "Transcription",
    "rtnb.client_secrets": "client_secret",
    "rtnb.connecting": "connect connect_async",
    "rtnb.conversation.conversation": "Conversation",
    "rtnb.conversation.items": "ContentPart Item ResponseState Segment",
    "rtnb.conversation.phases": "PhaseTranscript",
    "rtnb.conversation.recording": "Recording open=open_recording",
    "rtnb.conversation.response": "FunctionCall Latency Response",
    "rtnb.errors": "AudioError AuthError ConfigurationError ConnectError ImageError ProtocolError RecordingError "
    "ResponseTimeout RtnbError ServerError SessionBusy SessionClosed",
    "rtnb.notebook.speech_capture": "SpeechCapture",
    "rtnb.notebook.nesting": "allow_nested_asyncio",
    "rtnb.notebook.session": "Session",
    "rtnb.protocol.dialects": "Dialect GA PREVIEW",
    "rtnb.protocol.events": "Event",
    "rtnb.protocol.images": "InputImage",
    "rtnb.service.server.process": "ServiceProcess",
    "rtnb.timeline": "Categorical Timeline",
    "rtnb.timeline.tables": "Counts",
    "rtnb.ui": "ui=",
}
_PLACES = {
    name: (module, attribute if equals else name)
    for module, names in _MODULES.items()
    for name, equals, attribute in (each.partition("=") for each in names.split())
}

# Without "open", so that `from rtnb import *` leaves the builtin function alone.
__all__ = ["__version__", *sorted(_PLACES.keys() - {"open"})]


def _notebook_display() -> display.DisplayBackend:
    from rtnb.notebook.backend import NotebookDisplay

    return NotebookDisplay()


display.use(_notebook_display)


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _PLACES:
        raise AttributeError(f"module 'rtnb' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value = importlib.import_module(module)
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_PLACES})
