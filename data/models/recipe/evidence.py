"""`python -m recipe.evidence`: what the small reasoner's recordings show, every number and picture
of it at once.

Votes against one greedy answer; chains against everything that could be mistaken for what they are
worth; strategies at equal tokens and depth; the bandit's saving; both together against the best
baseline. One row per claim, family and measure goes to `reasoner.csv`, with an interval over
questions; the pictures lie beside it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util import shipped_files
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.files import write_csv
from dynlab.analysis import comparison, contrasts
from dynlab.analysis.metrics import estimates, question_resamples
from dynlab.models.weights import REASONER
from dynlab.plots import figure_files
from dynlab.plots.contrasts import plot_contrasts, plot_depths, plot_gap
from dynlab.plots.curves import plot_savings
from dynlab.plots.small_multiples import plot_dots
from dynlab.recordings.recording import Recording, load
from dynlab.reports.curves import pooled
from recipe import examining
from recipe.families import PUZZLES, level_of
from recipe.searches import Digits, Sums

FOLDER = "data/recordings"
BUDGETS = (4, 8, 16)
BASELINES = (
    "uniform",
    "beta-sqrt",
    "okg-beta",
    "priced",
)  # allocators without chains that the whole is held against
BANDITS = ("ucb", "priced")
WHOLE = ("parallel", "integrated")
CHECKED = (Digits.name, Sums.name)  # families whose answers are quickly checked
LEVELS = ("greedy", "sample", "untaught", "placebo", "shown", "chained", "vote")
TRAINED = "model trained to use attempts"
TABLE = ["claim", "family", "measure", "value", "low", "high", "num_questions"]
_VERDICT = re.compile(r"\((\d)\)([^()]*?)\b(yes|no)\b")


def recordings(folder: Path | None = None) -> list[Recording]:
    """The reasoner's recordings, a family each.

    Args:
        folder: Where they lie; None: those that come with dynlab.

    Raises:
        InputError: There are none.
    """
    folder = folder or shipped_files.folder(FOLDER)
    paths = [folder / f"{family}--{REASONER}.parquet" for family in PUZZLES]
    found = [load(path) for path in paths if path.is_file()]
    if not found:
        raise InputError(
            f"{folder} holds no recordings of {REASONER}: make recordings draws them; --recordings"
            " names their folder"
        )
    return found


def family_of(recording: Recording) -> str:
    """'sums' of 'sums--dynlab-reasoner'."""
    return recording.name.partition("--")[0]


def attempts(held: Sequence[Recording]) -> pd.DataFrame:
    """Claims a and b: votes and chains, with the controls that come beside the recordings (`TABLE`
    less `claim`).
    """
    tables = []
    for recording in held:
        family, beside = family_of(recording), Path(recording.source).parent / "controls"
        placebo, plain = (
            beside / f"{recording.name}.{name}.parquet" for name in ("placebo", "untaught")
        )
        misled = examining.right(placebo) if placebo.is_file() else None
        untaught = load(plain) if plain.is_file() else None
        tables.append(
            examining.measured(recording, recording, misled, untaught).assign(family=family)
        )
    whole = pd.concat(tables, ignore_index=True)
    return pd.concat([whole, _means(whole)], ignore_index=True)


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """The mean over families of every difference that all of them have."""
    rows = []
    for measure, cells in table[table["measure"].str.contains(" − ")].groupby(
        "measure", sort=False
    ):
        if cells["family"].nunique() == table["family"].nunique():
            value, low, high = pooled(cells, "value")
            rows.append(
                {"family": "mean", "measure": measure, "value": value, "low": low, "high": high}
            )
            rows[-1]["num_questions"] = cells["num_questions"].sum()
    return pd.DataFrame(rows)


def judged(recording: Recording) -> pd.DataFrame:
    """Every verdict that a chained response gives on an attempt: `question_id`, `right` (whether it
    is true).

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
    """Claim b against controlled truth: a row per family and level.

    `gain` is one chained minus one independent sample; `gap` is how much easier checking is than
    finding: the share of attempts that are judged rightly (mean over right and wrong ones) minus
    the share of samples that are right; 0 where the only check is to solve again.
    """
    rows = []
    for recording in held:
        frame = recording.frame
        table = examining.of_samples(frame)
        chains = examining.of_chains(frame).groupby("question_id")[["chained"]].mean()
        verdicts = judged(recording)
        table = table.join(chains)
        table["level"] = [level_of(str(question)) for question in table.index]
        for level, part in table.groupby("level"):
            own = verdicts[verdicts["question_id"].isin(part.index)]
            told = family_of(recording) in CHECKED and own["was"].nunique() == 2
            checked = float(own.groupby("was")["right"].mean().mean()) if told else None
            gain = part["chained"] - part["sample"]
            one = estimates(gain.to_numpy(float)[None, :], question_resamples(len(part)))[0]
            sample = float(part["sample"].mean())
            rows.append(
                {
                    "family": family_of(recording),
                    "level": level,
                    "sample": sample,
                    "checked": checked,
                }
                | {"gap": 0.0 if checked is None else checked - sample}
                | {"gain": one.value, "low": one.low, "high": one.high, "num_questions": len(part)}
            )
    return pd.DataFrame(rows)


