"""`python -m recipe.examining MODEL FOLDER`: what a model's samples, votes and chains are worth on
generated puzzles.

For each family it records independent samples, one greedy answer, integrated streams (four
attempts, then samples that are shown these) and a placebo: samples that are shown the attempts at
another question. It writes `examined.csv`: one row per family and measure, with an interval over
questions. With `--untaught` an adapter that never saw attempts is held against it. Settings are
chosen on the split `dev`, never on `eval`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import DynlabError
from dynlab._util.files import write_csv
from dynlab._util.values import Sample
from dynlab.analysis.metrics import estimates, question_resamples
from dynlab.analysis.same_model import VOTERS, vote
from dynlab.policies.policy import Policy
from dynlab.policies.registry import allocator
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import replay
from dynlab.sampling.preparation import refuse_counts
from dynlab.sampling.recorder import record
from dynlab.tasks.prompts import Completion
from dynlab.tasks.task import Task
from recipe.families import NUM_PUZZLES, PUZZLES, SEED, puzzle_task
from recipe.puzzles import Split

WIDTH = 4  # attempts that a chained sample is shown
REPLICATIONS = 200
STREAM = 8  # samples of a stream whose vote is compared: four attempts and four chained
DIFFERENCES = (
    ("vote", "greedy"),
    ("chained", "sample"),
    ("chained", "placebo"),
    ("chained", "shown"),
    ("chained", "untaught"),
    ("4 + 4", "8 independent"),
    ("4 + 4", "independent, equal tokens"),
    ("4 + 4", "untaught, equal tokens"),
)


def of_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question of a recording: `sample` and `greedy`, the shares that are right."""
    sampled = frame[frame["strategy"] == "parallel"].groupby("question_id", sort=True)
    return pd.DataFrame(
        {
            "sample": sampled["correct"].mean().astype(float),
            "greedy": (
                frame[frame["strategy"] == "greedy"]
                .groupby("question_id")["correct"]
                .mean()
                .astype(float)
            ),
        }
    )


