"""Every figure again: the notebooks run by papermill, and what they make in one folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dynlab._util.errors import DynlabError, InputError, one_of
from dynlab._util.extras import require
from dynlab._util.files import replacing
from dynlab._util.shipped_files import folder, named
from dynlab._util.tracking import track
from dynlab.pipeline.cache import environment
from dynlab.pipeline.gallery import sweep_page
from dynlab.pipeline.job import Job
from dynlab.pipeline.parameters import declared_in
from dynlab.pipeline.progress import Progress
from dynlab.pipeline.run import Run
from dynlab.pipeline.sample_pages import write_sample_pages
from dynlab.pipeline.tracked_figures import tracked_figures
from dynlab.plots.figure_files import write_bytes
from dynlab.reports.wording import count

# notebooks at once, a core each; on one core, too, one can start while another computes
_PARALLEL = max(2, os.cpu_count() or 2)
_NEEDED = "papermill nbconvert ipykernel matplotlib jinja2 latex2mathml filelock".split()


@dataclass(frozen=True)
class Report:
    """What was made: where, the figures' names, the findings in a line each, and what was run."""

    out: Path
    index: Path
    figures: tuple[str, ...]
    headlines: tuple[str, ...]
    ran: tuple[str, ...]
    kept: tuple[str, ...]  # notebooks whose outputs were there already, made of the same things

    def summary(self) -> str:
        """Where the figures are, the findings, and what was run, to print."""
        found = [f"  {line}" for line in self.headlines]
        unchanged = (
            f"{count(len(self.ran), 'notebook')} run, {len(self.kept)} unchanged (--force runs them"
            " again)"
        )
        counted = [unchanged] if self.kept else []
        return "\n".join(
            [
                f"{count(len(self.figures), 'figure')} in {self.out} (open {self.index})",
                *found,
                *counted,
            ]
        )


def reproduce(
    *,
    notebooks: Iterable[str] | None = None,
    recordings: Sequence[str | Path] = (),
    quick: bool = False,
    out: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    sweep: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    pdf: bool = False,
    progress: bool = True,
) -> Report:
    """Runs notebooks into a folder: figures, their numbers, executed copies, pages, an index.

    These are OUT/*.svg, *.png, *.csv, OUT/notebooks/*.ipynb and *.html, OUT/samples/*.html for the
    samples behind them, OUT/index.html, and the manifest of the figures, OUT/manifest.json. A
    notebook is left as it is where its outputs are those of the same notebook, parameters,
    recordings, dynlab and installed versions (OUT/.cache.json): only what changed is run.

    Args:
        notebooks: Names of shipped notebooks ('01-accuracy-vs-cost', or '01'), or paths; None runs
            all shipped ones; where recordings are named, those that draw them.
        recordings: Names or paths of the recordings to draw; none draws those that come with
            dynlab.
        quick: Few recordings and replications: the same figures in less time, with wider error.
        out: The folder to write to; None is `figures`, of a quick run `quick-figures`, so that it
            leaves the figures of a full run alone.
        parameters: Further parameters, given to each notebook that has them.
        sweep: Name → parameters of a setting, beside `parameters`. Each setting is written to
            OUT/NAME; OUT/index.html leads to all of them.
        force: Run unchanged notebooks, too.
        pdf: Write each figure as PDF as well.
        progress: Show a line for each notebook that is done on stderr, and on a terminal a bar.

    Raises:
        InputError: An unknown notebook, recording or parameter, a folder that cannot be written to,
            or inputs that every notebook which failed refused.
        DynlabError: A notebook failed; the message names its cell, and the other notebooks' results
            are kept.
    """
    require("reproduce", *_NEEDED, extra="notebooks")
    out = Path(out or ("quick-figures" if quick else "figures"))
    paths = _notebooks(notebooks)
    if notebooks is None and (recordings or {"recording", "model"} & {*(parameters or {})}):
        paths = {stem: path for stem, path in paths.items() if "recording" in declared_in(path)}
    settings = {"": {}} if sweep is None else sweep
    runs = [
        Run(name, paths, out / name, recordings, {"quick": quick, **(parameters or {}), **own})
        for name, own in settings.items()
    ]
    for run in runs:
        run.make_recordings(out)
    made_of = environment()
    due = {
        _full(run, job.stem, "/"): (job, key)
        for run in runs
        for job, key in run.keys(made_of)
        if force or not run.cache.keeps(job.stem, key, pdf=pdf)
    }
    for job, _ in due.values():
        job.pdf = pdf
    # the index is opened first: a folder that cannot be written to costs no time
    with replacing(out / "index.html") as index:
        for run in runs:
            run.out.mkdir(exist_ok=True)
        _run_all(due, progress)
        drawn = [path for run in runs for path in run.recordings]
        samples = write_sample_pages(drawn, out, made_of)
        if sweep is None:
            page = runs[0].page(samples)
        else:
            for run in runs:
                write_bytes(run.out / "index.html", run.page(samples).encode())
            page = sweep_page({run.name: run.setting() for run in runs})
        index.write_text(page, encoding="utf-8")
    refused = {  # what failed → whether that is an input
        _full(run, job.failure, ": "): job.refused
        for run in runs
        for job in run.jobs
        if job.failure
    }
    if refused:
        error = InputError if all(refused.values()) else DynlabError
        raise error("; ".join(refused) + f"; what the others made is in {out}")
    report = _report(runs, out, due)
    if report.ran:
        names = [*map(str, recordings)]
        given = {"quick": quick, "recordings": names, **(parameters or {})}
        track(partial(tracked_figures, out, report.figures, report.headlines, given))
    return report


