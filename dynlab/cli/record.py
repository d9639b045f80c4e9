"""`dynlab record`: a model's answers to a task → a recording."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.options import Asking, Limits, RecordingOptions, RequestOptions, Sampling
from dynlab._util.table_files import is_file_name
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
        help="a built-in task, JSONL, JSON, CSV, Parquet, a benchmark (gsm8k, math500, aime2024,"
        " aime2025, gpqa-diamond, mmlu-pro, bbh/TASK), hf:OWNER/NAME?question=…&target=…, or"
        " reasoning-gym:FAMILY?size=…&seed=…",
    )
    command.add_argument(
        "--model",
        required=True,
        metavar="MODEL[,MODEL]",
        help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf,"
        " local/hf:OWNER/REPO:FILE.gguf, …; of several, each makes a recording of its own in the"
        " folder FILE",
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
        "limits": option_flags.chosen(given, Limits),
        "strategy": strategy_flags.chosen(given),
        "sampling": option_flags.chosen(given, Sampling),
        "requests": option_flags.chosen(given, RequestOptions),
        "seed": given.seed,
    }
    planned = {
        "num_samples": given.samples,
        "options": option_flags.chosen(given, RecordingOptions),
    }
    task = load_task(given.task, asking=option_flags.chosen(given, Asking))
    places, failed = _places(given.model, task.name, given.out), 0
    if len(places) > 1 and not given.dry_run:  # what cannot work is said before any is paid for
        for model, out in places.items():
            dry_run(task, model, out=out, **settings, **planned)
    for model, out in places.items():
        if given.dry_run:
            print(dry_run(task, model, out=out, **settings, **planned))
        elif given.preview is not None:
            print(preview(task, model, num_questions=given.preview, out=out, **settings))
            print(f"wrote {out}; the same command without --preview goes on from there")
        else:
            print(f"wrote {record(task, model, out=out, **settings, **planned)}")
            failed = max(failed, recordings.tell(out))
    return failed


def _places(models: str, task: str, out: Path) -> dict[str, Path]:
    """Where the recording of each model goes: to a file, or of several to a folder.

    Raises:
        InputError: several models, and one file.
    """
    from dynlab.sampling.preparation import file_name

    names = [name.strip() for name in models.split(",")]
    if len(names) == 1:
        return {models: out}
    if is_file_name(out.name):
        raise InputError(
            f"--out is {out}, one file for {len(names)} models: give a folder, in which each has"
            " its own"
        )
    return {name: out / file_name(task, name) for name in names}
