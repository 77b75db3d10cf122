"""JupyterLab and a headless Chromium for tests: `JupyterServer`, `Browsers`, `Lab`, `Notebook`. How to use: conftest.py."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "screenshots"
WAIT = 60.0
PATIENCE = 20.0
"""Seconds that an expectation waits: a machine that does much else at once is slow, not wrong."""
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker": {
        "windowingMode": "none",
        "maxNumberOutputs": 1000,
        "scrollPastEnd": False,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--use-fake-device-for-media-stream",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
Theme = Literal["light", "dark"]


def chromium_path() -> str | None:
    """Return where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class JupyterServer:
    """A JupyterLab server on a free port of loopback, with settings of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self._folder = folder
        self._log = (folder / "server.log").open("w")
        settings = folder / "settings"
        for name, values in SETTINGS.items():
            path = settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        self.work.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", *self._options()],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.url = self._wait_until_it_serves().rstrip("/")

    def _options(self) -> list[str]:
        return [
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.root_dir={self.work}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ]

    def _environment(self) -> dict[str, str]:
        """No account, no proxy, nothing of the settings of whoever runs the tests; and this very rtnb."""
        unwanted = ("AZURE_", "OPENAI_", "IDENTITY_", "JUPYTER", "PYTEST_", "COVERAGE_")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
        }
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "MPLCONFIGDIR": "matplotlib",
        }
        search = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
        return kept | {name: str(self._folder / place) for name, place in places.items()} | {"PYTHONPATH": search}

    def _wait_until_it_serves(self) -> str:
        deadline = time.monotonic() + WAIT
        info = self._folder / "runtime" / f"jpserver-{self._process.pid}.json"
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                url = str(json.loads(info.read_text())["url"])
                urllib.request.urlopen(f"{url}api", timeout=5).close()
            except (OSError, ValueError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.05)  # it either ends, or has had a moment more to come up
            else:
                return url
        self.stop()
        raise AssertionError(f"JupyterLab did not start:\n{(self._folder / 'server.log').read_text()[-3000:]}")

    def call(self, method: str, path: str) -> Any:
        """Call the server's REST interface; return what it answers."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=WAIT) as reply:
            told = reply.read()
        return json.loads(told) if told else None

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Browsers:
    """Chromium, started once for each set of flags that a test asks for."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        expect.set_options(timeout=PATIENCE * 1000)
        self._driver: Playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._running: dict[tuple[str, ...], Browser] = {}
        asyncio._set_running_loop(None)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the driver's calls run in this block, and nothing of asyncio's in this thread but they.

        Outside of it the thread has no running loop, as tests that are coroutines expect.
        """
        asyncio._set_running_loop(self._loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def get(self, *flags: str) -> Browser:
        """Return the browser that has these flags beside the usual ones."""
        if flags not in self._running:
            self._running[flags] = self._driver.chromium.launch(
                executable_path=self._executable, args=[*FLAGS, *flags], ignore_default_args=["--mute-audio"]
            )
        return self._running[flags]

    def stop(self) -> None:
        with self.at_work():
            for browser in self._running.values():
                browser.close()
            self._driver.stop()


class Notebook:
    """A notebook that is open in a page of its own.

    Attributes
    ----------
    page : playwright.sync_api.Page
    console_errors : list of str
        What the page wrote as errors, and exceptions that nobody caught.
    foreign_requests : list of str
        Addresses on other hosts that the page asked for; none can be reached.
    """

    def __init__(self, server: JupyterServer, page: Page, path: str) -> None:
        self.page = page
        self.path = path
        self.console_errors: list[str] = []
        self.foreign_requests: list[str] = []
        self._server = server
        self._theme: Theme = "light"
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(self._server.url).netloc:
            self.foreign_requests.append(url)

    def load(self, route: str) -> None:
        self.page.goto(f"{self._server.url}/{route}/{self.path}" + ("?reset" if route.startswith("doc") else ""))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT * 1000)
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp?.shell?.currentWidget;
              return !!panel?.sessionContext?.session?.kernel && panel.sessionContext.isReady
                && panel.sessionContext.session.kernel.status === "idle";
            }""",
            timeout=WAIT * 1000,
        )

    # -- cells

    def run_all(self, *, wait: bool = True, errors: bool = False, timeout: float = WAIT) -> None:
        """Run all cells; with `wait`, until the last has ended. A cell that raises is an assertion, unless `errors`."""
        self._start("notebook:run-all-cells")
        if wait:
            self.wait_idle(errors=errors, timeout=timeout)

    def run(self, index: int, *, wait: bool = True, errors: bool = False, timeout: float = WAIT) -> None:
        """Run one cell, as `run_all` does all."""
        self.page.evaluate(
            """index => {
              const notebook = window.jupyterapp.shell.currentWidget.content;
              notebook.deselectAll();
              notebook.activeCellIndex = index;
            }""",
            index,
        )
        self._start("notebook:run-cell")
        if wait:
            self.wait_idle(errors=errors, timeout=timeout)

    def _start(self, command: str) -> None:
        self.page.evaluate(
            """command => {
              window.__running = (window.__running ?? 0) + 1;
              window.jupyterapp.commands.execute(command).finally(() => { window.__running -= 1; });
            }""",
            command,
        )

    def wait_idle(self, *, errors: bool = False, timeout: float = WAIT) -> None:
        """Wait until every cell that was started has ended."""
        self.page.wait_for_function("() => window.__running === 0", timeout=timeout * 1000)
        if not errors:
            found = self.page.locator('.jp-Cell [data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()
            found += self.page.locator('.jp-Cell [data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()
            assert not found, "\n".join(found)

    def cell(self, index: int) -> Locator:
        """Return a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return what a cell has put out."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    # -- the kernel

    def eval_kernel(self, code: str) -> str:
        """Run code in the notebook's kernel, outside of any cell; return what it prints and its last value's text.

        It waits its turn behind a running cell.
        """
        told = self.page.evaluate(
            """async code => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code, store_history: false, stop_on_error: false });
              let text = "", error = null;
              future.onIOPub = ({ header, content }) => {
                if (header.msg_type === "stream") text += content.text;
                else if (header.msg_type === "execute_result") text += content.data["text/plain"];
                else if (header.msg_type === "error") error = content.traceback.join("\\n");
              };
              await future.done;
              return { text, error };
            }""",
            code,
        )
        assert told["error"] is None, told["error"]
        return str(told["text"])

    def wait_kernel(self, condition: str, timeout: float = WAIT) -> None:
        """Wait until a Python expression holds in the kernel (which must not be busy)."""
        deadline = time.monotonic() + timeout
        while self.eval_kernel(f"print(bool({condition}))").strip() != "True":
            assert time.monotonic() < deadline, f"never true: {condition}"

    # -- the page

    def theme(self, theme: Theme) -> None:
        """Change JupyterLab's theme."""
        if theme == self._theme:
            return
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme],
        )
        self.page.wait_for_selector(f'body[data-jp-theme-light="{str(theme == "light").lower()}"]', state="attached")
        self._theme = theme

    def screenshot(self, name: str, theme: Theme = "light", width: int = 1400) -> Path:
        """Write the whole notebook as ``screenshots/{name}-{theme}-{width}.png``; put the page back as it was."""
        before = self.page.viewport_size or {"width": 1400, "height": 900}
        was = self._theme
        self.theme(theme)
        self.page.set_viewport_size({"width": width, "height": before["height"]})
        self.page.evaluate(TWO_FRAMES)
        self.page.evaluate(SCROLL_UP)
        height = int(self.page.evaluate(WHOLE_HEIGHT))
        self.page.set_viewport_size({"width": width, "height": min(max(height, 300), 12_000)})
        self.page.evaluate(TWO_FRAMES)
        self.page.evaluate(SCROLL_UP)
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}-{theme}-{width}.png"
        self.page.screenshot(path=path, animations="disabled")
        self.page.set_viewport_size(before)
        self.theme(was)
        return path

    def save(self) -> nbformat.NotebookNode:
        """Save the notebook, widget state with it; return what was written."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return nbformat.read(self.file, as_version=4)

    @property
    def file(self) -> Path:
        """The notebook's file."""
        return self._server.work / self.path


TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"
SCROLL_UP = """() => {
  for (const outer of document.querySelectorAll(".jp-WindowedPanel-outer, .jp-Notebook")) outer.scrollTop = 0;
}"""
WHOLE_HEIGHT = """() => Math.max(...[...document.querySelectorAll(".jp-Notebook .jp-Cell")]
  .map(cell => cell.getBoundingClientRect().bottom)) + 60"""


def export(notebook: Path) -> Path:
    """Make a page of a saved notebook, as ``jupyter nbconvert --to html`` does; return the page's file."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert done.returncode == 0, done.stderr
    return notebook.with_suffix(".html")


class Lab:
    """Opens notebooks; what it has opened is closed with it, kernels and all."""

    def __init__(self, server: JupyterServer, browsers: Browsers, tone: Path) -> None:
        self._server = server
        self._browsers = browsers
        self._tone = tone
        self._contexts: list[BrowserContext] = []

    @property
    def folder(self) -> Path:
        """The folder in which the notebooks are, and their kernels run."""
        return self._server.work

    def open(
        self,
        cells: Sequence[str],
        *,
        microphone: Path | Literal["refused"] | None = None,
        autoplay: bool = True,
        width: int = 1400,
        height: int = 1000,
        route: str = "doc/tree",
    ) -> Notebook:
        """Write a notebook of code cells, open it, and wait for its kernel.

        Parameters
        ----------
        microphone : path of a WAV file, or "refused", optional
            What the fake microphone hears (again and again); "refused" says no to the page. By default a tone of 440 Hz.
        autoplay : bool
            Whether sound may start without a gesture of the user's.
        route : str
            ``doc/tree``: JupyterLab with this one document. ``notebooks``: Notebook 7.
        """
        name = f"notebook_{len(list(self._server.work.glob('notebook_*.ipynb')))}.ipynb"
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, self._server.work / name)
        return self.open_file(name, microphone=microphone, autoplay=autoplay, width=width, height=height, route=route)

    def open_file(
        self,
        name: str,
        *,
        microphone: Path | Literal["refused"] | None = None,
        autoplay: bool = True,
        width: int = 1400,
        height: int = 1000,
        route: str = "doc/tree",
    ) -> Notebook:
        """Open a notebook that is in `folder` already, as `open` does."""
        deny = "=deny" if microphone == "refused" else ""
        wav = self._tone if microphone in (None, "refused") else microphone
        policy = "no-user-gesture-required" if autoplay else "document-user-activation-required"
        browser = self._browsers.get(
            f"--use-fake-ui-for-media-stream{deny}",
            f"--use-file-for-fake-audio-capture={wav}",
            f"--autoplay-policy={policy}",
        )
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        self._contexts.append(context)
        notebook = Notebook(self._server, context.new_page(), name)
        notebook.load(route)
        return notebook

    def page(self, file: Path) -> Page:
        """Open a file as a page of its own, without Jupyter."""
        context = self._browsers.get("--use-fake-ui-for-media-stream").new_context()
        self._contexts.append(context)
        page = context.new_page()
        page.goto(file.as_uri(), wait_until="domcontentloaded")
        return page

    def close(self) -> None:
        """Close the pages and end their kernels."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        for session in self._server.call("GET", "sessions"):
            self._server.call("DELETE", f"sessions/{session['id']}")
