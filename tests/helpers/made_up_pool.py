"""The pool under `tests/data`, made up: `python -m helpers.made_up_pool` writes it again.

It has the size of GPQA-Diamond with 80 samples a question, so that what is said of speed and scale
can be tried in a fresh clone: 198 questions of all difficulties, four choices, hard ones longer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dynlab.recordings.recording import write

DATA = Path(__file__).resolve().parents[1] / "data"
NUM_QUESTIONS, NUM_SAMPLES = 198, 80


def made_up_pool(seed: int = 0) -> pd.DataFrame:
    """Samples of every question; '' is a response without an answer."""
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(NUM_QUESTIONS):
        right = rng.beta(0.6, 0.5)  # many easy ones, many hard ones
        wrong = (1 - right) * rng.dirichlet([0.7, 0.7, 0.7]) * 0.97
        chances = [right, *wrong, 1 - right - wrong.sum()]
        table = pd.DataFrame(
            {"answer": rng.choice(["A", "B", "C", "D", ""], NUM_SAMPLES, p=chances)}
        )
        length = 200 + 2000 * (1 - right)
        table["completion_tokens"] = rng.gamma(4, length / 4, NUM_SAMPLES).astype(int) // 10 * 10
        table.insert(0, "question_id", f"q{number:03}")
        table.insert(1, "sample_index", range(NUM_SAMPLES))
        tables.append(table)
    return pd.concat(tables, ignore_index=True).assign(target="A", prompt_tokens=150)


if __name__ == "__main__":
    card = {"design": "fixed", "source": "made up, by tests/helpers/made_up_pool.py"}
    write(made_up_pool(), card, DATA / "made-up.parquet")
