"""Where the files that come with dynlab lie: beside the package in a clone, inside it in an
installed wheel.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(name: str) -> Path:
    """The folder `name` ('notebooks', 'data/tasks', 'data/recordings') that came with dynlab."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def named(kind: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files of a shipped folder by stem, sorted: {'capitals': …/data/tasks/capitals.jsonl}."""
    files = (path for suffix in suffixes for path in folder(kind).glob(f"*{suffix}"))
    return {path.name.removesuffix(path.suffix): path for path in sorted(files)}
