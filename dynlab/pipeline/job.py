"""One notebook as a job: its parameters, its run in a process of its own, the executed copy and
page it leaves.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import NamedTemporaryFile, TemporaryDirectory, gettempdir
from threading import Lock
from typing import Any

from dynlab._util.shipped_files import folder
from dynlab.pipeline.cache import Cache, Entry, sha256
from dynlab.pipeline.gallery import notebook_page
from dynlab.pipeline.parameters import declared, defaults, fitted
from dynlab.plots.figure_files import write_bytes

_STARTING = Lock()  # kernels that start at the same moment may pick the same free ports
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Job:
    """A notebook that is run into an output folder.

    Args:
        path: The notebook.
        cache: The output folder's entries; a run that succeeds leaves one.
        given: Parameters; those that the notebook declares are passed, as the types that it
            declares.
        shown: What stands in the executed copy in place of paths of this machine.

    Raises:
        InputError: A value does not fit its parameter's type.
    """

    def __init__(
        self, path: Path, cache: Cache, given: Mapping[str, Any], shown: Mapping[str, str]
    ) -> None:
        self.path, self.stem, self.out, self.cache = path, path.stem, cache.out, cache
        notebook = json.loads(path.read_text(encoding="utf-8"))
        first = (
            "".join(notebook["cells"][0]["source"]).strip().partition("\n")[0]
            if notebook["cells"]
            else ""
        )
        self.title = first.strip("# ") if first.startswith("#") else self.stem
        self.parameters = declared(notebook)
        self.defaults = defaults(notebook)
        self.given = {
            name: fitted(name, given[name], kind)
            for name, kind in self.parameters.items()
            if name in given
        }
        self.num_cells = sum(cell["cell_type"] == "code" for cell in notebook["cells"]) + bool(
            self.given
        )
        self.failure = ""  # what failed, in a line
        self.cells_done = 0
        self.made: Entry | None = None  # what was made, also where it failed
        self._shown = shown
        self._process: Popen[str] | None = None
        self._stopped = False

    @property
    def passed(self) -> dict[str, Any]:
        """The parameters without the folder to write to: what its outputs depend on."""
        return {name: value for name, value in self.given.items() if name != "out"}

    def expected(self) -> list[float]:
        """Seconds that its cells took last time; a second each where that is not known."""
        entry = self.cache.entries.get(self.stem)
        known = entry is not None and len(entry.cells) == self.num_cells
        return (
            [max(seconds, 0.01) for seconds in entry.cells]
            if known and entry
            else [1.0] * self.num_cells
        )

    def run(self, key: str, on_cell: Callable[[int], object]) -> None:
        """Executes the notebook, writes the executed copy and its page, and keeps what was made
        under `key`.

        Args:
            key: Of all that the outputs depend on.
            on_cell: Told the number of cells that are done, as each one ends.
        """
        started, begun = _written_now(self.out), [time.monotonic()]

        def on_next() -> None:
            begun.append(time.monotonic())
            on_cell(self.cells_done)
            self.cells_done += 1

        notebook = self._executed(on_next)
        if not self._stopped:
            seconds = [later - earlier for earlier, later in pairwise([*begun, time.monotonic()])]
            self._keep(key, notebook, started, seconds)

    def _executed(self, on_next: Callable[[], object]) -> str:
        """The executed copy as text, '' where there is none; tells when each cell but the first
        begins.
        """
        with TemporaryDirectory() as scratch:
            executed, complaints = Path(scratch) / self.path.name, Path(scratch) / "stderr"
            command = [
                sys.executable,
                "-m",
                "dynlab.pipeline.execute",
                str(self.path),
                str(executed),
                json.dumps(self.given),
            ]
            with complaints.open("wb") as stderr, _STARTING:
                if self._stopped:
                    return ""
                one_thread = {
                    **dict.fromkeys(_THREADS, "1"),
                    **os.environ,
                }  # a core each; others run beside it
                self._process = process = Popen(
                    command, stdout=PIPE, stderr=stderr, text=True, env=one_thread
                )
                lines = iter(process.stdout or ())
                next(lines, "")  # its kernel is up, and the first cell begins
            with process:
                for _ in lines:
                    on_next()
            last = (
                complaints.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            )
            if not executed.is_file():
                self.failure = f"notebook {self.stem} did not start: {last}"
                return ""
            notebook = self._portable(executed.read_text(encoding="utf-8"))
        if process.returncode:
            self.failure = (
                f"notebook {self.stem} failed {failed_cell(notebook) or f'with its kernel: {last}'}"
            )
        return notebook

    def _keep(self, key: str, notebook: str, started: int, seconds: list[float]) -> None:
        """Writes the executed copy and its page; what was made becomes the cache's entry if nothing
        failed.
        """
        copies = {} if not notebook else {f"notebooks/{self.stem}.ipynb": notebook}
        copies |= {
            f"notebooks/{self.stem}.html": notebook_page(text, self.title)
            for text in copies.values()
        }
        for name, text in copies.items():
            write_bytes(self.out / name, text.encode())
        outputs = {name: sha256(self.out / name) for name in (*self._figures(started), *copies)}
        self.made = Entry(
            key, self.title, sum(seconds), tuple(seconds), self._named(self.passed), outputs
        )
        before = self.cache.entries.get(self.stem)
        self.cache.store(self.stem, None if self.failure else self.made)
        for name in before.outputs if before and not self.failure else ():
            if name not in outputs:  # a figure that this notebook no longer makes
                (self.out / name).unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends the notebook's process, if it runs, and its kernel with it."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()

    def _figures(self, started: int) -> list[str]:
        """Files of the figures made since `started`, in the order in which they were made."""
        prefix = figure_prefix(self.stem)
        files = (
            path for kind in ("svg", "png", "csv") for path in self.out.glob(f"{prefix}*.{kind}")
        )
        own = (path for path in files if re.fullmatch(rf"{re.escape(prefix)}(-.*)?", path.stem))
        made = {path: path.stat().st_mtime_ns for path in own}
        return [
            path.name
            for path in sorted(made, key=lambda path: (made[path], path))
            if made[path] >= started
        ]

    def _named(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters with what was passed by its path shown by its name."""
        text = json.dumps(parameters, ensure_ascii=False)
        for path, name in self._shown.items():
            text = text.replace(json.dumps(path, ensure_ascii=False)[1:-1], name)
        return dict(json.loads(text))

    def _portable(self, text: str) -> str:
        """An executed notebook without the paths of this machine; what was passed stands there by
        its name.
        """
        notebook = json.loads(text)
        notebook["metadata"].pop("papermill", None)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        known = {
            str(folder("notebooks").parent): "dynlab",
            sys.prefix: "python",
            gettempdir(): "tmp",
            **self._shown,
        }
        known |= {str(Path.home()): "~"} if Path.home() != Path("/") else {}
        for path in sorted(known, key=len, reverse=True):
            text = text.replace(json.dumps(path, ensure_ascii=False)[1:-1], known[path])
        return text


def _written_now(out: Path) -> int:
    """When a file that is written to a folder now counts as written, by the clock of its file
    system, which may lag.
    """
    out.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=out) as file:
        return os.stat(file.name).st_mtime_ns


def figure_prefix(stem: str) -> str:
    """What the names of a notebook's figures begin with: its number, or else its whole name.

    >>> figure_prefix("03-dynamic-vs-uniform"), figure_prefix("my-idea")
    ('03', 'my-idea')
    """
    found = re.match(r"\d+", stem)
    return found[0] if found else stem


def failed_cell(notebook: str) -> str:
    """The cell that raised, by its id and its execution count, and what it raised in a line; ''
    where none did.
    """
    for cell in json.loads(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                said = " ".join(str(output["evalue"]).split())
                name = cell.get("id", "without an id")
                return (
                    f"in cell {name!r} (In [{cell['execution_count']}]): {output['ename']}: {said}"
                )
    return ""
