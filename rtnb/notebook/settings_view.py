"""`SettingsView`: the settings of a session, to see and to change."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping
from typing import Any

import ipywidgets

from rtnb import formatting
from rtnb.client.async_session import AsyncSession
from rtnb.client.summary import Configured
from rtnb.notebook.refresher import pump
from rtnb.notebook.session import Session
from rtnb.notebook.submitting import core_of, submit
from rtnb.notebook.turn_modes import WORDS, turn_detection, turn_mode
from rtnb.protocol.catalog import VOICES
from rtnb.protocol.config import look

_MODALITIES = {"audio": "speech, with its transcript", "text": "text only"}


class SettingsView:
    """Voice, instructions, modalities and turn mode, and the tools that the model may call.

    What somebody else changes is shown here too, but for a field that is being edited. `apply` asks the service; what it did
    not grant is shown.

    Parameters
    ----------
    session : Session or AsyncSession

    Attributes
    ----------
    box : ipywidgets.Box
    fields : dict of str to widget
        By the name of the setting.
    """

    def __init__(self, session: Session | AsyncSession) -> None:
        self._core = core_of(session)
        self._outcome = ""
        self._applying: concurrent.futures.Future[Configured] | None = None
        self.fields: dict[str, Any] = {
            "voice": ipywidgets.Combobox(options=VOICES, description="Voice", continuous_update=False),
            "instructions": ipywidgets.Textarea(description="Instructions", rows=3, continuous_update=True),
            "output_modalities": _choice("Answers", _MODALITIES),
            "turn_detection": _choice("Turns", WORDS),
        }
        self._apply = ipywidgets.Button(description="Apply", tooltip="ask the service for these settings")
        self._apply.on_click(lambda _: self.apply())
        self._tools = ipywidgets.HTML()
        self._status = ipywidgets.HTML()
        self._status.add_class("rtnb-settings-status")
        rows = [*self.fields.values(), self._tools, self._apply, self._status]
        self.box = ipywidgets.VBox(rows)
        self.box.add_class("rtnb-settings")
        self._told: dict[str, Any] = {}
        self.refresh()
        pump().add(self)

    def apply(self) -> None:
        """Ask the service for what was changed; returns at once."""
        changes = self.changes()
        if not changes:
            self._outcome = formatting.muted("These settings are in effect already.")
            return
        self._outcome = formatting.muted("Asking the service …")
        self._applying = submit(self._core, lambda core: core.configure(**changes))
        self._applying.add_done_callback(self._applied)

    def changes(self) -> dict[str, Any]:
        """Return what differs from the settings in effect, as `session.configure` takes it."""
        config = self._core.config
        changed = {name: field.value for name, field in self.fields.items() if field.value != _told(name, config)}
        if "output_modalities" in changed:
            changed["output_modalities"] = [changed["output_modalities"]]
        if "turn_detection" in changed:
            changed["turn_detection"] = turn_detection(changed["turn_detection"], config)
        return changed

    def _applied(self, outcome: concurrent.futures.Future[Configured]) -> None:
        """Keep the outcome for the next refresh; on the session's thread."""
        if outcome.cancelled():
            self._outcome = ""
        elif (error := outcome.exception()) is not None:
            self._outcome = formatting.banner(formatting.one_line(error, 500))
        elif configured := outcome.result():
            self._outcome = formatting.muted("In effect.")
        else:
            self._outcome = formatting.banner(f"Not granted: {configured.words}", formatting.LOCAL_COLOUR)
        self._told = {}  # what was not granted is taken back from the fields, too

    def refresh(self) -> None:
        """Show the settings in effect."""
        config = self._core.config
        for name, field in self.fields.items():
            value = _told(name, config)
            if name not in self._told or (value != self._told[name] and field.value == self._told[name]):
                field.value = value
                self._told[name] = value
        _put(self._tools, _tools_html(config))
        _put(self._status, self._outcome)
        busy = self._applying is not None and not self._applying.done()
        closed = self._core.closed is not None
        if self._apply.disabled != (busy or closed):
            self._apply.disabled = busy or closed

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {formatting.one_line(field.value, 40)!r}" for name, field in self.fields.items())
        return f"<SettingsView {told}>"


def _choice(description: str, words: Mapping[str, str]) -> Any:
    return ipywidgets.Dropdown(options=[(words[value], value) for value in words], description=description)


def _told(name: str, config: Mapping[str, Any]) -> str:
    """Return the value of a field for settings in GA's nested form."""
    if name == "turn_detection":
        return turn_mode(config)
    if name == "output_modalities":
        told = config.get("output_modalities")
        return "text" if isinstance(told, list) and "audio" not in told else "audio"
    if name == "voice":
        voice = look(config, ("audio", "output", "voice"), "")
        return str((voice.get("id") if isinstance(voice, Mapping) else voice) or "")
    return str(config.get(name) or "")


def _tools_html(config: Mapping[str, Any]) -> str:
    tools = config.get("tools")
    named = [each for each in tools if isinstance(each, Mapping)] if isinstance(tools, list) else []
    if not named:
        return formatting.muted("No functions; @session.tool adds one.")
    listed = (
        f"<code>{formatting.escape(formatting.one_line(each.get('name') or each.get('type'), 60))}</code> "
        + formatting.muted(formatting.one_line(each.get("description") or "", 120))
        for each in named[:20]
    )
    return "Functions: " + "<br>".join(listed)


def _put(widget: Any, value: str) -> None:
    if widget.value != value:
        widget.value = value
