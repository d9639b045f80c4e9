"""The command line: a thin layer of flags over the package. Exit codes: 0 done, 1 failed, 2 wrong
use.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from dynlab import __version__
from dynlab._util.errors import DynlabError, InputError
from dynlab.cli import explore, recordings, reproduce, solve, strategy_flags


class _Parser(argparse.ArgumentParser):
    """Wrong flags end in one line and exit code 2, like every other wrong use."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        given, unknown = super().parse_known_args(args, namespace)
        if unknown:  # told by the command itself, which knows its flags
            near = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return given, unknown

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; `{self.prog} --help` lists what there is")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    try:
        given = _parser().parse_args(arguments)
        return int(given.run(given) or 0)
    except DynlabError as error:
        print(f"dynlab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("dynlab: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dynlab", description="Verifier-free inference scaling: pay once, replay exactly."
    )
    parser.add_argument("--version", action="version", version=f"dynlab {__version__}")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_Parser
    )
    _add_compare(commands)
    _add_leaderboard(commands)
    _add_record(commands)
    solve.add(commands, _price)
    reproduce.add(commands)
    recordings.add(commands)
    explore.add(commands)
    return parser


def _add_compare(commands: Any) -> None:
    command = commands.add_parser(
        "compare", help="replay budget policies on recordings → curves.csv, savings.csv"
    )
    command.add_argument("--recording", action="append", required=True, metavar="PATH_OR_NAME")
    command.add_argument(
        "--allocators", default="uniform,ucb", metavar="A,B,…", help="default: uniform,ucb"
    )
    command.add_argument(
        "--budgets", default="2,4,8,16", metavar="B,B,…", help="mean samples per question"
    )
    command.add_argument("--unit", default="samples", help="samples, tokens or usd")
    command.add_argument(
        "--warmup",
        type=int,
        help="samples that every question gets first (default: the policy's own, mostly 2)",
    )
    command.add_argument("--exploration", type=float, default=1.0, help="c of ucb (1.0)")
    command.add_argument(
        "--uncertainty", default="top-share", help="top-share, entropy, margin or posterior"
    )
    command.add_argument("--batch", type=int, default=1, help="pulls decided at once (1)")
    command.add_argument(
        "--stopping",
        metavar="RULE",
        help="adaptive-consistency, best-of-infinity, esc, doubling, …",
    )
    command.add_argument("--strategy", help="which strategy of the recording (default: its first)")
    command.add_argument(
        "--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument("--replications", type=int, default=200)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--out", required=True, type=Path, metavar="curves.csv", help="savings.csv is put beside it"
    )
    command.set_defaults(run=_compare)


def _compare(given: argparse.Namespace) -> None:
    from dynlab._util.files import not_a_folder, write_csv
    from dynlab.analysis.comparison import compare, savings

    allocators = [name.strip() for name in given.allocators.split(",") if name.strip()]
    budgets = _numbers("budgets", given.budgets)
    names = (
        "unit",
        "warmup",
        "exploration",
        "uncertainty",
        "batch",
        "stopping",
        "strategy",
        "price",
        "replications",
        "seed",
    )
    options = {name: getattr(given, name) for name in names}
    if given.out.suffix != ".csv":
        raise InputError(f"--out must be the path of a .csv file; not {str(given.out)!r}")
    beside = given.out.with_name(
        given.out.name.replace("curves", "savings") if "curves" in given.out.name else "savings.csv"
    )
    if not_a_folder(beside) == not_a_folder(given.out):
        raise InputError(
            "--out is where the curves go, and savings.csv is put beside it; give another name"
        )
    curves = compare(given.recording, allocators=allocators, budgets=budgets, **options)
    saved = savings(given.recording, allocators=allocators, at=budgets, **options)
    write_csv(curves, given.out)
    write_csv(saved, beside)
    shown = curves[["recording", "allocator", "budget", "spent_samples", "accuracy", "low", "high"]]
    print(shown.to_string(index=False, float_format="{:.4f}".format))
    if "self-consistency" in curves.attrs["measure"]:
        print("accuracy is the self-consistency rate here: there are no targets", file=sys.stderr)
    if left_out := sorted({*map(float, budgets)} - {*curves["budget"]}):
        print(
            f"left out: {', '.join(f'{b:g}' for b in left_out)}, more than is recorded",
            file=sys.stderr,
        )
    print(f"wrote {given.out} and {beside}")


def _add_leaderboard(commands: Any) -> None:
    command = commands.add_parser(
        "leaderboard", help="every policy against self-consistency, in one table and figure"
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
    command.add_argument("--allocators", metavar="A,B,…", help="default: all")
    command.add_argument(
        "--stopping", metavar="A,B,…", help="default: all, each swept over its settings"
    )
    command.add_argument(
        "--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
    )
    command.add_argument("--replications", type=int, default=200)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--out", type=Path, default=Path("leaderboard"), metavar="DIR", help="default: leaderboard"
    )
    command.set_defaults(run=_leaderboard)


def _leaderboard(given: argparse.Namespace) -> None:
    from dynlab._util.files import write_csv
    from dynlab.analysis.board import board, shown
    from dynlab.pipeline.inputs import chosen
    from dynlab.plots.figure_files import save
    from dynlab.plots.leaderboard import plot_leaderboard_grid

    found = board(
        chosen(given.recording),
        unit=given.unit,
        at=_numbers("at", given.at),
        allocators=_names(given.allocators),
        stopping=_names(given.stopping),
        price=given.price,
        replications=given.replications,
        seed=given.seed,
    )
    write_csv(found.cells, given.out / "leaderboard-cells.csv")
    save(plot_leaderboard_grid(found.table), given.out, "leaderboard", found.table)
    print(shown(found.table).to_string(index=False))
    print("* deviates from its paper; the column `deviates` of leaderboard.csv says how")
    if "self-consistency" in found.table["measure"].iloc[0]:
        print("accuracy is the self-consistency rate here: there are no targets", file=sys.stderr)
    print(
        "wrote leaderboard.csv, leaderboard-cells.csv, leaderboard.svg and leaderboard.png to"
        f" {given.out}"
    )


def _add_record(commands: Any) -> None:
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
        "--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens"
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


def _numbers(what: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--{what} must be numbers with commas between, such as 2,4,8; not {text!r}"
        ) from None


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _price(text: str) -> tuple[float, float]:
    prices = _numbers("price", text)
    if len(prices) != 2 or not all(0 <= price < float("inf") for price in prices):
        raise InputError(
            "--price must be two numbers IN,OUT in USD per million tokens, such as 0.15,0.6; not"
            f" {text!r}"
        )
    return prices[0], prices[1]


if __name__ == "__main__":
    sys.exit(main())
