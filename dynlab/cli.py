"""The command line: a thin layer of flags over the package. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from dynlab import __version__, cli_explore, cli_reproduce, cli_strategy
from dynlab.errors import DynlabError, InputError


class _Parser(argparse.ArgumentParser):
    """Wrong flags end in one line and exit code 2, like every other wrong use."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

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
    parser = _Parser(prog="dynlab", description="Verifier-free inference scaling: pay once, replay exactly.")
    parser.add_argument("--version", action="version", version=f"dynlab {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_compare(commands)
    _add_leaderboard(commands)
    _add_record(commands)
    cli_reproduce.add(commands)
    _add_recordings(commands)
    cli_explore.add(commands)
    return parser


def _add_compare(commands: Any) -> None:
    command = commands.add_parser("compare", help="replay budget policies on recordings → curves.csv, savings.csv")
    command.add_argument("--recording", action="append", required=True, metavar="PATH_OR_NAME")
    command.add_argument("--allocators", default="uniform,ucb", metavar="A,B,…", help="default: uniform,ucb")
    command.add_argument("--budgets", default="2,4,8,16", metavar="B,B,…", help="mean samples per question")
    command.add_argument("--unit", default="samples", help="samples, tokens or usd")
    command.add_argument(
        "--warmup", type=int, help="samples that every question gets first (default: the policy's own, mostly 2)"
    )
    command.add_argument("--exploration", type=float, default=1.0, help="c of ucb (1.0)")
    command.add_argument("--uncertainty", default="top-share", help="top-share, entropy, margin or posterior")
    command.add_argument("--batch", type=int, default=1, help="pulls decided at once (1)")
    command.add_argument("--stopping", metavar="RULE", help="adaptive-consistency, best-of-infinity, esc, doubling, …")
    command.add_argument("--strategy", help="which strategy of the recording (default: its first)")
    command.add_argument("--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens")
    command.add_argument("--replications", type=int, default=200)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", required=True, type=Path, metavar="curves.csv", help="savings.csv is put beside it")
    command.set_defaults(run=_compare)


def _compare(given: argparse.Namespace) -> None:
    from dynlab.comparing import compare, savings
    from dynlab.files import write_csv

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
    curves = compare(given.recording, allocators=allocators, budgets=budgets, **options)
    saved = savings(given.recording, allocators=allocators, at=budgets, **options)
    beside = given.out.with_name(
        given.out.name.replace("curves", "savings") if "curves" in given.out.name else "savings.csv"
    )
    write_csv(curves, given.out)
    write_csv(saved, beside)
    shown = curves[["recording", "allocator", "budget", "spent_samples", "accuracy", "low", "high"]]
    print(shown.to_string(index=False, float_format="{:.4f}".format))
    if "self-consistency" in curves.attrs["measure"]:
        print("accuracy is the self-consistency rate here: there are no targets", file=sys.stderr)
    print(f"wrote {given.out} and {beside}")


def _add_leaderboard(commands: Any) -> None:
    command = commands.add_parser("leaderboard", help="every policy against self-consistency, in one table and figure")
    command.add_argument(
        "--recording", action="append", default=[], metavar="PATH_OR_NAME", help="default: all shipped"
    )
    command.add_argument("--unit", default="tokens", help="samples, tokens (default) or usd")
    command.add_argument("--at", default="4,8,16,32", metavar="B,B,…", help="mean samples per question (4,8,16,32)")
    command.add_argument("--allocators", metavar="A,B,…", help="default: all")
    command.add_argument("--stopping", metavar="A,B,…", help="default: all, each swept over its settings")
    command.add_argument("--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens")
    command.add_argument("--replications", type=int, default=200)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, default=Path("leaderboard"), metavar="DIR", help="default: leaderboard")
    command.set_defaults(run=_leaderboard)


def _leaderboard(given: argparse.Namespace) -> None:
    from dynlab.figures import save
    from dynlab.files import write_csv
    from dynlab.inputs import chosen
    from dynlab.leaderboard import board, shown
    from dynlab.rankings import plot_leaderboard_grid

    found = board(
        chosen(given.recording), unit=given.unit, at=_numbers("at", given.at), allocators=_names(given.allocators),
        stopping=_names(given.stopping), price=given.price, replications=given.replications, seed=given.seed,
    )  # fmt: skip
    write_csv(found.cells, given.out / "leaderboard-cells.csv")
    save(plot_leaderboard_grid(found.table), given.out, "leaderboard", found.table)
    print(shown(found.table).to_string(index=False))
    print("* deviates from its paper; the column `deviates` of leaderboard.csv says how")
    if "self-consistency" in found.table["measure"].iloc[0]:
        print("accuracy is the self-consistency rate here: there are no targets", file=sys.stderr)
    print(f"wrote leaderboard.csv, leaderboard-cells.csv, leaderboard.svg and leaderboard.png to {given.out}")