def of_chains(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per question and stream of an integrated recording.

    `chained` is the share of chained samples that are right, `shown` the vote of the attempts that
    they were shown; `case` says where the right answer stood among these: 'absent', 'present' or
    'leading' (alone or tied).
    """
    rows = []
    for (question, stream), one in frame[frame["strategy"] == "integrated"].groupby(
        ["question_id", "stream"]
    ):
        attempts, chained = one[one["role"] != "chained"], one[one["role"] == "chained"]
        shown = vote(list(attempts["answer"]), list(attempts["correct"]))
        case = "leading" if shown else "present" if attempts["correct"].any() else "absent"
        right = float(chained["correct"].mean())
        rows.append(
            {
                "question_id": question,
                "stream": stream,
                "chained": right,
                "shown": shown,
                "case": case,
            }
        )
    return pd.DataFrame(rows)


def of_votes(
    samples: Recording, chains: Recording, untaught: Recording | None = None, seed: int = 0
) -> pd.DataFrame:
    """One row per question: what votes are worth.

    `vote` is that of 16 independent samples (of all, where there are fewer), `4 + 4` that of a
    stream's first eight; it is held against `8 independent` ones and against as many as cost the
    same tokens, which count the whole prompt of every call, attempts included, and against as many
    of a model that was never shown attempts. A vote is averaged over orders of the recorded
    samples.
    """
    uniform = [Policy(allocator("uniform"), None, 1)]
    one, stream = streams_of(samples, "parallel"), streams_of(chains, "integrated")

    def played(streams: Any, budget: float, unit: str) -> Any:
        return replay(
            streams, uniform, np.array([budget]), unit=unit, replications=REPLICATIONS, seed=seed
        )[0]

    whole = played(stream, STREAM, "samples")
    cost, most = float(whole.spent["tokens"][0].mean()), float(one.lengths.min())
    at = cost / one.per_sample("tokens")
    votes = {"vote": played(one, min(VOTERS, most), "samples"), "4 + 4": whole}
    votes |= {"8 independent": played(one, STREAM, "samples")}
    votes |= {"independent, equal tokens": played(one, min(at, most), "tokens")}
    if untaught:
        plain = streams_of(untaught, "parallel")
        equal = min(cost / plain.per_sample("tokens"), float(plain.lengths.min()))
        votes |= {"untaught, equal tokens": played(plain, equal, "tokens")}
    table = pd.DataFrame(
        {name: curve.accuracy[0] for name, curve in votes.items()}, index=list(one.question_ids)
    )
    return table.assign(**{"samples that 4 + 4 cost": at})


def examined(table: pd.DataFrame, chains: pd.DataFrame) -> pd.DataFrame:
    """Measures with 95 % intervals over questions: columns `measure, value, low, high,
    num_questions`.

    Args:
        table: A row per question, a column per measure: of `of_samples` and the like.
        chains: Of `of_chains`, for the same questions.
    """
    table = table.join(chains.groupby("question_id", sort=True)[["chained", "shown"]].mean())
    measures = {str(name): table[name] for name in table}
    measures |= {f"{a} − {b}": table[a] - table[b] for a, b in DIFFERENCES if {a, b} <= set(table)}
    for case in ("absent", "present", "leading"):
        held = chains[chains["case"] == case].groupby("question_id", sort=True)["chained"].mean()
        measures[f"chained, right answer {case}"] = held
        measures[f"chained − sample, right answer {case}"] = held - table["sample"].reindex(
            held.index
        )
    rows = []
    for measure, values in measures.items():
        if len(values):
            one = estimates(values.to_numpy(float)[None, :], question_resamples(len(values)))[0]
            rows.append({"measure": measure, "value": one.value, "low": one.low, "high": one.high})
            rows[-1]["num_questions"] = len(values)
    return pd.DataFrame(rows)


def measured(
    samples: Recording,
    chains: Recording,
    placebo: pd.Series | None = None,
    untaught: Recording | None = None,
) -> pd.DataFrame:
    """What one family's recordings show: the rows of `examined`.

    Args:
        samples: Holds independent samples and greedy answers.
        chains: Holds integrated streams of the same questions; may be the same recording.
        placebo: The share of right samples by question, where another question's attempts were
            shown.
        untaught: Independent samples, of the same questions, of a model that was never shown
            attempts.
    """
    table = of_samples(samples.frame).join(of_votes(samples, chains, untaught))
    if placebo is not None:
        table["placebo"] = placebo
    if untaught:
        table["untaught"] = of_samples(untaught.frame)["sample"]
    return examined(table, of_chains(chains.frame))


def placebo(task: Task, chains: pd.DataFrame) -> Task:
    """The task with the attempts of another question beside each: the next one's, of its first
    stream, worded as ever.

    Args:
        task: Of `puzzle_task`.
        chains: An integrated recording of it.
    """
    first = chains[
        (chains["strategy"] == "integrated")
        & (chains["stream"] == 0)
        & (chains["role"] != "chained")
    ]
    texts = {
        name: list(one.sort_values("sample_index")["text"].fillna(""))
        for name, one in first.groupby("question_id")
    }
    asked = Completion(reasoned=True)
    questions = []
    for question, other in zip(
        task.questions, (*task.questions[1:], task.questions[0]), strict=True
    ):
        shown = [Sample("", "", 0, index, "", text) for index, text in enumerate(texts[other.id])]
        words = str(asked(question, shown)).removeprefix("Question: ").removesuffix("\nSolution:")
        questions.append(replace(question, question=words))
    return replace(
        task, name=f"{task.name}, attempts of another question", questions=tuple(questions)
    )


def right(path: Path) -> pd.Series:
    """The share of right independent samples of each question of a recording."""
    frame = load(path).frame
    return (
        frame[frame["strategy"] == "parallel"]
        .groupby("question_id", sort=True)["correct"]
        .mean()
        .astype(float)
    )


def examine(
    model: str,
    folder: Path,
    *,
    untaught: str | None = None,
    families: Sequence[str] = tuple(PUZZLES),
    split: Split = "dev",
    num_questions: int = NUM_PUZZLES,
    num_samples: int = 16,
    num_streams: int = 2,
    num_chained: int = 4,
    temperature: float = 1.0,
    seed: int = SEED,
    **how: Any,
) -> pd.DataFrame:
    """Record what is missing in a folder and measure it; writes and returns `examined.csv`.

    Args:
        model: As of `record`.
        folder: Where recordings and table lie.
        untaught: Another model, that was never shown attempts: its independent samples are held
            against the chains.
        families: Of `PUZZLES`.
        split: 'dev', or 'eval' once nothing is to be chosen any more.
        num_questions: Of each family.
        num_samples: Independent samples of each question.
        num_streams: Integrated streams of each question.
        num_chained: Chained samples of each stream; as many are drawn with a placebo.
        temperature: Of all but the greedy answers.
        seed: Of the questions; that of the task files is 2026.
        how: Further arguments of `record`.

    Raises:
        InputError: as `record`, before anything is drawn.
    """
    refuse_counts(num_samples=num_samples, num_streams=num_streams, num_chained=num_chained)
    tables = []
    for family in families:
        task = puzzle_task(family, split, num_questions, seed)

        files = {
            name: folder / f"{family}-{name}.parquet"
            for name in ("parallel", "integrated", "placebo", "untaught")
        }
        alike: dict[str, Any] = {"temperature": temperature, **how}
        streams: dict[str, Any] = {
            "num_samples": WIDTH + num_chained,
            "num_streams": num_streams,
            "width": WIDTH,
        }
        samples = load(record(task, model, num_samples=num_samples, out=files["parallel"], **alike))
        alike["greedy"] = False
        chains = load(
            record(task, model, strategy="integrated", out=files["integrated"], **streams, **alike)
        )
        beside, as_many = placebo(task, chains.frame), num_streams * num_chained
        if untaught:
            record(task, untaught, num_samples=num_samples, out=files["untaught"], **alike)
        misled = right(record(beside, model, num_samples=as_many, out=files["placebo"], **alike))
        rows = measured(samples, chains, misled, load(files["untaught"]) if untaught else None)
        tables.append(rows.assign(family=family, split=split, temperature=temperature))
    whole = pd.concat(tables, ignore_index=True)
    columns = ["family", "split", "temperature", "measure", "value", "low", "high", "num_questions"]
    write_csv(whole[columns], folder / "examined.csv")
    return whole[columns]


def main(arguments: Sequence[str] | None = None) -> int:
    """Examines as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.examining", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("model", help="local/PATH.gguf, or any model of `dynlab record`")
    parser.add_argument("folder", type=Path, help="for recordings and examined.csv")
    parser.add_argument("--split", choices=("dev", "eval"), default="dev")
    parser.add_argument("--questions", type=int, default=NUM_PUZZLES, help="of each family")
    parser.add_argument(
        "--samples", type=int, default=16, help="independent samples of each question"
    )
    parser.add_argument(
        "--streams", type=int, default=2, help="integrated streams of each question"
    )
    parser.add_argument("--chained", type=int, default=4, help="chained samples of each stream")
    parser.add_argument(
        "--untaught", help="a model that was never shown attempts, to hold against it"
    )
    parser.add_argument("--family", action="append", choices=list(PUZZLES), help="default: all")
    parser.add_argument("--temperature", type=float, default=1.0)
    given = parser.parse_args(arguments)
    try:
        table = examine(
            given.model,
            given.folder,
            split=given.split,
            num_questions=given.questions,
            num_samples=given.samples,
            num_streams=given.streams,
            num_chained=given.chained,
            temperature=given.temperature,
            untaught=given.untaught,
            families=given.family or tuple(PUZZLES),
        )
    except DynlabError as error:
        print(f"dynlab.examining: {error}", file=sys.stderr)
        return error.exit_code
    wide = table.pivot(index="family", columns="measure", values="value")
    print(
        wide[["sample", "greedy", "vote", "shown", "placebo", "chained", *wide.filter(like=" − ")]]
        .round(3)
        .T.to_string()
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
