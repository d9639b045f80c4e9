"""`dynlab record`: a model's answers to a task → a recording."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab.cli import recordings, strategy_flags
from dynlab.cli.argument_types import price


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "record", help="sample a model's answers to a task → a recording (.parquet)"
    )
    command.add_argument(
        "--task",
        required=True,
        metavar="NAME_OR_FILE",
        help="a built-in task, or JSONL, CSV, Parquet",
    )
    command.add_argument(
        "--model", required=True, help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf, …"
    )
    strategy_flags.add(command)
    command.add_argument(
        "--samples", type=int, required=True, metavar="N", help="samples per question (and stream)"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    command.add_argument("--streams", type=int, default=1, help="streams per question (1)")
    command.add_argument("--temperature", type=float)
    command.add_argument("--top-p", type=float)
    command.add_argument("--top-k", type=int)
    command.add_argument("--max-tokens", type=int)
    command.add_argument("--limit", type=int, metavar="Q", help="only the first Q questions")
    command.add_argument("--max-usd", type=float, help="hard limit on spending")
    command.add_argument(
        "--max-total-tokens",
        type=int,
        metavar="T",
        help="hard limit on tokens, prompts and answers",
    )
    command.add_argument("--max-calls", type=int, metavar="C", help="hard limit on calls")
    command.add_argument(
        "--price", type=price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="what it would call and cost; nothing is sent"
    )
    command.add_argument(
        "--n-per-call", type=int, default=1, metavar="K", help="samples that a call asks for (1)"
    )
    command.add_argument(
        "--timeout", type=float, default=600.0, metavar="S", help="seconds a call may take (600)"
    )
    command.add_argument("--concurrency", type=int, metavar="M", help="calls in flight at once")
    command.add_argument(
        "--keep-text",
        type=int,
        metavar="K",
        help="keep the text of a stream's first K samples only",
    )
    command.add_argument(
        "--no-greedy", action="store_true", help="no temperature-0 baseline answer per question"
    )
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=_record)


def _record(given: argparse.Namespace) -> int:
    from dynlab.sampling.recorder import dry_run, record

    names = (
        "seed temperature top_p top_k max_tokens concurrency max_usd max_total_tokens max_calls"
        " price limit keep_text"
    )
    settings: dict[str, Any] = {name: getattr(given, name) for name in names.split()} | {
        "out": given.out,
        "strategy": strategy_flags.chosen(given),
        "num_samples": given.samples,
        "num_streams": given.streams,
        "num_per_call": given.n_per_call,
        "timeout_s": given.timeout,
        "greedy": not given.no_greedy,
    }
    if given.dry_run:
        print(dry_run(given.task, given.model, **settings))
        return 0
    path = record(given.task, given.model, **settings)
    print(f"wrote {path}")
    return recordings.tell(path)
