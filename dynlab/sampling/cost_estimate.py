"""What planned samples would cost and how long they would take, before anything is sent."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dynlab._util.durations import about
from dynlab._util.options import Limits
from dynlab._util.values import GREEDY, Sample, Usage
from dynlab.models.prices import Price, worst_case
from dynlab.models.provider_batch import WINDOW_H
from dynlab.sampling.budget import Spending, cost, total
from dynlab.sampling.latencies import Latencies, latencies_of
from dynlab.sampling.plan import Plan
from dynlab.sampling.store_rows import Key
from dynlab.sampling.time_left import seconds_left

_BYTES = 4  # of a token of a prompt, about
_MOST_KINDS = 1000  # of calls whose prompts are looked at one by one
_LONG = "\U00020bb7"  # a letter of four bytes, as long as they come


@dataclass(frozen=True)
class CostEstimate:
    """What would be called: `num_samples` in as many `calls`, at worst and as expected.

    Args:
        model: Its name.
        num_samples: That are missing.
        worst: What the limits hold calls against; no more is spent.
        expected: What is likely spent.
        basis: What the expectation goes by.
        spread: Half the width of its 95 % interval over questions, as a share of it; None: nothing
            is known to tell it from.
        seconds: How long it is likely to take; None: it is not known how long calls take.
        num_waves: By a provider's batches: how many go one after another.
    """

    model: str
    num_samples: int
    worst: Spending
    expected: Spending
    basis: str
    spread: float | None = None
    seconds: float | None = None
    num_waves: int | None = None

    def __str__(self) -> str:
        return f"{self.words}; nothing was sent"

    @property
    def words(self) -> str:
        """Calls, tokens, USD and time as expected, how sure that is, and at worst."""
        sure = "a guess" if self.spread is None else f"± {self.spread:.0%}"
        return (
            f"{self.model}: {self.num_samples} samples in {self.worst.calls} calls; expected"
            f" {_words(self.expected)} ({sure}: {self.basis}), {self._time}; at worst"
            f" {_words(self.worst)}"
        )

    @property
    def _time(self) -> str:
        if self.num_waves is not None:
            return by_batches(self.num_waves)
        if self.seconds is None:
            return "how long is not known before the first answers"
        return about(self.seconds)


@dataclass
class Held:
    """What the samples that are there tell of those that are missing.

    Args:
        num: Of those whose tokens are known.
        spent: By these.
        tokens: By question: of its samples, and how many they are.
        seconds: That calls took, greedy ones left out.
    """

    num: int = 0
    spent: Spending = Spending()
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: array[float] = field(default_factory=lambda: array("d"))

    @classmethod
    def of(cls, samples: Iterable[Sample] | Held, price: Price | None = None) -> Held:
        """What they tell; they are looked at once each, and not kept."""
        if isinstance(samples, Held):
            return samples
        held = cls()
        for sample in samples:
            usage = sample.usage
            if usage.prompt_tokens:
                held.num += 1
                held.spent += cost(usage, price)
                tokens, num = held.tokens.get(sample.question_id, (0, 0))
                tokens += usage.prompt_tokens + (usage.completion_tokens or 0)
                held.tokens[sample.question_id] = (tokens, num + 1)
            if sample.latency_s is not None and sample.strategy != GREEDY:
                held.seconds.append(sample.latency_s)
        return held

    @property
    def spread(self) -> float | None:
        """1.96 standard errors of the mean tokens of a sample, over questions; a share of it."""
        means = [tokens / num for _, (tokens, num) in sorted(self.tokens.items())]
        if len(means) < 2 or not sum(means):
            return None
        return float(1.96 * np.std(means, ddof=1) / math.sqrt(len(means)) / np.mean(means))


def by_batches(num_waves: int) -> str:
    """How long batches may take that go one after another.

    >>> by_batches(1), by_batches(5)
    ('by batches, up to 24 h', 'by 5 batches in a row of up to 24 h each, up to 5 days')
    """
    if num_waves <= 1:
        return f"by batches, up to {WINDOW_H} h"
    days = math.ceil(num_waves * WINDOW_H / 24)
    return f"by {num_waves} batches in a row of up to {WINDOW_H} h each, up to {days} days"


def estimate(
    plan: Plan,
    missing: Sequence[Key],
    held: Iterable[Sample] | Held,
    price: Price | None,
    model: str,
) -> CostEstimate:
    """The estimate of drawing the missing samples, one call each.

    The worst case is what the limits hold calls against: every byte of a prompt a token, attempts
    as long as they are shown at most, and every answer as long as it may be. What is expected goes
    by the samples that are held, where their tokens are known, else by 4 bytes a token and answers
    of half their greatest length. Of very many different calls, all questions count as the longest
    one at worst, and as the middle one as expected.
    """
    known = Held.of(held, price)
    # calls whose prompts are of one length: the last of them, and how many
    alike: dict[tuple[str, str, int], tuple[Key, int]] = {}
    for key in missing:
        kind = (key[0], key[1], len(plan.parents(key)))
        alike[kind] = (key, alike.get(kind, (key, 0))[1] + 1)
    calls: Mapping[Key, int] = dict(alike.values())
    if len(calls) <= _MOST_KINDS:
        worst = expected = calls
    else:
        by_length = questions_by_length(plan)
        worst = _as_of(by_length[-1], calls)
        expected = _as_of(by_length[len(by_length) // 2], calls)
    at_worst = _spent(plan, worst, price, at_worst=True)
    as_expected = _spent(plan, expected, price, at_worst=False)
    basis = f"{_BYTES} bytes a token, answers of half their greatest length"
    spread = None
    if known.num:
        scale = len(missing) / known.num
        amounts = (known.spent.tokens, known.spent.picousd)
        as_expected = Spending(
            len(missing), *(None if each is None else round(each * scale) for each in amounts)
        )
        basis = f"the mean of the {known.num} samples that are there"
        spread = known.spread
    return CostEstimate(model, len(missing), at_worst, as_expected, basis, spread)


def capped(spending: Spending, limits: Limits) -> Spending:
    """What is spent at most where limits hold."""
    most_picousd = None if limits.usd is None else round(limits.usd * 1e12)
    return Spending(
        spending.calls if limits.calls is None else min(spending.calls, limits.calls),
        _least(spending.tokens, limits.tokens),
        _least(spending.picousd, most_picousd),
    )


def _least(amount: int | None, most: int | None) -> int | None:
    return amount if amount is None or most is None else min(amount, most)


def questions_by_length(plan: Plan) -> list[str]:
    """The ids of a plan's questions, by the length of their first prompts."""
    lengths = {
        id_: worst_case(plan.request((id_, plan.strategy.name, 0, 0), [])).prompt_tokens or 0
        for id_ in plan.questions
    }
    return sorted(lengths, key=lambda id_: lengths[id_])


