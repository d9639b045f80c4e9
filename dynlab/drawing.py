"""Drawing planned samples: each starts when the ones that it is shown have arrived, and counts once it is on disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from dynlab.live import Client
from dynlab.plans import Plan
from dynlab.store import Key, Store
from dynlab.types import Sample


class Drawing:
    """Draws what a plan lacks, with at most `num_in_flight` calls at once.

    `stop` ends it early: calls in flight are finished and stored, none is begun.
    """

    def __init__(self, plan: Plan, store: Store, client: Client, num_in_flight: int):
        self.plan, self.store, self.client, self.num_in_flight = plan, store, client, num_in_flight
        self.stop = False
        self._arrived = {sample.key: sample for sample in store.samples()}
        missing = [key for key in plan.keys if key not in self._arrived]
        self._order = {key: place for place, key in enumerate(missing)}
        self._awaited = {key: {p for p in plan.parents(key) if p not in self._arrived} for key in missing}
        self._children: dict[Key, list[Key]] = {}
        for key, parents in self._awaited.items():
            for parent in parents:
                self._children.setdefault(parent, []).append(key)

    async def run(self, counted: Callable[[], object] = lambda: None) -> None:
        """Draws all that is missing, or until stopped; `counted` is called for each sample once it is on disk.

        Raises:
            DynlabError: the first failure, after the calls in flight have been finished and stored.
        """
        ready: asyncio.PriorityQueue[tuple[int, Key | None]] = asyncio.PriorityQueue()
        self._release(self._awaited, ready)

        async def work() -> None:
            try:
                while self._order and not self.stop:
                    _, key = await ready.get()
                    if key is None or self.stop:
                        return
                    self._arrived[key] = await self._draw(key)
                    counted()
                    del self._order[key]
                    children = self._children.get(key, ())
                    for child in children:
                        self._awaited[child].discard(key)
                    self._release(children, ready)
            except BaseException:
                self.stop = True
                raise
            finally:
                ready.put_nowait((-1, None))  # wakes one that waits for work that will not come, which wakes the next

        try:
            async with self.client:
                workers = [asyncio.create_task(work()) for _ in range(self.num_in_flight)]
                outcomes = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            await self.store.settle()
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _draw(self, key: Key) -> Sample:
        request = self.plan.request(key, [self._arrived[parent] for parent in self.plan.parents(key)])
        response = await self.client(request)
        sample = self.plan.sample(request, response)
        await self.store.add(sample, response.reasoning)
        return sample

    def _release(self, keys: Iterable[Key], ready: asyncio.PriorityQueue[tuple[int, Key | None]]) -> None:
        for key in keys:
            if not self._awaited[key]:
                ready.put_nowait((self._order[key], key))


def run_interruptible(drawing: Drawing, counted: Callable[[], object] = lambda: None) -> None:
    """Runs a drawing in a thread of its own, so that it works under a running event loop as well.

    The first Ctrl-C lets the calls in flight finish, the second one does not.

    Raises:
        KeyboardInterrupt: it was interrupted; what had arrived is stored.
    """
    cancel: list[Callable[[], object]] = []
    outcome: Future[None] = Future()

    async def body() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await drawing.run(counted)

    def thread() -> None:
        try:
            outcome.set_result(asyncio.run(body()))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=thread, name="dynlab-drawing", daemon=True).start()
    interrupted = False
    while True:
        try:
            outcome.result()
            break
        except KeyboardInterrupt:
            if interrupted and cancel:
                cancel[0]()
            interrupted = drawing.stop = True
        except asyncio.CancelledError:
            break
    if interrupted:
        raise KeyboardInterrupt
