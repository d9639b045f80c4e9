"""`dynlab solve`: questions answered live, each sample where it helps most → answers.jsonl."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynlab._util.options import Asking, Limits, RequestOptions, Sampling
from dynlab.cli import option_flags, strategy_flags

if TYPE_CHECKING:
    from dynlab.policies.policy import Policy


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "solve",
        help="answer questions, each sample where it helps most → answers.jsonl",
        example="dynlab solve capitals --model local/smollm2-135m --budget 8 --out answers.jsonl",
    )
    command.add_argument(
        "questions",
        metavar="QUESTIONS",
        help="a built-in task, JSONL, CSV, Parquet, or a name as record's --task takes it; no"
        " target needed",
    )
    command.add_argument(
        "--model",
        required=True,
        help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf,"
        " local/hf:OWNER/REPO:FILE.gguf, …",
    )
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="answers.jsonl",
        help="its recording lies beside it",
    )
    command.add_argument("--budget", type=float, default=8.0, help="mean samples per question (8)")
    command.add_argument("--allocator", default="priced", help="priced (default), ucb, uniform, …")
    command.add_argument(
        "--uncertainty", help="of ucb: top-share (default), entropy, margin or posterior"
    )
    command.add_argument("--exploration", type=float, help="c of ucb (1.0)")
    command.add_argument(
        "--stopping",
        metavar="RULE",
        help="adaptive-consistency, best-of-infinity, esc, doubling, …",
    )
    command.add_argument(
        "--vote", help="plurality (default); cisc or deepconf weigh by log-probability"
    )
    command.add_argument(
        "--warmup",
        type=int,
        help="samples that every question gets first (the allocator's, mostly 2)",
    )
    command.add_argument("--batch", type=int, help="picks decided at once (the concurrency)")
    for kind in (Asking, Sampling, Limits):
        option_flags.add(command, kind)
    option_flags.add(command, RequestOptions, without=("num_per_call",))
    command.add_argument("--limit", type=int, metavar="Q", help="only the first Q questions")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be called and cost; send nothing"
    )
    strategy_flags.add(command)
    command.set_defaults(run=_solve)


def _solve(given: argparse.Namespace) -> int:
    from dynlab.online.solver import forecast, solve
    from dynlab.tasks.task import load_task

    settings: dict[str, Any] = {
        "out": given.out,
        "policy": _policy(given),
        "budget": given.budget,
        "strategy": strategy_flags.chosen(given),
        "sampling": option_flags.chosen(given, Sampling),
        "limits": option_flags.chosen(given, Limits),
        "requests": option_flags.chosen(given, RequestOptions),
        "seed": given.seed,
    }
    questions = load_task(
        given.questions, limit=given.limit, asking=option_flags.chosen(given, Asking)
    )
    if given.dry_run:
        print(forecast(questions, given.model, **settings).summary)
        return 0
    found = solve(questions, given.model, **settings)
    print(found.summary)
    print(f"wrote {found.path} and {found.recording}")
    lacking = [row["id"] for row in found.rows if row["answer"] is None]
    if lacking:
        print(
            f"dynlab: {len(lacking)} questions have no vote, the first is {lacking[0]!r}",
            file=sys.stderr,
        )
    return 1 if lacking else 0


def _policy(given: argparse.Namespace) -> str | Policy:
    """The policy that the flags describe; as text where its batch is left to the concurrency."""
    from dynlab.policies.parsing import Defaults, parse_policy

    voted = "" if given.vote in (None, "plurality") else f"+{given.vote}"
    text: str = given.allocator + voted
    defaults = Defaults(
        given.exploration, given.uncertainty, given.warmup, given.batch, given.stopping
    )
    if defaults == Defaults():
        return text
    policy = parse_policy(text, defaults)
    return policy.text if given.batch is None and policy.batch == 1 else policy
