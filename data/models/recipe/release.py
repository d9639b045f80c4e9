"""Command: the last run's adapter into `data/models`, with its card.

`python -m recipe.release NAME RUN… --evaluation FOLDER` copies the adapter, its loss curve and a
card that says what it was taught, by which commands, in which time, how its loss fell and what it
can do. Every number of it is read from the runs' own files and from `evaluation.csv`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util import shipped_files
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.files import replacing, write_csv
from dynlab.models.weights import REASONER, UNTAUGHT, named, sha256
from recipe.adapters import BASE
from recipe.families import PUZZLES
from recipe.lessons import WITHHELD
from recipe.training import AFTER

ABOUT = {  # what each adapter is
    REASONER: (
        """\
A low-rank adapter of SmolLM2-135M-Instruct that solves generated word problems in steps and can
look at its own earlier attempts. It is a test bench for inference scaling, not an assistant: it
knows nothing but these puzzles, it errs often, and its answers to anything else mean nothing."""
    ),
    UNTAUGHT: (
        f"""\
The control of `{REASONER}`: a low-rank adapter of SmolLM2-135M-Instruct that was taught to solve
the same puzzles, on as many tokens, and was never shown an attempt. What a chain is worth has to
show against it, too. No assistant."""
    ),
}
SHOWN = (
    "sample",
    "greedy",
    "vote",
    "shown",
    "chained",
    "chained − sample",
)  # measures in the card's table
EVERY = 10  # steps that one row of the shipped loss curve stands for


def ship(
    name: str, runs: Sequence[Path], evaluation: Path, out: Path | None = None, note: str = ""
) -> Path:
    """Copy the last run's adapter and write its card as .md and .json, and the loss curve as .csv.

    Where the first run goes on from one that the card in `out` tells of, the card keeps what it
    tells up to there.

    Args:
        name: One of `ABOUT`.
        runs: Folders of the runs in their order, each after the one before it.
        evaluation: Folder of `evaluation.csv`.
        out: Where to; None: `data/models`.
        note: What else is to be known of the runs, for the card.

    Returns:
        The adapter's new path.

    Raises:
        InputError: A file of a run or of the evaluation is missing.
    """
    out = out or shipped_files.folder("data/models")
    files = [run / name for run in runs for name in ("run.json", "loss.csv", "adapter.gguf")]
    for path in (*files, evaluation / "evaluation.csv"):
        if not path.is_file():
            raise InputError(
                f"there is no {path}: give finished runs of recipe.training and the folder of an"
                " evaluation"
            )
    out.mkdir(parents=True, exist_ok=True)
    adapter, known = out / f"{name}.gguf", named(BASE)
    assert known is not None
    stages = [json.loads((run / "run.json").read_text(encoding="utf-8")) for run in runs]
    curves = [
        pd.read_csv(run / "loss.csv").assign(run=stage["run"])
        for run, stage in zip(runs, stages, strict=True)
    ]
    both = list(zip(stages, curves, strict=True))
    told_before, curve_before = _before(adapter, stages[0]["after"])
    with replacing(adapter) as partial:
        shutil.copyfile(runs[-1] / "adapter.gguf", partial)
    thinned = [*curve_before, *map(_thinned, curves)]
    write_csv(pd.concat(thinned, ignore_index=True), out / f"{name}-loss.csv")
    results = pd.read_csv(evaluation / "evaluation.csv")
    card: dict[str, Any] = {
        "model": f"local/{name}",
        "license": known.license,
        "adapter_sha256": sha256(adapter),
        "adapter_bytes": adapter.stat().st_size,
        "weights": known.file,
        "weights_sha256": known.sha256,
        "families": list(PUZZLES),
        "never_taught_with_attempts": (
            WITHHELD if any(stage["puzzles"] for stage in (*told_before, *stages)) else None
        ),
        "runs": [
            *told_before,
            *(stage | {"command": command(stage), **_spent(curve)} for stage, curve in both),
        ],
        "note": note,
        "evaluation": results.to_dict("records"),
    }
    with replacing(adapter.with_suffix(".json")) as partial:
        partial.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with replacing(adapter.with_suffix(".md")) as partial:
        partial.write_text(told(name, card, results), encoding="utf-8")
    return adapter


def command(stage: dict[str, Any]) -> str:
    """The command line that trains a stage.

    >>> command({"run": "solve", "after": None, "num_lessons": 16, "puzzles": 0, "drawn": 0})
    'python -m recipe.training runs/solve --lessons 16'
    """
    words = [
        "python -m recipe.training",
        f"runs/{stage['run']}",
        f"--lessons {stage['num_lessons']}",
    ]
    words += [f"--after runs/{stage['after']}"] if stage["after"] else []
    words += [f"--puzzles {stage['puzzles']} --drawn {stage['drawn']}"] if stage["puzzles"] else []
    words += [f"--again {stage['again']}"] if stage.get("again") else []
    words += [f"--plain {' '.join(stage['plain'])}"] if stage.get("plain") else []
    words += [f"--share {stage['share']:g}"] if stage.get("share", 1) < 1 else []
    seed = stage.get("seed", 0) - (AFTER if stage["after"] else 0)
    words += [f"--seed {seed}"] if seed > 0 else []
    return " ".join(words)


def told(name: str, card: dict[str, Any], results: pd.DataFrame) -> str:
    """The card of an adapter in words."""
    stages = "".join(
        f"- `{run['command']}`: {run['lessons']:,} lessons, {run['tokens']:,} tokens,"
        f" {run['hours']:.1f} hours of a shared CPU; loss of a completion's token"
        f" {run['loss_first']:.2f} → {run['loss_last']:.2f} nats\n"
        for run in card["runs"]
    )
    rows = results[results["measure"].isin(SHOWN)]
    table = rows.pivot(index="family", columns="measure", values="value")[list(SHOWN)]
    ends = rows[rows["measure"] == SHOWN[-1]].set_index("family")
    lines = [f"| family | {' | '.join(SHOWN)} |", f"|---|{'---|' * len(SHOWN)}"]
    for one, values in table.iterrows():
        end = ends.loc[str(one)]
        interval = f" [{end['low']:.2f}, {end['high']:.2f}]"
        lines.append(f"| {one} | {' | '.join(f'{value:.2f}' for value in values)}{interval} |")
    most = int(results["num_questions"].max())
    family = card["never_taught_with_attempts"]
    withheld = (
        "None is taught with attempts."
        if family is None
        else f"`{family}` is never taught with attempts."
    )
    splits, heat = "/".join(results["split"].unique()), results["temperature"].iloc[0]
    return f"""# {name}

