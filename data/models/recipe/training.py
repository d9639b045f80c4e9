"""Command: teaches SmolLM2-135M to solve puzzles in steps, as a low-rank adapter, on a CPU.

First it learns to solve: `python -m recipe.training runs/solve --lessons 24000`. Then, from there,
to look at attempts of its own, which are drawn first: `python -m recipe.training runs/shown --after
runs/solve --puzzles 700 --lessons 3000`. The same without `--puzzles` is the control: as many
lessons, no attempt ever shown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.files import replacing
from dynlab.models.weights import weights_file
from recipe import adapters, decoder
from recipe.adapters import BASE
from recipe.drafts import draft
from recipe.families import PUZZLES
from recipe.lessons import attempted_puzzle, mixed_lesson, prompt
from recipe.training_loop import Settings, arrays, train

AFTER = 1  # added to the seed of a run that goes on from another, so that its puzzles are new


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains as told on the command line and returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        run(given)
    except DynlabError as error:
        print(f"recipe.training: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(given: argparse.Namespace) -> None:
    """One run, as told; see `--help`.

    Raises:
        InputError: What `training_loop.train` finds wrong, or no adapter to begin with.
    """
    if not 0 < given.share <= 1 or (given.share < 1 and not given.after):
        raise InputError(
            f"--share is {given.share:g}: give more than 0, at most 1, and less than 1 with --after"
            " only"
        )
    _, torch = decoder.tools()
    torch.set_num_threads(given.threads)
    base_file = weights_file(BASE)
    beginning = given.after and given.after / "adapter.gguf"
    if beginning and not beginning.is_file():
        raise InputError(f"there is no {beginning}: --after takes the folder of a finished run")
    seed = given.seed + (AFTER if beginning else 0)
    settings = Settings(
        num_lessons=given.lessons, rank=given.rank, rate=given.rate, decay=given.decay, seed=seed
    )
    base, tokenizer = decoder.load(base_file, torch.bfloat16), decoder.tokenizer(base_file)
    start = None
    if beginning:
        begun, alpha = adapters.read(beginning)
        if alpha != settings.scale * settings.rank:
            raise InputError(
                f"{beginning} has alpha {alpha:g}: give --rank {alpha / settings.scale:g}"
            )
        start = {name: torch.from_numpy(array).float() for name, array in begun.items()}
    attempts: list[list[str]] = []
    if given.puzzles:
        path = given.run / "attempts.jsonl"
        if not path.exists():
            asked = [attempted_puzzle(seed, number).question for number in range(given.puzzles)]
            drawn: list[list[str]] = [[] for _ in asked]
            for num_attempts in filter(None, (given.drawn, given.again)):
                prompts = [
                    prompt(question, shown) for question, shown in zip(asked, drawn, strict=True)
                ]
                how = {
                    "num_attempts": num_attempts,
                    "scale": settings.scale,
                    "seed": seed,
                    "say": _say,
                }
                new = draft(base, start or {}, tokenizer, prompts, **how)
                drawn = [shown + texts for shown, texts in zip(drawn, new, strict=True)]
            with replacing(path) as partial:
                partial.write_text(
                    "".join(json.dumps(texts) + "\n" for texts in drawn), encoding="utf-8"
                )
        attempts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with replacing(given.run / "run.json") as partial:
        facts = {
            "run": given.run.name,
            "after": given.after.name if given.after else None,
            **asdict(settings),
        }
        for name in ("puzzles", "drawn", "again"):
            facts[name] = getattr(given, name) if given.puzzles else 0
        facts |= {"plain": given.plain, "share": given.share}
        partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    learned = train(
        given.run,
        base,
        tokenizer,
        lambda number: mixed_lesson(attempts, seed, number, given.plain or tuple(PUZZLES)),
        settings,
        start_from=start,
        resume=given.resume,
        every_s=60 * given.every,
        say=_say,
    )
    if start and given.share < 1:
        mean = {
            name: torch.lerp(start[name], tensor, given.share) for name, tensor in learned.items()
        }
        adapters.write(
            given.run / "adapter.gguf", arrays(mean), alpha=settings.scale * settings.rank
        )


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recipe.training", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "run", type=Path, help="folder of the run: loss.csv, checkpoint.pt, adapter.gguf"
    )
    parser.add_argument("--lessons", type=int, required=True, help="how many lessons, 16 a step")
    parser.add_argument(
        "--after", type=Path, metavar="RUN", help="begin with the adapter of this run"
    )
    parser.add_argument(
        "--puzzles",
        type=int,
        default=0,
        help="draw attempts at so many puzzles, and teach with them",
    )
    parser.add_argument(
        "--drawn", type=int, default=4, help="attempts drawn at each of these puzzles"
    )
    parser.add_argument(
        "--again", type=int, default=0, help="further attempts, drawn with these shown"
    )
    parser.add_argument(
        "--plain",
        nargs="+",
        choices=list(PUZZLES),
        help="families of lessons without attempts, in turn; default: all",
    )
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help=(
            "end at this share of the way from the adapter begun with to the one learned, which"
            " forgets less (weight-space ensembles, arXiv 2109.01903)"
        ),
    )
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="largest learning rate")
    parser.add_argument(
        "--decay",
        type=float,
        default=0.2,
        help="share of the steps over which the rate falls to zero",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="more pay only on idle cores")
    parser.add_argument("--every", type=float, default=10, help="minutes between checkpoints")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the run's last checkpoint"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