def _as_of(id_: str, calls: Mapping[Key, int]) -> Mapping[Key, int]:
    """Calls as if all were of one question, those of a stream's sample together."""
    found: Counter[Key] = Counter()
    for (_, strategy, _, index), num in calls.items():
        found[(id_, strategy, 0, index)] += num
    return found


def _spent(
    plan: Plan, calls: Mapping[Key, int], price: Price | None, *, at_worst: bool
) -> Spending:
    """What calls (key → how many such) cost."""
    text = _LONG * max(1024, _BYTES * plan.sampling.num_tokens)
    spent = []
    for key, num in calls.items():
        # no two answers alike
        parents = [Sample(*each, answer=str(each), text=text) for each in plan.parents(key)]
        usage = worst_case(plan.request(key, parents))
        if not at_worst:
            prompt = (usage.prompt_tokens or 0) // _BYTES
            usage = Usage(prompt, plan.sampling.num_tokens // 2)
        one = cost(usage, price)
        amounts = (one.tokens, one.picousd)
        spent.append(Spending(num, *(None if each is None else num * each for each in amounts)))
    return total(spent)


def seconds_expected(
    num_calls: int, held: Iterable[Sample] | Held, num_in_flight: int, num_per_call: int = 1
) -> float | None:
    """Seconds that so many calls take at the latencies of the samples that are held, if any.

    Args:
        num_calls: That are missing.
        held: Samples of the same run; greedy ones tell of themselves alone, and are left out.
        num_in_flight: Calls at once.
        num_per_call: Samples of a call.
    """
    calls = math.ceil(num_calls / num_per_call)
    return seconds_left(held_latencies(held), calls, (), min(num_in_flight, max(calls, 1)))


def held_latencies(held: Iterable[Sample] | Held) -> Latencies | None:
    """How long the calls of held samples take, None where that is not known of any."""
    return latencies_of(known_latencies(held))


def known_latencies(held: Iterable[Sample] | Held) -> list[float]:
    """Seconds that calls of held samples took, greedy ones left out, a thousand at most."""
    known = Held.of(held).seconds
    return list(known[:: max(1, len(known) // 1000)])


def _words(spending: Spending) -> str:
    tokens = "an unknown number of" if spending.tokens is None else f"{spending.tokens:,}"
    return f"{tokens} tokens, " + (
        "price unknown" if spending.usd is None else f"{spending.usd:.6f} USD"
    )
