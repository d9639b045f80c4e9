"""Sampler samples one at a time or as planned: paid for within the caps, tried again where that
helps, never lost.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Request, Sample, Usage
from dynlab.models.client import Client
from dynlab.models.prices import priced, shared_out
from dynlab.models.replies import Reply
from dynlab.sampling.attempts import Asking, without_answer
from dynlab.sampling.budget import Caps, Ledger
from dynlab.sampling.concurrency import Pace
from dynlab.sampling.plan import GREEDY, Plan
from dynlab.sampling.request_queue import RequestQueue, Turn
from dynlab.sampling.retries import RetryPolicy
from dynlab.sampling.store import Key, Store


class Stopped(DynlabError):
    """The drawing was stopped before this sample had arrived."""


class Sampler:
    """Draws samples of a plan: `async with Sampler(…) as drawing: sample = await drawing.one(key)`.

    A sample that cannot be had (turned down by the provider, or failing again and again while
    others are answered) is stored as one that never votes, with the reason as its `finish_reason`:
    'error: content filter'.

    Args:
        plan: What each sample is shown, and the call that draws it.
        store: Where samples and calls are kept; what it holds already is not drawn again.
        client: The model.
        num_in_flight: The most calls at once; fewer while the server asks for that.
        caps: Hard limits on spending, what the store holds included.
        num_per_call: Independent samples of a stream that one call asks for.
        patience: When to give up.

    Raises:
        InputError: a cap cannot be kept, since the price or what earlier calls cost is unknown.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        client: Client,
        num_in_flight: int,
        caps: Caps | None = None,
        num_per_call: int = 1,
        patience: RetryPolicy | None = None,
    ):
        self.plan, self.store, self.client = plan, store, client
        self.num_in_flight, self.num_per_call = num_in_flight, num_per_call
        if caps is not None and caps.max_usd is not None and client.price is None:
            raise InputError(
                f"the price of {client.endpoint.litellm_model!r} is unknown, so a limit in USD"
                " cannot be kept: give --price IN,OUT (USD per million prompt and completion"
                " tokens)"
            )
        store.account(client.price)
        totals = store.totals()
        self.ledger = Ledger(caps or Caps(), totals.spent, totals.reserved)
        self.patience = patience or RetryPolicy()
        self.pace = Pace(num_in_flight)
        self._gate = RequestQueue(self.pace, self.ledger)
        self._asking = Asking(self._gate, store, client, self.patience)
        self._arrived = store.keys()
        self.patience.num_answered = len(self._arrived)
        self._underway: dict[Key, asyncio.Task[None]] = {}
        self._counted: Callable[[], object] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = False

    @property
    def stop(self) -> bool:
        """Set it, from any thread, and nothing new begins: calls in flight are finished and stored."""
        return self._stop

    @stop.setter
    def stop(self, value: bool) -> None:
        self._stop = value
        if value and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._asking.end, Stopped("stopped"))

    @property
    def card(self) -> dict[str, Any]:
        """What a recording's card says of the calls: their price, what they cost, settings that
        could not be sent.
        """
        price, ledger = self.client.price, self.ledger
        told: dict[str, Any] = {
            "spent": ledger.spent.told,
            "reserved": (ledger.reserved + ledger.held).told,
        }
        if price is not None:
            told["price"] = {"prompt": price.prompt, "completion": price.completion}
        if self.client.left_out:
            told["left_out"] = sorted(self.client.left_out)
        if self.num_per_call > 1:
            told |= {
                "num_per_call": self.num_per_call,
                "completion_tokens": "of a call, shared out by length",
            }
        return told

    async def __aenter__(self) -> Sampler:
        self._loop = asyncio.get_running_loop()
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Waits for the calls in flight; a cancellation ends them at once, and what they may cost
        stays reserved.
        """
        cancelled = isinstance(error[1], asyncio.CancelledError)
        self._asking.end(Stopped("stopped"))
        try:
            while self._underway and not cancelled:
                await asyncio.wait(self._underway.values())
        finally:
            for task in self._underway.values():
                task.cancel()
            if self._underway:
                await asyncio.wait(self._underway.values())
            await self.store.flush()
            await self.client.__aexit__(*error)

    async def one(self, key: Key) -> Sample:
        """The sample of a key, once it is on disk: drawn now unless it is there, or on its way,
        already.

        What calls may cost at worst is reserved in the order in which this is called, parents
        first. Where the caller is cancelled, the draw goes on.

        Raises:
            BudgetError: a cap does not allow its call even when all those in flight have settled,
                or did not allow one that was asked for earlier.
            Stopped: `stop` was set before it had arrived.
            DynlabError: the run as a whole cannot go on.
        """
        if key not in self._arrived:
            await asyncio.shield(self._begun(key))
        return self.store.sample(key)

    def _begun(self, key: Key) -> asyncio.Task[None]:
        if key not in self._underway:
            for parent in self.plan.parents(key):
                if parent not in self._arrived:
                    self._begun(parent)
            keys = self._together(key)
            turn = Turn()
            self._gate.join(turn)
            task = asyncio.create_task(self._draw(keys, turn))
            for each in keys:
                self._underway[each] = task
            task.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # who waits is told; nobody need
        return self._underway[key]

    def _together(self, key: Key) -> list[Key]:
        """The keys that one call asks for: a chunk of a stream's independent samples, as long as
        none has arrived.
        """
        first = key[3] - key[3] % self.num_per_call
        chunk: list[Key] = [
            (*key[:3], i)
            for i in range(first, min(first + self.num_per_call, self.plan.num_samples))
        ]
        alone = self.num_per_call == 1 or key[1] == GREEDY or any(map(self.plan.parents, chunk))
        return (
            [key]
            if alone or any(k in self._arrived or k in self._underway for k in chunk)
            else chunk
        )

    async def _draw(self, keys: list[Key], turn: Turn) -> None:
        """Draws samples by one call, and those that it did not bring by one call each."""
        try:
            attempts = [await self.one(parent) for parent in self.plan.parents(keys[0])]
            request = self.plan.request(keys[0], attempts)
            read = partial(self._read, request)
            arrived = keys[: len(await self._asking.ask(request, len(keys), turn, read))]
            self._arrived.update(arrived)
        finally:
            self._gate.leave(turn)
            for key in keys:
                self._underway.pop(key, None)
        for _ in arrived:
            self._counted()
        await asyncio.gather(*map(self.one, keys[len(arrived) :]))

    def _read(
        self, request: Request, reply: Reply, usage: Usage
    ) -> list[tuple[Sample, str | None]]:
        """The samples of a reply, with their reasoning; a filtered one never votes."""
        price, choices = self.client.price, reply.choices
        if not choices:
            return [(without_answer(request, "no choices", priced(usage, price)), None)]
        shares = shared_out(
            usage, [len(choice.text) + len(choice.reasoning or "") for choice in choices], price
        )
        drawn = []
        for place, (choice, share) in enumerate(zip(choices, shares, strict=True)):
            asked = replace(request, sample_index=request.sample_index + place)
            sample = self.plan.sample(asked, replace(choice, usage=share))
            if choice.finish_reason == "content_filter":
                sample = replace(
                    sample, answer="", votes=False, finish_reason="error: content filter"
                )
            drawn.append((sample, choice.reasoning))
        return drawn

    # ——— all that is planned ———

    async def run(self, counted: Callable[[], object] = lambda: None) -> None:
        """Draws all that is missing, or until stopped; `counted` is called for each sample once it
        is on disk.

        A sample is begun when those that it waits for have arrived, in the order of the plan
        otherwise.

        Raises:
            DynlabError: the first failure, after the calls in flight have been finished and stored.
        """
        self._counted = counted
        missing = [
            key
            for key in self.plan.keys
            if key not in self._arrived and self._together(key)[0] == key
        ]
        order = {key: place for place, key in enumerate(missing)}
        awaited = {
            key: {p for p in self.plan.awaited(key) if p not in self._arrived} for key in missing
        }
        children: dict[Key, list[Key]] = {}
        for key, earlier in awaited.items():
            for parent in earlier:
                children.setdefault(parent, []).append(key)
        ready: asyncio.PriorityQueue[tuple[int, Key | None]] = asyncio.PriorityQueue()

        def release(keys: Iterable[Key]) -> None:
            for key in keys:
                if not awaited[key]:
                    ready.put_nowait((order.pop(key), key))

        async def work() -> None:
            try:
                while awaited and not self.stop:
                    _, key = await ready.get()
                    if key is None or self.stop:
                        return
                    together = self._together(key)
                    await self.one(key)
                    del awaited[key]
                    for parent in together:
                        for child in children.pop(parent, ()):
                            awaited[child].discard(parent)
                            release([child])
            except Stopped:
                return
            except BaseException:
                self.stop = True
                raise
            finally:
                ready.put_nowait(
                    (-1, None)
                )  # wakes one that waits for work that will not come, which wakes the next

        release(missing)
        async with self:
            num_workers = (
                self.num_in_flight + self.num_in_flight // 2
            )  # some wait for the disk, which takes no slot
            num_workers = min(num_workers, len(missing))
            workers = [asyncio.create_task(work()) for _ in range(num_workers)]
            outcomes = await asyncio.gather(*workers, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome


def run_interruptible(
    drawing: Sampler,
    counted: Callable[[], object] = lambda: None,
    work: Callable[[], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Runs a drawing in a thread of its own, so that it works under a running event loop as well.

    The first Ctrl-C lets the calls in flight finish, the second one does not.

    Args:
        drawing: What is stopped.
        counted: Called for each sample once it is on disk.
        work: What is run; None = `drawing.run`.

    Raises:
        KeyboardInterrupt: it was interrupted; what had arrived is stored.
    """
    cancel: list[Callable[[], object]] = []
    outcome: Future[None] = Future()

    async def body() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await (work() if work else drawing.run(counted))

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
