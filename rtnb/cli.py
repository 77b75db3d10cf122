"""The command line: ``rtnb demo``, ``rtnb lab``, ``rtnb serve``, ``rtnb doctor``, ``rtnb inspect``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rtnb.conversation.recording import open_recording
from rtnb.errors import RtnbError
from rtnb.formatting import printable
from rtnb.service.server.options import ServiceOptions, add_arguments
from rtnb.version import __version__

_AddCommand = Callable[..., argparse.ArgumentParser]
_NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    0 is success, 1 a failure (its message is on stderr), 2 a wrong command line, 130 an interrupt.
    """
    parser = _parser()
    given = parser.parse_args(argv)
    if given.command is None:
        parser.print_help(sys.stderr)
        parser.exit(2)
    try:
        status: int = given.run(given)
        return status
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the program that reads the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (RtnbError, OSError) as error:
        print(f"rtnb {given.command}: {printable(error)}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rtnb",
        description="Realtime speech models: talk to one, and keep everything that crossed the wire.",
        epilog="Without an account everything runs on a local service; with AZURE_OPENAI_ENDPOINT or OPENAI_API_KEY set, "
        "the same commands talk to the cloud.",
    )
    parser.add_argument("--version", action="version", version=f"rtnb {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    for add in (_add_demo, _add_lab, _add_serve, _add_doctor, _add_inspect):
        add(commands.add_parser)
    return parser


def _add_demo(add_command: _AddCommand) -> None:
    demo = add_command("demo", help="hold one spoken turn and keep sound, log, picture and a report page")
    demo.add_argument("--target", help="local, azure, openai, or a URL (default: the environment decides, else local)")
    demo.add_argument("--prompt", default="Please assist the user.", help="what to ask (default: %(default)s)")
    demo.add_argument("--voice", help="the voice to answer in")
    demo.add_argument("--dialect", choices=["ga", "preview"], help="the protocol's dialect (default: by the target)")
    demo.add_argument(
        "--out", type=Path, default=Path("rtnb-demo"), metavar="DIR", help="folder (default: %(default)s)"
    )
    demo.set_defaults(run=_demo)


def _add_lab(add_command: _AddCommand) -> None:
    lab = add_command("lab", help="open the notebooks in JupyterLab")
    lab.add_argument("arguments", nargs=argparse.REMAINDER, help="anything else goes to jupyter lab")
    lab.set_defaults(run=_lab)


def _add_serve(add_command: _AddCommand) -> None:
    serve = add_command("serve", help="run the local realtime service for other clients")
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="what to listen on; anything but loopback opens it to the network (default: %(default)s)",
    )
    serve.add_argument("--port", type=int, default=8765, help="0 takes any free port (default: %(default)s)")
    serve.add_argument(
        "--tls", action="store_true", help="listen with TLS too, on the next port, with a certificate made for this run"
    )
    add_arguments(serve)
    serve.set_defaults(run=_serve)


def _add_doctor(add_command: _AddCommand) -> None:
    doctor = add_command("doctor", help="check the installation, and say what to do about what is wrong")
    doctor.set_defaults(run=_doctor)


def _add_inspect(add_command: _AddCommand) -> None:
    inspect = add_command("inspect", help="show a saved session")
    inspect.add_argument("file", type=Path, help="a .rtnb.jsonl file")
    inspect.set_defaults(run=_inspect)


def _demo(given: argparse.Namespace) -> int:
    from rtnb import demo

    completed = demo.run(
        given.out, prompt=given.prompt, voice=given.voice, stdout=sys.stdout, target=given.target, dialect=given.dialect
    )
    return 0 if completed else 1


def _lab(given: argparse.Namespace) -> int:
    folder = _NOTEBOOKS if _NOTEBOOKS.is_dir() else Path.cwd()
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}", *given.arguments]
    status = subprocess.call(command)
    if status:
        print('If JupyterLab is missing: pip install "rtnb[lab]"', file=sys.stderr)
    return status


def _serve(given: argparse.Namespace) -> int:
    from rtnb.service.server.running import run

    run(ServiceOptions.of(given), given.host, given.port, tls=given.tls)
    return 0


def _doctor(_given: argparse.Namespace) -> int:
    from rtnb.doctor import examine

    found = examine()
    print(found)
    return 1 if found.problems else 0


def _inspect(given: argparse.Namespace) -> int:
    recording = open_recording(given.file)
    print(recording)
    print()
    print(recording.timeline)
    print()
    print(recording.timeline.counts())
    return 0
