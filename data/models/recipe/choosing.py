"""`python -m recipe.choosing PART FOLDER`: which families are recorded, and how a chain is shown,
chosen on development questions.

It writes `data/tasks/reasoning-choices.json`: what was tried, on which questions, what was found,
and what was chosen by the rules below. No evaluation question is drawn here.

- A family is asked of the smallest model one sample of which is right between 0.2 and 0.8 of the
  time, and of none where there is no such model.
- A chain is shown in the way whose chained samples were right most often; of ways that tie, the one
  with the fewer tokens.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util import shipped_files
from dynlab._util.errors import DynlabError
from dynlab._util.files import replacing
from dynlab._util.options import RecordingOptions, RequestOptions, Sampling
from dynlab.analysis.same_model import vote
from dynlab.models.engines import resolve
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.openvino import EngineSettings
from dynlab.recordings.recording import load
from dynlab.sampling.preparation import prepared
from dynlab.sampling.recorder import record
from dynlab.sampling.store import Store
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.reasoning_families import FAMILIES
from dynlab.tasks.task import load_task

MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")  # the smallest first
WORD_PROBLEMS = "gsm_symbolic"  # asked of the last of them in any case
SEED = 1  # of the development questions
NUM_SPREAD, NUM_DRAWN = 16, 3  # questions of a family, and samples of each
NUM_CHAINED, NUM_AFTER = 20, 2  # questions that chains are tried on, and chained samples of each
SAMPLING = Sampling(0.8, top_p=0.95, top_k=40)
# a call waits for as long as its process does, which may be stopped for a while
REQUESTS = RequestOptions(timeout_s=1e6, progress=False)
ALONE = RecordingOptions(greedy=False)
WAYS: dict[str, Integrated] = {
    "finals": Integrated(finals_only=True),
    "distinct": Integrated(who="distinct"),
    "listed": Integrated(),
    "prefill": Integrated(shown="prefill"),
    "two": Integrated(width=2),
    "leader-last": Integrated(order="leader-last"),
}
CHOICES = "reasoning-choices.json"


@dataclass(frozen=True)
class Choice:
    """The families beside the word problems, each with its model, and how chains are shown."""

    strategy: Integrated
    families: Mapping[str, str] = field(default_factory=dict)


@cache
def chosen() -> Choice:
    """The choices that were written down; no families where they are not chosen yet."""
    written = _written()
    families = written.get("families", {}).get("chosen", {})
    return Choice(WAYS[written["chain"]["chosen"]], families)


def _written() -> dict[str, Any]:
    path = shipped_files.folder("data/tasks") / CHOICES
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def spread(
    endpoint: Endpoint, folder: Path, families: Iterable[str]
) -> dict[str, dict[str, float]]:
    """How a model does on each family: shares of samples and greedy answers that are right."""
    found = {}
    for family in families:
        task = f"reasoning-gym:{family}?size={NUM_SPREAD}&seed={SEED}&split=dev"
        path = folder / f"{family}--{endpoint.card['model'].removeprefix('local/')}.parquet"
        record(
            task,
            endpoint,
            num_samples=NUM_DRAWN,
            out=path,
            sampling=SAMPLING,
            requests=REQUESTS,
        )
        frame = load(path).frame
        samples, greedy = (frame[frame["strategy"] == name] for name in ("parallel", "greedy"))
        right = samples.groupby("question_id")["correct"].mean().astype(float)
        found[family] = {
            "sample": _rounded(right.mean()),
            "greedy": _rounded(greedy["correct"].mean()),
            "between": _rounded(((right > 0) & (right < 1)).mean()),
            "without_answer": _rounded((samples["answer"] == "").mean()),
            "completion_tokens": _rounded(samples["completion_tokens"].mean()),
        }
        print(path.stem, found[family], flush=True)
    return found


def ways(endpoint: Endpoint, folder: Path) -> dict[str, dict[str, Any]]:
    """What chained samples are worth in each way of showing the same attempts."""
    task = load_task(f"reasoning-gym:{WORD_PROBLEMS}?size={NUM_CHAINED}&seed={SEED}&split=dev")
    width = max(way.width for way in WAYS.values())

    def draw(way: Integrated, num_samples: int, path: Path) -> None:
        record(
            task,
            endpoint,
            num_samples=num_samples,
            out=path,
            strategy=way,
            sampling=SAMPLING,
            requests=REQUESTS,
            options=ALONE,
        )

    def store(way: Integrated, num_samples: int, path: Path) -> Store:
        ready = prepared(
            task,
            endpoint,
            path,
            num_samples=num_samples,
            strategy=way,
            sampling=SAMPLING,
            options=ALONE,
        )
        return ready.store()

    base, plain = folder / "attempts.parquet", Integrated(width=width)
    draw(plain, width, base)
    found = {}
    for name, way in WAYS.items():
        path, length = folder / f"way-{name}.parquet", way.width + NUM_AFTER
        if not path.exists():
            with store(plain, width, base) as drawn:
                attempts = [one for one in drawn.samples() if one.sample_index < way.width]
            with store(way, length, path) as begun:
                held = begun.keys()
                begun.load(one for one in attempts if one.key not in held)
        draw(way, length, path)
        found[name] = worth(load(path).frame)
        print(name, found[name], flush=True)
    return found


def worth(frame: pd.DataFrame) -> dict[str, Any]:
    """What the chained samples of a recording are worth beside the attempts they were shown."""
    rows = []
    for _, one in frame.groupby(["question_id", "stream"]):
        shown, chained = one[one["role"] != "chained"], one[one["role"] == "chained"]
        rows.append(
            {
                "chained": float(chained["correct"].mean()),
                "shown": float(shown["correct"].mean()),
                "vote_of_shown": vote(list(shown["answer"]), list(shown["correct"])),
                "vote_of_all": vote(list(one["answer"]), list(one["correct"])),
            }
        )
    chained = frame[frame["role"] == "chained"]
    table = pd.DataFrame(rows).mean()
    return {name: _rounded(value) for name, value in table.items()} | {
        "without_answer": _rounded((chained["answer"] == "").mean()),
        "tokens": _rounded((chained["prompt_tokens"] + chained["completion_tokens"]).mean()),
        "chained_samples": len(chained),
    }


def how_chains_are_shown(folder: Path, threads: int | None = None) -> dict[str, Any]:
    """What every way of showing attempts is worth, and the one that the rule chose."""
    with resolve(f"local/{MODELS[-1]}", settings=EngineSettings(threads=threads)) as endpoint:
        tried, server = ways(endpoint, folder), endpoint.card["server"]
    best = max(tried, key=lambda name: (tried[name]["chained"], -tried[name]["tokens"]))
    asked = {"family": WORD_PROBLEMS, "split": "dev", "seed": SEED, "number": NUM_CHAINED}
    of = {"date": _now(), "model": f"local/{MODELS[-1]}", "server": server}
    return of | {"questions": asked, "tried": tried, "chosen": best}


def which_families(folder: Path, threads: int | None = None) -> dict[str, Any]:
    """How models do on the families, the smallest first, and whom the rule chose for each."""
    tried: dict[str, dict[str, Any]] = {}
    kept: dict[str, str] = {}
    for model in MODELS:
        left = [name for name in FAMILIES if name != WORD_PROBLEMS and name not in kept]
        with resolve(f"local/{model}", settings=EngineSettings(threads=threads)) as endpoint:
            tried[model] = spread(endpoint, folder, left)
            server = endpoint.card["server"]
        kept |= {name: model for name, one in tried[model].items() if 0.2 <= one["sample"] <= 0.8}
    asked = {"split": "dev", "seed": SEED, "number": NUM_SPREAD, "samples": NUM_DRAWN}
    of = {"date": _now(), "server": server, "questions": asked}
    return of | {"tried": tried, "chosen": {name: kept[name] for name in FAMILIES if name in kept}}


PARTS = {"chain": how_chains_are_shown, "families": which_families}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="minutes")


def _rounded(value: float) -> float:
    return round(float(value), 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Chooses and writes the choice down; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.choosing", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("part", choices=PARTS, help="what is chosen")
    parser.add_argument("folder", type=Path, help="folder of the development recordings")
    parser.add_argument("--threads", type=int, help="of the engine; default: one per core")
    given = parser.parse_args(arguments)
    try:
        choices = _written() | {given.part: PARTS[given.part](given.folder, given.threads)}
        with replacing(shipped_files.folder("data/tasks") / CHOICES) as path:
            path.write_text(json.dumps(choices, indent=1) + "\n", encoding="utf-8")
    except DynlabError as error:
        print(f"recipe.choosing: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
