"""One notebook as a job: it runs in a process of its own and leaves an executed copy and a page."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory, gettempdir
from threading import Lock
from typing import Any
from uuid import uuid4

from dynlab._util.errors import InputError
from dynlab._util.shipped_files import folder
from dynlab.pipeline import execute
from dynlab.pipeline.cache import Cache, CacheEntry
from dynlab.pipeline.gallery import notebook_page, sections
from dynlab.pipeline.markdown_copy import markdown_copy
from dynlab.pipeline.parameters import declared, defaults, fitted
from dynlab.pipeline.progress import seconds_expected
from dynlab.plots.figure_files import PDF, write_bytes
from dynlab.plots.manifest import NOTEBOOK, RUN, entitle, read_manifest, remove_figures, sha256

_STARTING = Lock()  # kernels that start at the same moment may pick the same free ports
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",  # of joblib
)
# Arrays of megabytes come and go at every step of a replay. glibc gives the memory of each back to
# the system, which takes processor time to clear it for the next. Let it keep some.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**29)}  # bytes


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
        self.path = path
        self.stem = path.stem
        self.out = cache.out
        self.cache = cache
        notebook = json.loads(path.read_text(encoding="utf-8"))
        self.title = title_of(notebook) or self.stem
        self.parameters = declared(notebook)
        self.defaults = defaults(notebook)
        self.given = {
            name: fitted(name, given[name], kind, self.defaults.get(name))
            for name, kind in self.parameters.items()
            if name in given
        }
        self.pdf = False  # whether its figures are written as PDF, too
        self.failure = ""  # what failed, in a line
        self.refused = False  # whether that is an input which a cell refused
        self.made: CacheEntry | None = None  # what was made, also where it failed
        self._shown = shown
        self._id = uuid4().hex  # of this run, in the manifest
        self._process: Popen[str] | None = None
        self._stopped = False

    @property
    def passed(self) -> dict[str, Any]:
        """The parameters without the folder to write to: what its outputs depend on."""
        return {name: value for name, value in self.given.items() if name != "out"}

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of its process: what the manifest names, threads and memory.

        A notebook has one core, since others run beside it, and so one thread a library; what the
        user set stays.
        """
        one_thread = dict.fromkeys(_THREADS, "1")
        own = {NOTEBOOK: self.stem, RUN: self._id} | ({PDF: "1"} if self.pdf else {})
        return {**one_thread, **_MEMORY, **os.environ, **own}

    @property
    def expected(self) -> float:
        """Seconds that it took last time, or may take about where that is not known."""
        entry = self.cache.entries.get(self.stem)
        quick = bool(self.given.get("quick", False))
        return entry.seconds if entry else seconds_expected(self.stem, quick)

    def run(self, key: str) -> None:
        """Executes the notebook and keeps its executed copy, its page and its figures under `key`.

        Args:
            key: Of all that the outputs depend on.
        """
        begun = time.monotonic()
        notebook = self._executed()
        if not self._stopped:
            self._keep(key, notebook, time.monotonic() - begun)

    def _executed(self) -> str:
        """The executed copy as text, '' where there is none."""
        with TemporaryDirectory() as scratch:
            executed = Path(scratch) / self.path.name
            complaints = Path(scratch) / "stderr"
            # the file by its path: a module of the package would load all of dynlab for nothing
            command = [sys.executable, "-P", execute.__file__]
            command += [str(self.path), str(executed), json.dumps(self.given)]
            with complaints.open("wb") as stderr, _STARTING:
                if self._stopped:
                    return ""
                self._process = process = Popen(
                    command, stdout=PIPE, stderr=stderr, text=True, env=self.environment
                )
                lines = iter(process.stdout or ())
                next(lines, "")  # its kernel is up, and the first cell begins
            with process:
                for _ in lines:  # until it ends
                    pass
            said = complaints.read_text(encoding="utf-8", errors="replace").strip()
            last = said.rpartition("\n")[2]
            if not executed.is_file():
                self.failure = f"notebook {self.stem} did not start: {last}"
                return ""
            notebook = self._portable(executed.read_text(encoding="utf-8"))
        if process.returncode and not self._stopped:
            self.fail(notebook, last)
        return notebook

    def fail(self, notebook: str, said: str = "") -> None:
        """Tells which cell of an executed notebook failed, or else what its process said."""
        where, raised = failed_cell(notebook)
        self.failure = f"notebook {self.stem} failed {where or f'with its kernel: {said}'}"
        self.refused = raised == InputError.__name__

    def _keep(self, key: str, notebook: str, seconds: float) -> None:
        """Writes the executed copy and its page; what was made becomes the cache's entry.

        Where the notebook failed, the cache forgets it, and no figure is removed.
        """
        texts = {}
        if notebook:
            texts[f"notebooks/{self.stem}.ipynb"] = notebook
            texts[f"notebooks/{self.stem}.html"] = notebook_page(notebook, self.title)
            texts[f"notebooks/{self.stem}.md"] = markdown_copy(notebook)
            entitle(self.out, sections(notebook))
        for name, text in texts.items():
            write_bytes(self.out / name, text.encode())
        copies = {name: sha256(self.out / name) for name in texts}
        own = {n: e for n, e in read_manifest(self.out).items() if e.notebook == self.stem}
        figures = tuple(name for name, entry in own.items() if entry.run == self._id)
        parameters = self._named(self.passed)
        self.made = CacheEntry(key, self.title, seconds, parameters, figures, copies)
        self.cache.store(self.stem, None if self.failure else self.made)
        if not self.failure:
            remove_figures(self.out, [name for name in own if name not in figures])

    def stop(self) -> None:
        """Ends the notebook's process, if it runs, and its kernel with it."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()

    def _named(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters in which a name stands for what was passed by its path."""
        text = json.dumps(parameters, ensure_ascii=False)
        for path, name in self._shown.items():
            text = text.replace(json.dumps(path, ensure_ascii=False)[1:-1], name)
        return dict(json.loads(text))

    def _portable(self, text: str) -> str:
        """An executed notebook without the paths of this machine: names stand in their place."""
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


def title_of(notebook: Mapping[str, Any]) -> str:
    """The heading that a notebook (its JSON) begins with, '' where there is none."""
    first = "".join("".join(cell["source"]) for cell in notebook["cells"][:1]).strip()
    return first.partition("\n")[0].strip("# ") if first.startswith("#") else ""


def failed_cell(notebook: str) -> tuple[str, str]:
    """The cell that raised, by its id and its execution count, and what it raised, in a line; and
    the name of that error. Both '' where none did.
    """
    for cell in json.loads(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                said = " ".join(str(output["evalue"]).split())
                name = cell.get("id", "without an id")
                where = f"in cell {name!r} (In [{cell['execution_count']}])"
                return f"{where}: {output['ename']}: {said}", output["ename"]
    return "", ""
