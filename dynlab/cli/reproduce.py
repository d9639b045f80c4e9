"""`dynlab reproduce`: all notebooks by papermill → figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "reproduce",
        help="run all notebooks by papermill → figures/ and an index page",
        example="dynlab reproduce --recording capitals--smollm2-135m --quick --out my-figures",
    )
    command.add_argument(
        "--recording",
        action="append",
        default=[],
        metavar="PATH_OR_NAME",
        help="default: all shipped",
    )
    command.add_argument(
        "--quick",
        action="store_true",
        help="fewer replications and recordings: a minute, not several",
    )
    command.add_argument(
        "--notebook", action="append", metavar="NAME", help="such as 01, or a path; default: all"
    )
    command.add_argument(
        "-p",
        "--parameter",
        action="append",
        nargs=2,
        default=[],
        metavar=("NAME", "VALUE"),
        help="given to each notebook that has it; may be repeated",
    )
    command.add_argument(
        "-f",
        "--parameters-file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE_OR_DIR",
        help="parameters in YAML; of a folder, each file makes a folder of figures of its own",
    )
    command.add_argument("--force", action="store_true", help="run unchanged notebooks, too")
    command.add_argument("--pdf", action="store_true", help="write each figure as PDF, too")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="default: figures, with --quick quick-figures"
    )
    command.set_defaults(run=_reproduce)


def _reproduce(given: argparse.Namespace) -> None:
    from dynlab.pipeline.parameters import read_parameters, read_sweep
    from dynlab.pipeline.reproduction import parameters_for, reproduce

    folders = [path for path in given.parameters_file if path.is_dir()]
    if len(folders) > 1:
        raise InputError(
            f"-f takes one folder of parameter files, a setting each; not {len(folders)}"
        )
    typed = dict(given.parameter)
    common: dict[str, Any] = {}
    for path in given.parameters_file:
        common |= {} if path in folders else read_parameters(path)
    common = parameters_for(given.notebook, common)
    sweep = None
    if folders:
        sweep = {
            name: {**parameters_for(given.notebook, own), **typed}
            for name, own in read_sweep(folders[0]).items()
        }
    report = reproduce(
        notebooks=given.notebook,
        recordings=given.recording,
        quick=given.quick,
        out=given.out,
        parameters={**common, **typed},
        sweep=sweep,
        force=given.force,
        pdf=given.pdf,
    )
    print(report.summary())
