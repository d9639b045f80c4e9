"""The life of one provider's batch: noted, uploaded, made, looked at now and then, and read.

| it stops | on disk is | the next run |
|---|---|---|
| before it is noted | reservations without a batch | releases them: nothing was sent |
| before it is made | its tag and its calls | looks for the tag, finds none: they are sent anew |
| after it is made, before its id is noted | the same | finds the tag among the provider's batches |
| while it is waited for, or read | its id | waits for it, and takes what it does not hold yet |
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dynlab._util.durations import took
from dynlab._util.errors import DynlabError
from dynlab._util.redaction import scrubbed
from dynlab.models.provider_batch import Answer, Batch, BatchEndpoint, line
from dynlab.models.provider_errors import Kind, ProviderError
from dynlab.sampling.batch_notes import SentBatch, note_made, note_sent
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key

_LONGEST_PAUSE_S = 60.0
_SHARE = 0.1  # of the time that a batch was waited for, after which it is looked at again
_Outcome = TypeVar("_Outcome")


class _Lost(DynlabError):
    """Whether a batch was made will never be known."""


class BatchError(ProviderError):
    """A batch that the provider does not take, or that was cancelled: the run cannot go on."""

    @property
    def kind(self) -> Kind:
        """It is not about a single call."""
        return "fatal"


@dataclass
class Line:
    """A call in a batch: how it is sent, and what it will bring.

    `path` and `body` are empty in one that an earlier run sent, `name` in one that was not sent.
    """

    key: Key
    path: str = ""
    body: Any = None
    name: str = ""
    outcome: asyncio.Future[Answer] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def answered(self, answer: Answer) -> None:
        """Tells what it brought."""
        if not self.outcome.done():
            self.outcome.set_result(answer)

    def failed(self, error: DynlabError) -> None:
        """Tells why nothing came of it."""
        if not self.outcome.done():
            self.outcome.set_exception(error)
            self.outcome.exception()  # who waits is told; nobody need


class BatchLife:
    """One batch: `await life.run()` from its calls, or from what was noted of it, to its answers.

    Args:
        sent: The batch as it is noted, or is to be.
        lines: Its calls.
        endpoint: The provider.
        store: Where it is noted.
        first_poll_s: Seconds after which it is looked at for the first time.
        outage_s: Seconds without any answer of the provider after which it is given up for now.
    """

    def __init__(
        self,
        sent: SentBatch,
        lines: Sequence[Line],
        endpoint: BatchEndpoint,
        store: Store,
        first_poll_s: float,
        outage_s: float,
    ):
        self.sent, self.lines = sent, lines
        self._endpoint, self._store = endpoint, store
        self._first_poll_s, self._outage_s = first_poll_s, outage_s
        self.made = asyncio.Event()  # or it is known that it was not
        self.batch: Batch | None = None
        self.never_made = False  # by the run that noted it
        self.num_answered = 0
        self.said = ""  # why it brought nothing, last

    @property
    def over(self) -> bool:
        """Whether nothing is waited for any more."""
        return all(line.outcome.done() for line in self.lines)

    @property
    def full(self) -> bool:
        """Whether it was not taken since too much is waiting at the provider."""
        return self.batch is not None and self.batch.state == "failed" and self.batch.full

    def words(self, num_batches: int) -> str:
        """How far it is: 'batch 2 of 3: 140 of 500 done, waiting for 12 min 5 s'."""
        done = 0 if self.batch is None else self.batch.num_ended
        whole, waited = len(self.sent.calls or self.lines), time.time() - self.sent.sent_at
        return (
            f"batch {self.sent.number} of {num_batches}: {done:,} of {whole:,} done, waiting for"
            f" {took(waited)}"
        )

    async def run(self) -> None:
        """Until every line has its outcome."""
        try:
            try:
                batch = await (self._known() if self.sent.calls else self._created())
            finally:
                self.made.set()
            if batch is None:
                self.never_made = True
                return self._tell({}, _error(503, "its batch was never made"))
            await self._wait(batch)
        except _Lost as error:  # it may be billed: what is reserved stays, and it is asked again
            self._tell({}, _error(500, str(error)))
        except ProviderError as error:
            self.let_go(error if isinstance(error, BatchError) else self._unheard(error))
        except DynlabError as error:
            self.let_go(error)
        except Exception as error:  # of an answer like no other; who waits must be told
            self.let_go(DynlabError(f"a batch cannot be read: {scrubbed(error)}"))
            raise
        return None

    def let_go(self, error: DynlabError) -> None:
        """Waits no longer; what was sent stays sent, and is found again."""
        for each in self.lines:
            each.failed(error)

    async def _created(self) -> Batch:
        """Makes the batch; its id is on disk before anything else happens."""
        reserved = self._store.waiting()
        self.sent.calls = [reserved[each.key].call for each in self.lines]
        for place, each in enumerate(self.lines):
            each.name = str(place)
        await note_sent(self._store, self.sent)
        path = self.lines[0].path
        file_lines = [line(each.name, path, each.body) for each in self.lines]
        try:
            file = await self._patiently(lambda: self._endpoint.upload(file_lines))
            batch = await self._patiently(lambda: self._create(file, path))
        except ProviderError as error:
            if error.kind in ("fatal", "refused"):
                raise BatchError(f"no batch was made: {error}", error.status) from None
            raise
        return await self._noted(batch)

    async def _create(self, file: str, path: str) -> Batch:
        """One attempt; where its answer was lost, the batch may be there nevertheless."""
        try:
            return await self._endpoint.create(file, path, self.sent.tag)
        except ProviderError as error:
            if error.free:
                raise
            await asyncio.sleep(self._first_poll_s)  # a list may lag behind
            found = await self._found()
            if found is None:
                raise
            return found

    async def _found(self) -> Batch | None:
        """The batch by its tag; None: it was never made."""
        try:
            return await self._patiently(lambda: self._endpoint.find(self.sent.tag))
        except ProviderError as error:
            if _passes(error):
                raise
            raise _Lost(f"whether its batch was made is not known: {error}") from None

    async def _known(self) -> Batch | None:
        """The batch that an earlier run made, as far as it is; None: it was never made."""
        if self.sent.id is not None:
            return Batch(self.sent.id, "")
        found = await self._found()
        return None if found is None else await self._noted(found)

    async def _noted(self, batch: Batch) -> Batch:
        self.sent.id = batch.id
        await note_made(self._store, self.sent)
        return batch

    async def _wait(self, batch: Batch) -> None:
        """Looks at the batch until it is over, and tells what came of it."""
        self.batch = batch
        while not self.batch.over:
            if self.over:  # let go
                return
            if self.batch.state:  # one of an earlier run is looked at once
                waited = time.time() - self.sent.sent_at
                pause = max(self._first_poll_s, _SHARE * waited)
                await asyncio.sleep(min(_LONGEST_PAUSE_S, pause))
            self.batch = await self._patiently(lambda: self._endpoint.look(batch.id))
        answers = await self._patiently(lambda: self._endpoint.answers(self.batch or batch))
        self.said = self.batch.said
        state = self.batch.state
        if self.full:
            await asyncio.sleep(min(_LONGEST_PAUSE_S, 10 * self._first_poll_s))
            return self._tell(answers, _error(429, self.said))
        if state == "expired":
            return self._tell(answers, _error(503, "the batch expired before it was answered"))
        if state == "completed":
            return self._tell(answers, _error(500, "the batch ended without it"))
        self._tell(answers, None)
        what = f"failed: {self.said}" if state == "failed" else f"is {state} at the provider"
        self.let_go(BatchError(f"batch {self.batch.id} {what}", 400))
        return None

    def _tell(self, answers: Mapping[str, Answer], otherwise: Answer | None) -> None:
        for each in self.lines:
            answer = answers.get(each.name, otherwise)
            if answer is None:
                continue
            if answer.status == 200:
                self.num_answered += 1
            else:
                self.said = scrubbed(Exception(answer.body.decode(errors="replace")))
            each.answered(answer)

    async def _patiently(self, call: Callable[[], Awaitable[_Outcome]]) -> _Outcome:
        """What a call to the provider brings, asked again while it is away."""
        import tenacity

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passes),
            wait=self._pause_s,
            stop=tenacity.stop_after_delay(self._outage_s),
            reraise=True,
        )

        async def attempt() -> _Outcome:  # tenacity awaits what is declared to be awaited
            return await call()

        return await retrying(attempt)

    def _pause_s(self, state: Any) -> float:
        """Seconds before a call to the provider is made again: what it asks for, or more."""
        import tenacity

        first_s = min(1.0, self._first_poll_s)
        drawn = tenacity.wait_random_exponential(multiplier=first_s, max=_LONGEST_PAUSE_S)(state)
        return max(float(drawn), float(state.outcome.exception().asked_wait_s))

    def _unheard(self, error: ProviderError) -> DynlabError:
        if error.status == 404 and self.sent.id is not None:
            return DynlabError(
                f"batch {self.sent.id} is not known at the provider: give the address and the key"
                " that it was sent with"
            )
        return DynlabError(f"the provider's batches cannot be reached: {error}")


def _passes(error: BaseException) -> bool:
    """Whether an error may be gone at the next attempt; 501 says that a server never will."""
    passing = isinstance(error, ProviderError) and error.kind in ("passing", "throttled")
    return passing and getattr(error, "status", None) != 501


def _error(status: int, said: str) -> Answer:
    return Answer(status, json.dumps({"error": {"message": said}}).encode())
