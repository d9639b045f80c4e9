"""Arguments of `record` and `solve` written flat, as tests vary them one at a time."""

from __future__ import annotations

from dataclasses import fields

from dynlab._util.options import Limits, RecordingOptions, RequestOptions, Sampling
from dynlab.strategies.registry import by_name

_GROUPS = {
    "sampling": Sampling,
    "limits": Limits,
    "requests": RequestOptions,
    "options": RecordingOptions,
}
_NAMES = {"max_usd": "usd", "max_total_tokens": "tokens", "max_calls": "calls"}


def grouped(**flat):
    """The arguments with options gathered in their objects, and a strategy with its parameters.

    >>> grouped(seed=1, max_usd=0.5)["limits"]
    Limits(usd=0.5, tokens=None, calls=None)
    """
    arguments = {}
    for name, kind in _GROUPS.items():
        known = {field.name for field in fields(kind)}
        own = {key for key in flat if _NAMES.get(key, key) in known and key not in ("usd", "calls")}
        if own:
            arguments[name] = kind(**{_NAMES.get(key, key): flat.pop(key) for key in own})
    if isinstance(flat.get("strategy"), str):
        parameters = {key: flat.pop(key) for key in ("width", "chain") if key in flat}
        flat["strategy"] = (
            by_name(flat["strategy"], **parameters) if parameters else flat["strategy"]
        )
    policy = [flat.pop(key, None) for key in ("allocator", "vote", "stopping", "warmup", "batch")]
    if any(part is not None for part in policy):
        arguments["policy"] = _policy(*policy)
    return arguments | flat


def _policy(allocator, vote, stopping, warmup, batch):
    if not isinstance(allocator, str | None):
        return allocator
    run = {"warmup": warmup, "batch": batch}
    settings = ", ".join(f"{key}={value}" for key, value in run.items() if value is not None)
    first = f"{allocator or 'priced'}({settings})" if settings else allocator or "priced"
    return "+".join(part for part in (first, vote, stopping) if part)
