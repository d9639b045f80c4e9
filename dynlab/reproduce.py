"""Every figure again: the notebooks run by papermill, their figures, numbers and pages gathered in one folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory, gettempdir
from threading import Lock
from typing import Any

import pandas as pd

from dynlab.errors import DynlabError, InputError, one_of
from dynlab.figures import write_bytes
from dynlab.files import replacing
from dynlab.gallery import index_page, notebook_page
from dynlab.inputs import chosen, known_units
from dynlab.reading import headlines
from dynlab.resources import folder, named

_RECORDING = ("model", "task", "max_usd", "num_samples")  # parameters that make a recording first
_STARTING = Lock()  # kernels that start at the same moment may pick the same free ports
_PARALLEL = 2  # notebooks at once; each has a kernel, that is a process, of its own


@dataclass(frozen=True)
class Report:
    """What a run made: where, the figures' names, and the findings in a line each."""

    out: Path
    index: Path
    figures: tuple[str, ...]
    headlines: tuple[str, ...]

    def summary(self) -> str:
        """Where the figures are, and the findings, to print."""
        found = [f"  {line}" for line in self.headlines]
        return "\n".join([f"{len(self.figures)} figures in {self.out} (open {self.index})", *found])


def reproduce(
    *,
    notebooks: Iterable[str] | None = None,
    recordings: Sequence[str | Path] = (),
    quick: bool = False,
    out: str | Path = "figures",
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Report:
    """Runs notebooks and writes OUT/*.svg, *.png, *.csv, OUT/notebooks/*.ipynb and *.html, OUT/index.html.

    Args:
        notebooks: Names of shipped notebooks ('01-accuracy-vs-cost'); None runs all of them.
        recordings: Names or paths of the recordings to draw; none draws those that come with dynlab.
        quick: Few recordings and replications: the same figures in less time, with wider error.
        out: The folder to write to.
        parameters: Further parameters, given to each notebook that has them.
        progress: Show a bar over the cells of all notebooks, on stderr.

    Raises:
        InputError: An unknown notebook, recording or parameter, or a folder that cannot be written to.
        DynlabError: A notebook failed; the message names its cell, and the other notebooks' results are kept.
    """
    out, extra = Path(out), dict(parameters or {})
    passed = [_passed(source) for source in recordings]
    given = {"recording": [path for path, _ in passed], "quick": quick, "out": str(out.resolve()), **extra}
    jobs = _jobs(notebooks, out, given, shown=dict([*passed, (str(out.resolve()), out.resolve().name)]))
    for name in extra:
        if not any(name in job.parameters for job in jobs):
            raise one_of("parameter of these notebooks", name, {name for job in jobs for name in job.parameters})
    _check_installed()
    wanted = {name: value for name, value in extra.items() if name in _RECORDING}
    known_units(chosen(recordings, quick=quick, out=out, **wanted))  # recorded once, before the notebooks ask for it
    started = time.time_ns()
    with replacing(out / "index.html") as index:  # opened first: a folder that cannot be written to costs no time
        failures = {stem: message for stem, message in _run_all(jobs, progress).items() if message}
        made = [path.stem for job in jobs for path in _made(out, job.stem, started, job.stem not in failures)]
        found = headlines(*(_numbers(out, name, made) for name in ("03-savings", "01-greedy")))
        page = index_page({job.stem: job.title for job in jobs}, made, found, failures, out)
        index.write_text(page, encoding="utf-8")
    if failures:
        raise DynlabError("; ".join(failures.values()) + f"; what the others made is in {out}")
    return Report(out, out / "index.html", tuple(made), found)


class _Job:
    """One notebook to run."""

    def __init__(self, path: Path, out: Path, given: Mapping[str, Any], shown: Mapping[str, str]) -> None:
        self.process: Popen[str] | None = None
        self.stopped = False
        self.path, self.stem, self.folder, self.shown = path, path.stem, out / "notebooks", shown
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.num_cells = 1 + sum(cell["cell_type"] == "code" for cell in cells)  # and the injected parameters
        self.title = cells[0]["source"][0].strip("# \n")
        declared = [
            line for cell in cells if "parameters" in cell["metadata"].get("tags", []) for line in cell["source"]
        ]
        self.parameters = {line.split(":")[0] for line in declared if ":" in line}
        self.given = {name: value for name, value in given.items() if name in self.parameters}

    def run(self, on_cell: Callable[[], object]) -> str:
        """Executes the notebook, writes the executed copy and its page, and returns what failed ('' = nothing)."""
        with TemporaryDirectory() as scratch:
            executed, complaints = Path(scratch) / self.path.name, Path(scratch) / "stderr"
            command = [sys.executable, "-m", "dynlab.executing", str(self.path), str(executed), json.dumps(self.given)]
            with complaints.open("wb") as stderr, _STARTING:
                if self.stopped:
                    return ""
                self.process = process = Popen(command, stdout=PIPE, stderr=stderr, text=True)
                lines = iter(process.stdout or ())
                next(lines, "")  # its kernel is up
            with process:
                for _ in chain([""], lines):
                    on_cell()
            last = complaints.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            if not executed.is_file():
                return f"notebook {self.stem} did not start: {last}"
            notebook = self._portable(executed.read_text(encoding="utf-8"))
        write_bytes(self.folder / self.path.name, notebook.encode())
        write_bytes(self.folder / f"{self.stem}.html", notebook_page(notebook, self.title).encode())
        if process.returncode == 0:
            return ""
        return f"notebook {self.stem} failed {_failed_cell(notebook) or f'with its kernel: {last}'}"

    def stop(self) -> None:
        """Ends the notebook's process, if it runs, and its kernel with it."""
        self.stopped = True
        if self.process is not None:
            self.process.terminate()

    def _portable(self, text: str) -> str:
        """An executed notebook without the paths of this machine; what was passed stands there by its name."""
        notebook = json.loads(text)
        notebook["metadata"].pop("papermill", None)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        known = {str(folder("notebooks").parent): "dynlab", sys.prefix: "python", gettempdir(): "tmp", **self.shown}
        known |= {str(Path.home()): "~"} if Path.home() != Path("/") else {}
        for path in sorted(known, key=len, reverse=True):
            text = text.replace(json.dumps(path, ensure_ascii=False)[1:-1], known[path])
        return text


def _jobs(notebooks: Iterable[str] | None, out: Path, given: Mapping[str, Any], shown: Mapping[str, str]) -> list[_Job]:
    """The notebooks to run: those named, or all."""
    known = named("notebooks", (".ipynb",))
    stems = list(known) if notebooks is None else list(notebooks)
    for stem in stems:
        if stem not in known:
            raise one_of("notebook", stem, known)
    if not stems:
        raise InputError(f"there are no notebooks in {folder('notebooks')}; reinstall dynlab, or name one")
    return [_Job(known[stem], out, given, shown) for stem in stems]


def _run_all(jobs: Sequence[_Job], progress: bool) -> dict[str, str]:
    """Runs the jobs, a few at once; stem → what failed. Ctrl-C ends those that run."""
    from tqdm.auto import tqdm

    with (
        tqdm(total=sum(job.num_cells for job in jobs), unit="cell", desc="notebooks", disable=not progress) as bar,
        ThreadPoolExecutor(_PARALLEL) as pool,
    ):
        try:
            return dict(zip([job.stem for job in jobs], pool.map(lambda job: job.run(bar.update), jobs), strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for job in jobs:
                job.stop()
            raise


def _failed_cell(notebook: str) -> str:
    """The cell that raised, by its id and its execution count, and what it raised; '' where none did."""
    for cell in json.loads(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                return f"in cell {cell['id']!r} (In [{cell['execution_count']}]): {output['ename']}: {output['evalue']}"
    return ""


def _check_installed() -> None:
    for name in ("papermill", "nbconvert", "ipykernel", "matplotlib"):
        if find_spec(name) is None:
            raise InputError(f"reproduce needs {name}, which is not installed; run: pip install 'dynlab[notebooks]'")


def _passed(source: str | Path) -> tuple[str, str]:
    """How a recording is passed to a notebook that runs elsewhere, and how its executed copy shows it."""
    path = Path(source)
    return (str(path.resolve()), path.name) if path.is_file() else (str(source), str(source))


def _made(out: Path, stem: str, started: int, tidy: bool) -> list[Path]:
    """The figures that a notebook made since `started`; `tidy` removes those that it made in earlier runs only."""
    number = stem.split("-")[0]
    files = sorted(path for kind in ("svg", "png", "csv") for path in out.glob(f"{number}-*.{kind}"))
    fresh = [path for path in files if path.stat().st_mtime_ns >= started]
    for path in files if tidy else ():
        if path not in fresh:
            path.unlink()
    return [path for path in fresh if path.suffix == ".svg"]


def _numbers(out: Path, name: str, made: Sequence[str]) -> pd.DataFrame:
    """The numbers of a figure, none where it was not made."""
    return pd.read_csv(out / f"{name}.csv", keep_default_na=False, na_values=[""]) if name in made else pd.DataFrame()
