"""A session inside a real kernel: queued cells run, interrupts land, progress shows, and the end is a proper one."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

pytestmark = pytest.mark.filterwarnings("ignore")
WAIT = 30.0


class SilentService:
    """Says ``session.created``, and then only listens; remembers what it was sent and how sessions ended."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.closed: queue.Queue[int] = queue.Queue()
        self._server: Server = serve(self._talk, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _talk(self, socket: ServerConnection) -> None:
        socket.send(json.dumps({"type": "session.created", "event_id": "event_1", "session": {"id": "sess_1"}}))
        try:
            for frame in socket:
                event = json.loads(frame)
                self.received.append(event)
                if event["type"] == "response.create":
                    created = {"id": "resp_1", "status": "in_progress", "output": []}
                    socket.send(json.dumps({"type": "response.created", "event_id": "e", "response": created}))
                if event["type"] == "response.cancel":
                    done = {"id": "resp_1", "status": "cancelled", "output": []}
                    socket.send(json.dumps({"type": "response.done", "event_id": "e", "response": done}))
        except ConnectionClosed:
            pass
        self.closed.put(socket.close_code or 0)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(WAIT)


class Kernel:
    """A kernel, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_new_kernel(cwd=str(folder), kernel_name="python3")

    def submit(self, code: str) -> str:
        """Queue a cell; return its message id."""
        return str(self.client.execute(code))

    def outputs(self, message: str, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """Return what a cell put out, up to its end or to the first output that `until` accepts."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            reply = self.client.get_iopub_msg(timeout=WAIT)
            if reply["parent_header"].get("msg_id") != message:
                continue
            content = {"msg_type": reply["msg_type"], **reply["content"]}
            if content["msg_type"] == "status" and content["execution_state"] == "idle":
                return found
            found.append(content)
            if until is not None and until(content):
                return found
        raise AssertionError(f"the cell did not end; so far {found}")

    def run(self, code: str) -> str:
        """Run a cell and return what it printed; an error is an assertion."""
        outputs = self.outputs(self.submit(code))
        assert not [each for each in outputs if each["msg_type"] == "error"], outputs
        return "".join(each["text"] for each in outputs if each["msg_type"] == "stream")


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    started = Kernel(tmp_path)
    yield started
    started.client.stop_channels()
    started.manager.shutdown_kernel(now=True)


@pytest.fixture
def service() -> Iterator[SilentService]:
    started = SilentService()
    yield started
    started.stop()


def test_a_cell_queued_behind_ask_runs(kernel: Kernel) -> None:
    """Run All: cells behind a blocking ask run in their order, and see its answer."""
    kernel.run("import rtnb; session = rtnb.connect('local')")
    first = kernel.submit("r = session.ask('Count from one to five.')")
    second = kernel.submit("print(r.status, len(r.audio) > 0)")
    kernel.outputs(first)
    told = kernel.outputs(second)
    assert [each["text"] for each in told if each["msg_type"] == "stream"] == ["completed True\n"]


@pytest.mark.parametrize("cell", ["session.ask('hello')", "await asession.ask('hello')"], ids=["blocking", "await"])
def test_an_interrupt_cancels_the_response_and_the_session_lives(
    kernel: Kernel, service: SilentService, cell: str
) -> None:
    """A stopped cell ends at once, the service is told to cancel, and the next cell finds an open session."""
    kernel.run(
        f"import rtnb; session = rtnb.connect({service.url!r}); asession = session._session; print(session.state)"
    )
    waiting = kernel.submit(cell)
    kernel.outputs(waiting, until=lambda output: output["msg_type"] == "execute_input")
    deadline = time.monotonic() + WAIT
    while not any(event["type"] == "response.create" for event in service.received):
        assert time.monotonic() < deadline
    kernel.manager.interrupt_kernel()
    errors = [each["ename"] for each in kernel.outputs(waiting) if each["msg_type"] == "error"]
    assert errors in (["KeyboardInterrupt"], ["CancelledError"])
    assert kernel.run("print(session.state, session.wait_for('response.done').type)").strip() == "open response.done"
    assert [event["type"] for event in service.received][-1] == "response.cancel"


WIDGET = "application/vnd.jupyter.widget-view+json"


def displayed(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in outputs if each["msg_type"] in ("display_data", "update_display_data")]


def test_a_waiting_cell_shows_what_arrives(kernel: Kernel, service: SilentService) -> None:
    """While ask waits, the cell has a view of the response; when it ends, nothing is left of the view."""
    kernel.run(f"import rtnb; session = rtnb.connect({service.url!r})")
    waiting = kernel.submit("session.ask('hello', timeout=2)")
    outputs = kernel.outputs(waiting)
    shown = displayed(outputs)
    assert [each["msg_type"] for each in shown] == ["display_data", "update_display_data"]
    assert shown[0]["transient"] == shown[1]["transient"]
    assert WIDGET in shown[0]["data"]
    assert "in_progress" in shown[0]["data"]["text/html"]
    assert shown[1]["data"] == {"text/html": "", "text/plain": ""}
    assert [each["ename"] for each in outputs if each["msg_type"] == "error"] == ["ResponseTimeout"]


def test_a_live_response_becomes_the_finished_one(kernel: Kernel, service: SilentService) -> None:
    """Shown before it is done, a response is a view; when it ends, the finished response takes the view's place."""
    kernel.run(f"import rtnb; session = rtnb.connect({service.url!r})")
    began = displayed(kernel.outputs(kernel.submit("r = session.ask('hello', wait=False, timeout=30); r")))
    assert [WIDGET in each["data"] for each in began] == [True]
    until_closed = "from rtnb.notebook.refresher import shared\nwhile shared()._views: time.sleep(0.01)"
    ended = kernel.outputs(kernel.submit(f"import time; session.cancel()\n{until_closed}"))
    (update,) = displayed(ended)
    assert update["transient"] == began[0]["transient"]
    assert WIDGET not in update["data"]
    assert "cancelled" in update["data"]["text/html"]
    again = kernel.outputs(kernel.submit("r"))
    assert [each["msg_type"] for each in again if "data" in each] == ["execute_result"]


def test_a_kernel_that_ends_says_goodbye(kernel: Kernel, service: SilentService) -> None:
    """At the kernel's end the service gets close code 1001, not a broken connection."""
    kernel.run(f"import rtnb; session = rtnb.connect({service.url!r})")
    kernel.client.shutdown()
    assert service.closed.get(timeout=WAIT) == 1001


def test_nothing_of_the_local_service_outlives_the_kernel(kernel: Kernel) -> None:
    """A killed kernel takes its service process with it."""
    pid = int(kernel.run("import rtnb, rtnb.connecting as c; s = rtnb.connect('local'); print(c.local_service().pid)"))
    kernel.manager.shutdown_kernel(now=True)
    deadline = time.monotonic() + WAIT
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
        assert time.monotonic() < deadline
