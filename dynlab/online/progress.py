"""Watching a live run: votes and settled questions beside spending and the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynlab._util.values import Sample
from dynlab.online.run_state import Setup
from dynlab.sampling.progress import Progress
from dynlab.sampling.sampler import Sampler

if TYPE_CHECKING:
    from dynlab.online.runner import OnlineRunner


class Watch(Progress):
    """Shows how far a run is: `with Watch(…) as watch: …; watch.told(sample)`.

    Args:
        setup: What the run is.
        sampler: Whose spending is shown.
        shown: False = nothing is shown.
    """

    def __init__(self, setup: Setup, sampler: Sampler, shown: bool = True):
        size = setup.policy.batch if setup.rounds else None
        calls = sampler.ledger.limits.calls
        total = setup.limit if calls is None else min(setup.limit, calls)
        super().__init__(sampler, total, shown=shown, round_size=size, told=self._votes)
        self.setup = setup
        self.runner: OnlineRunner | None = None
        self._voted: set[str] = set()

    def told(self, sample: Sample) -> None:
        """Counts a sample."""
        self.count()
        if sample.votes and sample.answer:
            self._voted.add(sample.question_id)

    def _votes(self) -> list[str]:
        """'12 of 20 voted', '3 settled'."""
        parts = [f"{len(self._voted)} of {len(self.setup.question_ids)} voted"]
        if self.runner is not None:
            parts.append(f"{int(self.runner.state.policy.settled.sum())} settled")
        return parts
