"""`dynlab new`: a notebook for an experiment of your own."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "new",
        help="a notebook for an experiment of your own",
        example="dynlab new my-idea capitals--smollm2-135m",
    )
    command.add_argument("name", metavar="NAME", help="NAME.ipynb is written")
    command.add_argument(
        "recording",
        nargs="?",
        default="",
        metavar="RECORDING",
        help="what it draws; default: all shipped",
    )
    command.set_defaults(run=_new)


def _new(given: argparse.Namespace) -> None:
    from dynlab.pipeline.template import new_notebook

    path = new_notebook(given.name, given.recording)
    print(
        f"wrote {path}; run it by jupyter lab {path}, or by dynlab reproduce --notebook {path}"
        f" --out {path.stem}"
    )
