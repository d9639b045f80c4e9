"""What is left to gain: an index learned, with targets, on the recording it is played on.

It is no policy, for it knows the targets. It says how much more a better formula could save that
sees what ours sees: how many samples voted, how the two leaders stand, what the samples cost. The
hindsight oracle says something else, what could be saved by who knew the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from dynlab.analysis.leaderboards import leaderboard
from dynlab.analysis.replays import Recordings, loaded
from dynlab.analysis.rows import SAVINGS
from dynlab.policies.base import Allocator, Index
from dynlab.policies.priced import Priced
from dynlab.policies.votes import Votes
from dynlab.recordings.streams import Floats, Ints, Streams, streams_of
from dynlab.replay.draws import draws_of

LEARNED = "learned in hindsight"
COLUMNS = [*SAVINGS, "method", "against"]
_MOST = 40  # samples and votes that states are told apart by; more count as so many
_AHEAD = (1, 2, 3, 4, 6, 8, 12, 16)  # h, samples that are looked ahead
_EDGES = (0.5, 0.8, 1.1, 1.6)  # between classes of a question's mean price, all questions' = 1


@dataclass(frozen=True, eq=False)
class Learned(Allocator):
    """index = max(G / √n, ρ · priced's) / price^γ, G the gain of a state (n, v1, v2, price class).

    G = max over h of (E[right after h more samples] − E[right]) / h over orders of its samples:
    what is true of the recording, where `priced` has a model. The second term orders the states in
    which nothing is gained.

    Args:
        gains: [n, v1, v2, class] G.
        mean: Mean price of a sample.
        thrift: γ.
        share: ρ.
    """

    gains: Floats
    mean: float
    thrift: float = 0.75
    share: float = 0.3
    name: ClassVar[str] = LEARNED

    def index(self, seen: Votes, rng: np.random.Generator) -> Index:
        """As above, with prices relative to the mean."""
        pulls = np.maximum(seen.pulls, 1.0)
        relative = np.where(seen.spent > 0, seen.spent / pulls / self.mean, 1.0)
        ours = Priced(thrift=self.thrift).index(seen, rng).value * self.mean**self.thrift
        return Index(
            np.maximum(
                self.gains[_state(seen, self.mean)] / np.sqrt(pulls) / relative**self.thrift,
                self.share * ours,
            )
        )


def learn(streams: Streams, unit: str, replications: int = 100, seed: int = 0) -> Learned:
    """Learns the gains of a recording's states from other orders than `replay` draws by this seed.

    Raises:
        InputError: the unit's prices are not known.
    """
    mean = streams.per_sample(unit)
    shape = (len(_AHEAD), _MOST + 1, _MOST + 1, _MOST // 2 + 1, len(_EDGES) + 1)
    risen, count = np.zeros(shape), np.zeros(shape)
    for draws in draws_of(streams, replications, seed + 2**31, unit):
        seen, right = draws.tally.seen, draws.tally.right
        states = _state(seen, mean)
        for place, ahead in enumerate(_AHEAD):
            at = tuple(part[:-ahead] for part in states)
            np.add.at(risen[place], at, right[ahead:] - right[:-ahead])
            np.add.at(count[place], at, 1.0)
    each = risen / np.maximum(count, 1.0) / np.reshape(_AHEAD, (-1, 1, 1, 1, 1))
    return Learned(np.maximum(each, 0.0).max(axis=0), mean)


def headroom(
    recordings: Recordings,
    at: float | Iterable[float] = (4, 8, 16),
    *,
    strategy: str | None = None,
    unit: str = "tokens",
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """What `priced` saves against uniform, and the index learned in hindsight: columns `COLUMNS`.

    Arguments are those of `dynlab.analysis.leaderboard`.

    Raises:
        InputError: As `leaderboard`.
    """
    parts = []
    for recording in loaded(recordings):
        streams = streams_of(recording, strategy, price)
        cells = leaderboard(
            recording,
            {"priced": "priced", LEARNED: learn(streams, unit, seed=seed)},
            [],
            at,
            strategy=strategy,
            unit=unit,
            price=price,
            replications=replications,
            seed=seed,
            progress=False,
        ).cells
        parts.append(cells.assign(strategy=streams.strategy))
    cells = pd.concat(parts, ignore_index=True)
    cells = cells[cells["policy"].isin(["priced", LEARNED])].rename(
        columns={"policy": "allocator", "saving_low": "low", "saving_high": "high"}
    )
    cells = cells.assign(method=cells["allocator"], against="uniform")
    return cells.reindex(columns=COLUMNS).reset_index(drop=True)


def _state(seen: Votes, mean: float) -> tuple[Ints, ...]:
    """n, v1, v2 and the class of the mean price, each of the shape of the votes."""
    pulls = np.asarray(seen.pulls)
    price = np.where(pulls > 0, np.asarray(seen.spent) / np.maximum(pulls, 1) / mean, 1.0)
    first, second = np.minimum(seen.first, _MOST), np.minimum(seen.second, _MOST // 2)
    return np.minimum(pulls, _MOST), first, second, np.searchsorted(_EDGES, price)
