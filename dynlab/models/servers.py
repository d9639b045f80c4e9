"""One model on one server or on several: each call goes to the one that is least busy.

Where a server stands is given by hand (`--api-base`), several separated by commas. LiteLLM has a
router for the same; it makes its clients itself, and then answers could not be looked at as they
came (`dynlab.models.client`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from dynlab._util.errors import InputError
from dynlab._util.options import TIMEOUT_S
from dynlab._util.values import Request
from dynlab.models.client import Client
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.prices import Price
from dynlab.models.provider_errors import ProviderError
from dynlab.models.replies import Reply

REST_S = 10.0  # that a server which failed is left alone, while another is there


def addressed(model: str | Endpoint, api_base: str | None) -> str | Endpoint:
    """The model at the addresses given, or as it is where none are.

    Raises:
        InputError: an address is none, or stands twice; the model has an address already, or runs
            on this machine.
    """
    if api_base is None:
        return model
    if isinstance(model, Endpoint) or model.startswith("local/"):
        named = model.litellm_model if isinstance(model, Endpoint) else model
        raise InputError(
            f"{named} has its place already: give api_base with the name of a model that a server"
            " of yours knows, such as openai/NAME"
        )
    urls = addresses(api_base)
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise InputError(
                f"api_base holds {url!r}: give addresses that begin with http:// or https://,"
                " separated by commas"
            )
    if len(set(urls)) < len(urls):
        raise InputError(f"api_base names a server twice: {api_base}")
    return Endpoint(model, ",".join(urls), "", {"num_servers": len(urls)} if urls[1:] else {})


def addresses(api_base: str) -> list[str]:
    """The single addresses.

    >>> addresses("http://one:8000/v1, http://other:8000/v1")
    ['http://one:8000/v1', 'http://other:8000/v1']
    """
    return [url.strip() for url in api_base.split(",") if url.strip()] or [api_base.strip()]


def client_of(
    endpoint: Endpoint, price: tuple[float, float] | None = None, timeout_s: float = TIMEOUT_S
) -> Client | Servers:
    """The client of a model, wherever it is served; arguments as `Client` has them."""
    urls = addresses(endpoint.api_base)
    clients = [Client(replace(endpoint, api_base=url), price, timeout_s) for url in urls]
    return clients[0] if len(clients) == 1 else Servers(endpoint, clients)


@dataclass
class _Server:
    client: Client
    in_flight: int = 0
    rests_until: float = 0.0  # by the clock


class Servers:
    """Several servers of one model, called like the client of one.

    A server that failed, or was too busy, rests for a while, or as long as it asked for. A call
    that never reached its server goes to another at once; for any other failure who called decides,
    since it may be billed.

    Args:
        endpoint: The model.
        clients: One a server.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clients: list[Client],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self._servers = [_Server(client) for client in clients]
        self._clock = clock
        self._closing = AsyncExitStack()

    @property
    def price(self) -> Price | None:
        """Of the model."""
        return self._servers[0].client.price

    @property
    def left_out(self) -> set[str]:
        """Settings that a server does not take."""
        return set().union(*(server.client.left_out for server in self._servers))

    async def __aenter__(self) -> Servers:
        for server in self._servers:
            await self._closing.enter_async_context(server.client)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._closing.aclose()

    async def __call__(self, request: Request, num_samples: int = 1) -> Reply:
        """What one call brings.

        Raises:
            ProviderError: it brings no answer.
        """
        tried: list[_Server] = []
        while True:
            server = self._next([other for other in self._servers if other not in tried])
            server.in_flight += 1
            try:
                return await server.client(request, num_samples)
            except ProviderError as error:
                if error.kind in ("throttled", "passing"):
                    rest_s = max(REST_S, error.asked_wait_s)
                    server.rests_until = self._clock() + rest_s
                tried.append(server)
                if not error.unreached or len(tried) == len(self._servers):
                    raise
            finally:
                server.in_flight -= 1

    def _next(self, servers: list[_Server]) -> _Server:
        """The least busy server that does not rest, or the one whose rest ends first."""
        now = self._clock()
        return min(servers, key=lambda server: (max(server.rests_until - now, 0), server.in_flight))
