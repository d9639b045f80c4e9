"""`dynlab record`: a model's answers to a task → a recording."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab._util.options import Asking, Limits, RecordingOptions, RequestOptions, Sampling
from dynlab.cli import option_flags, recordings, strategy_flags


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "record",
        help="sample a model's answers to a task → a recording (.parquet)",
        example="dynlab record --task capitals --model local/smollm2-135m --samples 16"
        " --out mine.parquet",
    )
    command.add_argument(
        "--task",
        required=True,
        metavar="NAME_OR_FILE",
        help="a built-in task, or JSONL, JSON, CSV, Parquet",
    )
    command.add_argument(
        "--model", required=True, help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf, …"
    )
    strategy_flags.add(command)
    command.add_argument(
        "--samples", type=int, required=True, metavar="N", help="samples per question (and stream)"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    for kind in (Asking, Sampling, Limits, RecordingOptions):
        option_flags.add(command, kind)
    option_flags.add(command, RequestOptions, without=("asynchronous", "unit"))
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--dry-run", action="store_true", help="what it would call and cost; nothing is sent"
    )
    command.add_argument(
        "--preview",
        type=int,
        metavar="K",
        help="show K prompts as they are sent, and K answers with what is read out of them; they go"
        " to FILE, where the recording goes on from them",
    )
    command.set_defaults(run=_record)


def _record(given: argparse.Namespace) -> int:
    from dynlab.sampling.prompt_preview import preview
    from dynlab.sampling.recorder import dry_run, record
    from dynlab.tasks.task import load_task

    settings: dict[str, Any] = {
        "num_samples": given.samples,
        "out": given.out,
        "strategy": strategy_flags.chosen(given),
        "sampling": option_flags.chosen(given, Sampling),
        "requests": option_flags.chosen(given, RequestOptions),
        "options": option_flags.chosen(given, RecordingOptions),
        "seed": given.seed,
    }
    limits = option_flags.chosen(given, Limits)
    task = load_task(given.task, asking=option_flags.chosen(given, Asking))
    if given.dry_run:
        print(dry_run(task, given.model, limits=limits, **settings))
        return 0
    if given.preview is not None:
        del settings["num_samples"], settings["options"]
        print(preview(task, given.model, num_questions=given.preview, limits=limits, **settings))
        print(f"wrote {given.out}; the same command without --preview goes on from there")
        return 0
    path = record(task, given.model, limits=limits, **settings)
    print(f"wrote {path}")
    return recordings.tell(path)
