"""What LiteLLM's list says of a model: its prices, and whether it goes on from a begun response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynlab.models.litellm_import import imported
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.prices import Price

_COSTS = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "output_cost_per_reasoning_token",
)


def list_price(
    endpoint: Endpoint, given: tuple[float, float] | None = None, *, by_batch: bool = False
) -> Price | None:
    """The given price, else that of LiteLLM's list; None where it is unknown (a price of 0 there
    means unknown).

    Args:
        endpoint: Which model, and where.
        given: USD per million (prompt, completion) tokens, by batch if that is how it is called.
        by_batch: Whether calls go to the provider's batch endpoint. Where no price of that is
            listed, it is that of live calls, and never more.
    """
    if given is not None:
        return Price(*given)
    known = _listed(endpoint)
    return (_price(known, "_batches") if by_batch else None) or _price(known)


def _price(known: Mapping[str, Any], kind: str = "") -> Price | None:
    prompt, completion, cached, reasoning = (
        None if (usd := known.get(name + kind)) is None else usd * 1e6 for name in _COSTS
    )
    if not prompt or not completion:
        return None
    dearer = reasoning if reasoning is not None and reasoning > completion else None
    return Price(prompt, completion, cached, dearer)


def goes_on(endpoint: Endpoint) -> bool:
    """Whether a model goes on from a response that is begun for it (prefill); True where nothing is
    known of it.
    """
    known = _listed(endpoint)
    return not known or bool(known.get("supports_assistant_prefill"))


def _listed(endpoint: Endpoint) -> Mapping[str, Any]:
    """What LiteLLM's list says of a model; {} where it is not on it, or is served from an address
    of the user's.
    """
    if endpoint.api_base or endpoint.answer is not None:
        return {}
    litellm = imported()
    try:
        known: Mapping[str, Any] = litellm.get_model_info(endpoint.litellm_model)
    except Exception:  # LiteLLM raises a bare Exception for a model that is not on its list
        return {}
    return known
