"""The orders that a session gives to the engines, and which part of the session gets the results of each job."""

from __future__ import annotations

from typing import Protocol

from rtnb.audio.samples import Samples
from rtnb.service.engines.tasks import Feed, Finish, Order, Result, Start, Stop, Task
from rtnb.service.session.client_events import Events


class JobOwner(Protocol):
    """A part of a session that orders jobs. Each method returns the events to send now."""

    def take(self, job: str, result: Result) -> Events:
        """Take a result."""
        ...

    def end(self, job: str) -> Events:
        """Note that the job is done: there are no more results."""
        ...

    def fail(self, job: str, code: str, message: str) -> Events:
        """Note that the job failed."""
        ...


class EngineOrders:
    """The orders of one session, and the jobs in progress.

    A job that was stopped is forgotten: what still arrives for it is dropped.
    """

    def __init__(self) -> None:
        self._count = 0
        self._owners: dict[str, JobOwner] = {}
        self._new: list[Order] = []

    def take_new(self) -> list[Order]:
        """Return the orders since the last call."""
        orders, self._new = self._new, []
        return orders

    def start(self, task: Task, owner: JobOwner) -> str:
        """Order a task; return the job's name."""
        self._count += 1
        job = f"job_{self._count}"
        self._owners[job] = owner
        self._new.append(Start(job, task))
        return job

    def feed(self, job: str, samples: Samples) -> None:
        """Give input (int16) to a job that is not over."""
        if job in self._owners and len(samples):
            self._new.append(Feed(job, samples))

    def finish(self, job: str) -> None:
        """Say that a job's input is complete."""
        if job in self._owners:
            self._new.append(Finish(job))

    def stop(self, job: str) -> None:
        """End a job whose results are no longer needed."""
        if self._owners.pop(job, None) is not None:
            self._new.append(Stop(job))

    def clear(self) -> None:
        """Forget every job: what still arrives is dropped."""
        self._owners.clear()
        self._new.clear()

    def take(self, job: str, result: Result) -> Events:
        """Pass a result to the job's owner."""
        owner = self._owners.get(job)
        return owner.take(job, result) if owner is not None else []

    def end(self, job: str) -> Events:
        """End a job that is done."""
        owner = self._owners.pop(job, None)
        return owner.end(job) if owner is not None else []

    def fail(self, job: str, code: str, message: str) -> Events:
        """End a job that failed."""
        owner = self._owners.pop(job, None)
        return owner.fail(job, code, message) if owner is not None else []
