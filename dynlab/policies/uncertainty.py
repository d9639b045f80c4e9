"""Uncertainties of a question, by its votes so far: what UCB bounds and greedy rules follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Floats


def top_share(seen: Votes) -> Floats:
    """u = 1 − v1/n: a missing answer counts as disagreement; 1 before the first vote."""
    return 1.0 - seen.first / np.maximum(seen.pulls, 1)


def entropy(seen: Votes) -> Floats:
    """u = −Σ p·ln p / ln max(n, 2); 1 before the first vote.

    p = counts/n, with the missing share as one more class.
    """
    n = np.maximum(seen.pulls, 1).astype(float)
    missing = n - seen.votes
    surprise = seen.surprise + missing * np.log(np.maximum(missing, 1.0))
    value = (np.log(n) - surprise / n) / np.log(np.maximum(n, 2.0))
    return np.where(seen.votes > 0, np.round(np.clip(value, 0.0, None), 12), 1.0)


def margin(seen: Votes) -> Floats:
    """u = 1 − (v1 − v2)/n; 1 before the first vote."""
    return 1.0 - (seen.first - seen.second) / np.maximum(seen.pulls, 1)


def posterior(seen: Votes) -> Floats:
    """u = 1 − P(leader is the mode) of Adaptive-Consistency (2305.11860); 1 before the first vote.

    That is Σ_{k=0..v2} C(m,k)/2^m with m = v1 + v2 + 1.
    """
    first, second = np.asarray(seen.first), np.asarray(seen.second)
    table = doubt_table(int(np.max(first + second, initial=0)))
    return np.where(seen.votes > 0, table[first + second, second], 1.0)


def doubt_table(most: int) -> Floats:
    """[V, V2] chance that the leader is not the mode, by v1 + v2 (up to `most`) and v2.

    >>> doubt_table(4)[4, 0]  # four votes against none
    np.float64(0.03125)
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 2)))])
    table = np.zeros((most + 1, most // 2 + 1))
    for total in range(most + 1):
        m = total + 1
        k = np.arange(total // 2 + 1)
        each = np.exp(logs[m] - logs[k] - logs[m - k] - m * math.log(2))
        table[total, : k.size] = np.cumsum(each)
    return table


UNCERTAINTIES: Mapping[str, Callable[[Votes], Floats]] = {
    "top-share": top_share,
    "entropy": entropy,
    "margin": margin,
    "posterior": posterior,
}
