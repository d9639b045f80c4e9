"""Live calls to a model through LiteLLM: the only module that touches it. One request in, one response out.

Retries, price and the hard limit on spending live here; what a response means is decided elsewhere.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from dynlab.errors import InputError
from dynlab.faults import Fault
from dynlab.local import Endpoint
from dynlab.pricing import Price
from dynlab.redaction import scrubbed
from dynlab.types import Request, Usage

TIMEOUT_S = 600.0
_OURS = {"timeout": TIMEOUT_S, "num_retries": 0, "max_retries": 0, "no-log": True}  # retries and records are ours
_DISPENSABLE = ("seed", "logprobs", "top_logprobs")  # left out where a provider does not take them
_OPENAI = ("text-completion-openai", "openai")  # for others LiteLLM keeps its own clients


@dataclass(frozen=True)
class Response:
    """What came back from one call. `mean_logprob` is the mean over the response's tokens, None if not given."""

    text: str
    reasoning: str | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    mean_logprob: float | None = None
    latency_s: float | None = None


@dataclass(frozen=True)
class Reply:
    """What one call brought: its choices, the tokens of all of them, and the usage as the provider reported it."""

    choices: tuple[Response, ...]
    usage: Usage = field(default_factory=Usage)
    reported: str | None = None


class Client:
    """Calls one model: `async with Client(endpoint) as client: response = await client(request)`.

    Args:
        endpoint: Which model, and where.
        price: USD per million (prompt, completion) tokens; None takes LiteLLM's list, which leaves it unknown for
            models that are not on it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        price: tuple[float, float] | None = None,
    ):
        self.endpoint = endpoint
        self.provider = _provider(endpoint)
        self.price = list_price(endpoint, price)
        self._fixed: dict[str, Any] = {}
        self._unsupported: set[str] = set()
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Client:
        self._fixed = {"model": self.endpoint.litellm_model, **_OURS}
        base, key = self.endpoint.api_base or None, self.endpoint.api_key or None
        self._fixed |= {name: value for name, value in {"api_base": base, "api_key": key}.items() if value}
        if self.provider in _OPENAI:  # else LiteLLM makes a client for every text completion
            import openai

            environment = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
            client = openai.AsyncOpenAI(
                base_url=base or environment,
                api_key=key or os.environ.get("OPENAI_API_KEY") or "none",
                max_retries=0,
                http_client=openai.DefaultAioHttpClient(timeout=TIMEOUT_S),
            )
            self._fixed["client"] = await self._closing.enter_async_context(client)
        supported = _litellm().get_supported_openai_params(self.endpoint.litellm_model)
        self._unsupported = set(_DISPENSABLE).difference(supported or _DISPENSABLE)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._closing.aclose()

    async def __call__(self, request: Request, num_samples: int = 1) -> Reply:
        """What one call brings; it is made once.

        Raises:
            Fault: it brings no answer.
        """
        started = time.perf_counter()
        try:
            raw = await _litellm().acompletion(**self._fixed, **self._arguments(request, num_samples))
        except Exception as error:  # LiteLLM maps what providers raise to dozens of kinds
            raise self._fault(error) from None
        return _reply(raw, time.perf_counter() - started)

    def _fault(self, error: Exception) -> Fault:
        from litellm.exceptions import (
            APIConnectionError,
            ContentPolicyViolationError,
            ContextWindowExceededError,
            Timeout,
        )

        status = None if isinstance(error, APIConnectionError | Timeout) else getattr(error, "status_code", None)
        headers = getattr(error, "litellm_response_headers", None) or {}
        try:
            asked_wait_s = float(headers.get("retry-after", 0))
        except ValueError:
            asked_wait_s = 0.0
        reason = scrubbed(error, self.endpoint.api_key)
        if isinstance(error, ContentPolicyViolationError):
            reason = "content filter"
        about_content = isinstance(error, ContentPolicyViolationError | ContextWindowExceededError)
        return Fault(reason, status if isinstance(status, int) else None, asked_wait_s, about_content)

    def _arguments(self, request: Request, num_samples: int) -> dict[str, Any]:
        sampling = request.sampling
        messages = request.messages or ({"role": "user", "content": request.prompt or ""},)
        given = {
            "messages": [dict(message) for message in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "stop": list(sampling.stop) or None,
            "seed": request.seed,
            "n": num_samples if num_samples > 1 else None,
            "extra_body": dict(sampling.extra_body) or None,
        }
        if sampling.logprobs:
            given |= {"logprobs": 1} if request.prompt is not None else {"logprobs": True, "top_logprobs": 1}
        return {name: value for name, value in given.items() if value is not None and name not in self._unsupported}


def preload() -> None:
    """Imports LiteLLM in the background: it takes seconds, in which a local model can load."""

    def attempt() -> None:
        with suppress(InputError):  # told where it is needed
            _litellm()

    threading.Thread(target=attempt, daemon=True).start()


def list_price(endpoint: Endpoint, given: tuple[float, float] | None = None) -> Price | None:
    """The given price, else that of LiteLLM's list; None where it is unknown (a price of 0 there means unknown)."""
    if given is not None:
        return Price(*given)
    if endpoint.api_base:
        return None
    try:
        known: Mapping[str, Any] = _litellm().get_model_info(endpoint.litellm_model)
    except Exception:  # LiteLLM raises a bare Exception for a model that is not on its list
        return None
    prompt, completion = known.get("input_cost_per_token"), known.get("output_cost_per_token")
    if not prompt or not completion:
        return None
    cached = known.get("cache_read_input_token_cost")
    return Price(prompt * 1e6, completion * 1e6, None if cached is None else cached * 1e6)


