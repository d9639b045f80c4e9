"""`dynlab browse`: the samples of a recording as one page, opened in the browser."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dynlab._util.options import PAGE_MB

FOLDER = Path("runs/samples")


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "browse",
        help="look at a recording's samples: answers, texts and chains, on one page",
        example="dynlab browse capitals--smollm2-135m",
    )
    command.add_argument("recording", metavar="RECORDING", help="a path or a name")
    command.add_argument(
        "--out", type=Path, metavar="FILE", help=f"the page to write ({FOLDER}/NAME.html)"
    )
    command.add_argument(
        "--max-mb",
        type=float,
        default=PAGE_MB,
        metavar="MB",
        help=f"cut the longest texts where the page would be larger ({PAGE_MB:g})",
    )
    command.add_argument("--no-browser", action="store_true", help="write the page only")
    command.set_defaults(run=lambda given: _browse(given, webbrowser.open))


def _browse(given: argparse.Namespace, show: Callable[[str], bool]) -> int:
    from dynlab.viewer import browse

    page = browse(given.recording, max_mb=given.max_mb)
    path = page.write(given.out or FOLDER / f"{page.recording.name}.html")
    print(f"wrote {path}", flush=True)
    if not given.no_browser and not show(path.resolve().as_uri()):
        print("no browser could be opened here; open the page by hand")
    return 0
