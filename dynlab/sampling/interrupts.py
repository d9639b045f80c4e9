"""Ctrl-C while samples are drawn: what is in flight is finished first, then it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from dynlab.sampling.sampler import Sampler


def run_interruptible(sampler: Sampler, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Runs work in a thread of its own, so that it works under a running event loop as well.

    The first Ctrl-C lets the calls in flight finish, the second one does not.

    Args:
        sampler: What is stopped.
        work: What is run.

    Raises:
        KeyboardInterrupt: it was interrupted; what had arrived is stored.
    """
    cancel: list[Callable[[], object]] = []
    outcome: Future[None] = Future()

    async def body() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await work()

    def thread() -> None:
        try:
            outcome.set_result(asyncio.run(body()))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=thread, name="dynlab-sampling", daemon=True).start()
    interrupted = False
    while True:
        try:
            outcome.result()
            break
        except KeyboardInterrupt:
            if interrupted and cancel:
                cancel[0]()
            interrupted = sampler.stop = True
        except asyncio.CancelledError:
            break
    if interrupted:
        raise KeyboardInterrupt
