"""The parts of the service that run side by side: one that fails makes all end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

END_PATIENCE = 3.0
"""Seconds that the request under way to the historian may take when the service stops."""


class _Cancelled(Exception):
    """A part ended as if it had been told to, and was not."""


class Tasks:
    """Tasks by name. ``is_stopping``: what ends from now on was told to."""

    def __init__(self) -> None:
        self.is_stopping = False
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with what the first part that failed has raised."""
        self._tasks: list[asyncio.Task[None]] = []

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a part."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    async def end(self, last: str) -> None:
        """End all parts; the one named ``last`` has been told to end by itself, and has some time for it."""
        for task in self._tasks:
            if task.get_name() != last:
                task.cancel()
        _, late = await asyncio.wait(self._tasks, timeout=END_PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self.failed.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = task.exception() if not task.cancelled() else None if self.is_stopping else _Cancelled(task.get_name())
        if fault is None:
            return
        log.error("a part of the service has failed", part=task.get_name(), exc_info=fault)
        if not self.failed.done():
            self.failed.set_exception(fault)
