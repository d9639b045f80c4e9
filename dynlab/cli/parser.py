"""The command line: a thin layer of flags over the package, one file a command.

Exit codes: 0 done, 1 failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, NoReturn

from dynlab import __version__
from dynlab._util.errors import DynlabError, InputError, one_of
from dynlab.cli import (
    browse,
    compare,
    explore,
    leaderboard,
    new,
    power,
    record,
    recordings,
    replay,
    reproduce,
    simulate,
    solve,
)

COMMANDS = (
    compare,
    leaderboard,
    record,
    solve,
    replay,
    reproduce,
    new,
    recordings,
    browse,
    explore,
    simulate,
    power,
)


class _Parser(argparse.ArgumentParser):
    """Wrong flags end in one line and exit code 2, like every other wrong use.

    Args:
        example: A command line that works as it stands, shown below the flags.
        settings: Those of `argparse.ArgumentParser`.
    """

    def __init__(self, example: str = "", **settings: Any) -> None:
        super().__init__(
            **settings, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.example, self._given = example, list[str]()
        if example:
            self.epilog = f"example:\n  {example}"

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._given = [*(args if args is not None else sys.argv[1:])]
        given, unknown = super().parse_known_args(args, namespace)
        if unknown:  # told by the command itself, which knows its flags
            listed = all(re.fullmatch(r"[\d.]+", each) for each in unknown)
            hint = ", put commas between numbers" if listed else self._hint(unknown[0])
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return given, unknown

    def error(self, message: str) -> NoReturn:
        if choice := re.fullmatch(r".*invalid choice: '(.*)' \(choose from (.*)\)", message):
            raise one_of("command", choice[1], re.findall(r"[\w-]+", choice[2]))
        if "required" in message:  # perhaps since it was mistyped
            message += next(filter(None, map(self._hint, self._given)), "")
        raise InputError(f"{message}; `{self.prog} --help` lists what there is")

    def _hint(self, flag: str) -> str:
        """Which flag may be meant by an unknown one, '' where none is near."""
        name, known = flag.partition("=")[0], self._option_string_actions
        near = get_close_matches(name, known, n=1) if flag[:2] == "--" and name not in known else ()
        return f", did you mean {near[0]}?" if near else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    by_default, warnings.formatwarning = warnings.formatwarning, _in_a_line
    try:
        given = _parser().parse_args(arguments)
        with _terminated_as_by_ctrl_c():
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
    finally:
        warnings.formatwarning = by_default


@contextmanager
def _terminated_as_by_ctrl_c() -> Iterator[None]:
    """A scheduler's SIGTERM ends a command as Ctrl-C does: calls in flight are finished, notebooks'
    processes end.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone may say so
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _in_a_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """A warning without the line of code that it is from."""
    return f"dynlab: {message}\n"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dynlab", description="Verifier-free inference scaling: pay once, replay exactly."
    )
    parser.add_argument("--version", action="version", version=f"dynlab {__version__}")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_Parser
    )
    for command in COMMANDS:
        command.add(commands)
    examples = [f"  {own.example}" for own in commands.choices.values()]
    parser.epilog = "\n".join(["examples, one a command:", *examples])
    return parser


if __name__ == "__main__":
    sys.exit(main())
