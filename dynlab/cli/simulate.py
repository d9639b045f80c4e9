"""`dynlab simulate`: a recording drawn from a model of another one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "simulate",
        help="fit a model to a recording, and draw a recording of any size from it",
        example="dynlab simulate capitals--smollm2-135m --questions 500 --samples 64"
        " --out simulated.parquet",
    )
    command.add_argument("recording", metavar="RECORDING", help="a path or a name, with targets")
    command.add_argument("--questions", type=int, default=100, metavar="N", help="how many (100)")
    command.add_argument(
        "--samples",
        type=int,
        default=32,
        metavar="K",
        help="of each question; of each stream, in strategies that chain (32)",
    )
    command.add_argument(
        "--strategies",
        default="parallel",
        metavar="A,B,…",
        help="parallel (default), sequential, integrated(width=4), …; chains are learned from the"
        " recording's",
    )
    command.add_argument("--streams", type=int, default=4, help="of each question, of chains (4)")
    command.add_argument("--seed", type=int, default=0, help="of all draws (0)")
    command.add_argument(
        "--model-out", type=Path, metavar="FILE.json", help="also write the fitted model"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE.parquet")
    command.set_defaults(run=_simulate)


def _simulate(given: argparse.Namespace) -> None:
    from dynlab._util.files import not_an_input, replacing
    from dynlab._util.text_form import split
    from dynlab.recordings.recording import load, located, write
    from dynlab.simulation import fit, simulate

    if given.out.suffix != ".parquet":
        raise InputError(f"--out must be the path of a .parquet file; not {str(given.out)!r}")
    not_an_input(given.out, [located(given.recording)])
    if given.out.is_file() and not load(given.out).simulated:
        raise InputError(
            f"{given.out} is there, and no simulated recording: give another --out, or remove it"
            " first"
        )
    model = fit(given.recording)
    made = simulate(
        model,
        num_questions=given.questions,
        num_samples=given.samples,
        strategies=split(given.strategies, ","),
        num_streams=given.streams,
        seed=given.seed,
    )
    if given.model_out is not None:
        with replacing(not_an_input(given.model_out, [given.out])) as temporary:
            temporary.write_text(model.to_json() + "\n", encoding="utf-8")
    write(made.frame, made.card, given.out)
    print(model)
    print(made.counts().to_string(float_format="{:.3f}".format, na_rep=""))
    print(f"wrote {given.out}; what is made of it says simulated")
