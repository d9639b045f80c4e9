"""One request until it is answered or given up, with an account of every attempt."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from dynlab._util.errors import DynlabError
from dynlab._util.values import Request, Sample, Usage
from dynlab.models.client import Client
from dynlab.models.prices import believed, billable, worst_case
from dynlab.models.provider_errors import ProviderError
from dynlab.models.replies import Reply
from dynlab.models.servers import Servers
from dynlab.sampling.batch_client import BatchClient
from dynlab.sampling.budget import Spending, cost
from dynlab.sampling.latencies import CallClock
from dynlab.sampling.request_queue import RequestQueue, Turn
from dynlab.sampling.retries import RetryPolicy
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import WAITING, Key, WaitingCall

LONGEST_WAIT_S = 120.0
_NOTHING = Spending()
Drawn = Sequence[tuple[Sample, str | None]]  # samples, each with its reasoning


class _Again(Exception):
    """An attempt that failed, and is worth another."""


class Requester:
    """What all requests of a sampler share: queue, store, model, when to give up, the time."""

    def __init__(
        self,
        queue: RequestQueue,
        store: Store,
        client: Client | Servers | BatchClient,
        retries: RetryPolicy,
        clock: CallClock,
        waiting: Mapping[Key, WaitingCall] | None = None,
    ):
        self.queue, self.store, self.client, self.retries = queue, store, client, retries
        self.clock, self.waiting = clock, dict(waiting or {})
        # a call by batch outlives its run, and says so on disk
        self.reserved_for = WAITING if isinstance(client, BatchClient) else None
        self.ended: DynlabError | None = None
        self.warned = False  # of a provider that counts more than a call may have
        self._ending = asyncio.Event()

    def end(self, error: DynlabError) -> None:
        """Nothing is sent any more; who waits for another attempt is told the error."""
        self.ended = self.ended or error
        self.queue.close(error)
        self._ending.set()
        if isinstance(self.client, BatchClient):  # its calls may take a day
            self.client.let_go(error)

    async def ask(
        self, request: Request, num_samples: int, turn: Turn, read: Callable[[Reply, Usage], Drawn]
    ) -> Sequence[Sample]:
        """The samples that a request brought, on disk; a failed one, without a vote, if none.

        Args:
            request: What is asked.
            num_samples: How many samples of it.
            turn: Its place in the line.
            read: Makes samples of the reply and of its tokens, as far as they can be believed.

        Raises:
            BudgetError: the limits allow no (further) attempt.
            DynlabError: the run as a whole cannot go on.
        """
        import tenacity

        attempt = _Attempts(self, request, num_samples, turn, read)
        self.retries.begins(request.key)
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=self._wait_s,
            sleep=self._pause,
            reraise=True,
        )
        return await retrying(attempt)

    def _wait_s(self, state: object) -> float:
        """Seconds before the next attempt: what the provider asks for, and exponential with jitter
        beyond it.
        """
        import tenacity

        (failure,) = state.outcome.exception().args  # type: ignore[attr-defined]
        pause = tenacity.wait_random_exponential(multiplier=0.5, max=self.retries.pause_s)
        drawn: float = pause(state)  # type: ignore[arg-type]
        return min(LONGEST_WAIT_S, float(failure.asked_wait_s) + drawn)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)


class _Attempts:
    """The attempts at one request. A call that was turned down keeps what it holds, so that nothing
    overtakes it.
    """

    def __init__(
        self,
        shared: Requester,
        request: Request,
        num_samples: int,
        turn: Turn,
        read: Callable[[Reply, Usage], Drawn],
    ):
        self.shared, self.request, self.num_samples, self.turn, self.read = (
            shared,
            request,
            num_samples,
            turn,
            read,
        )
        self.worst = worst_case(request, num_samples)
        self.call: int | None = None
        self.unknown = False  # whether an attempt's outcome will never be known
        turn.worst, turn.reserve = cost(self.worst, shared.client.price), self._reserve
        if (sent := shared.waiting.pop(request.key, None)) is not None:  # by an earlier run
            self.call, turn.worst, turn.holds = sent.call, sent.worst, True
            shared.queue.ledger.retake(sent.worst)

    async def __call__(self) -> Sequence[Sample]:
        shared, turn = self.shared, self.turn
        if shared.ended is not None:
            self._release()
            raise shared.ended
        await shared.queue.admit(turn)
        try:
            await self.on_disk
            with shared.clock.timed(self.request.question_id):
                reply = await shared.client(self.request, self.num_samples)
        except ProviderError as error:
            slower = error.kind == "throttled" or error.timed_out
            shared.queue.concurrency.end(turn.begun, slower=slower)
            return await self._failed(error)
        except BaseException:
            shared.queue.concurrency.end(turn.begun)
            self._keep()
            raise
        shared.queue.concurrency.end(turn.begun)
        return await self._answered(reply)

    def _reserve(self) -> None:
        """Puts the worst case on disk: of a new call, or of one that was turned down and is sent
        again.
        """
        store = self.shared.store
        if self.call is None:
            assert self.turn.worst is not None
            key, picousd = self.request.key, self.turn.worst.picousd
            self.call, self.on_disk = store.reserve(
                key, self.num_samples, self.worst, picousd, self.shared.reserved_for
            )
        else:
            self.on_disk = store.mark(self.call, "reserved", self.shared.reserved_for)

    async def _answered(self, reply: Reply) -> Sequence[Sample]:
        shared = self.shared
        usage, most = believed(reply.usage, self.worst), billable(reply.usage, self.worst)
        actual = cost(usage, shared.client.price)
        call = self.call
        assert call is not None
        shared.retries.answered(self.request.key)
        if actual.tokens is None:
            self._keep(self._raised(call, most))
        else:
            self._release(actual)
        drawn = self.read(reply, usage)
        await shared.store.settle(call, drawn, usage, actual.picousd, reply.reported)
        if most != self.worst and not shared.warned:
            shared.warned = True
            warnings.warn(_words(most, self.worst), stacklevel=2)
        return [sample for sample, _ in drawn]

    def _raised(self, call: int, most: Usage) -> Spending | None:
        """What a call may have cost beyond its worst case, once that is reserved; else None."""
        if most == self.worst:
            return None
        raised = cost(most, self.shared.client.price)
        self.shared.store.raise_to(call, most, raised.picousd)
        return raised

    async def _failed(self, failure: ProviderError) -> Sequence[Sample]:
        shared, reason = self.shared, str(failure)
        assert self.call is not None
        if failure.free:
            shared.store.mark(self.call, "released", reason)
        else:
            shared.store.mark(self.call, "reserved", reason)
            self._keep()
        if shared.ended is not None and failure.kind != "refused":  # not the sample's own fault
            self._release()
            raise shared.ended
        decision = shared.retries.failed(self.request.key, failure)
        if decision == "again":
            shared.queue.advance()
            raise _Again(failure)
        if decision == "run":
            error = DynlabError(f"{shared.client.endpoint.litellm_model} failed: {reason}")
            shared.end(error)
            self._release()
            raise error
        self._release()
        sample = without_answer(
            self.request, reason, Usage() if self.unknown else Usage(0, 0, 0, 0, 0.0, 0.0)
        )
        await shared.store.add(sample)
        return [sample]

    def _keep(self, most: Spending | None = None) -> None:
        """The outcome is unknown: what it may have cost stays reserved, and another attempt is
        another call.
        """
        if self.turn.holds and self.turn.worst is not None:
            self.shared.queue.ledger.keep(self.turn.worst, most)
        self.turn.holds, self.call, self.unknown = False, None, True
        self.shared.queue.advance()

    def _release(self, actual: Spending = _NOTHING) -> None:
        if self.turn.holds and self.turn.worst is not None:
            self.shared.queue.ledger.settle(self.turn.worst, actual)
        self.turn.holds = False
        self.shared.queue.advance()


def _words(counted: Usage, worst: Usage) -> str:
    """What a provider counts of a call beyond its worst case, and what comes of it."""
    what, number, most = "a prompt", counted.prompt_tokens, worst.prompt_tokens
    if number == most:
        what, number, most = "an answer", counted.completion_tokens, worst.completion_tokens
    return (
        f"the provider counts {number} tokens of {what} that may have at most {most}: the usage of"
        " such calls is unknown, and what it counts stays reserved"
    )


def without_answer(request: Request, reason: str, usage: Usage) -> Sample:
    """The failed sample: without an answer, and without a vote."""
    return Sample(
        *request.key,
        answer="",
        text="",
        usage=usage,
        role=request.role,
        parents=request.parents,
        votes=False,
        finish_reason=f"error: {reason}",
    )
