"""The oracle of replay: one pull at a time, straight from the definitions, nothing shared with
dynlab.
"""

from __future__ import annotations

import itertools
import math


def plain_loop(answers, limit, score, ties, warmup=2, prices=None, batch=1, probes=None):
    """Pulls [(question, sample), …] of one replication.

    Args:
        answers: [Q][N] answers in the order drawn, None = missing.
        limit: budget over all questions, in prices.
        score: function of (v1, v2, n, ln t, counts, answers that arrived, probe) → index; −∞ =
            never again.
        ties: [Q][N + 1] the larger number wins among equal scores.
        prices: [Q][N], 1 by default.
        probes: [Q] log-probability of the first sample.
    """
    num_questions = len(answers)
    pulls, arrived = [0] * num_questions, [0] * num_questions
    counts = [{} for _ in range(num_questions)]
    lead, second = [0] * num_questions, [0] * num_questions
    spent, log, since = 0.0, [], 0
    waiting = []
    lengths = [len(drawn) for drawn in answers]
    known = [[] for _ in answers]
    probes = probes or [None] * num_questions
    everyone = range(num_questions)
    while True:
        log_t = math.log(max(len(log), 1))
        best, pick = -math.inf, -1
        for q in everyone:
            n = pulls[q]
            if n >= lengths[q]:
                continue
            if n < warmup:
                value = 1e6 - n
            else:
                value = score(lead[q], second[q], n, log_t, counts[q], known[q], probes[q])
            if value > best + 1e-9 or (
                pick >= 0 and value > best - 1e-9 and ties[q][n] > ties[pick][pulls[pick]]
            ):
                best, pick = value, q
        if pick < 0:
            return log
        price = 1.0 if prices is None else prices[pick][pulls[pick]]
        if spent + price > limit + 1e-9:
            return log
        spent += price
        log.append((pick, pulls[pick]))
        opening = pulls[pick] < warmup
        pulls[pick] += 1
        waiting.append(pick)
        since += not opening
        if opening or since % batch == 0:
            for q in waiting:
                answer = answers[q][arrived[q]]
                arrived[q] += 1
                known[q].append(answer)
                if answer is not None:
                    count = counts[q][answer] = counts[q].get(answer, 0) + 1
                    others = [c for a, c in counts[q].items() if a != answer]
                    ordered = [*sorted([count, *others], reverse=True), 0]
                    lead[q], second[q] = ordered[0], ordered[1]
            waiting = []


def ucb(v1, v2, n, log_t, counts, drawn, probe, c=1.0):
    """1 − v1/n + c·√(ln t / n)."""
    return 1 - v1 / n + c * math.sqrt(log_t / n)


def margin(v1, v2, n, log_t, counts, drawn, probe):
    """1 − (v1 − v2)/n."""
    return 1 - (v1 - v2) / n if v1 else 1.0


def entropy(v1, v2, n, log_t, counts, drawn, probe):
    """Normalised entropy with the missing share as one more class."""
    if not v1:
        return 1.0
    shares = [c / n for c in counts.values()] + [(n - sum(counts.values())) / n]
    return -sum(p * math.log(p) for p in shares if p > 0) / math.log(max(n, 2))


def posterior(v1, v2, n, log_t, counts, drawn, probe):
    """Adaptive-Consistency's chance that the leader is not the mode."""
    if not v1:
        return 1.0
    m = v1 + v2 + 1
    return sum(math.comb(m, k) for k in range(v2 + 1)) / 2**m


def okg_beta(v1, v2, n, log_t, counts, drawn, probe):
    """Knowledge gradient on the two leading answers, by Adaptive-Consistency's P."""

    def h(one, other):
        large, small = max(one, other), min(one, other)
        return 1 - sum(math.comb(large + small + 1, k) for k in range(small + 1)) / 2 ** (
            large + small + 1
        )

    return max(h(v1 + 1, v2), h(v1, v2 + 1)) - h(v1, v2)


def uab(v1, v2, n, log_t, counts, drawn, probe):
    """Marginal coverage p·(1 − p)^c of UAB at temperature 0.2."""
    p = math.exp(probe / 0.2)
    return p * (1 - p) ** n


def strategic(v1, v2, n, log_t, counts, drawn, probe, samples=4, threshold=0.8):
    """Rounds of K samples over the questions that have not agreed yet."""
    if n and n % samples == 0 and v1 / n >= threshold - 1e-9:
        return -math.inf
    return -(n // samples)


def strategic_entropy(v1, v2, n, log_t, counts, drawn, probe, samples=4):
    """K samples at a time to the active question of the largest entropy."""
    if n % samples:
        return 2.0
    left = strategic(v1, v2, n, log_t, counts, drawn, probe) == -math.inf
    return -math.inf if left else entropy(v1, v2, n, log_t, counts, drawn, probe)


def vote_gain(v1, v2, n, log_t, counts, drawn, probe):
    """Mean of [rise of the top share]₊ + [fall of the entropy]₊ a sample, and √(ln t / n)."""

    def state(first):
        votes = [answer for answer in first if answer is not None]
        shares = [votes.count(a) / len(first) for a in set(votes)] + [
            first.count(None) / len(first)
        ]
        return max(shares[:-1], default=0), -sum(p * math.log(p) for p in shares if p > 0)

    states = [(0, 0)] + [state(drawn[: i + 1]) for i in range(len(drawn))]
    rewards = [max(b[0] - a[0], 0) + max(a[1] - b[1], 0) for a, b in itertools.pairwise(states)]
    return sum(rewards) / n + math.sqrt(log_t / n)
