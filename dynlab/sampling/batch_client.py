"""Calls through a provider's batch endpoint, asked like live ones.

`Client` makes the calls; what would be a call's HTTP request becomes a line of a batch, and what
that brings is read as the request's answer. Calls are gathered while they keep coming, and what
waits at the provider when a run ends is taken up by the next one.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import RequestOptions
from dynlab._util.values import Request
from dynlab.models.client import OPENAI, Client, provider_of
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.price_list import list_price
from dynlab.models.provider_batch import BatchEndpoint
from dynlab.models.provider_errors import ProviderError
from dynlab.models.replies import Reply
from dynlab.models.servers import Servers, addresses, client_of
from dynlab.sampling.batch_life import BatchError, BatchLife, Line
from dynlab.sampling.batch_notes import SentBatch, batches_in
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key

if TYPE_CHECKING:
    import httpx

LINES_IN_FLIGHT = 5_000  # that wait at the provider at once, unless a concurrency is given
_QUIET_S = 1.0  # without a further call, after which those that came are sent
_MOST_BYTES = 100_000_000  # of a batch's file; OpenAI takes 200 MB
_MOST_FRUITLESS = 5  # batches in a row without any answer, after which the run ends
_CLOSING_S = 30.0  # that a batch on its way to the provider has to get its id


@dataclass
class _Call:
    """The call under way: its key, and what became of it where that is no HTTP answer."""

    key: Key
    failure: DynlabError | None = None


_under_way: ContextVar[_Call] = ContextVar("under_way")


class BatchClient:
    """Calls one model by batches: `async with BatchClient(…) as client: await client(request)`.

    Args:
        endpoint: Which model, and where.
        store: Where batches are noted; what an earlier run sent and this one asks for is waited
            for.
        requests: Price, size of a batch, and how long the provider may be away.

    Raises:
        InputError: the model has no batch endpoint of OpenAI's protocol.
    """

    def __init__(self, endpoint: Endpoint, store: Store, requests: RequestOptions):
        self.endpoint, self._store, self._requests = endpoint, store, requests
        require_batches(endpoint)
        self._client = Client(endpoint, requests.price, math.inf, self._post)
        self.price = list_price(endpoint, requests.price, by_batch=True)
        self._batches = BatchEndpoint(endpoint)
        self._noted = batches_in(store)
        self._num_sent = len(self._noted)
        self._lines: dict[Key, Line] = {}  # of earlier runs, until they are asked for
        self._tray: list[Line] = []
        self._tray_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._lives: dict[BatchLife, asyncio.Task[None]] = {}
        self._num_fruitless = 0
        self._full = False  # whether the provider takes no more for now
        self.num_let_through: Callable[[], int] = lambda: 0  # calls that are here, or will be
        self._ended: DynlabError | None = None
        store.release(self._never_sent())

    @property
    def left_out(self) -> set[str]:
        """Settings that the provider does not take."""
        return self._client.left_out

    @property
    def told(self) -> list[str]:
        """What is waited for: 'batch 2 of 3: 140 of 500 done, waiting for 12 min 5 s'."""
        waiting = [life for life in self._lives if not life.over]
        if not waiting:
            return []
        more = [f"{len(waiting) - 1} more waiting"] if waiting[1:] else []
        return [waiting[0].words(self._num_sent), *more]

    async def __aenter__(self) -> BatchClient:
        await self._client.__aenter__()
        waiting = {sent.call: key for key, sent in self._store.waiting().items()}
        latest = {call: sent for sent in self._noted for call in sent.calls}
        for sent in self._noted:
            lines = [
                Line(waiting[call], name=str(place))
                for place, call in enumerate(sent.calls)
                if call in waiting and latest[call] is sent
            ]
            self._lines |= {line.key: line for line in lines}
            if lines:
                self._begin(sent, lines)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Waits until what is on its way to the provider has its id, not for any answer."""
        self.let_go(DynlabError("stopped"))
        making = [
            asyncio.create_task(life.made.wait()) for life in self._lives if not life.made.is_set()
        ]
        if making and not isinstance(error[1], asyncio.CancelledError):
            await asyncio.wait(making, timeout=_CLOSING_S)
        tasks = [*making, *self._lives.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.__aexit__(*error)

    async def __call__(self, request: Request, num_samples: int = 1) -> Reply:
        """What one call brings; how long its answer took is not known.

        Raises:
            ProviderError: it brings no answer.
            DynlabError: it is waited for no longer, and may be answered yet.
        """
        call = _Call(request.key)
        _under_way.set(call)
        if self._ended is not None and request.key not in self._lines:
            raise BatchError(str(self._ended), 503)  # turned down: nothing was sent
        try:
            reply = await self._client(request, num_samples)
        except ProviderError:
            if call.failure is not None:
                raise call.failure from None
            raise
        return replace(reply, choices=tuple(replace(c, latency_s=None) for c in reply.choices))

    def let_go(self, error: DynlabError) -> None:
        """Waits no longer for what was sent, and sends nothing any more."""
        self._ended = self._ended or error
        if self._timer is not None:
            self._timer.cancel()
        for each in self._tray:
            each.failed(BatchError(str(error), 503))  # nothing was sent of it, either
        self._tray = []
        for life in self._lives:
            life.let_go(error)

    def _never_sent(self) -> list[int]:
        """The calls that an earlier run had reserved, and not sent when it ended."""
        sent = {call for each in self._noted for call in each.calls}
        return [each.call for each in self._store.waiting().values() if each.call not in sent]

    async def _post(self, request: httpx.Request) -> httpx.Response:
        """Answers a call's HTTP request from its line in a batch."""
        import httpx

        call = _under_way.get()
        line = self._lines.pop(call.key, None) or self._put(call.key, request)
        try:
            answer = await line.outcome
        except DynlabError as error:
            call.failure = error
            raise
        return httpx.Response(
            answer.status, content=answer.body, headers={"content-type": "application/json"}
        )

    def _put(self, key: Key, request: httpx.Request) -> Line:
        """Puts a call into the tray, which is sent once it is full, or nothing more comes."""
        chat = request.url.path.endswith("/chat/completions")
        path = "/v1/chat/completions" if chat else "/v1/completions"
        line = Line(key, path, json.loads(request.content))
        if self._tray and self._tray_bytes + len(request.content) > _MOST_BYTES:
            self._send()
        self._tray.append(line)
        self._tray_bytes += len(request.content)
        if len(self._tray) >= self._requests.lines_per_batch and not self._full:
            self._send()
        else:
            self._send_soon()
        return line

    def _send_soon(self) -> None:
        """Sends what is in the tray once no call has come for a while, and none is on its way."""

        def quiet() -> None:
            waiting = sum(not line.outcome.done() for life in self._lives for line in life.lines)
            coming = self.num_let_through() > len(self._tray) + waiting
            if coming or (self._full and waiting):
                self._send_soon()
            else:
                self._send()

        if self._timer is not None:
            self._timer.cancel()
        quiet_s = min(_QUIET_S, self._requests.first_poll_s)
        self._timer = asyncio.get_running_loop().call_later(quiet_s, quiet)

    def _send(self) -> None:
        size = self._requests.lines_per_batch
        tray, self._tray, self._tray_bytes = self._tray, [], 0
        for first in range(0, len(tray), size):
            self._num_sent += 1
            self._begin(SentBatch(self._num_sent), tray[first : first + size])

    def _begin(self, sent: SentBatch, lines: list[Line]) -> None:
        first_poll_s, outage_s = self._requests.first_poll_s, self._requests.timeout_s
        life = BatchLife(sent, lines, self._batches, self._store, first_poll_s, outage_s)
        self._lives[life] = asyncio.create_task(self._live(life))

    async def _live(self, life: BatchLife) -> None:
        await life.run()
        del self._lives[life]
        self._full = life.full
        if life.never_made or (self._full and self._lives):  # it says nothing of the provider
            return
        self._num_fruitless = 0 if life.num_answered else self._num_fruitless + 1
        if self._num_fruitless >= _MOST_FRUITLESS and self._ended is None:
            self.let_go(
                DynlabError(
                    f"{self._num_fruitless} batches in a row brought no answer, the last:"
                    f" {life.said or 'it says nothing'}"
                )
            )


def require_batches(model: str | Endpoint) -> None:
    """Refuses a model that no batch endpoint of OpenAI's protocol serves.

    Raises:
        InputError: it is one of this machine, another protocol's, or at several addresses.
    """
    endpoint = model if isinstance(model, Endpoint) else Endpoint(model, "", "")
    name = endpoint.litellm_model
    local = name.startswith("local/") or endpoint.answer is not None
    if local or "server_settings" in endpoint.card:
        raise InputError(f"{name} runs on this machine, which has no batches: leave them out")
    if provider_of(endpoint) not in OPENAI:
        raise InputError(
            f"{name} is not called by OpenAI's protocol, which batches need: give openai/NAME (at"
            " another server than OpenAI's by api_base), or leave --provider-batch out"
        )
    if len(addresses(endpoint.api_base)) > 1:
        raise InputError(f"batches go to one server: give one api_base, not {endpoint.api_base}")


def client_by(
    endpoint: Endpoint, requests: RequestOptions, store: Store
) -> Client | Servers | BatchClient:
    """The client of a model: by the provider's batches or live, as is asked for.

    Raises:
        InputError: calls of the store wait in batches, and would be made a second time live.
    """
    if requests.provider_batch:
        return BatchClient(endpoint, store, requests)
    if waiting := len(store.waiting()):
        raise InputError(
            f"{waiting} calls of {store.path} wait in batches of the provider, and would be paid"
            " for twice: go on with --provider-batch"
        )
    return client_of(endpoint, requests.price, requests.timeout_s)
