"""`python -m recipe.live FOLDER`: policies answer the word problems live, one after the other.

All runs ask the same questions, with the same seeds for a question's first, second, … sample, each
of an engine that has read none of them. The first one picks in rounds of 32; of the later ones 32
samples are in flight, and each answer counts at once. Samples are counted in tokens: the later runs
have a tenth more samples than the first, so that those cheaper than its own do not end them before
its tokens are spent. Each run is recomputed from its samples and its seed alone when it has ended.
What was drawn before a run was stopped is not drawn again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dynlab._util.errors import DynlabError
from dynlab.models.engines import resolve
from dynlab.models.openvino import EngineSettings
from dynlab.online.run_audit import audit
from dynlab.online.solver import solve
from recipe.choosing import REQUESTS, SAMPLING
from recipe.reasoners import SEED, engine_flags, recorded, task_of

POLICIES = ("uniform(batch=32)", "priced(batch=32)")
BUDGET, MORE = 8.0, 1.1  # samples a question of the first run, and how many times that of others


def live(
    out: Path,
    policies: Sequence[str] = POLICIES,
    budget: float = BUDGET,
    engine: str | None = None,
    threads: int | None = None,
) -> list[Path]:
    """Runs policies live into OUT/live and returns their recordings."""
    one, task = recorded()[0], task_of(recorded()[0])
    runs = EngineSettings(num_sequences=64, threads=threads)
    found = []
    for policy in policies:
        later, allocator = policy != policies[0], policy.partition("(")[0]
        path = out / "live" / f"{one.name}.{allocator}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with resolve(f"local/{one.model}", settings=runs, engine=engine) as endpoint:
            run = solve(
                task,
                endpoint,
                out=path,
                policy=policy,
                budget=budget * MORE if later else budget,
                sampling=SAMPLING,
                requests=replace(REQUESTS, asynchronous=later),
                seed=SEED,
            )
        print(f"{run.summary}\n{audit(run.path)}", flush=True)
        found.append(run.recording)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.live",
        description=__doc__,
        allow_abbrev=False,
        parents=[engine_flags()],
    )
    parser.add_argument("out", type=Path, help="folder of the recordings")
    parser.add_argument("--policies", nargs="+", default=POLICIES, help="default: %(default)s")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="samples a question, on average"
    )
    given = parser.parse_args(arguments)
    try:
        for path in live(**vars(given)):
            print(f"recorded {path}")
    except DynlabError as error:
        print(f"recipe.live: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
