"""What columns of a table of questions say of the task, and those that are named amiss."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.table_files import format_of
from dynlab._util.target_names import tell_ignored
from dynlab.tasks.questions import COLUMNS

# column → field of `Task`
SETTINGS = {
    "kind": "answer",
    "instruction": "instruction",
    "form": "form",
    "tolerance": "tolerance",
    "reasoned": "reasoned",
}


def said_by(row: Mapping[str, Any], said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What the columns of a row say of how the task is asked; it must be the same in every row.

    Raises:
        InputError: The rows before it say something else.
    """
    told = {name: row.get(column) for column, name in SETTINGS.items()}
    own = {name: value for name, value in told.items() if value not in (None, "")}
    for name in own.keys() & {"tolerance", "reasoned"}:
        with suppress(ValueError):  # a cell of a CSV file is a text
            own[name] = json.loads(str(own[name]).casefold())
    if said and own != said:
        raise InputError(f"{where} says {own} and the rows before it {said}: one task, one way")
    return own


def tell_misnamed(columns: Iterable[str], path: Path) -> None:
    """Says which columns look like others that are read.

    Raises:
        InputError: One would say how the task is asked, were it in small letters.
    """
    tell_ignored(columns, str(path), read=COLUMNS, is_known=True)
    for name in columns:
        setting = name.strip().casefold()
        if setting in SETTINGS and name != setting:
            raise InputError(f"{path} has a column {name!r}: rename it {setting!r}")
        if setting in SETTINGS and format_of(path) in (".jsonl", ".json"):
            warnings.warn(
                f"{path}: {name!r} of a row is ignored; a header says it for all rows, such as"
                f' {{"task": {{"{SETTINGS[setting]}": …}}}}',
                stacklevel=2,
            )
