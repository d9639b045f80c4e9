"""`python -m recipe.reasoners FOLDER`: records a real reasoner on reasoning-gym's questions.

Every family has a pool of independent samples with a greedy answer, integrated and sequential
streams, and placebos: samples that are shown the attempts at another question. How a chain is shown
was chosen on development questions before any of these was drawn (`recipe.choosing`; the choice is
in `data/tasks/reasoning-choices.json`). All families reach a stage before any goes on to the next.
What is recorded already is not drawn again, and a file of each stage stands as soon as it is whole.
Samples in sequence, which take longest, are drawn shard by shard. `--from data/recordings` goes on
from what is shipped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.files import replacing
from dynlab._util.options import RecordingOptions
from dynlab._util.values import Sample
from dynlab.models.engines import resolve
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.openvino import EngineSettings
from dynlab.recordings.merging import merge, split
from dynlab.recordings.recording import load
from dynlab.sampling.recorder import record
from dynlab.sampling.store import store_path
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.prompts import Completion, finals
from dynlab.tasks.task import Task, load_task
from recipe.choosing import MODELS, REQUESTS, SAMPLING, WORD_PROBLEMS, chosen

SEED = 2026  # of the evaluation questions
NUM_PLACEBOS = 2  # samples of a question that are shown the attempts at another
SHARD = 25  # questions whose samples in sequence are drawn together: most of an hour on two cores


@dataclass(frozen=True)
class Recorded:
    """A family, the model that is asked it, and how many of its questions."""

    family: str
    model: str
    num_questions: int = 50

    @property
    def name(self) -> str:
        """What its file is called: 'gsm_symbolic--qwen2.5-coder-1.5b'."""
        return f"{self.family}--{self.model}"

    def part(self, out: Path, kind: str) -> Path:
        """Where the samples of one kind are kept."""
        folder = "controls" if kind == "placebo" else "parts"
        return out / folder / f"{self.name}.{kind}.parquet"

    def shards(self, out: Path, kind: str) -> dict[str, Path]:
        """Where the shards of one kind are kept until all are there, by 'K/M'; {}: it has none."""
        of = self.num_questions // SHARD
        if kind != "sequential" or of < 2:
            return {}
        name = f"{self.name}.{kind}"
        numbers = range(1, of + 1)
        return {f"{k}/{of}": out / "shards" / f"{name}.{k}-of-{of}.parquet" for k in numbers}


@dataclass(frozen=True)
class Stage:
    """What every family has before any has more: the samples of each stream of one kind."""

    kind: str
    num_samples: int
    num_streams: int = 1


STAGES = (
    Stage("parallel", 16),
    Stage("integrated", 8),
    Stage("placebo", NUM_PLACEBOS),
    Stage("parallel", 32),
    Stage("integrated", 8, num_streams=2),
    Stage("integrated", 16, num_streams=2),
    Stage("sequential", 16),
)
KINDS = ("parallel", "integrated", "sequential")  # that are merged into one file
MORE = (Stage("parallel", 64),)  # of the word problems


def recorded() -> tuple[Recorded, ...]:
    """What is recorded, in order: the word problems, then the families that were chosen."""
    others = (Recorded(family, model) for family, model in chosen().families.items())
    return (Recorded(WORD_PROBLEMS, MODELS[-1], 100), *others)


def reasoners(
    out: Path,
    only: Collection[str] | None = None,
    engine: str | None = None,
    threads: int | None = None,
    earlier: Path | None = None,
) -> list[Path]:
    """Records all families, or some of them, into a folder and returns the merged files."""
    wanted = [one for one in recorded() if only is None or one.family in only]
    if earlier is not None:
        if not earlier.is_dir():
            raise InputError(
                f"--from {earlier} is no folder: give that of recordings to go on from"
            )
        for one in wanted:
            take_up(earlier, out, one)
    runs = EngineSettings(num_sequences=64, threads=threads)  # as fast as it gets on two cores
    merged: dict[str, Path] = {}
    with ExitStack() as running:
        endpoints = {
            model: running.enter_context(resolve(f"local/{model}", settings=runs, engine=engine))
            for model in dict.fromkeys(one.model for one in wanted)
        }
        for stage in (*STAGES, *MORE):
            for one in wanted:
                if stage in STAGES or one.family == WORD_PROBLEMS:
                    draw(out, one, stage, endpoints[one.model])
                    merged[one.name] = merged_parts(out, one)
    return [*merged.values()]


def take_up(earlier: Path, out: Path, one: Recorded) -> None:
    """Puts what another folder holds of a family where its samples are kept, if none are there."""
    apart = {one.part(earlier, "placebo"): one.part(out, "placebo")}
    shards = (one.shards(folder, "sequential").values() for folder in (earlier, out))
    apart |= dict(zip(*shards, strict=True))
    for known, here in apart.items():
        if known.exists() and not _begun(here):
            with replacing(here) as temporary:
                shutil.copyfile(known, temporary)
    whole = earlier / f"{one.name}.parquet"
    if whole.exists() and not any(one.part(out, kind).exists() for kind in KINDS):
        parts = split(whole, one.part(out, "parallel").parent)
        print(f"{one.name}: goes on from {whole}, {len(parts)} parts", flush=True)


def _begun(part: Path) -> bool:
    """Whether any sample of a part is kept here."""
    return part.exists() or store_path(part).exists()


@cache
def task_of(one: Recorded) -> Task:
    """Its evaluation questions."""
    return load_task(f"reasoning-gym:{one.family}?size={one.num_questions}&seed={SEED}")


def draw(out: Path, one: Recorded, stage: Stage, endpoint: Endpoint) -> None:
    """Records one stage of a family."""
    task = task_of(one)
    way, strategy = chosen().strategy, stage.kind
    if stage.kind == "placebo":
        chains = load(one.part(out, "integrated")).frame
        task, strategy = placebo(task, chains, way), "parallel"
    path = one.part(out, stage.kind)
    shards = {} if _begun(path) else one.shards(out, stage.kind)
    for shard, part in (shards or {None: path}).items():
        with told(part, stage.num_samples):
            record(
                task,
                endpoint,
                num_samples=stage.num_samples,
                out=part,
                strategy=way if strategy == "integrated" else strategy,
                sampling=SAMPLING,
                requests=REQUESTS,
                options=RecordingOptions(
                    num_streams=stage.num_streams, greedy=stage.kind == "parallel", shard=shard
                ),
            )
    if shards:
        merge([*shards.values()], path)


def merged_parts(out: Path, one: Recorded) -> Path:
    """Merges what is drawn of a family, placebos apart."""
    drawn = [path for kind in KINDS if (path := one.part(out, kind)).exists()]
    path = out / f"{one.name}.parquet"
    return merge(drawn, path) if len(drawn) > 1 else Path(shutil.copyfile(drawn[0], path))


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


def engine_flags() -> argparse.ArgumentParser:
    """What a command line says of the engine."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--engine", help="openvino or llama.cpp; default: the faster one")
    parser.add_argument("--threads", type=int, help="of OpenVINO; default: one per core")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Records as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.reasoners",
        description=__doc__,
        allow_abbrev=False,
        parents=[engine_flags()],
    )
    parser.add_argument("out", type=Path, help="folder of the recordings")
    families = [one.family for one in recorded()]
    parser.add_argument(
        "--only", metavar="FAMILY", nargs="+", choices=families, help="leave all others out"
    )
    parser.add_argument(
        "--from", dest="earlier", type=Path, metavar="FOLDER", help="go on from its recordings"
    )
    given = parser.parse_args(arguments)
    try:
        for path in reasoners(**vars(given)):
            print(f"recorded {path}")
    except DynlabError as error:
        print(f"recipe.reasoners: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