def together(held: Sequence[Recording], replications: int) -> pd.DataFrame:
    """Claim e: chains under a bandit minus the best baseline without chains, at equal tokens
    (`contrasts.CONTRASTS`).

    The baseline of a budget is the one of `BASELINES` with the highest mean accuracy over families
    there, picked in hindsight, so that no better choice among them was possible.
    """
    options: dict[str, Any] = {"unit": "tokens", "replications": replications}
    plain: contrasts.Names = {("parallel", name): name for name in BASELINES}
    curves = contrasts.contrast(
        held, strategies=WHOLE, allocators=BASELINES, budgets=BUDGETS, names=plain, **options
    )
    curves = curves[curves["allocator"] != "greedy"]
    means = curves.groupby(["budget", "method"], as_index=False)["accuracy"].mean()
    best = means.loc[means.groupby("budget")["accuracy"].idxmax()]
    tables = []
    for budget, name in zip(best["budget"], best["method"], strict=True):
        names = {("parallel", name): name} | {
            ("integrated", bandit): f"integrated, {bandit}" for bandit in BANDITS
        }
        allocators = tuple(dict.fromkeys((name, *BANDITS)))
        tables.append(
            contrasts.differences(
                held, strategies=WHOLE, allocators=allocators, at=(budget,), names=names, **options
            )
        )
    return pd.concat(tables, ignore_index=True)


def evidence(held: Sequence[Recording], replications: int = 200) -> dict[str, pd.DataFrame]:
    """Every table by name: `attempts`, `levels`, `depths`, `savings`, `together`.

    Args:
        held: Recordings of the reasoner, a family each, of all strategies.
        replications: Draw orders and streams that are averaged over.
    """
    options: dict[str, Any] = {"unit": "tokens", "replications": replications}
    return {
        "attempts": attempts(held),
        "levels": by_level(held),
        "depths": contrasts.at_depth(held, at=BUDGETS, **options),
        "savings": comparison.savings(held, allocators=BANDITS, at=(8, 16), **options),
        "together": together(held, replications),
    }


def pictures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The figure of each table by its name."""
    shown = tables["attempts"]
    levels = shown[shown["measure"].isin(LEVELS)].assign(allocator=lambda rows: rows["measure"])
    gains = shown[shown["measure"].isin([f"{a} − {b}" for a, b in examining.DIFFERENCES])]
    cases = shown[shown["measure"].str.startswith("chained − sample, ")]
    by_family = {"allocator": lambda rows: rows["family"]}
    saved, joined = tables["savings"], tables["together"]
    return {
        "levels": plot_dots(levels, "family", "value", xlabel=f"accuracy; {TRAINED}", line=0.5),
        "gains": plot_dots(
            gains.assign(**by_family),
            "measure",
            "value",
            xlabel=f"difference in accuracy; {TRAINED}",
        ),
        "cases": plot_dots(
            cases.assign(**by_family, measure=cases["measure"].str.partition(", ")[2]),
            "measure",
            "value",
            xlabel=f"one chained − one independent sample; {TRAINED}",
        ),
        "gap": plot_gap(tables["levels"]),
        "depths": plot_depths(tables["depths"]),
        "savings": plot_savings(saved[saved["allocator"] == "ucb"]),
        "together": plot_contrasts(
            joined.assign(against="the best without")
        ),  # another one at each budget
    }


def summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per claim, family and measure (`TABLE`); family 'mean' is the mean over families."""
    shown = tables["attempts"]
    asked = shown[shown["measure"] == "sample"].set_index("family")["num_questions"]
    rows = [shown.assign(claim="a, b")]
    for claim, name, value in (("d", "savings", "saving"), ("e", "together", "difference")):
        table = tables[name].rename(columns={value: "value"}).assign(claim=claim)
        table["family"] = table["recording"].str.partition("--")[0]
        table["num_questions"] = table["family"].map(asked)
        who = (
            table.get("method", table["allocator"])
            + " − "
            + table.get("against", "uniform, saving")
        )
        table["measure"] = who + ", B = " + table["at"].map("{:g}".format)
        rows.append(table)
        for measure, cells in table.groupby("measure", sort=False):
            middle, low, high = pooled(cells, "value")
            one = {
                "claim": claim,
                "family": "mean",
                "measure": measure,
                "value": middle,
                "low": low,
                "high": high,
            }
            rows.append(pd.DataFrame([one | {"num_questions": cells["num_questions"].sum()}]))
    return pd.concat(rows, ignore_index=True)[TABLE]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the tables and pictures and prints the summary; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.evidence", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--out", type=Path, default=Path("figures"), help="folder of pictures and tables"
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        help="folder of the recordings; default: those that come with dynlab",
    )
    parser.add_argument("--replications", type=int, default=200)
    given = parser.parse_args(arguments)
    try:
        tables = evidence(recordings(given.recordings), given.replications)
        for name, figure in pictures(tables).items():
            data = tables.get(name, tables["levels"] if name == "gap" else tables["attempts"])
            figure_files.save(figure, given.out, f"reasoner-{name}", data)
        table = summary(tables)
        write_csv(table, given.out / "reasoner.csv")
    except DynlabError as error:
        print(f"dynlab.evidence: {error}", file=sys.stderr)
        return error.exit_code
    print(table.round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
