"""What a notebook's outputs depend on, and whether they are there: if so it is not run again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from threading import Lock
from typing import Any

from dynlab._util.files import replacing
from dynlab._util.shipped_files import folder
from dynlab.plots.manifest import read_manifest, sha256

CACHE = ".cache.json"  # beside the outputs
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class CacheEntry:
    """A notebook's last run that succeeded: what it was made of, what it made, how long it took."""

    key: str  # of everything that it was made of
    title: str
    seconds: float
    parameters: Mapping[str, Any]  # as they were passed, recordings by their names
    figures: tuple[str, ...]  # names, in the order in which they were made
    copies: Mapping[str, str]  # path in the output folder of executed copy and page → SHA-256

    def intact(self, out: Path) -> bool:
        """Whether every output is there as it was written."""
        manifest = read_manifest(out)
        return all(
            (out / path).is_file() and sha256(out / path) == known
            for path, known in self.copies.items()
        ) and all(name in manifest and manifest[name].intact(out, name) for name in self.figures)


class Cache:
    """The entries of one output folder, by notebook; a file that can't be read counts as none."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._lock = Lock()
        self.entries: dict[str, CacheEntry] = {}
        try:
            for stem, entry in json.loads((out / CACHE).read_text(encoding="utf-8")).items():
                self.entries[stem] = CacheEntry(**{**entry, "figures": tuple(entry["figures"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.entries = {}

    def keeps(self, stem: str, key: str, *, pdf: bool = False) -> bool:
        """Whether the notebook's outputs are what a run would make again; with `pdf`, PDFs too."""
        entry = self.entries.get(stem)
        if entry is None or entry.key != key or not entry.intact(self.out):
            return False
        manifest = read_manifest(self.out)
        return not pdf or all("pdf" in manifest[name].files for name in entry.figures)

    def store(self, stem: str, entry: CacheEntry | None) -> None:
        """Keeps an entry on disk, or with None forgets it.

        It is written at once, so that an interrupted run loses only what was running.
        """
        with self._lock:
            self.entries.pop(stem, None)
            if entry is not None:
                self.entries[stem] = entry
            entries = {name: asdict(each) for name, each in sorted(self.entries.items())}
            with replacing(self.out / CACHE) as temporary:
                temporary.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def key_of(
    notebook: Path, parameters: Mapping[str, Any], recordings: Iterable[Path], environment: str
) -> str:
    """One digest of a notebook's bytes, parameters, recordings and environment.

    Files count by name and content, wherever they lie, as recordings or as values of parameters.
    """
    made_of = [
        sha256(notebook),
        environment,
        {name: _content(value) for name, value in parameters.items()},
        [_content(str(path)) for path in recordings],
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def environment() -> str:
    """A digest of the code that notebooks call, of all installed versions, and of Python."""
    recipe = sorted(folder("data/models").glob("recipe/*.py"))
    own = {f"recipe/{path.name}": sha256(path) for path in recipe}
    own |= {
        str(path.relative_to(_PACKAGE)): sha256(path)
        for path in sorted(_PACKAGE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and "_shipped" not in path.parts
    }
    told = [found.metadata for found in distributions()]  # each look at it reads a file
    versions = sorted(f"{each['Name']}=={each['Version']}" for each in told)
    return hashlib.sha256(
        json.dumps([own, versions, platform.python_version()]).encode()
    ).hexdigest()


def _content(value: Any) -> Any:
    """A value as it is, or the name and digest of the file that it names."""
    if isinstance(value, list):
        return [_content(each) for each in value]
    path = Path(value) if isinstance(value, str) and value else None
    try:
        return [path.name, sha256(path)] if path is not None and path.is_file() else value
    except OSError:  # too long for a name, or not readable
        return value