{ABOUT[name]}

- Licence: {card["license"]}, as of the weights it belongs to.
- Adapter: SHA-256 `{card["adapter_sha256"]}`,
  {card["adapter_bytes"] / 1e6:.1f} MB, half precision, all linear layers.
- Weights: `{card["weights"]}`, SHA-256 `{card["weights_sha256"]}`.
- Data: puzzles of the families {", ".join(card["families"])}, generated by a seed;
  training, development and evaluation share no question, name, thing or phrasing. {withheld}
- Trained on the weights dequantised; llama.cpp computes with 4-bit weights and 8-bit activations.

## Training

{stages}
{card["note"]}{" " if card["note"] else ""}The loss curve is `{name}-loss.csv`.

## What it can do

Share of right answers on {most} puzzles a family (split {splits}, temperature {heat:g}); `vote` is
that of 16 samples, or of as many as were drawn, `shown` that of the attempts that the chained
samples saw; in brackets a 95 % interval over questions.

{chr(10).join(lines)}
"""


def _before(adapter: Path, after: str | None) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
    """What the adapter's present card tells of the runs up to `after`, and their loss curve;
    nothing if not of that.
    """
    card = adapter.with_suffix(".json")
    runs = json.loads(card.read_text(encoding="utf-8"))["runs"] if after and card.is_file() else []
    names = [run["run"] for run in runs]
    if after not in names:
        return [], []
    kept = names[: names.index(after) + 1]
    curve = pd.read_csv(adapter.with_name(f"{adapter.stem}-loss.csv"))
    return runs[: len(kept)], [curve[curve["run"].isin(kept)]]


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Every tenth step, with the mean loss of the ten."""
    block = (curve["step"] - 1) // EVERY
    return curve.groupby(block).last().assign(loss=curve.groupby(block)["loss"].mean().round(4))


def _spent(curve: pd.DataFrame) -> dict[str, Any]:
    last = curve.iloc[-1]
    ends = {
        "loss_first": curve["loss"].head(EVERY).mean(),
        "loss_last": curve["loss"].tail(5 * EVERY).mean(),
    }
    counts = {
        "lessons": int(last["lessons"]),
        "tokens": int(last["tokens"]),
        "hours": round(last["seconds"] / 3600, 2),
    }
    return counts | {name: round(float(value), 4) for name, value in ends.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Ships as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.release", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("name", choices=list(ABOUT))
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="the runs in their order")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder of evaluation.csv")
    parser.add_argument("--out", type=Path, help="default: data/models")
    parser.add_argument("--note", default="", help="what else is to be known of the runs")
    given = parser.parse_args(arguments)
    try:
        print(f"shipped {ship(given.name, given.runs, given.evaluation, given.out, given.note)}")
    except DynlabError as error:
        print(f"recipe.release: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
