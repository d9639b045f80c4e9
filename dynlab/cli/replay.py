"""`dynlab replay`: a live run recomputed from its recording and seed."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "replay",
        help="go through a live run again",
        example="dynlab replay answers.jsonl --check",
    )
    command.add_argument(
        "file", metavar="RUN", help="its answers (.jsonl), recording (.parquet) or store (.sqlite)"
    )
    command.add_argument(
        "--check", action="store_true", help="recompute it from samples and seed, and compare"
    )
    command.set_defaults(run=_replay)


def _replay(given: argparse.Namespace) -> None:
    from dynlab.online.run_audit import audit, summary

    print(audit(given.file) if given.check else summary(given.file))
