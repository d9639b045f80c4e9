"""`python -m dynlab.remake FOLDER`: records what data/recordings holds again, with the models of this machine.

The small reasoner is asked the families of puzzles that it was taught, in every strategy. Each pair of task and plain
model was kept for its spread: one sample is right between 0.3 and 0.85 of the time, and at least a quarter of the
questions between 0.2 and 0.8. What is already recorded is not drawn again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dynlab.evidence import MODEL
from dynlab.examining import placebo
from dynlab.families import PUZZLES
from dynlab.merging import merge
from dynlab.recordings import load
from dynlab.sampling import record
from dynlab.strategies import Integrated
from dynlab.tasks import load_task

SHIPPED = (
    ("capitals", "smollm2-135m"),
    ("past-tense", "smollm2-135m"),
    ("french", "gemma3-270m"),
    ("past-tense", "gemma3-270m"),
    ("opposites", "smollm2-135m"),
    ("symbols", "smollm2-135m"),
)  # task, local model
NUM_SAMPLES = 64
CHAINS = {  # pairs with other strategies beside the pool: strategy → samples of a stream, streams
    ("capitals", "smollm2-135m"): {"integrated": (12, 4), "sequential": (8, 1)},
    ("french", "gemma3-270m"): {"integrated": (8, 2)},
}
NUM_REASONED = 32  # independent samples of the small reasoner, in the folder `reasoner`
REASONED = {"integrated": (8, 2)}  # its chains on every question: samples of a stream, streams
WIDTHS = (1, 2, 8)  # of chains beside the default width, in the folder `widths`
NUM_STREAMS = 2
NUM_CHAINED = 60  # the first questions of a plain model's task, on which chains are drawn
KEPT_TEXTS = 8  # of a chain's stream, beside those that others are shown
NUM_PLACEBOS = 4  # samples of a question that are shown the attempts at another


def remake(out: Path, num_samples: int = NUM_SAMPLES) -> list[Path]:
    """Records every shipped pair into a folder and returns the files; what is there already is kept."""
    pools = [_remade(out, task, model, num_samples) for task, model in SHIPPED]
    widened = [_widened(out, task, model, width) for task, model in CHAINS for width in WIDTHS]
    return pools + widened + [path for family in PUZZLES for path in _reasoned(out / "reasoner", family)]


def _remade(out: Path, task: str, model: str, num_samples: int) -> Path:
    """One pair's recording, merged of its strategies where there are several."""
    name, served = f"{task}--{model}", f"local/{model}"
    if (task, model) not in CHAINS:
        return record(task, served, num_samples=num_samples, out=out / f"{name}.parquet")
    pool = record(task, served, num_samples=num_samples, out=out / "parts" / f"{name}.parallel.parquet")
    return merge([pool, *_chained(out, task, model, CHAINS[task, model], NUM_CHAINED)], out / f"{name}.parquet")


def _chained(
    out: Path, task: str, model: str, planned: Mapping[str, tuple[int, int]], limit: int | None = None
) -> list[Path]:
    """A pair's chains, a file for each strategy of `planned`: samples of a stream, streams."""
    return [
        record(task, f"local/{model}", strategy=strategy, num_samples=length, num_streams=streams, limit=limit,
               keep_text=KEPT_TEXTS, greedy=False, out=out / "parts" / f"{task}--{model}.{strategy}.parquet")
        for strategy, (length, streams) in planned.items()
    ]  # fmt: skip


def _reasoned(out: Path, family: str) -> tuple[Path, Path]:
    """The small reasoner's recording of a family in all strategies, and its placebo: another question's attempts."""
    name, served = f"{family}--{MODEL}", f"local/{MODEL}"
    chains = _chained(out, family, MODEL, REASONED)
    pool = out / "parts" / f"{name}.parallel.parquet"
    record(family, served, num_samples=NUM_REASONED, out=pool, keep_text=KEPT_TEXTS)
    whole = merge([pool, *chains], out / f"{name}.parquet")
    beside = placebo(load_task(family), load(whole).frame)
    file = out / "controls" / f"{name}.placebo.parquet"
    return whole, record(beside, served, num_samples=NUM_PLACEBOS, out=file, keep_text=0, greedy=False)


def _widened(out: Path, task: str, model: str, width: int) -> Path:
    """Chains that are shown `width` attempts, on the questions of that pair's other chains, and as many chained."""
    num_chained = CHAINS[task, model]["integrated"][0] - Integrated().width
    return record(
        task, f"local/{model}", strategy="integrated", width=width, num_samples=width + num_chained,
        num_streams=NUM_STREAMS, limit=NUM_CHAINED, keep_text=KEPT_TEXTS, greedy=False,
        out=out / "widths" / f"{task}--{model}.width-{width}.parquet",
    )  # fmt: skip


if __name__ == "__main__":
    for path in remake(Path(sys.argv[1])):
        print(f"recorded {path}")
