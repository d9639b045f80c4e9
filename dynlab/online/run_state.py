"""The state of a live run: told of the samples that came, it says which one is next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Sample
from dynlab.policies import registry
from dynlab.policies.base import Allocator, settings_of
from dynlab.policies.policy import Policy
from dynlab.replay.counts import Told
from dynlab.replay.online_policy import OnlinePolicy
from dynlab.sampling.store_rows import Key

# the log-probability that stands for one that is not there, as of a failed call: no confidence
_UNSURE = -1e9
_FEW = 8  # votes without any log-probability after which a model is taken to give none


@dataclass(frozen=True)
class Setup:
    """All that decides a run besides its samples.

    Args:
        policy: Allocator, stopping rule, vote, warm-up and batch.
        question_ids: In the order that ties are broken by.
        strategy: The name that keys of samples have.
        limit: The most samples over all questions.
        seed: Of the run.
        unit: What `Votes.spent` counts: samples, tokens or usd.
        rounds: False = each arrival counts at once.
    """

    policy: Policy
    question_ids: tuple[str, ...]
    strategy: str
    limit: int
    seed: int = 0
    unit: str = "samples"
    rounds: bool = True

    @property
    def how(self) -> str:
        """Allocator and rounds in words: 'ucb in rounds of 16'."""
        batch = self.policy.batch
        return f"{self.policy.allocator.name} " + (
            f"in rounds of {batch}" if self.rounds else f"with {batch} in flight"
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What a recording says of it, without the questions; `setup_of` reads it."""
        policy = self.policy
        return {
            **_described("allocator", policy.allocator),
            **_described("stopping", policy.stopping),
            **_described("vote", policy.vote),
            "warmup": policy.warmup,
            "batch": policy.batch,
            "calls": self.limit,
            "unit": self.unit,
            "asynchronous": not self.rounds,
        }


def setup_of(
    settings: Mapping[str, Any], question_ids: Iterable[str], allocator: Allocator | None = None
) -> Setup:
    """The setup that a recording's settings describe.

    Args:
        settings: As `Setup.settings`, and the seed and strategy.
        question_ids: In their order.
        allocator: The one that ran, where it is not dynlab's own.
    """
    policy = Policy(
        allocator or _named(registry.allocator, settings, "allocator"),
        (
            None
            if settings["stopping"] is None
            else _named(registry.stopping_rule, settings, "stopping")
        ),
        int(settings["warmup"]),
        int(settings["batch"]),
        None if settings["vote"] is None else _named(registry.vote, settings, "vote"),
    )
    return Setup(
        policy,
        tuple(question_ids),
        str(settings["strategy"]),
        int(settings["calls"]),
        int(settings["seed"]),
        str(settings["unit"]),
        not settings["asynchronous"],
    )


def _described(what: str, rule: Any) -> dict[str, Any]:
    parameters = asdict(rule) if is_dataclass(rule) and not isinstance(rule, type) else {}
    return {what: None if rule is None else rule.name, f"{what}_parameters": parameters}


def _named(by_name: Callable[[str], Any], settings: Mapping[str, Any], what: str) -> Any:
    try:
        rule = by_name(settings[what])
        given = settings[f"{what}_parameters"]  # older runs also say what the name says
        old = {"name", "uncertainty", "ordered"} - set(settings_of(rule))
        return replace(rule, **{key: given[key] for key in given if key not in old})
    except (TypeError, InputError) as error:
        raise InputError(
            f"{what} {settings[what]!r} of the recording is not known here ({error}); "
            "an allocator of your own goes to dynlab.audit(…, allocator=…)"
        ) from None


class RunState:
    """A run on its way: `ask()` for the key of the next sample, `tell` of each that has come.

    Args:
        setup: What decides it.
        awaited: The samples that a sample waits for.
    """

    def __init__(self, setup: Setup, awaited: Callable[[Key], Iterable[Key]]):
        self.setup = setup
        self.policy = OnlinePolicy(
            setup.policy, len(setup.question_ids), setup.limit, setup.seed, setup.rounds
        )
        self.asked: list[Key] = []
        self.told: list[Key] = []
        self.depth: dict[Key, int] = {}  # of each sample: the longest path of calls that ends in it
        self.waited: dict[Key, int] = {}  # the depth of the decision that it was
        self.awaited = awaited
        self._number = {id_: number for number, id_ in enumerate(setup.question_ids)}
        self._num_unsure: float = (
            0  # votes without a log-probability, as long as there was none with one
        )
        self._needs_logprob = setup.policy.confidence

    def ask(self) -> Key | None:
        """The next sample; None = nothing until more is told, or nothing any more if none is in
        flight.
        """
        pick = self.policy.ask()
        if pick is None:
            return None
        key = (self.setup.question_ids[pick.question], self.setup.strategy, 0, pick.sample)
        self.waited[key] = pick.depth
        self.depth[key] = 1 + max(
            pick.depth, *(self.depth.get(parent, 0) for parent in self.awaited(key)), 0
        )
        self.asked.append(key)
        return key

    def tell(self, sample: Sample) -> None:
        """Says what came of a sample that was asked for.

        Raises:
            InputError: log-probabilities are needed, and the model gives none.
            DynlabError: it was not asked for.
        """
        key = sample.key
        if key not in self.depth:
            raise DynlabError(
                f"sample {key[3]} of question {key[0]!r} came without having been asked for"
            )
        votes = sample.votes and sample.answer != ""
        logprob = sample.mean_logprob
        if logprob is not None:
            self._num_unsure = -np.inf
        elif self._needs_logprob:
            self._num_unsure += votes
            if self._num_unsure >= _FEW:
                policy = self.setup.policy
                who = policy.allocator.name if policy.vote is None else policy.vote.name
                raise InputError(
                    f"{who} needs log-probabilities, and the model gives none: take another"
                )
            logprob = _UNSURE
        self.told.append(key)
        self.policy.tell(
            self._number[key[0]],
            key[3],
            Told(
                sample.answer if votes else None,
                price_of(sample, self.setup.unit),
                float(
                    np.float32(np.nan if logprob is None else logprob)
                ),  # as precise as a recording keeps it
                self.depth[key],
            ),
        )

    @property
    def in_flight(self) -> int:
        """Samples asked for and not told of."""
        return self.policy.in_flight


def price_of(sample: Sample, unit: str) -> float | None:
    """What a sample cost in a unit, as far as is known."""
    usage = sample.usage
    if unit == "samples":
        return 1.0
    if unit == "usd":
        return usage.cost_usd
    return (
        None
        if usage.completion_tokens is None
        else float(usage.completion_tokens + (usage.prompt_tokens or 0))
    )


def retraced(
    setup: Setup,
    awaited: Callable[[Key], Iterable[Key]],
    sample_of: Callable[[Key], Sample | None],
    arrivals: Sequence[Key] = (),
) -> RunState:
    """The state that samples led to, from the setup and the samples (and, without rounds, their
    arrivals) alone.

    A sample that is not there stays in flight.

    Raises:
        DynlabError: an arrival that was not asked for.
    """
    state = RunState(setup, awaited)
    if setup.rounds:
        while (key := state.ask()) is not None:
            if (sample := sample_of(key)) is not None:
                state.tell(sample)
        return state
    fill(state)
    for key in arrivals:
        if (sample := sample_of(key)) is not None:
            state.tell(sample)
            fill(state)
    return state


def fill(state: RunState) -> list[Key]:
    """What is asked for, without rounds, until `batch` samples are in flight."""
    asked = []
    while state.in_flight < state.setup.policy.batch and (key := state.ask()) is not None:
        asked.append(key)
    return asked
