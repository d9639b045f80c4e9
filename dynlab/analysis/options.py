"""Settings of all policies at once, as the explorer still has them; policies' texts replace them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynlab.analysis import budgets as checks
from dynlab.analysis import rows
from dynlab.analysis.greedy_answers import greedy_accuracy
from dynlab.analysis.methods import Method, allocator_of
from dynlab.analysis.replays import Setup
from dynlab.policies.parsing import Defaults, as_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Floats, Streams
from dynlab.replay.loop import Curve

Played = Mapping[str, tuple[Policy | None, Curve]]  # by name; the oracle has no policy


@dataclass(frozen=True)
class Options:
    """How policies are run and counted."""

    unit: str = "samples"
    warmup: int | None = None
    exploration: float = 1.0
    uncertainty: str = "top-share"
    stopping: str | None = None
    batch: int = 1
    strategy: str | None = None
    price: tuple[float, float] | None = None
    replications: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        self.policy("uniform")
        self.setup  # noqa: B018  # both are checked

    @property
    def setup(self) -> Setup:
        """What budgets count, and which draws are averaged over."""
        return Setup(self.unit, self.price, self.replications, self.seed)

    @property
    def opening(self) -> int:
        """The warm-up as given, or 2."""
        return 2 if self.warmup is None else self.warmup

    def policy(self, name: str) -> Policy:
        """The policy of a name under these settings."""
        given = Defaults(self.exploration, self.uncertainty, self.warmup, self.batch, self.stopping)
        return as_policy(name, given)


def checked_budgets(budgets: Sequence[float], options: Options) -> Floats:
    """[C] budgets ascending; none below the warm-up."""
    return checks.checked_budgets(budgets, options.opening)


def curve_rows(
    recording: Recording, streams: Streams, played: Played, share: Floats, options: Options
) -> list[dict[str, Any]]:
    """Rows of `compare` for one recording, greedy's last."""
    found, greedy = [], greedy_accuracy(recording, streams)
    for name, (policy, curve) in played.items():
        method = Method(name, allocator_of(name, policy), policy, streams)
        found += rows.curve_rows(method, curve, share, options.setup)
    if greedy is not None:
        method = Method("uniform", "uniform", None, streams)
        found.append(rows.greedy_row(recording, method, greedy, share, options.setup))
    return found


def saving_rows(
    streams: Streams,
    played: Played,
    uniform: Curve,
    wanted: Floats,
    share: Floats,
    options: Options,
) -> list[dict[str, Any]]:
    """Rows of `savings` for one recording: policies against uniform, all on one dense grid."""
    return [
        rows.saving_row(
            Method(name, allocator_of(name, policy), policy, streams),
            curve,
            uniform,
            float(budget),
            share,
            options.setup,
        )
        for name, (policy, curve) in played.items()
        for budget in wanted
    ]