def _report(runs: Sequence[Run], out: Path, ran: Collection[str]) -> Report:
    """What all the runs made together; in a sweep, each name begins with that of its setting."""
    jobs = [_full(run, job.stem, "/") for run in runs for job in run.jobs]
    return Report(
        out,
        out / "index.html",
        tuple(_full(run, name, "/") for run in runs for name in run.figures),
        tuple(_full(run, line, ": ") for run in runs for line in run.headlines),
        tuple(name for name in jobs if name in ran),
        tuple(name for name in jobs if name not in ran),
    )


def _full(run: Run, name: str, mark: str) -> str:
    """A name after that of its setting, where there are several."""
    return f"{run.name}{mark}{name}" if run.name else name


def _run_all(due: Mapping[str, tuple[Job, str]], progress: bool) -> None:
    """Runs jobs (name → job and key), a few at once, the longest first. Ctrl-C ends them."""

    def work(name: str) -> None:
        job, key = due[name]
        shown.begin(name)
        job.run(key)
        shown.end(name, failed=bool(job.failure))

    expected = {name: job.expected for name, (job, _) in due.items()}
    with Progress(expected, _PARALLEL, progress) as shown, ThreadPoolExecutor(_PARALLEL) as pool:
        try:
            list(pool.map(work, sorted(due, key=lambda name: -expected[name])))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for job, _ in due.values():
                job.stop()
            raise


def parameters_for(notebooks: Iterable[str] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a file of parameters holds for these notebooks: without what only others have.

    The explorer's file serves notebooks 07 and 01, one of which may be run alone. A name that no
    notebook has stays, to be refused.

    Raises:
        InputError: An unknown notebook.
    """
    own, known = (
        {name for path in _notebooks(names).values() for name in declared_in(path)}
        for names in (notebooks, None)
    )
    return {name: value for name, value in values.items() if name in own or name not in known}


def _notebooks(names: Iterable[str | Path] | None) -> dict[str, Path]:
    """The notebooks to run, by stem: those named in full, by number or by path, or all shipped."""
    known = named("notebooks", (".ipynb",))
    if names is None:
        if not known:
            raise InputError(
                f"there are no notebooks in {folder('notebooks')}; reinstall dynlab, or name one"
            )
        return known
    found: dict[str, Path] = {}
    for name in map(str, names):
        path = Path(name)
        matching = {
            stem: each for stem, each in known.items() if name in (stem, stem.split("-")[0])
        }
        if path.suffix == ".ipynb" and path.is_file():
            matching = {path.stem: path}
        if not matching:
            raise one_of("notebook", name, known)
        found |= matching
    return found
