"""What the small reasoner's recordings show, table by table.

Votes against one greedy answer; chains against everything that could be mistaken for what they are
worth; chains under a bandit against the best baseline without chains. Notebook 10 draws them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.analysis import contrast
from dynlab.analysis.chained_samples import (
    CONTROLS,
    REPLICATIONS,
    chain_shares,
    chained_samples,
    sample_shares,
)
from dynlab.analysis.metrics import estimates
from dynlab.analysis.resamples import question_resamples
from dynlab.models.weights import REASONER
from dynlab.recordings.recording import Recording, load
from dynlab.reports.wording import pooled
from recipe.families import PUZZLES, level_of
from recipe.searches import Digits, Sums

FOLDER = "data/recordings"
BUDGETS = (4, 8, 16)
# allocators without chains that chains under a bandit are held against
BASELINES = ("uniform", "beta-sqrt", "okg-beta", "priced")
BANDITS = ("ucb", "priced")
WHOLE = ("parallel", "integrated")
# families whose answers are quickly checked
CHECKED = (Digits.name, Sums.name)
_VERDICT = re.compile(r"\((\d)\)([^()]*?)\b(yes|no)\b")


def recordings(folder: str | Path = "") -> list[Recording]:
    """The reasoner's recordings, a family each.

    Args:
        folder: Where they lie; '': those that come with dynlab.

    Raises:
        InputError: There are none.
    """
    folder = Path(folder) if folder else shipped_files.folder(FOLDER)
    paths = [folder / f"{family}--{REASONER}.parquet" for family in PUZZLES]
    found = [load(path) for path in paths if path.is_file()]
    if not found:
        raise InputError(
            f"{folder} holds no recordings of {REASONER}: name another folder, or draw them: make"
            " recordings"
        )
    return found


def family_of(recording: Recording) -> str:
    """'sums' of 'sums--dynlab-reasoner'."""
    return recording.name.partition("--")[0]


def attempts(held: Sequence[Recording], replications: int = REPLICATIONS) -> pd.DataFrame:
    """Votes and chains by family and measure, with the controls that lie beside the recordings.

    Columns `measure, value, low, high, num_questions, family`; family 'mean' is that of all.
    """
    own = chained_samples(held, CONTROLS, replications=replications)
    own["family"] = own.pop("recording").str.partition("--")[0]
    return pd.concat([own, _means(own)], ignore_index=True)


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """The mean over families of every difference that all of them have."""
    rows = []
    for measure, cells in table[table["measure"].str.contains(" − ")].groupby(
        "measure", sort=False
    ):
        if cells["family"].nunique() == table["family"].nunique():
            value, low, high = pooled(cells, "value")
            rows.append(
                {
                    "family": "mean",
                    "measure": measure,
                    "value": value,
                    "low": low,
                    "high": high,
                    "num_questions": cells["num_questions"].sum(),
                }
            )
    return pd.DataFrame(rows)


def verdicts(recording: Recording) -> pd.DataFrame:
    """Every verdict of a chained response on an attempt, and whether it is `right`.

    A verdict is '(2) … yes' or '(2) … no'; only responses whose text was kept are read.
    """
    frame = recording.frame
    frame = frame[frame["strategy"] == "integrated"]
    columns = ["question_id", "stream", "sample_index"]
    true = dict(
        zip(
            frame[columns].itertuples(index=False, name=None),
            frame["correct"].astype(bool),
            strict=True,
        )
    )
    chained = frame[(frame["role"] == "chained") & frame["text"].notna()]
    rows = []
    for question, stream, shown, text in zip(
        *(chained[name] for name in (*columns[:2], "parents", "text")), strict=True
    ):
        for number, _, verdict in _VERDICT.findall(text):
            if 1 <= int(number) <= len(shown):
                was = true[question, stream, shown[int(number) - 1]]
                rows.append(
                    {"question_id": question, "was": was, "right": (verdict == "yes") == was}
                )
    return pd.DataFrame(rows, columns=["question_id", "was", "right"])


def by_level(held: Sequence[Recording]) -> pd.DataFrame:
    """What a chained sample gains at each exact difficulty: a row per family and level.

    `gain` is one chained minus one independent sample; `gap` is how much easier checking is than
    finding: the share of attempts that are judged rightly (mean over right and wrong ones) minus
    the share of samples that are right; 0 where the only check is to solve again.
    """
    rows = []
    for recording in held:
        frame = recording.frame
        table = sample_shares(frame)
        chains = chain_shares(frame).groupby("question_id")[["chained"]].mean()
        told = verdicts(recording)
        table = table.join(chains)
        table["level"] = [level_of(str(question)) for question in table.index]
        for level, part in table.groupby("level"):
            own = told[told["question_id"].isin(part.index)]
            checked = None
            if family_of(recording) in CHECKED and own["was"].nunique() == 2:
                checked = float(own.groupby("was")["right"].mean().mean())
            gain = part["chained"] - part["sample"]
            one = estimates(gain.to_numpy(float)[None, :], question_resamples(len(part)))[0]
            sample = float(part["sample"].mean())
            rows.append(
                {
                    "family": family_of(recording),
                    "level": level,
                    "sample": sample,
                    "checked": checked,
                    "gap": 0.0 if checked is None else checked - sample,
                    "gain": one.value,
                    "low": one.low,
                    "high": one.high,
                    "num_questions": len(part),
                }
            )
    return pd.DataFrame(rows)


def together(held: Sequence[Recording], replications: int) -> pd.DataFrame:
    """Chains under a bandit minus the best baseline without chains, at equal tokens.

    The baseline of a budget is the one of `BASELINES` with the highest mean accuracy over families
    there, picked in hindsight, so that no better choice among them was possible.
    """
    plain = {("parallel", name): name for name in BASELINES}
    chained = {("integrated", bandit): f"integrated, {bandit}" for bandit in BANDITS}
    comparison = contrast(
        held,
        WHOLE,
        list(dict.fromkeys((*BASELINES, *BANDITS))),
        BUDGETS,
        names=plain | chained,
        unit="tokens",
        replications=replications,
    )
    curves = comparison.curves
    curves = curves[curves["method"].isin(BASELINES)]
    means = curves.groupby(["budget", "method"], as_index=False)["accuracy"].mean()
    best = means.loc[means.groupby("budget")["accuracy"].idxmax()]
    tables = []
    for budget, name in zip(best["budget"], best["method"], strict=True):
        # the bandit that is the best without chains, too, stands first
        order = dict.fromkeys((name, *BANDITS))
        rivals = [chained["integrated", bandit] for bandit in order if bandit in BANDITS]
        against = tuple(own.against(name, rivals) for own in comparison.replays)
        tables.append(replace(comparison, replays=against).differences(budget))
    return pd.concat(tables, ignore_index=True)
