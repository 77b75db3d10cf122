"""`rtnb demo`: one spoken response without a notebook, printed as the quickstarts do, and everything saved in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

from rtnb.audio import AudioClip
from rtnb.connecting import connect
from rtnb.conversation.response import Response
from rtnb.errors import RtnbError
from rtnb.notebook.report import write_report
from rtnb.notebook.session import Session
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

DEFAULT_PROMPT = "Please assist the user."


def run(
    out: Path,
    *,
    prompt: str = DEFAULT_PROMPT,
    stdout: TextIO,
    voice: str | None = None,
    **where: Any,
) -> bool:
    """Hold one turn, print what arrives, and save log, audio, picture and report page in `out`.

    Parameters
    ----------
    out : Path
        Folder; made if it does not exist.
    **where
        Arguments of `rtnb.connect`: ``target=``, ``dialect=`` …

    Returns
    -------
    bool
        Whether the response was completed.
    """
    out.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {"voice": voice} if voice else {}
    session = connect(**where, output_modalities=["audio"], **config)

    def say(line: str) -> None:
        print(line, file=stdout, flush=True)

    try:
        say("Connection opened!")
        failure = _ask(session, prompt, say)
    finally:
        session.close()
    say("Connection closed!")
    response = session.responses[-1] if session.responses else None
    files = _save(session, response, out, prompt)
    if failure is not None:
        raise failure
    names = ", ".join(file.name for file in files)
    say(f"\nIn {out}/: {names}. Open {files[0].name} in a browser, or run: rtnb inspect {files[-1]}")
    return response is not None and response.status == "completed"


def _ask(session: Session, prompt: str, say: Any) -> RtnbError | None:
    """Ask, and print each event as it comes; return an error instead of raising it, since the log must be saved first."""
    try:
        answer = session.ask(prompt, wait=False)
        for event in session.events(since=0):
            line = line_of(event)
            if line:
                say(line)
            if event.kind == Kind.RESPONSE_DONE or answer.done:
                break
        answer.wait()
    except RtnbError as error:
        return error
    return None


def line_of(event: Event) -> str:
    """Return what the quickstarts print for an event; empty for most."""
    if event.kind == Kind.SESSION_CREATED:
        return "session created!"
    if event.kind in (Kind.TEXT_DELTA, Kind.TRANSCRIPT_DELTA):
        return f"Received text delta: {event.text('delta')}"
    if event.kind == Kind.AUDIO_DELTA:
        return f"Received {len(event.audio)} bytes of audio data."
    return ""


def _save(session: Session, response: Response | None, out: Path, prompt: str) -> list[Path]:
    """Save report page, audio (where there is some), picture and log, and return their paths in this order."""
    from rtnb.notebook.plots import picture

    log = session.save(out / "session.rtnb.jsonl")
    clip = response.audio if response is not None else AudioClip.silence(0)
    image = picture(session.timeline, clip)
    (out / "timeline.png").write_bytes(image)
    report = write_report(
        out / "report.html",
        timeline=session.timeline,
        responses=session.responses,
        title=f"“{prompt}” — {session.endpoint.words}",
        picture_png=image,
    )
    return [report, *([clip.to_wav(out / "answer.wav")] if len(clip) else []), out / "timeline.png", log]
