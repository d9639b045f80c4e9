"""`dynlab solve`: questions answered live, each sample where it helps most → answers.jsonl."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dynlab.cli import strategy_flags
from dynlab.cli.argument_types import price


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "solve", help="answer questions, each sample where it helps most → answers.jsonl"
    )
    command.add_argument(
        "questions",
        metavar="QUESTIONS",
        help="a built-in task, or JSONL, CSV, Parquet; no target needed",
    )
    command.add_argument(
        "--model", required=True, help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf, …"
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
        "--uncertainty", default="top-share", help="of ucb: top-share, entropy, margin or posterior"
    )
    command.add_argument("--exploration", type=float, default=1.0, help="c of ucb (1.0)")
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
    command.add_argument(
        "--unit", default="tokens", help="what priced counts: tokens (default), samples or usd"
    )
    command.add_argument(
        "--async",
        dest="asynchronous",
        action="store_true",
        help="no rounds: each arrival counts at once",
    )
    command.add_argument("--max-usd", type=float, help="hard limit on spending")
    command.add_argument(
        "--max-total-tokens", type=int, metavar="N", help="hard limit on tokens of all calls"
    )
    command.add_argument("--max-calls", type=int, metavar="N", help="hard limit on calls")
    command.add_argument("--max-tokens", type=int, metavar="N", help="of one response (the task's)")
    command.add_argument(
        "--price", type=price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument("--temperature", type=float)
    command.add_argument("--top-p", type=float)
    command.add_argument("--top-k", type=int)
    command.add_argument("--concurrency", type=int, metavar="M", help="calls in flight at once")
    command.add_argument(
        "--timeout",
        dest="timeout_s",
        type=float,
        default=600.0,
        metavar="S",
        help="seconds a call may take (600)",
    )
    command.add_argument("--limit", type=int, metavar="Q", help="only the first Q questions")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be called and cost; send nothing"
    )
    strategy_flags.add(command)
    command.set_defaults(run=_solve)


def _solve(given: argparse.Namespace) -> int:
    from dynlab.online.forecast import Forecast
    from dynlab.online.solver import solve
    from dynlab.policies.parsing import Defaults, parse_policy

    names = (
        "out",
        "stopping",
        "vote",
        "budget",
        "warmup",
        "batch",
        "unit",
        "max_usd",
        "max_total_tokens",
        "max_calls",
        "max_tokens",
        "timeout_s",
        "price",
        "temperature",
        "top_p",
        "top_k",
        "seed",
        "concurrency",
        "asynchronous",
        "limit",
        "dry_run",
    )
    found = solve(
        given.questions,
        given.model,
        strategy=strategy_flags.chosen(given),
        allocator=parse_policy(
            given.allocator, Defaults(given.exploration, given.uncertainty)
        ).allocator,
        **{name: getattr(given, name) for name in names},
    )
    print(found.summary)
    if isinstance(found, Forecast):
        return 0
    print(f"wrote {found.path} and {found.recording}")
    lacking = [row["id"] for row in found.rows if row["answer"] is None]
    if lacking:
        print(
            f"dynlab: {len(lacking)} questions have no vote, the first is {lacking[0]!r}",
            file=sys.stderr,
        )
    return 1 if lacking else 0
