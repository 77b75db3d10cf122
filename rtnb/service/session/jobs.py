"""The orders that a session gives, and to whom the results of each go."""

from __future__ import annotations

from typing import Any, Protocol

from rtnb.audio.samples import Samples
from rtnb.service.engines.tasks import Feed, Finish, Order, Result, Start, Stop, Task

Events = list[dict[str, Any]]


class Client(Protocol):
    """Who ordered a job."""

    def take(self, job: str, result: Result) -> Events:
        """Take a result; return the events to send now."""
        ...

    def end(self, job: str) -> Events:
        """Know that there are no more results."""
        ...

    def fail(self, job: str, code: str, message: str) -> Events:
        """Know that the job was not done."""
        ...


class Jobs:
    """The jobs of one session that are being done."""

    def __init__(self) -> None:
        self._count = 0
        self._clients: dict[str, Client] = {}
        self._new: list[Order] = []

    def __contains__(self, job: str) -> bool:
        return job in self._clients

    def __len__(self) -> int:
        return len(self._clients)

    def new_orders(self) -> list[Order]:
        """Return the orders since the last call."""
        orders, self._new = self._new, []
        return orders

    def start(self, task: Task, client: Client) -> str:
        """Order a task; return the job's name."""
        self._count += 1
        job = f"job_{self._count}"
        self._clients[job] = client
        self._new.append(Start(job, task))
        return job

    def feed(self, job: str, samples: Samples) -> None:
        """Give a job input; one that is over needs none."""
        if job in self and len(samples):
            self._new.append(Feed(job, samples))

    def finish(self, job: str) -> None:
        """Tell a job that its input is complete."""
        if job in self:
            self._new.append(Finish(job))

    def stop(self, job: str) -> None:
        """End a job that is not wanted any more; what still comes of it goes nowhere."""
        if self._clients.pop(job, None) is not None:
            self._new.append(Stop(job))

    def take(self, job: str, result: Result) -> Events:
        """Bring a result to whom it belongs."""
        client = self._clients.get(job)
        return client.take(job, result) if client is not None else []

    def end(self, job: str) -> Events:
        """End a job that is done."""
        client = self._clients.pop(job, None)
        return client.end(job) if client is not None else []

    def fail(self, job: str, code: str, message: str) -> Events:
        """End a job that was not done."""
        client = self._clients.pop(job, None)
        return client.fail(job, code, message) if client is not None else []