def _add_record(commands: Any) -> None:
    command = commands.add_parser("record", help="sample a model's answers to a task → a recording (.parquet)")
    command.add_argument(
        "--task", required=True, metavar="NAME_OR_FILE", help="a built-in task, or JSONL, CSV, Parquet"
    )
    command.add_argument("--model", required=True, help="any LiteLLM name, or local/smollm2-135m, local/PATH.gguf, …")
    cli_strategy.add(command)
    command.add_argument("--samples", type=int, required=True, metavar="N", help="samples per question (and stream)")
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    command.add_argument("--streams", type=int, default=1, help="streams per question (1)")
    command.add_argument("--temperature", type=float)
    command.add_argument("--top-p", type=float)
    command.add_argument("--top-k", type=int)
    command.add_argument("--max-tokens", type=int)
    command.add_argument("--limit", type=int, metavar="Q", help="only the first Q questions")
    command.add_argument("--max-usd", type=float, help="hard limit on spending")
    command.add_argument("--price", type=_price, metavar="IN,OUT", help="USD per million prompt, completion tokens")
    command.add_argument("--concurrency", type=int, metavar="M", help="calls in flight at once")
    command.add_argument("--keep-text", type=int, metavar="K", help="keep the text of a stream's first K samples only")
    command.add_argument("--no-greedy", action="store_true", help="no temperature-0 baseline answer per question")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=_record)


def _record(given: argparse.Namespace) -> None:
    from dynlab.sampling import record

    path = record(
        given.task, given.model, strategy=cli_strategy.chosen(given), num_samples=given.samples, out=given.out,
        num_streams=given.streams, seed=given.seed, temperature=given.temperature,
        top_p=given.top_p, top_k=given.top_k, max_tokens=given.max_tokens, concurrency=given.concurrency,
        max_usd=given.max_usd, price=given.price, greedy=not given.no_greedy, limit=given.limit,
        keep_text=given.keep_text,
    )  # fmt: skip
    print(f"wrote {path}")


def _add_recordings(commands: Any) -> None:
    command = commands.add_parser("recordings", help="list, fetch or import recordings")
    actions = command.add_subparsers(required=True, metavar="ACTION", parser_class=_Parser)
    actions.add_parser("list", help="those that come with dynlab, and public ones").set_defaults(run=_list_recordings)
    fetch = actions.add_parser("fetch", help="download a public pool of a strong model's samples → a recording")
    fetch.add_argument("name", metavar="NAME", help="such as aime2025--LIMO-v2; `dynlab recordings list` shows all")
    fetch.add_argument("--out", type=Path, metavar="DIR", help="default: the user's cache folder")
    fetch.add_argument("--mirror", metavar="URL", help="another place that serves the same files")
    fetch.set_defaults(run=_fetch)
    bring = actions.add_parser("import", help="samples of another tool → a recording")
    bring.add_argument("file", metavar="FILE")
    bring.add_argument("--from", dest="form", required=True, metavar="FORM", help="inspect, lm-eval or samples")
    bring.add_argument("--kind", default="text", help="what answers are: text (default), choice, integer, expression")
    bring.add_argument("--out", required=True, type=Path, metavar="FILE", help="the recording to write (.parquet)")
    bring.set_defaults(run=_import)


def _fetch(given: argparse.Namespace) -> None:
    from dynlab.public import URL, fetch, pool_named

    print(pool_named(given.name).describe(), flush=True)
    print(f"wrote {fetch(given.name, out=given.out, mirror=given.mirror or URL)}")


def _import(given: argparse.Namespace) -> None:
    from dynlab.importing import import_recording

    print(f"wrote {import_recording(given.file, given.form, given.out, kind=given.kind)}")


def _list_recordings(given: argparse.Namespace) -> None:
    from dynlab.public import pools
    from dynlab.recordings import load, shipped

    for name in shipped():
        frame = load(name).frame
        pooled = frame[frame["strategy"] != "greedy"]
        strategies = ", ".join(sorted(set(frame["strategy"])))
        print(f"{name:40} {frame['question_id'].nunique():5} questions {len(pooled):7} samples  {strategies}")
    print(f"\n{len(pools())} public ones by `dynlab recordings fetch NAME`:", *pools(), sep="\n  ")


def _numbers(what: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--{what} must be numbers with commas between, such as 2,4,8; not {text!r}") from None


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _price(text: str) -> tuple[float, float]:
    prices = _numbers("price", text)
    if len(prices) != 2 or min(prices) < 0:
        raise InputError(
            f"--price must be two numbers IN,OUT in USD per million tokens, such as 0.15,0.6; not {text!r}"
        )
    return prices[0], prices[1]


if __name__ == "__main__":
    sys.exit(main())
