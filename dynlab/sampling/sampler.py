"""The sampler: samples drawn once each, within limits, tried again where that helps, never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from dynlab._util.errors import DynlabError
from dynlab._util.options import Limits
from dynlab._util.values import GREEDY, Request, Sample, Usage
from dynlab.models.client import Client
from dynlab.models.prices import Price, priced, shared_out
from dynlab.models.replies import Reply
from dynlab.models.servers import Servers
from dynlab.sampling.attempts import Requester, without_answer
from dynlab.sampling.batch_client import BatchClient
from dynlab.sampling.budget import Ledger, require_price
from dynlab.sampling.concurrency import ConcurrencyLimit
from dynlab.sampling.latencies import CallClock
from dynlab.sampling.plan import Plan
from dynlab.sampling.request_queue import RequestQueue, Turn
from dynlab.sampling.retries import RetryPolicy, by_batches
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key, Totals


class Stopped(DynlabError):
    """The sampler was stopped before this sample had arrived."""


WALL_S = "wall_s"  # the notes of how many seconds each part of a run took
LEFT_OUT = "left_out"  # those of settings that the provider does not take
# ends of a response that make it no answer
_FAULTS = {"content_filter": "content filter", "error": "the provider broke off"}


def card_of_calls(
    store: Store, totals: Totals, price: Price | None, *, by_batch: bool, num_per_call: int
) -> dict[str, Any]:
    """What a recording's card says of the calls: price, spending, time, settings left out."""
    told: dict[str, Any] = {
        "spent": totals.spent.told,
        "reserved": totals.reserved.told,
        "wall_s": round(sum(store.notes(WALL_S)), 3),
    }
    told |= {"price": price.told} if price is not None else {}
    told |= {"provider_batch": True} if by_batch else {}
    if num_per_call > 1:
        completion = "of a call, shared out by length"
        told |= {"num_per_call": num_per_call, "completion_tokens": completion}
    left_out = sorted(set(store.notes(LEFT_OUT)))
    return told | ({"left_out": left_out} if left_out else {})


