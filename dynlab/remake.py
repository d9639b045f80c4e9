"""`python -m dynlab.remake FOLDER`: records what data/recordings holds again, with the models of this machine.

The small reasoner is asked the families of puzzles that it was taught, in every strategy. Each pair of task and plain
model was kept for its spread: one sample is right between 0.3 and 0.85 of the time, and at least a quarter of the
questions between 0.2 and 0.8. What is already recorded is not drawn again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from dynlab.evidence import MODEL
from dynlab.examining import placebo
from dynlab.families import PUZZLES
from dynlab.merging import merge
from dynlab.recordings import load
from dynlab.sampling import record
from dynlab.strategies import Integrated
from dynlab.tasks import load_task

PLAIN = (
    ("capitals", "smollm2-135m"),
    ("past-tense", "smollm2-135m"),
    ("french", "gemma3-270m"),
    ("past-tense", "gemma3-270m"),
    ("opposites", "smollm2-135m"),
    ("symbols", "smollm2-135m"),
)  # task, local model
REASONED = tuple((family, MODEL) for family in PUZZLES)
SHIPPED = (*REASONED, *PLAIN)
NUM_SAMPLES = 64
CHAINS: dict[tuple[str, str], dict[str, tuple[int, int]]] = {  # pair → strategy → samples of a stream, streams
    **{pair: {"integrated": (32, 4), "sequential": (16, 4)} for pair in REASONED},
    ("capitals", "smollm2-135m"): {"integrated": (12, 4), "sequential": (8, 1)},
    ("french", "gemma3-270m"): {"integrated": (8, 2)},
}
WIDENED = (("capitals", "smollm2-135m"), ("french", "gemma3-270m"))
WIDTHS = (1, 2, 8)  # of chains beside the default width, in the folder `widths`
NUM_STREAMS = 2
NUM_CHAINED = 60  # the first questions of a plain model's task, on which chains are drawn
KEPT_TEXTS = 8  # of a chain's stream, beside those that others are shown
NUM_CONTROLS = 16  # samples of a question with a placebo, and of an adapter that never saw attempts


def remake(out: Path, num_samples: int = NUM_SAMPLES, untaught: str | None = None) -> list[Path]:
    """Records every shipped pair into a folder and returns the files; what is there already is kept.

    Args:
        out: The folder.
        num_samples: Independent samples of a question.
        untaught: The adapter that was taught without attempts, as a model; None: its control is left out.
    """
    pools = [_remade(out, task, model, num_samples) for task, model in SHIPPED]
    controls = [_controlled(out, family, "placebo") for family in PUZZLES]
    controls += [_controlled(out, family, "untaught", untaught) for family in PUZZLES if untaught]
    return pools + controls + [_widened(out, task, model, width) for task, model in WIDENED for width in WIDTHS]


def _remade(out: Path, task: str, model: str, num_samples: int) -> Path:
    """One pair's recording, merged of its strategies where there are several."""
    name, served = f"{task}--{model}", f"local/{model}"
    if (task, model) not in CHAINS:
        return record(task, served, num_samples=num_samples, out=out / f"{name}.parquet")
    kept, limit = (KEPT_TEXTS, None) if (task, model) in REASONED else (None, NUM_CHAINED)
    parts = [
        record(task, served, num_samples=num_samples, out=out / "parts" / f"{name}.parallel.parquet", keep_text=kept)
    ]
    for strategy, (length, streams) in CHAINS[task, model].items():
        part = out / "parts" / f"{name}.{strategy}.parquet"
        parts.append(
            record(task, served, strategy=strategy, num_samples=length, num_streams=streams, out=part, limit=limit,
                   keep_text=KEPT_TEXTS, greedy=False)
        )  # fmt: skip
    return merge(parts, out / f"{name}.parquet")


def _controlled(out: Path, family: str, control: str, model: str = f"local/{MODEL}") -> Path:
    """What the reasoner's chains are held against: samples with another question's attempts, or of another adapter."""
    task = load_task(family)
    if control == "placebo":
        task = placebo(task, load(out / f"{family}--{MODEL}.parquet").frame)
    file = out / "controls" / f"{family}--{MODEL}.{control}.parquet"
    return record(task, model, num_samples=NUM_CONTROLS, out=file, keep_text=0, greedy=False)


def _widened(out: Path, task: str, model: str, width: int) -> Path:
    """Chains that are shown `width` attempts, on the questions of that pair's other chains, and as many chained."""
    num_chained = CHAINS[task, model]["integrated"][0] - Integrated().width
    return record(
        task, f"local/{model}", strategy="integrated", width=width, num_samples=width + num_chained,
        num_streams=NUM_STREAMS, limit=NUM_CHAINED, keep_text=KEPT_TEXTS, greedy=False,
        out=out / "widths" / f"{task}--{model}.width-{width}.parquet",
    )  # fmt: skip


def main() -> None:
    """Records as told on the command line."""
    parser = argparse.ArgumentParser(prog="python -m dynlab.remake", description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--untaught", metavar="MODEL", help="the adapter without attempts: local/runs/…/adapter.gguf")
    given = parser.parse_args()
    for path in remake(given.folder, untaught=given.untaught):
        print(f"recorded {path}")


if __name__ == "__main__":
    main()
