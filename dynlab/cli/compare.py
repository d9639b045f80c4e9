"""`dynlab compare`: policies replayed on recordings → curves.csv, savings.csv."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dynlab._util.clusters import CLUSTER_HELP, on_cluster
from dynlab._util.errors import InputError
from dynlab.cli.argument_types import numbers, price


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "compare",
        help="replay budget policies on recordings → curves.csv, savings.csv",
        example="dynlab compare --recording capitals--smollm2-135m --allocators uniform,ucb"
        " --budgets 2,4,8,16 --out curves.csv",
    )
    command.add_argument("--recording", action="append", required=True, metavar="PATH_OR_NAME")
    command.add_argument(
        "--allocators",
        default="uniform,ucb",
        metavar="A,B,…",
        help="policies such as ucb, ucb(exploration=0.3), uniform+esc (default: uniform,ucb)",
    )
    command.add_argument(
        "--budgets",
        default="2,4,8,16",
        metavar="B,B,…",
        help="mean samples per question (2,4,8,16)",
    )
    command.add_argument("--unit", default="samples", help="samples (default), tokens or usd")
    command.add_argument(
        "--warmup",
        type=int,
        help="samples that every question gets first (default: the policy's own, mostly 2)",
    )
    command.add_argument(
        "--exploration",
        type=float,
        help="c of policies that have it and do not set their own (default: theirs; 1 of ucb)",
    )
    command.add_argument(
        "--uncertainty",
        help="top-share, entropy, margin or posterior (default: the policy's; top-share of ucb)",
    )
    command.add_argument("--batch", type=int, help="pulls decided at once (1)")
    command.add_argument(
        "--stopping",
        metavar="RULE",
        help="adaptive-consistency, best-of-infinity, esc, doubling, …",
    )
    command.add_argument("--strategy", help="which strategy of the recording (default: its first)")
    command.add_argument(
        "--price", type=price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument(
        "--replications", type=int, default=200, help="draw orders that are averaged over (200)"
    )
    command.add_argument(
        "--seed", type=int, default=0, help="of draw orders, ties and resamples (0)"
    )
    command.add_argument("--cluster", metavar="ADDRESS", help=CLUSTER_HELP)
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="curves.csv",
        help="savings.csv is put beside it; beside NAME.csv, NAME-savings.csv",
    )
    command.set_defaults(run=_compare)


def _refuse_other_tables(path: Path) -> None:
    """Refuses to overwrite a file that `compare` did not write.

    Raises:
        InputError: There is one.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        if not file.readline().startswith(b"recording,strategy,allocator,"):
            raise InputError(
                f"{path} is there, and no table of `dynlab compare`: give another --out, or remove"
                " it first"
            )


def _compare(given: argparse.Namespace) -> None:
    from dynlab._util.files import not_a_folder, not_an_input, write_csv
    from dynlab.analysis.methods import ORACLE
    from dynlab.analysis.verbs import compare
    from dynlab.policies.base import settings_of
    from dynlab.policies.parsing import Defaults, as_policy, split_policies
    from dynlab.policies.policy import Policy

    budgets = numbers("budgets", given.budgets)
    if given.out.suffix != ".csv":
        raise InputError(f"--out must be the path of a .csv file; not {str(given.out)!r}")
    own = given.out.stem
    named = own.replace("curves", "savings") if "curves" in own else f"{own}-savings"
    beside = not_a_folder(given.out).with_name(f"{named}.csv")
    for path in (given.out, beside):
        _refuse_other_tables(not_an_input(not_a_folder(path), given.recording))
    settings = Defaults(
        given.exploration, given.uncertainty, given.warmup, given.batch, given.stopping
    )
    policies = [
        text if text == ORACLE else as_policy(text, settings)
        for text in split_policies(given.allocators)
    ]
    for name in ("exploration", "uncertainty"):
        if getattr(given, name) is not None and not any(
            name in settings_of(policy.allocator)
            for policy in policies
            if isinstance(policy, Policy)
        ):
            raise InputError(f"--{name} is given, but {given.allocators} have no such setting")
    with on_cluster(given.cluster):
        found = compare(
            given.recording,
            policies,
            budgets,
            reference=as_policy("uniform", Defaults(warmup=given.warmup)),
            strategies=given.strategy,
            unit=given.unit,
            price=given.price,
            replications=given.replications,
            seed=given.seed,
        )
        curves, saved = found.curves, found.savings()
    if given.stopping:  # it stands for all policies, so uniform's is no policy of its own
        saved = saved[saved["allocator"] != "uniform"]
    write_csv(curves, given.out)
    write_csv(saved, beside)
    settings_shown = [
        name
        for name in ("stopping", "exploration", "uncertainty", "warmup", "batch")
        if curves.groupby("allocator")[name].nunique(dropna=False).max() > 1
    ]
    shown = curves[
        [
            "recording",
            "allocator",
            *settings_shown,
            "budget",
            "spent_samples",
            "accuracy",
            "low",
            "high",
            *(["measure"] if "measure" in curves else []),
        ]
    ]
    print(shown.to_string(index=False, float_format="{:.4f}".format, na_rep=""))
    for note in (*found.notes, *found.limits()):
        print(note, file=sys.stderr)
    print(f"wrote {given.out} and {beside}")
