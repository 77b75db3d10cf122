"""The widgets by name: ``rtnb.ui.SessionPanel(session)``. Each shows the session, timeline or recording that it is given."""

from __future__ import annotations

from rtnb.notebook.conversation_view import ConversationView
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.microphone import Microphone
from rtnb.notebook.panel import SessionPanel
from rtnb.notebook.response_view import ResponseView
from rtnb.notebook.settings_view import SettingsView
from rtnb.notebook.speaker import Speaker
from rtnb.notebook.timeline_view import TimelineView

__all__ = [
    "ConversationView",
    "EventLog",
    "Microphone",
    "ResponseView",
    "SessionPanel",
    "SettingsView",
    "Speaker",
    "TimelineView",
]
