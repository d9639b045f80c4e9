"""`python -m dynlab.examining MODEL FOLDER`: what a model's samples, votes and chains are worth on generated puzzles.

For each family it records independent samples, one greedy answer and integrated streams (four attempts, then samples
that are shown these), and writes `examined.csv`: one row per family and measure, with an interval over questions.
Everything is compared with the same model without attempts. Settings are chosen on the split `dev`, never on `eval`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab.errors import DynlabError
from dynlab.families import NUM_PUZZLES, PUZZLES, SEED, puzzle_task
from dynlab.files import write_csv
from dynlab.metrics import estimates, weights
from dynlab.puzzles import Split
from dynlab.recordings import load
from dynlab.sampling import record

WIDTH = 4  # attempts that a chained sample is shown


def vote(answers: Sequence[str], correct: Sequence[bool]) -> float:
    """The chance that a plurality of samples is right; ties by expectation, '' never votes.

    >>> vote(["3", "4", "4", "3", ""], [True, False, False, True, False])
    0.5
    """
    counts = Counter(answer for answer in answers if answer)
    leaders = {answer for answer, count in counts.items() if count == max(counts.values())}
    right = {answer for answer, is_right in zip(answers, correct, strict=True) if is_right}
    return len(leaders & right) / len(leaders) if leaders else 0.0


def of_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question of a parallel recording: `sample`, `vote`, `greedy`: shares that are right."""
    sampled = frame[frame["strategy"] == "parallel"].groupby("question_id", sort=True)
    return pd.DataFrame(
        {
            "sample": sampled["correct"].mean().astype(float),
            "vote": sampled.apply(lambda one: vote(list(one["answer"]), list(one["correct"]))),
            "greedy": frame[frame["strategy"] == "greedy"].groupby("question_id")["correct"].mean().astype(float),
        }
    )


def of_chains(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question and stream of an integrated recording.

    `chained` is the share of chained samples that are right, `shown` the vote of the attempts that they were shown;
    `case` says where the right answer stood among these: 'absent', 'present' or 'leading' (alone or tied).
    """
    rows = []
    for (question, stream), one in frame[frame["strategy"] == "integrated"].groupby(["question_id", "stream"]):
        attempts, chained = one[one["role"] != "chained"], one[one["role"] == "chained"]
        shown = vote(list(attempts["answer"]), list(attempts["correct"]))
        case = "leading" if shown else "present" if attempts["correct"].any() else "absent"
        right = float(chained["correct"].mean())
        rows.append({"question_id": question, "stream": stream, "chained": right, "shown": shown, "case": case})
    return pd.DataFrame(rows)


def examined(samples: pd.DataFrame, chains: pd.DataFrame) -> pd.DataFrame:
    """Measures with 95 % intervals over questions: columns `measure, value, low, high, num_questions`.

    Args:
        samples: Of `of_samples`.
        chains: Of `of_chains`, for the same questions.
    """
    means = chains.groupby("question_id", sort=True)[["chained", "shown"]].mean()
    table = samples.join(means)
    measures = {name: table[name] for name in ("sample", "greedy", "vote", "chained", "shown")}
    measures |= {
        f"{one} − {other}": table[one] - table[other]
        for one, other in (("vote", "greedy"), ("chained", "sample"), ("chained", "shown"), ("chained", "vote"))
    }
    for case in ("absent", "present", "leading"):
        measures[f"chained, right answer {case}"] = (
            chains[chains["case"] == case].groupby("question_id", sort=True)["chained"].mean()
        )
    rows = []
    for measure, values in measures.items():
        if len(values):
            one = estimates(values.to_numpy(float)[None, :], weights(len(values)))[0]
            rows.append({"measure": measure, "value": one.value, "low": one.low, "high": one.high})
            rows[-1]["num_questions"] = len(values)
    return pd.DataFrame(rows)


def examine(
    model: str,
    folder: Path,
    *,
    families: Sequence[str] = tuple(PUZZLES),
    split: Split = "dev",
    num_questions: int = NUM_PUZZLES,
    num_samples: int = 16,
    num_streams: int = 2,
    num_chained: int = 2,
    temperature: float = 1.0,
    seed: int = SEED,
    **how: Any,
) -> pd.DataFrame:
    """Record what is missing in a folder and measure it; writes and returns `examined.csv`.

    Args:
        model: As of `record`.
        folder: Where recordings and table lie.
        families: Of `PUZZLES`.
        split: 'dev', or 'eval' once nothing is to be chosen any more.
        num_questions: Of each family.
        num_samples: Independent samples of each question.
        num_streams: Integrated streams of each question.
        num_chained: Chained samples of each stream.
        temperature: Of all but the greedy answers.
        seed: Of the questions; that of the task files is 2026.
        how: Further arguments of `record`.
    """
    tables = []
    for family in families:
        task = puzzle_task(family, split, num_questions, seed)
        plans: dict[str, dict[str, Any]] = {
            "parallel": {"num_samples": num_samples},
            "integrated": {
                "num_samples": WIDTH + num_chained,
                "num_streams": num_streams,
                "width": WIDTH,
                "greedy": False,
            },
        }
        frames = {
            name: load(
                record(
                    task, model, out=folder / f"{family}-{name}.parquet", strategy=name, temperature=temperature,
                    **plan, **how,
                )
            ).frame
            for name, plan in plans.items()
        }  # fmt: skip
        table = examined(of_samples(frames["parallel"]), of_chains(frames["integrated"]))
        tables.append(table.assign(family=family, split=split, temperature=temperature))
    whole = pd.concat(tables, ignore_index=True)
    columns = ["family", "split", "temperature", "measure", "value", "low", "high", "num_questions"]
    write_csv(whole[columns], folder / "examined.csv")
    return whole[columns]


def main(arguments: Sequence[str] | None = None) -> int:
    """Examines as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dynlab.examining", description=__doc__, allow_abbrev=False)
    parser.add_argument("model", help="local/PATH.gguf, or any model of `dynlab record`")
    parser.add_argument("folder", type=Path, help="for recordings and examined.csv")
    parser.add_argument("--split", choices=("dev", "eval"), default="dev")
    parser.add_argument("--questions", type=int, default=NUM_PUZZLES, help="of each family")
    parser.add_argument("--samples", type=int, default=16, help="independent samples of each question")
    parser.add_argument("--temperature", type=float, default=1.0)
    given = parser.parse_args(arguments)
    try:
        table = examine(
            given.model, given.folder, split=given.split, num_questions=given.questions, num_samples=given.samples,
            temperature=given.temperature,
        )  # fmt: skip
    except DynlabError as error:
        print(f"dynlab.examining: {error}", file=sys.stderr)
        return error.exit_code
    wide = table.pivot(index="family", columns="measure", values="value")
    print(wide[["sample", "greedy", "vote", "shown", "chained"]].round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