class Sampler:
    """Draws samples of a plan: `async with Sampler(…) as sampler: sample = await sampler.one(key)`.

    A failed sample (turned down by the provider, or failing again and again while others are
    answered) is stored as one that never votes, with the reason as its `finish_reason`:
    'error: content filter'.

    What an earlier run sent by batch is waited for from the beginning, asked for or not.

    Args:
        plan: What each sample is shown, and the call that draws it.
        store: Where samples and calls are kept; what it holds already is not drawn again.
        client: The model.
        num_in_flight: The most calls at once; fewer while the server asks for that.
        limits: Hard limits on spending, what the store holds included.
        num_per_call: Independent samples of a stream that one call asks for.
        retries: When to give up.

    Raises:
        InputError: a cap cannot be kept, since the price or what earlier calls cost is unknown.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        client: Client | Servers | BatchClient,
        num_in_flight: int,
        limits: Limits | None = None,
        num_per_call: int = 1,
        retries: RetryPolicy | None = None,
    ):
        self.plan, self.store, self.client = plan, store, client
        self.num_in_flight, self.num_per_call = num_in_flight, num_per_call
        require_price(limits, client.price, client.endpoint.litellm_model)
        store.account(client.price)
        totals = store.totals()
        self.ledger = Ledger(limits or Limits(), totals.spent, totals.reserved)
        by_batch = isinstance(client, BatchClient)
        self.retries = retries or (by_batches() if by_batch else RetryPolicy())
        self.concurrency = ConcurrencyLimit(num_in_flight)
        self._queue = RequestQueue(self.concurrency, self.ledger)
        self.clock = CallClock()
        waiting = store.waiting() if by_batch else {}
        if isinstance(client, BatchClient):
            client.num_let_through = lambda: self.concurrency.in_flight
        self._requester = Requester(self._queue, store, client, self.retries, self.clock, waiting)
        joint = [self._chunk(key, sent.num_samples) for key, sent in waiting.items()]
        self._sent = {key: keys for keys in joint for key in keys}  # of calls that wait already
        self.arrived = store.keys()
        self.retries.num_answered = len(self.arrived)
        self._underway: dict[Key, asyncio.Task[None]] = {}
        self.counted: Callable[[], object] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = False
        self._left_out = set(store.notes(LEFT_OUT))
        self._started: float | None = None  # the first draw

    @property
    def stop(self) -> bool:
        """Set it, from any thread: nothing new begins, calls in flight are finished and stored."""
        return self._stop

    @stop.setter
    def stop(self, value: bool) -> None:
        self._stop = value
        if value and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._requester.end, Stopped("stopped"))

    @property
    def card(self) -> dict[str, Any]:
        """What a recording's card says of the calls: `card_of_calls`."""
        ledger = self.ledger
        return card_of_calls(
            self.store,
            Totals(ledger.spent, ledger.reserved + ledger.held),
            self.client.price,
            by_batch=isinstance(self.client, BatchClient),
            num_per_call=self.num_per_call,
        )

    async def __aenter__(self) -> Sampler:
        self._loop = asyncio.get_running_loop()
        await self.client.__aenter__()
        self._note_left_out()
        for key in self._sent:  # before all else: it is paid for, whatever a cap allows
            if key not in self.arrived and self.plan.holds(key):
                self._begun(key)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Waits for calls in flight; a cancellation ends them, and their cost stays reserved."""
        cancelled = isinstance(error[1], asyncio.CancelledError)
        self._requester.end(Stopped("stopped"))
        try:
            while self._underway and not cancelled:
                await asyncio.wait(self._underway.values())
        finally:
            for task in self._underway.values():
                task.cancel()
            if self._underway:
                await asyncio.wait(self._underway.values())
            if self._started is not None:
                self.store.note(WALL_S, self.clock.clock() - self._started)
            await self.store.flush()
            await self.client.__aexit__(*error)

    async def one(self, key: Key) -> Sample:
        """The sample of a key, once it is on disk: drawn now unless it is there or on its way.

        What calls may cost at worst is reserved in the order in which this is called, parents
        first. Where the caller is cancelled, the draw goes on.

        Raises:
            BudgetError: a cap does not allow its call even when all those in flight have settled,
                or did not allow one that was asked for earlier.
            Stopped: `stop` was set before it had arrived.
            DynlabError: the run as a whole cannot go on.
        """
        if key not in self.arrived:
            await asyncio.shield(self._begun(key))
        return self.store.sample(key)

    def _begun(self, key: Key) -> asyncio.Task[None]:
        if self._started is None:
            self._started = self.clock.clock()
        if key not in self._underway:
            for parent in self.plan.parents(key):
                if parent not in self.arrived:
                    self._begun(parent)
            keys = self.together(key)
            turn = Turn()
            self._queue.join(turn)
            task = asyncio.create_task(self._draw(keys, turn))
            for each in keys:
                self._underway[each] = task
            # who waits is told of a failure, and nobody need wait: else asyncio warns of it
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._underway[key]

    def together(self, key: Key) -> list[Key]:
        """The keys of one call: a chunk of a stream's independent samples, all missing."""
        if key in self._sent:
            return self._sent[key]
        first = key[3] - key[3] % self.num_per_call
        num_left = self.plan.num_samples - first
        chunk = self._chunk((*key[:3], first), min(self.num_per_call, num_left))
        alone = self.num_per_call == 1 or key[1] == GREEDY or any(map(self.plan.parents, chunk))
        return (
            [key]
            if alone or any(k in self.arrived or k in self._underway for k in chunk)
            else chunk
        )

    @staticmethod
    def _chunk(key: Key, num_samples: int) -> list[Key]:
        return [(*key[:3], key[3] + i) for i in range(num_samples)]

    async def _draw(self, keys: list[Key], turn: Turn) -> None:
        """Draws samples by one call, and those that it did not bring by one call each."""
        try:
            attempts = [await self.one(parent) for parent in self.plan.parents(keys[0])]
            request = self.plan.request(keys[0], attempts)
            read = partial(self._read, request, len(keys))
            arrived = keys[: len(await self._requester.ask(request, len(keys), turn, read))]
            self.arrived.update(arrived)
            for key in keys:
                self._sent.pop(key, None)
        finally:
            self._queue.leave(turn)
            for key in keys:
                self._underway.pop(key, None)
        for _ in arrived:
            self.counted()
        await asyncio.gather(*map(self.one, keys[len(arrived) :]))

    def _note_left_out(self) -> None:
        """Notes what the provider is found not to take, ahead of the samples that lack it."""
        if found := self.client.left_out - self._left_out:
            self._left_out |= found
            self.store.note(LEFT_OUT, *sorted(found))

    def _read(
        self, request: Request, num_samples: int, reply: Reply, usage: Usage
    ) -> list[tuple[Sample, str | None]]:
        """The samples of a reply, with their reasoning; one that was filtered or broken off by an
        error never votes. Choices that nobody asked for are left out, what they cost is not.
        """
        self._note_left_out()
        price, choices = self.client.price, reply.choices[:num_samples]
        if not choices:
            return [(without_answer(request, "no choices", priced(usage, price)), None)]
        shares = shared_out(
            usage, [len(choice.text) + len(choice.reasoning or "") for choice in choices], price
        )
        drawn = []
        for place, (choice, share) in enumerate(zip(choices, shares, strict=True)):
            asked = replace(request, sample_index=request.sample_index + place)
            sample = self.plan.sample(asked, replace(choice, usage=share))
            if reason := _FAULTS.get(choice.finish_reason or ""):
                sample = replace(sample, answer="", votes=False, finish_reason=f"error: {reason}")
            drawn.append((sample, choice.reasoning))
        return drawn
