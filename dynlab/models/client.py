"""Live calls to a model through LiteLLM: the only module that touches it. One request in, one reply
out, one attempt.

LiteLLM raises the same errors for an answer that it cannot read and for a server that fails. So
where its client can be ours the answer is looked at as it came: what arrived is never asked for
again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from dynlab._util.errors import InputError
from dynlab._util.options import TIMEOUT_S
from dynlab._util.redaction import scrubbed
from dynlab._util.values import Request
from dynlab.models import openai_access
from dynlab.models.deadlines import deadlines_for
from dynlab.models.in_process import provide
from dynlab.models.litellm_import import imported
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.price_list import list_price
from dynlab.models.provider_errors import ProviderError, asked_wait_s, no_connection
from dynlab.models.replies import Reply, answer_in, reply

if TYPE_CHECKING:
    import httpx

_EVER_S = 1e7  # stands for no bound
_OURS = {"num_retries": 0, "max_retries": 0, "no-log": True}  # retries and records are ours
_DISPENSABLE = (
    "seed",
    "logprobs",
    "top_logprobs",
    "temperature",
    "top_p",
)  # left out where a provider takes none
OPENAI = ("text-completion-openai", "openai")  # for others LiteLLM keeps its own clients
# a 400 that blames the length of the answer, which is a setting, not the prompt
_ANSWER_TOO_LONG = re.compile(r"max_(completion_|output_|new_)?tokens", re.IGNORECASE)
_CONTEXT = re.compile(r"context length is (\d+)[^\d].{0,200}?(\d+) in the completion", re.DOTALL)
Post: TypeAlias = "Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]"
_arrived: ContextVar[list[Any] | None] = ContextVar(
    "arrived", default=None
)  # the HTTP answers to the call under way


class Client:
    """Calls one model: `async with Client(endpoint) as client: reply = await client(request)`.

    Args:
        endpoint: Which model, and where.
        price: USD per million (prompt, completion) tokens; None takes LiteLLM's list, which leaves
            it unknown for models that are not on it.
        timeout_s: Seconds without any answer after which calls are given up (`Deadlines`).
        post: Answers a call's HTTP request in the network's place; of OpenAI's protocol alone.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        price: tuple[float, float] | None = None,
        timeout_s: float = TIMEOUT_S,
        post: Post | None = None,
    ):
        self.endpoint, self.timeout_s, self._post = endpoint, timeout_s, post
        self._deadlines = deadlines_for(endpoint, timeout_s)
        self._longest_s = min(_EVER_S, self._deadlines.longest)
        self.provider = provider_of(endpoint)
        if self.provider in OPENAI:
            openai_access.require_key(endpoint, imported())
        self.price = list_price(endpoint, price)
        self._given = None if price is None else self.price
        self.left_out: set[str] = set()  # settings that the provider does not take
        self._fixed: dict[str, Any] = {}
        # whether answers are seen as they came
        self._seen = self.provider in (*OPENAI, "hosted_vllm")
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Client:
        if self.endpoint.answer is not None:
            provide(imported(), self.endpoint)
        self._fixed = {"model": self.endpoint.litellm_model, "timeout": self._longest_s, **_OURS}
        base, key = self.endpoint.api_base or None, self.endpoint.api_key or None
        self._fixed |= {"api_base": base} if base else {}
        self._fixed |= {"api_key": key} if key else {}
        if self._given is not None:  # told a price, LiteLLM spares its search for one
            self._fixed["input_cost_per_token"] = self._given.prompt / 1e6
            self._fixed["output_cost_per_token"] = self._given.completion / 1e6
        if self.provider in OPENAI:  # else LiteLLM makes a client for every text completion
            import openai

            hooks = {"response": [_look]}
            client = openai.AsyncOpenAI(
                base_url=base or openai_access.base(),
                api_key=key or openai_access.key(imported()) or "none",
                max_retries=0,
                http_client=(
                    openai.DefaultAioHttpClient(
                        timeout=self._longest_s, event_hooks=hooks, verify=openai_access.trusted()
                    )
                    if self._post is None
                    else _answered_by(self._post, hooks)
                ),
            )
            self._fixed["client"] = await self._closing.enter_async_context(client)
        elif self._seen:
            self._fixed["client"] = handler = _litellm_handler(self._longest_s)
            self._closing.push_async_callback(handler.close)
        supported = imported().get_supported_openai_params(self.endpoint.litellm_model)
        self.left_out = set(_DISPENSABLE).difference(supported or _DISPENSABLE)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._closing.aclose()

    async def __call__(self, request: Request, num_samples: int = 1) -> Reply:
        """What one call brings.

        Raises:
            ProviderError: it brings no answer.
        """
        arrived: list[Any] = []
        _arrived.set(arrived)
        started = time.perf_counter()
        raw: Any = None
        failure: Exception | None = None
        try:
            async with self._deadlines.of_call():
                raw = await imported().acompletion(
                    **self._fixed, **self._arguments(request, num_samples)
                )
        except TimeoutError:
            failure = TimeoutError(self._deadlines.passed)
        except Exception as error:  # LiteLLM maps what providers raise to dozens of kinds
            failure = error
        if failure is not None and not arrived and self._drop(failure):  # LiteLLM sent nothing
            return await self(request, num_samples)
        if failure is not None and self._drop_logprobs(arrived):
            return await self(request, num_samples)
        latency_s = time.perf_counter() - started
        answer = (
            answer_in(arrived[-1].content) if arrived and arrived[-1].status_code == 200 else None
        )
        if answer is not None and (failure is not None or not answer["choices"]):
            return reply(answer["choices"] or (), answer.get("usage"), latency_s)
        if failure is not None or (arrived and answer is None):
            raise self._fault(
                failure or ValueError("the answer is not what the protocol asks for"), arrived
            ) from None
        counted = getattr(raw, "usage", None) if answer is None else answer.get("usage")
        return reply(raw.choices, counted, latency_s, said=answer)

    def _drop(self, error: Exception) -> bool:
        """Leaves out what LiteLLM knows that the model does not take; whether there is anything."""
        from litellm.exceptions import UnsupportedParamsError

        if not isinstance(error, UnsupportedParamsError):
            return False
        named = {name for name in _DISPENSABLE if name in str(error)} - self.left_out
        self.left_out |= named
        return bool(named)

    def _drop_logprobs(self, arrived: list[Any]) -> bool:
        """Leaves log-probabilities out where a server turned a call down for them; whether so."""
        turned_down = bool(arrived) and arrived[-1].status_code in (400, 422)
        if not turned_down or "logprobs" not in arrived[-1].text or "logprobs" in self.left_out:
            return False
        self.left_out |= {"logprobs", "top_logprobs"}
        return True

    def _fault(self, error: Exception, arrived: list[Any]) -> ProviderError:
        from litellm.exceptions import (
            APIConnectionError,
            ContentPolicyViolationError,
            ContextWindowExceededError,
            Timeout,
        )

        if unmade := no_connection(error):
            return ProviderError(unmade, unreached=True)
        headers: Mapping[str, str] = getattr(error, "litellm_response_headers", None) or {}
        status = (
            None
            if isinstance(error, APIConnectionError | Timeout)
            else getattr(error, "status_code", None)
        )
        body = ""
        if self._seen and (status or 0) >= 500:  # LiteLLM's word for anything
            status = None
        if arrived:
            headers, status, body = arrived[-1].headers, arrived[-1].status_code, arrived[-1].text
        if status == 200 and body.lstrip().startswith("<"):
            page = (
                f"{arrived[-1].url} answers with a web page, not as a model does"
                f" ({' '.join(body.split())[:60]} …): is the address right? Most end in /v1"
            )
            return ProviderError(
                scrubbed(ValueError(page), self.endpoint.api_key), 200, unreached=True
            )
        filtered = isinstance(error, ContentPolicyViolationError) or "content_filter" in body
        reason = "content filter" if filtered else scrubbed(error, self.endpoint.api_key)
        too_long = isinstance(error, ContextWindowExceededError)
        about_content = filtered or (too_long and not _answer_too_long(body or reason))
        status = status if isinstance(status, int) else None
        timed_out = isinstance(error, TimeoutError | Timeout)
        return ProviderError(reason, status, asked_wait_s(headers), about_content, timed_out)

    def _arguments(self, request: Request, num_samples: int) -> dict[str, Any]:
        sampling = request.sampling
        messages = request.messages or ({"role": "user", "content": request.prompt or ""},)
        given = {
            "messages": [dict(message) for message in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "stop": list(sampling.stop or ()) or None,
            "seed": request.seed,
            "n": num_samples if num_samples > 1 else None,
            "extra_body": dict(sampling.extra_body) or None,
        }
        if sampling.logprobs:
            given |= (
                {"logprobs": 1}
                if request.prompt is not None
                else {"logprobs": True, "top_logprobs": 1}
            )
        return {
            name: value
            for name, value in given.items()
            if value is not None and name not in self.left_out
        }


def _answered_by(post: Post, hooks: dict[str, Any]) -> Any:
    """A client whose requests go to a function; any version of OpenAI's takes one of httpx."""
    import httpx

    return httpx.AsyncClient(transport=httpx.MockTransport(post), event_hooks=hooks)


def _litellm_handler(timeout_s: float) -> Any:
    """A client of LiteLLM's own kind whose answers we see."""
    imported()
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    return AsyncHTTPHandler(timeout=timeout_s, event_hooks={"response": [_look]})


def provider_of(endpoint: Endpoint) -> str:
    """LiteLLM's name for who serves a model."""
    if endpoint.answer is not None:
        return endpoint.litellm_model.partition("/")[0]
    litellm = imported()
    try:
        return str(litellm.get_llm_provider(endpoint.litellm_model)[1])
    except Exception:  # of many kinds
        raise InputError(
            f"LiteLLM does not know who serves {endpoint.litellm_model!r}: "
            "give PROVIDER/MODEL, such as openai/gpt-4o-mini, or local/smollm2-135m"
        ) from None


def _answer_too_long(said: str) -> bool:
    """Whether the length of the answer is to blame, not that of the prompt.

    >>> _answer_too_long("maximum context length is 4096 tokens. You requested 9999 (20 in the "
    ...     "messages, 9979 in the completion)")
    True
    """
    counted = _CONTEXT.search(said)
    whole, answer = map(int, counted.groups()) if counted else (1, 0)
    return 2 * answer > whole or _ANSWER_TOO_LONG.search(said) is not None


async def _look(answer: Any) -> None:
    """Keeps an HTTP answer as it came, for the call that waits for it."""
    arrived = _arrived.get()
    if arrived is not None:
        await answer.aread()
        arrived.append(answer)
