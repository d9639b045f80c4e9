"""`python -m dynlab.remake FOLDER`: records what data/recordings holds again, with the models of this machine.

Each pair of task and model was kept for its spread: one sample is right between 0.3 and 0.85 of the time, and at least
a quarter of the questions between 0.2 and 0.8. What is already recorded is not drawn again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dynlab.sampling import record

SHIPPED = (
    ("capitals", "smollm2-135m"),
    ("past-tense", "smollm2-135m"),
    ("french", "gemma3-270m"),
    ("past-tense", "gemma3-270m"),
    ("opposites", "smollm2-135m"),
    ("symbols", "smollm2-135m"),
)  # task, local model
NUM_SAMPLES = 64


def remake(out: Path, num_samples: int = NUM_SAMPLES) -> list[Path]:
    """Records every shipped pair into a folder and returns the files; what is there already is kept."""
    return [
        record(task, f"local/{model}", num_samples=num_samples, out=out / f"{task}--{model}.parquet")
        for task, model in SHIPPED
    ]


if __name__ == "__main__":
    for path in remake(Path(sys.argv[1])):
        print(f"recorded {path}")
