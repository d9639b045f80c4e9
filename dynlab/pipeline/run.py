"""One setting of the notebooks' parameters: its recordings, its jobs, its folder and index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.errors import InputError
from dynlab._util.shipped_files import folder, named
from dynlab.pipeline.cache import Cache, CacheEntry, key_of
from dynlab.pipeline.gallery import SweepFolder, index_page
from dynlab.pipeline.inputs import chosen, known_units, located_all
from dynlab.pipeline.job import Job
from dynlab.pipeline.parameters import checked_names, fitted
from dynlab.reports.savings import headlines

# parameters that make a recording first
_RECORDING = {"model": "str", "task": "str", "max_usd": "float", "num_samples": "int"}


class Run:
    """The notebooks in one setting of their parameters.

    Args:
        name: Of the setting in a sweep; '' where there is one alone.
        notebooks: Stem → path.
        out: The folder to write to.
        recordings: Names or paths; the parameter `recording` goes before them, and none at all
            means those shipped.
        given: Parameters by name, `quick` among them.

    Raises:
        InputError: A parameter that no notebook has, a value of the wrong type, a recording that is
            not there.
    """

    def __init__(
        self,
        name: str,
        notebooks: Mapping[str, Path],
        out: Path,
        recordings: Sequence[str | Path],
        given: Mapping[str, Any],
    ) -> None:
        if "out" in given:
            raise InputError(
                "`out` is where reproduce writes: give it as --out, not as a parameter"
                f" ({given['out']!r})"
            )
        self.name, self.out, self.cache = name, out, Cache(out)
        self._quick = fitted("quick", given.get("quick", False), "bool")
        self._paths = notebooks
        self._given = {
            key: value for key, value in given.items() if key not in (*_RECORDING, "recording")
        }
        self._record = {
            key: fitted(key, given[key], kind) for key, kind in _RECORDING.items() if key in given
        }
        self._parameters = {key: value for key, value in given.items() if value or value == 0}
        self._sources = given.get("recording") or list(recordings)
        self._files = located_all(self._sources) if self._sources else []
        self.jobs = self._jobs()
        extra = [key for key in given if key != "quick"]
        checked_names(extra, {job.stem: job.parameters for job in self.jobs})

    def make_recordings(self, out: Path) -> None:
        """Records what the parameters ask for, once, into OUT/recordings.

        Raises:
            InputError: A recording cannot be drawn.
        """
        drawn = dict(self._record)
        if drawn.get("model"):  # all the strategies that the notebooks look at, in one recording
            values = [{**job.defaults, **job.given}.get("strategies", ()) for job in self.jobs]
            strategies = [*dict.fromkeys(name for listed in values for name in listed)]
            drawn |= {"strategies": strategies} if strategies else {}
        found = chosen(self._sources, quick=self._quick, out=out, **drawn)
        known_units(found)
        if self._record.get("model"):
            self._files = [out / "recordings" / f"{recording.name}.parquet" for recording in found]
            self.jobs = self._jobs()

    def keys(self, made_of: str) -> list[tuple[Job, str]]:
        """The jobs, each with the digest of all that its outputs depend on.

        Args:
            made_of: The digest of the environment, which counts as well.
        """
        # where none is named, a notebook chooses among all that comes with dynlab
        files = self._files or sorted(folder("data/recordings").rglob("*.parquet"))
        return [
            (job, key_of(job.path, {**job.defaults, **job.passed}, files, made_of))
            for job in self.jobs
        ]

    @property
    def entries(self) -> dict[str, CacheEntry]:
        """What lies in the folder, by notebook: what ran now, also if it failed, or before."""
        kept = {stem: entry for stem, entry in self.cache.entries.items() if entry.intact(self.out)}
        return dict(
            sorted({**kept, **{job.stem: job.made for job in self.jobs if job.made}}.items())
        )

    @property
    def figures(self) -> list[str]:
        """Names of the figures of this run's notebooks."""
        own = self.entries
        return [name for job in self.jobs if job.stem in own for name in own[job.stem].figures]

    @property
    def headlines(self) -> tuple[str, ...]:
        """The findings in a line each."""
        return headlines(*(self._numbers(name) for name in ("03-savings", "01-greedy")))

    @property
    def recordings(self) -> list[Path]:
        """The files of the recordings that its notebooks draw."""
        drawn = [
            {**job.defaults, **job.given} for job in self.jobs if "recording" in job.parameters
        ]
        found = [located_all(values["recording"] or (), quick=self._quick) for values in drawn]
        return [*dict.fromkeys(path for files in found for path in files)]

    def page(self, samples: Mapping[str, Path]) -> str:
        """The index of the folder; `samples` are pages of samples, by recording."""
        return index_page(
            self.entries,
            self.headlines,
            {job.stem: job.failure for job in self.jobs if job.failure},
            self.out,
            {path.stem: samples[path.stem] for path in self.recordings if path.stem in samples},
        )

    def setting(self) -> SweepFolder:
        """What the index of a sweep shows of it."""
        return SweepFolder(self._parameters, self.headlines, self.figures)

    def _jobs(self) -> list[Job]:
        comes_along = set(named("data/recordings", (".parquet",)).values())
        passed = {
            path: path.stem if path in comes_along else str(path.resolve()) for path in self._files
        }
        given = {**self._given, "out": str(self.out.resolve())}
        if passed:  # else each notebook draws what it names by default
            given["recording"] = [*passed.values()]
        shown = {str(path.resolve()): path.name for path in self._files}
        shown[str(self.out.resolve())] = self.out.resolve().name
        return [Job(path, self.cache, given, shown) for path in self._paths.values()]

    def _numbers(self, name: str) -> pd.DataFrame:
        """The numbers of a figure, none where it was not made."""
        path = self.out / f"{name}.csv"
        if not any(name in entry.figures for entry in self.entries.values()):
            return pd.DataFrame()
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
