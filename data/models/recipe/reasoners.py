"""`python -m recipe.reasoners FOLDER`: records a real reasoner on reasoning-gym's questions.

Every family has a pool of independent samples with a greedy answer, integrated and sequential
streams, and placebos: samples that are shown the attempts at another question. How a chain is shown
was chosen on development questions before any of these was drawn (`recipe.choosing`; the choice is
in `data/tasks/reasoning-choices.json`). What is recorded already is not drawn again, and a file of
each stage stands as soon as it is whole.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from dynlab._util.errors import DynlabError
from dynlab._util.options import RecordingOptions
from dynlab._util.values import Sample
from dynlab.models.engines import resolve
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.openvino import EngineSettings
from dynlab.recordings.merging import merge
from dynlab.recordings.recording import load
from dynlab.sampling.recorder import record
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.prompts import Completion, finals
from dynlab.tasks.task import Task, load_task
from recipe.choosing import MODELS, REQUESTS, SAMPLING, WORD_PROBLEMS, chosen

SEED = 2026  # of the evaluation questions
NUM_QUESTIONS = 100
STREAMS = ((1, 8), (2, 16))  # integrated ones, and the samples of each, reached in turn
LENGTH = 16  # samples of a sequential stream
NUM_PLACEBOS = 2  # samples of a question that are shown the attempts at another


@dataclass(frozen=True)
class Recorded:
    """A family with the model that is asked it, and the sizes that its pool reaches in turn."""

    family: str
    model: str
    pool_sizes: tuple[int, ...] = (16, 32)

    @property
    def name(self) -> str:
        """What its file is called: 'gsm_symbolic--qwen2.5-coder-1.5b'."""
        return f"{self.family}--{self.model}"


def recorded() -> tuple[Recorded, ...]:
    """What is recorded, in order: the word problems, then the families that were chosen."""
    others = (Recorded(family, model) for family, model in chosen().families.items())
    return (Recorded(WORD_PROBLEMS, MODELS[-1], (16, 32, 64)), *others)


def reasoners(
    out: Path, only: str | None = None, engine: str | None = None, threads: int | None = None
) -> list[Path]:
    """Records all families, or one of them, into a folder and returns the merged files."""
    wanted = [one for one in recorded() if only in (None, one.family)]
    made = []
    for model in dict.fromkeys(one.model for one in wanted):
        runs = EngineSettings(num_sequences=64, threads=threads)  # as fast as it gets on two cores
        with resolve(f"local/{model}", settings=runs, engine=engine) as endpoint:
            made += [family_of(out, one, endpoint) for one in wanted if one.model == model]
    return made


def family_of(out: Path, one: Recorded, endpoint: Endpoint) -> Path:
    """Records one family: pool, chains of both kinds, placebos; returns the merged file."""
    task = load_task(f"reasoning-gym:{one.family}?size={NUM_QUESTIONS}&seed={SEED}")
    strategy, parts = chosen().strategy, out / "parts"
    files = {
        kind: parts / f"{one.name}.{kind}.parquet"
        for kind in ("parallel", "integrated", "sequential")
    }

    def draw(
        asked: Task,
        path: Path,
        num_samples: int,
        strategy: str | Integrated = "parallel",
        num_streams: int = 1,
    ) -> None:
        greedy = path == files["parallel"]
        with told(path, num_samples):
            record(
                asked,
                endpoint,
                num_samples=num_samples,
                out=path,
                strategy=strategy,
                sampling=SAMPLING,
                requests=REQUESTS,
                options=RecordingOptions(num_streams=num_streams, greedy=greedy),
            )

    draw(task, files["parallel"], one.pool_sizes[0])
    (first, length), *later = STREAMS
    draw(task, files["integrated"], length, strategy, first)
    beside = placebo(task, load(files["integrated"]).frame, strategy)
    draw(beside, out / "controls" / f"{one.name}.placebo.parquet", NUM_PLACEBOS)
    for size in one.pool_sizes[1:]:
        draw(task, files["parallel"], size)
    for num_streams, length in later:
        draw(task, files["integrated"], length, strategy, num_streams)
    draw(task, files["sequential"], LENGTH, "sequential")
    return merge(list(files.values()), out / f"{one.name}.parquet")


def placebo(task: Task, chains: pd.DataFrame, strategy: Integrated) -> Task:
    """The task with the attempts of another question, the next, beside each, worded as in chains.

    Args:
        task: In completion form.
        chains: An integrated recording of it, of that strategy; its first streams are shown.
    """
    first = chains[(chains["stream"] == 0) & (chains["role"] != "chained")]
    samples = {
        name: [
            Sample(str(name), "integrated", 0, int(row.sample_index), row.answer, row.text or "")
            for row in one.sort_values("sample_index").itertuples()
        ]
        for name, one in first.groupby("question_id")
    }
    asked = Completion(reasoned=True, shown=strategy.shown)
    questions = []
    others = (*task.questions[1:], task.questions[0])
    for question, other in zip(task.questions, others, strict=True):
        shown: Sequence[Sample] = strategy.chosen(samples[other.id], 0)
        words = finals(shown, task, other) if strategy.finals_only else shown
        worded = str(asked(question, words)).removeprefix("Question: ").removesuffix("\nSolution:")
        questions.append(replace(question, question=worded))
    return replace(
        task, name=f"{task.name}, attempts of another question", questions=tuple(questions)
    )


@contextmanager
def told(path: Path, num_samples: int) -> Iterator[None]:
    """Says when a stage begins and how long it took."""
    begun = time.monotonic()
    print(f"{path.name}: {num_samples} samples a stream …", flush=True)
    yield
    print(f"{path.name}: there after {time.monotonic() - begun:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Records as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.reasoners", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("out", type=Path, help="folder of the recordings")
    parser.add_argument("--only", metavar="FAMILY", help="leave all others out")
    parser.add_argument("--engine", help="openvino or llama.cpp; default: the faster one")
    parser.add_argument("--threads", type=int, help="of OpenVINO; default: one per core")
    given = parser.parse_args(arguments)
    try:
        for path in reasoners(given.out, given.only, given.engine, given.threads):
            print(f"recorded {path}")
    except DynlabError as error:
        print(f"recipe.reasoners: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
