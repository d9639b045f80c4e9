"""Watching a run: a bar in a terminal, a panel in a notebook; spending, and when it is over."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Self

from dynlab._util.durations import Countdown, about
from dynlab.sampling.batch_client import BatchClient
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.time_left import seconds_left

_EVERY_S = 0.5


class Progress:
    """Shows how far a run is, for the length of a `with` block; `count()` after each sample.

    Args:
        sampler: What draws.
        total: Samples that are there at the end, at most.
        done: Of these, samples that are there before.
        shown: False = nothing is shown.
        round_size: Samples of a round, where a round waits for the one before it.
        told: What is said first, a word or two each.
        planned: Whether all that the sampler's plan lacks is drawn; else a policy chooses.
    """

    def __init__(
        self,
        sampler: Sampler,
        total: int,
        done: int = 0,
        shown: bool = True,
        *,
        round_size: int | None = None,
        told: Callable[[], list[str]] = list,
        planned: bool = False,
    ) -> None:
        self.sampler, self.total, self.num = sampler, total, done
        self._shown, self._round_size, self._told = shown, round_size, told
        self._planned = planned
        held = done if planned else len(sampler.arrived)  # a live run tells those again
        self._num_calls = sampler.ledger.spent.calls + max(total - held, 0) / sampler.num_per_call
        self._left = Countdown()
        self._over = Event()
        self._view: Any = None
        self._ticker = Thread(target=self._tick, name="dynlab-progress", daemon=True)

    def __enter__(self) -> Self:
        if self._shown:
            view = _Panel if in_notebook() else _Bar
            self._view = view(self.total, self.num)
            self._ticker.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._view is not None:
            self._over.set()
            self._ticker.join()
            self._view.show(self.num, ", ".join([*self._told(), *self._spending()]))
            self._view.close(failed=error[0] is not None)

    def count(self) -> None:
        """Counts a sample."""
        self.num += 1

    def _tick(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._view.show(self.num, self.words)

    @property
    def words(self) -> str:
        """Spending and rest in one line.

        '4,711 tokens of about 19,000, 0.000123 USD of about 0.00050, about 2 min left'.
        """
        return ", ".join([*self._told(), *self._spending(), *self._rest()])

    def _spending(self) -> list[str]:
        ledger, parts = self.sampler.ledger, []
        # of calls: samples count a little later, when they are on disk and it is their turn
        share = ledger.spent.calls / self._num_calls if self._num_calls else 1.0
        if ledger.spent.tokens is not None:
            parts.append(f"{ledger.spent.tokens:,} tokens" + _of(ledger.spent.tokens, share))
        if ledger.spent.usd is not None and self.sampler.client.price is not None:
            most = "" if ledger.limits.usd is None else f" (at most {ledger.limits.usd})"
            parts.append(f"{ledger.spent.usd:.6f} USD{_of(ledger.spent.usd, share)}{most}")
        if ledger.reserved.calls:
            parts.append(f"{ledger.reserved.calls} calls reserved")
        return parts

    def _rest(self) -> list[str]:
        clock, each = self.sampler.clock, self.sampler.num_per_call
        if self.num >= self.total:
            return []
        if isinstance(self.sampler.client, BatchClient):
            return self.sampler.client.told
        ages = clock.ages
        queued = max(math.ceil((self.total - self.num) / each) - len(ages), 0)
        relative = 1.0
        if self._planned and queued:
            relative = clock.relative(self.sampler.plan.missing(self.sampler.arrived))
        seconds = seconds_left(
            clock.latencies, queued, ages, clock.in_flight, self._round_size, relative
        )
        left = self._left.aim(seconds, clock.clock())
        most = "" if self._planned else " at most"
        known = "time left not known yet" if left is None else f"{about(left)} left{most}"
        if queued or not ages:
            return [known]
        answers = f"the last {len(ages)} answers" if len(ages) > 1 else "the last answer"
        return [f"finishing {answers}", *([] if left is None else [known])]


def _of(spent: float, share: float) -> str:
    """What is spent in the end at this rate: ' of about 0.0021'; '' where nothing says so yet."""
    if not 0 < share < 1 or not spent:
        return ""
    whole = spent / share
    digits = 1 - math.floor(math.log10(whole))
    return f" of about {round(whole, digits):,.{max(digits, 0)}f}"


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel, papermill's too."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


class _Bar:
    """tqdm in a terminal, without its own estimate of what is left."""

    def __init__(self, total: int, done: int) -> None:
        from tqdm import tqdm

        layout = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} samples [{elapsed} gone{postfix}]"
        self._bar = tqdm(total=total, initial=done, bar_format=layout, dynamic_ncols=True)

    def show(self, num: int, words: str) -> None:
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.n = num
        self._bar.refresh()

    def close(self, failed: bool) -> None:
        self._bar.close()


class _Panel:
    """ipywidgets in a notebook; nothing where there are none."""

    def __init__(self, total: int, done: int) -> None:
        self._box: Any = None
        with suppress(ImportError):
            from ipywidgets import HTML, IntProgress, VBox

            self._bar = IntProgress(value=done, max=total, layout={"width": "100%"})
            self._words = HTML()
            self._box = VBox([self._bar, self._words])
            from IPython.display import display

            display(self._box)

    def show(self, num: int, words: str) -> None:
        if self._box is not None:
            self._bar.value = num
            self._words.value = f"{num} of at most {self._bar.max} samples: {words}"

    def close(self, failed: bool) -> None:
        if self._box is not None:
            self._bar.bar_style = "danger" if failed else "success"
