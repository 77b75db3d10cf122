"""`SettingsView`: the settings of a session, to see and to change."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping
from typing import Any

import ipywidgets

from rtnb import formatting
from rtnb.client.session_view import ViewedSession
from rtnb.client.settings import Configured
from rtnb.notebook import refresher
from rtnb.notebook.widget import core_of, put
from rtnb.protocol.catalog import VOICES
from rtnb.protocol.config import look

_MODALITIES = {"audio": "speech, with its transcript", "text": "text only"}
DETECTED, PUSH, MANUAL = "detected", "push", "manual"
_TURN_MODES = {
    DETECTED: "server VAD: it answers by itself",
    PUSH: "push-to-talk: hold, speak, let go",
    MANUAL: "manual: you ask for the answer",
}
_TURN_DETECTION = ("audio", "input", "turn_detection")


class SettingsView:
    """Voice, instructions, modalities and turn mode, and the tools that the model may call.

    Changes made elsewhere are shown here too, except in a field that is being edited. `apply` sends the changed fields to
    the service and shows what it did not grant.

    Parameters
    ----------
    session : Session or AsyncSession

    Attributes
    ----------
    box : ipywidgets.Box
    fields : dict of str to widget
        By the name of the setting.

    Raises
    ------
    TypeError
        If `session` is no live session.
    """

    def __init__(self, session: ViewedSession) -> None:
        self._core = core_of(session, "SettingsView")
        self._outcome = ""
        self._applying: concurrent.futures.Future[Configured] | None = None
        self.fields: dict[str, Any] = {
            "voice": ipywidgets.Combobox(options=VOICES, description="Voice", continuous_update=False),
            "instructions": ipywidgets.Textarea(description="Instructions", rows=3, continuous_update=True),
            "output_modalities": _choice("Answers", _MODALITIES),
            "turn_detection": _choice("Turns", _TURN_MODES),
        }
        self._apply = ipywidgets.Button(description="Apply", tooltip="ask the service for these settings")
        self._apply.on_click(lambda _: self.apply())
        self._tools = ipywidgets.HTML()
        self._status = ipywidgets.HTML()
        self._status.add_class("rtnb-settings-status")
        self.box = ipywidgets.VBox([*self.fields.values(), self._tools, self._apply, self._status])
        self.box.add_class("rtnb-settings")
        self._shown: dict[str, Any] = {}
        self.refresh()
        refresher.shared().add(self)

    def apply(self) -> None:
        """Ask the service for the changed settings; returns at once."""
        changes = self.changes()
        if not changes:
            self._outcome = formatting.muted("These settings are in effect already.")
            return
        self._outcome = formatting.muted("Asking the service …")
        self._applying = self._core.submit(self._core.configure(**changes))
        self._applying.add_done_callback(self._applied)

    def changes(self) -> dict[str, Any]:
        """Return the fields that differ from the settings in effect, as arguments of ``session.configure``."""
        config = self._core.config
        changed = {name: field.value for name, field in self.fields.items() if field.value != _shown(name, config)}
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
        self._shown = {}  # the fields go back to the settings in effect, also where they were not granted

    def refresh(self) -> None:
        """Show the settings in effect."""
        config = self._core.config
        for name, field in self.fields.items():
            value = _shown(name, config)
            if name not in self._shown or (value != self._shown[name] and field.value == self._shown[name]):
                field.value = value
                self._shown[name] = value
        put(self._tools, _tools_html(config))
        put(self._status, self._outcome)
        busy = self._applying is not None and not self._applying.done()
        disabled = busy or self._core.closed is not None
        if self._apply.disabled != disabled:
            self._apply.disabled = disabled

    def close(self) -> None:
        """Stop refreshing, and close the widgets."""
        refresher.shared().remove(self)
        self.box.close()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name} {formatting.one_line(field.value, 40)!r}" for name, field in self.fields.items())
        return f"<SettingsView {fields}>"


def turn_mode(config: Mapping[str, Any]) -> str:
    """Return the turn mode of a session's settings (GA's nested form): one of `DETECTED`, `PUSH` and `MANUAL`."""
    detection = look(config, _TURN_DETECTION)
    if not isinstance(detection, Mapping):
        return PUSH
    return MANUAL if detection.get("create_response") is False else DETECTED


def turn_detection(mode: str, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the turn detection setting of a turn mode; the type of detection in effect is kept."""
    if mode == PUSH:
        return None
    before = look(config, _TURN_DETECTION)
    kind = before.get("type") if isinstance(before, Mapping) else None
    return {"type": kind or "server_vad", "create_response": mode == DETECTED}


def _choice(description: str, words: Mapping[str, str]) -> Any:
    return ipywidgets.Dropdown(options=[(words[value], value) for value in words], description=description)


def _shown(name: str, config: Mapping[str, Any]) -> str:
    """Return the value of a field for settings in GA's nested form."""
    if name == "turn_detection":
        return turn_mode(config)
    if name == "output_modalities":
        modalities = config.get("output_modalities")
        return "text" if isinstance(modalities, list) and "audio" not in modalities else "audio"
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