def _litellm() -> ModuleType:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else the import fetches a price list
    try:
        import litellm
    except ImportError:
        raise InputError("calling a model needs LiteLLM: pip install 'dynlab[live]'") from None
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    return litellm


def _provider(endpoint: Endpoint) -> str:
    """LiteLLM's name for who serves a model."""
    try:
        return str(_litellm().get_llm_provider(endpoint.litellm_model)[1])
    except Exception:  # of many kinds
        raise InputError(
            f"LiteLLM does not know who serves {endpoint.litellm_model!r}: "
            "give PROVIDER/MODEL, such as openai/gpt-4o-mini, or local/smollm2-135m"
        ) from None


def _reply(raw: Any, latency_s: float) -> Reply:
    choices = tuple(
        Response(
            text=choice.message.content or "",
            reasoning=getattr(choice.message, "reasoning_content", None),
            finish_reason=choice.finish_reason,
            mean_logprob=_mean_logprob(getattr(choice, "logprobs", None)),
            latency_s=latency_s,
        )
        for choice in raw.choices
    )
    return Reply(choices, _usage(getattr(raw, "usage", None)))


def _usage(counted: Any) -> Usage:
    """The tokens of a call; LiteLLM fills in zeros where a provider says nothing, and no prompt has 0 tokens."""
    if not _count(counted, "prompt_tokens"):
        return Usage()
    return Usage(
        prompt_tokens=_count(counted, "prompt_tokens"),
        completion_tokens=_count(counted, "completion_tokens"),
        reasoning_tokens=_count(getattr(counted, "completion_tokens_details", None), "reasoning_tokens"),
        cached_tokens=_count(getattr(counted, "prompt_tokens_details", None), "cached_tokens"),
    )


def _count(counts: Any, name: str) -> int | None:
    value = getattr(counts, name, None)
    return None if value is None else int(value)


def _mean_logprob(logprobs: Any) -> float | None:
    """The mean log-probability of the response's tokens; the empty end token, which not every response has, is out."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else getattr(logprobs, "content", None)
    tokens = [token if isinstance(token, Mapping) else vars(token) for token in content or ()]
    values = [float(token["logprob"]) for token in tokens if token.get("token")]
    return math.fsum(values) / len(values) if values else None
