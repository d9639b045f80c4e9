"""The manifest of a folder of figures: which figures it holds, and which notebook made each.

`manifest.json` maps a figure's name to its entry. Processes that change it wait for one another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dynlab._util.files import replacing

MANIFEST = "manifest.json"  # in the folder of the figures
NOTEBOOK, RUN = "DYNLAB_NOTEBOOK", "DYNLAB_RUN"  # environment variables of a notebook's process


@dataclass(frozen=True)
class ManifestEntry:
    """One figure: its files NAME.KIND, and where it comes from."""

    files: Mapping[str, str]  # kind (svg, png, csv) → SHA-256
    notebook: str = ""  # without its ending; '' for a figure that was saved by hand
    run: str = ""  # which run of the notebook
    order: int = 1  # among the figures of that run
    title: str = ""  # what it stands under in the notebook

    def intact(self, folder: Path, name: str) -> bool:
        """Whether every file of the figure `name` is there as it was written."""
        paths = {folder / f"{name}.{kind}": known for kind, known in self.files.items()}
        return all(path.is_file() and sha256(path) == known for path, known in paths.items())


def read_manifest(folder: str | Path) -> dict[str, ManifestEntry]:
    """The entries of a folder by figure, in the order of notebooks and of their figures.

    A manifest that can't be read counts as none: its figures are made again.
    """
    try:
        text = (Path(folder) / MANIFEST).read_text(encoding="utf-8")
        entries = {name: ManifestEntry(**entry) for name, entry in json.loads(text).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return dict(sorted(entries.items(), key=lambda item: (item[1].notebook, item[1].order)))


@contextmanager
def changing(folder: str | Path) -> Iterator[dict[str, ManifestEntry]]:
    """The entries to change in place, written when the block ends; other processes wait for it."""
    from filelock import FileLock

    path = Path(folder) / MANIFEST
    with FileLock(path.with_name(f".{MANIFEST}.lock")), replacing(path) as temporary:
        entries = read_manifest(folder)
        yield entries
        text = json.dumps({name: asdict(entry) for name, entry in entries.items()}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def add_figure(folder: str | Path, name: str, kinds: Iterable[str]) -> None:
    """Enters a figure whose files NAME.KIND are written, as one of the notebook that runs here."""
    files = {kind: sha256(Path(folder) / f"{name}.{kind}") for kind in kinds}
    notebook, run = os.environ.get(NOTEBOOK, ""), os.environ.get(RUN, "")
    with changing(folder) as entries:
        before = (e.order for e in entries.values() if (e.notebook, e.run) == (notebook, run))
        order = 1 + max(before, default=0)
        entries[name] = ManifestEntry(files, notebook, run, order)


def entitle(folder: str | Path, titles: Mapping[str, str]) -> None:
    """Gives figures that are entered their titles."""
    with changing(folder) as entries:
        for name in titles.keys() & entries.keys():
            entries[name] = replace(entries[name], title=titles[name])


def remove_figures(folder: str | Path, names: Iterable[str]) -> None:
    """Removes figures: their files and their entries."""
    with changing(folder) as entries:
        for name in names:
            for kind in entries[name].files if name in entries else ():
                (Path(folder) / f"{name}.{kind}").unlink(missing_ok=True)
            entries.pop(name, None)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
