"""`dynlab leaderboard`: every policy in one table and figure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dynlab._util.clusters import CLUSTER_HELP, on_cluster
from dynlab.cli.argument_types import numbers, price


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "leaderboard",
        help="every policy against self-consistency, in one table and figure",
        example="dynlab leaderboard --recording capitals--smollm2-135m --out leaderboard",
    )
    command.add_argument(
        "--recording",
        action="append",
        default=[],
        metavar="PATH_OR_NAME",
        help="default: all shipped",
    )
    command.add_argument("--unit", default="tokens", help="samples, tokens (default) or usd")
    command.add_argument(
        "--at", default="4,8,16,32", metavar="B,B,…", help="mean samples per question (4,8,16,32)"
    )
    command.add_argument("--allocators", metavar="A,B,…", help="policies (default: all)")
    command.add_argument(
        "--stopping", metavar="A,B,…", help="default: all, each swept over its settings"
    )
    command.add_argument(
        "--price", type=price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument("--replications", type=int, default=200)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--cluster", metavar="ADDRESS", help=CLUSTER_HELP)
    command.add_argument(
        "--out", type=Path, default=Path("leaderboard"), metavar="DIR", help="default: leaderboard"
    )
    command.set_defaults(run=_leaderboard)


def _leaderboard(given: argparse.Namespace) -> None:
    from dynlab._util.extras import require
    from dynlab._util.files import write_csv
    from dynlab.analysis.leaderboards import leaderboard, shown
    from dynlab.pipeline.inputs import chosen
    from dynlab.plots.figure_files import save
    from dynlab.plots.leaderboard import plot_leaderboard_grid
    from dynlab.policies.parsing import split_policies

    require("leaderboard", "matplotlib", extra="notebooks")
    with on_cluster(given.cluster):
        found = leaderboard(
            chosen(given.recording),
            None if given.allocators is None else split_policies(given.allocators),
            given.stopping,
            numbers("at", given.at),
            unit=given.unit,
            price=given.price,
            replications=given.replications,
            seed=given.seed,
        )
    write_csv(found.cells, given.out / "leaderboard-cells.csv")
    save(plot_leaderboard_grid(found.table), given.out, "leaderboard", found.table)
    print(shown(found.table).to_string(index=False))
    print("* deviates from its paper; the column `deviates` of leaderboard.csv says how")
    for note in found.notes:
        print(note, file=sys.stderr)
    print(
        "wrote leaderboard.csv, leaderboard-cells.csv, leaderboard.svg and leaderboard.png to"
        f" {given.out}"
    )
