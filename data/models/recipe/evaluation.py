"""Command: what a model's samples, votes and chains are worth on generated puzzles.

`python -m recipe.evaluation MODEL FOLDER` records for each family independent samples, one greedy
answer, integrated streams (four attempts, then samples that are shown these) and a placebo: samples
that are shown the attempts at another question. It writes `evaluation.csv`: one row per family and
measure, with an interval over questions. With `--control` a model that never saw attempts is held
against it. Settings are chosen on the split `dev`, never on `eval`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from dynlab._util.errors import DynlabError
from dynlab._util.files import write_csv
from dynlab._util.options import RecordingOptions, RequestOptions, Sampling, require_count
from dynlab._util.values import Sample
from dynlab.analysis.chained_samples import task_measures
from dynlab.recordings.recording import load
from dynlab.sampling.recorder import record
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.prompts import Completion
from dynlab.tasks.task import Task
from recipe.families import NUM_PUZZLES, PUZZLES, SEED, puzzle_task
from recipe.puzzles import Split

WIDTH = 4  # attempts that a chained sample is shown


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


@dataclass(frozen=True)
class Design:
    """How much of each family is recorded.

    Args:
        num_questions: Of each family.
        num_samples: Independent samples of each question.
        num_streams: Integrated streams of each question.
        num_chained: Chained samples of each stream; as many are drawn with a placebo.
    """

    num_questions: int = NUM_PUZZLES
    num_samples: int = 16
    num_streams: int = 2
    num_chained: int = 4

    def __post_init__(self) -> None:
        for name in ("num_samples", "num_streams", "num_chained"):
            require_count(name, vars(self)[name])


def evaluate(
    model: str,
    folder: Path,
    *,
    control: str | None = None,
    families: Sequence[str] = tuple(PUZZLES),
    split: Split = "dev",
    design: Design | None = None,
    temperature: float = 1.0,
    max_tokens: int | None = None,
    seed: int = SEED,
    progress: bool = True,
) -> pd.DataFrame:
    """Record what is missing in a folder and measure it; writes and returns `evaluation.csv`.

    Args:
        model: As of `record`.
        folder: Where recordings and table lie.
        control: Another model, that was never shown attempts: its independent samples are held
            against the chains.
        families: Of `PUZZLES`.
        split: 'dev', or 'eval' once nothing is to be chosen any more.
        design: How much of each family; None: the default `Design`.
        temperature: Of all but the greedy answers.
        max_tokens: Of an answer; None: as the task says.
        seed: Of the questions; that of the task files is 2026.
        progress: Show a bar on stderr.

    Raises:
        InputError: as `record`, before anything is drawn.
    """
    design = design or Design()
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens)
    recorded = partial(record, sampling=sampling, requests=RequestOptions(progress=progress))
    pool = RecordingOptions(greedy=False)
    tables = []
    for family in families:
        task = puzzle_task(family, split, design.num_questions, seed)
        files = {
            name: folder / f"{family}-{name}.parquet"
            for name in ("parallel", "integrated", "placebo", "untaught")
        }
        count = design.num_samples
        samples = load(recorded(task, model, num_samples=count, out=files["parallel"]))
        chains = load(
            recorded(
                task,
                model,
                num_samples=WIDTH + design.num_chained,
                out=files["integrated"],
                strategy=Integrated(WIDTH),
                options=RecordingOptions(design.num_streams, greedy=False),
            )
        )
        as_many = design.num_streams * design.num_chained
        beside = placebo(task, chains.frame)
        misled = load(
            recorded(beside, model, num_samples=as_many, out=files["placebo"], options=pool)
        )
        plain = None
        if control:
            plain = load(
                recorded(task, control, num_samples=count, out=files["untaught"], options=pool)
            )
        rows = task_measures(samples, chains, misled, plain)
        tables.append(rows.assign(family=family, split=split, temperature=temperature))
    whole = pd.concat(tables, ignore_index=True)
    columns = ["family", "split", "temperature", "measure", "value", "low", "high", "num_questions"]
    write_csv(whole[columns], folder / "evaluation.csv")
    return whole[columns]


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.evaluation", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("model", help="local/PATH.gguf, or any model of `dynlab record`")
    parser.add_argument("folder", type=Path, help="for recordings and evaluation.csv")
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
        "--control", help="a model that was never shown attempts, to hold against it"
    )
    parser.add_argument("--family", action="append", choices=list(PUZZLES), help="default: all")
    parser.add_argument("--temperature", type=float, default=1.0)
    given = parser.parse_args(arguments)
    try:
        table = evaluate(
            given.model,
            given.folder,
            split=given.split,
            design=Design(given.questions, given.samples, given.streams, given.chained),
            temperature=given.temperature,
            control=given.control,
            families=given.family or tuple(PUZZLES),
        )
    except DynlabError as error:
        print(f"recipe.evaluation: {error}", file=sys.stderr)
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
