"""Watching a live run: a bar in a terminal, a panel in a notebook; spending, votes, and when it is
likely to end.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dynlab._util.values import Sample
from dynlab.online.run_state import Setup
from dynlab.sampling.sampler import Sampler

if TYPE_CHECKING:
    from dynlab.online.runner import OnlineRunner

_EVERY_S = 0.2


class Watch:
    """Shows how far a run is: `with Watch(…) as watch: …; watch.told(sample)`.

    Args:
        setup: What the run is.
        sampler: Whose spending is shown.
        shown: False = nothing is shown.
    """

    def __init__(self, setup: Setup, sampler: Sampler, shown: bool = True):
        self.setup, self.sampler = setup, sampler
        self.runner: OnlineRunner | None = None
        self._shown, self._num, self._last = shown, 0, 0.0
        self._voted: set[str] = set()
        self._started = time.monotonic()
        self._view: Any = None

    def __enter__(self) -> Watch:
        if self._shown:
            self._view = _Panel(self.setup.limit) if in_notebook() else _Bar(self.setup.limit)
        return self

    def __exit__(self, *error: object) -> None:
        if self._view is not None:
            self._show()
            self._view.close(failed=error[0] is not None)

    def told(self, sample: Sample) -> None:
        """Counts a sample."""
        self._num += 1
        if sample.votes and sample.answer:
            self._voted.add(sample.question_id)
        if self._view is not None and time.monotonic() - self._last >= _EVERY_S:
            self._show()

    def _show(self) -> None:
        self._last = time.monotonic()
        self._view.show(self._num, self.words)

    @property
    def words(self) -> str:
        """Votes, spending and rest in one line.

        '12 of 20 voted, 3 settled, 4711 tokens, 0.000123 USD (at most 0.01), 95 s left'.
        """
        ledger = self.sampler.ledger
        parts = [f"{len(self._voted)} of {len(self.setup.question_ids)} voted"]
        if self.runner is not None:
            parts.append(f"{int(self.runner.state.policy.settled.sum())} settled")
        if ledger.spent.tokens is not None:
            parts.append(f"{ledger.spent.tokens} tokens")
        if ledger.spent.usd is not None and self.sampler.client.price is not None:
            most = ledger.limits.usd
            parts.append(
                f"{ledger.spent.usd:.6f} USD" + ("" if most is None else f" of at most {most}")
            )
        if ledger.reserved.calls:
            parts.append(f"{ledger.reserved.calls} calls reserved")
        elapsed = time.monotonic() - self._started
        if 0 < self._num < self.setup.limit:
            parts.append(
                f"{elapsed / self._num * (self.setup.limit - self._num):.0f} s left at most"
            )
        return ", ".join(parts)


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel, papermill's too."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


class _Bar:
    """tqdm in a terminal."""

    def __init__(self, limit: int):
        from tqdm import tqdm

        self._bar = tqdm(total=limit, unit="sample", dynamic_ncols=True)

    def show(self, num: int, words: str) -> None:
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(num - self._bar.n)
        self._bar.refresh()

    def close(self, failed: bool) -> None:
        self._bar.close()


class _Panel:
    """ipywidgets in a notebook; words alone where there are none."""

    def __init__(self, limit: int):
        self._box: Any = None
        with suppress(ImportError):
            from ipywidgets import HTML, IntProgress, VBox

            self._bar, self._words = IntProgress(max=limit, layout={"width": "100%"}), HTML()
            self._box = VBox([self._bar, self._words])
            from IPython.display import display

            display(self._box)  # type: ignore[no-untyped-call]

    def show(self, num: int, words: str) -> None:
        if self._box is not None:
            self._bar.value, self._words.value = (
                num,
                f"{num} of at most {self._bar.max} samples: {words}",
            )

    def close(self, failed: bool) -> None:
        if self._box is not None:
            self._bar.bar_style = "danger" if failed else "success"
