"""`dynlab explore`: the slider notebook in JupyterLab, as a copy that the reader may change."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.extras import require
from dynlab._util.files import replacing
from dynlab._util.shipped_files import named

NOTEBOOK = "07-explorer"


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "explore",
        help="sliders over policies and budgets, in JupyterLab",
        example="dynlab explore capitals--smollm2-135m",
    )
    command.add_argument(
        "recording",
        nargs="?",
        metavar="RECORDING",
        help="a path or a name (default: the shipped ones)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("runs/explorer"),
        metavar="DIR",
        help="where the notebook is copied to (runs/explorer)",
    )
    command.add_argument(
        "--no-browser", action="store_true", help="print the notebook's address only"
    )
    command.add_argument("--port", type=int, help="JupyterLab's port (8888, or the next free one)")
    command.set_defaults(run=_explore)


def explore(
    recording: str | None,
    out: Path,
    jupyter: Sequence[str] = (),
    run: Callable[[Sequence[str]], int] | None = None,
) -> int:
    """Copies the notebook to a folder and opens JupyterLab on it until that ends.

    Args:
        recording: A path or the name of a shipped recording; None = those that come with dynlab.
        out: The folder; a copy that is there already is kept as its owner left it.
        jupyter: Further arguments of `jupyter lab`.
        run: Runs a command and returns its exit code; by default as a process that gets Ctrl-C
            itself and is ended with this one.

    Raises:
        InputError: JupyterLab is not installed, no such recording, or the copy there is for
            another recording.
        DynlabError: JupyterLab failed.
    """
    needed = ("jupyterlab", "ipywidgets", "anywidget", "ipykernel", "matplotlib")
    require("explore", *needed, extra="notebooks")
    path = copy_of(recording, out)
    print(f"opening {path} in JupyterLab; Ctrl-C ends it", flush=True)
    # the notebook is where JupyterLab begins, so that the address which it prints is the notebook's
    begin = [
        f"--ServerApp.root_dir={path.parent.resolve()}",
        f"--LabApp.default_url=/lab/tree/{quote(path.name)}",
    ]
    code = (run or _run)([sys.executable, "-m", "jupyterlab", *begin, *jupyter])
    if code:
        raise DynlabError(f"JupyterLab ended with exit code {code}; what it said stands above")
    return 0


def copy_of(recording: str | None, out: Path) -> Path:
    """The notebook in the folder, set to the recording; a copy of that recording is kept."""
    name, given = NOTEBOOK, ""
    if recording is not None:
        from dynlab.recordings.recording import load

        given = str(Path(recording).resolve()) if Path(recording).is_file() else recording
        name = f"{NOTEBOOK}--{load(recording).name}"
    path = out / f"{name}.ipynb"
    line = f"recording: str = {json.dumps(given, ensure_ascii=False)}  #"
    if path.exists():
        if given and not any(
            each.startswith(line)
            for each in _parameters(json.loads(path.read_text(encoding="utf-8")))["source"]
        ):
            raise InputError(
                f"{path} is there already, for another recording; give --out another folder"
            )
        return path
    notebook = json.loads(named("notebooks", (".ipynb",))[NOTEBOOK].read_text(encoding="utf-8"))
    cell = _parameters(notebook)
    cell["source"] = [
        line + each.partition("#")[2] if each.startswith("recording:") else each
        for each in cell["source"]
    ]
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return path


def _parameters(notebook: dict[str, Any]) -> dict[str, Any]:
    """The cell of a notebook that holds its parameters."""
    return next(
        cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])
    )


def _run(command: Sequence[str]) -> int:
    with subprocess.Popen(command) as process:
        ended = []

        def end(*_: object) -> None:
            ended.append(True)
            process.terminate()

        before = signal.signal(signal.SIGTERM, end)
        try:
            while True:
                try:
                    code = process.wait()
                except KeyboardInterrupt:
                    # JupyterLab was told as well; it asks, and ends its kernels
                    continue
                return 0 if ended else code
        finally:
            signal.signal(signal.SIGTERM, before)


def _explore(given: argparse.Namespace) -> int:
    jupyter = ["--no-browser"] if given.no_browser else []
    jupyter += [f"--port={given.port}"] if given.port is not None else []
    # in a container, say; Windows has no such user
    if sys.platform != "win32" and os.geteuid() == 0:
        jupyter.append("--allow-root")
    return explore(given.recording, given.out, jupyter)
