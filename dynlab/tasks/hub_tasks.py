"""Any data set of the hub as a task, `hf:OWNER/NAME?split=test&question=problem&target=answer`.

Its files are read as they lie there, JSON lines, CSV or Parquet: no code of a data set is run. The
files of a split are those that the data set's card names, else those whose path says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from dynlab._util.errors import InputError, one_of
from dynlab._util.hub import LATEST, HubFile, fetched, listed, short
from dynlab.tasks import task_queries
from dynlab.tasks.answers import KINDS
from dynlab.tasks.hub_rows import Row, letter, questions_of, rows_of, target_of
from dynlab.tasks.task import Task
from dynlab.tasks.task_names import HUB

OPTIONS = (
    "split", "question", "target", "options", "id", "kind", "subset", "file", "revision", "size",
    "seed",
)  # fmt: skip
_CARD = "README.md"
_SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".jsonl.gz", ".json.gz", ".csv.gz")
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\b")
_MOST_SHOWN = 12


def hub_task(name: str, limit: int | None = None, form: str | None = None) -> Task:
    """The task of a name.

    Args:
        name: 'hf:OWNER/NAME?question=…&target=…'; further options: `split` (test), `subset`, or
            `file` in place of both; `options` and `id` (columns); `kind` (choice where there are
            options, else text); `revision` (main); `size` questions drawn by `seed`.
        limit: Keep the first `limit` questions.
        form: Makes no difference: there are no worked examples.

    Raises:
        InputError: An option is missing, unknown or no column; the data set cannot be had; there is
            no such split.
    """
    head, options = task_queries.parsed(name, OPTIONS)
    if "question" not in options:
        raise InputError(f"{name} names no column of the question: {head}?question=…&target=…")
    kind = options.get("kind", "choice" if "options" in options else "text")
    if kind not in KINDS:
        raise one_of(f"kind in {name}:", kind, KINDS)
    size = task_queries.whole(name, options, "size", 1)
    seed = task_queries.whole(name, options, "seed") or 0
    repo, revision = head.removeprefix(HUB), options.get("revision", LATEST)
    wanted = _files(repo, revision, options)
    files = [fetched(repo, file, kind="dataset", revision=revision) for file in wanted]
    if len(commits := {file.commit for file in files}) > 1:
        raise InputError(f"{repo} has changed while it was fetched: run the same command again")
    rows = _rows(files, wanted, repo, options)
    fields = [_fields(options, number, row, kind) for number, row in enumerate(rows, start=1)]
    questions = task_queries.drawn(questions_of(fields, kind, repo), size, seed, name)
    return Task(
        name=task_queries.written(head, options),
        questions=tuple(questions[:limit]),
        answer=kind,
        origin=f"{repo}@{commits.pop()}/{','.join(wanted)}",
    )


def _rows(
    files: Sequence[HubFile], names: Sequence[str], repo: str, options: Mapping[str, str]
) -> list[Row]:
    columns = [options[key] for key in ("id", "question", "options", "target") if key in options]
    return [
        row
        for file, name in zip(files, names, strict=True)
        for row in rows_of(file, f"{name} of {repo}", columns)
    ]


def _fields(options: Mapping[str, str], number: int, row: Row, kind: str) -> dict[str, Any]:
    """A row as one of a task file."""
    id_ = str(row.get(options["id"])) if "id" in options else f"{number:05}"
    fields: dict[str, Any] = {"id": id_, "question": row.get(options["question"])}
    right = row.get(options["target"]) if "target" in options else None
    if "options" in options:
        choices, letters = _choices(row.get(options["options"]))
        fields["choices"] = choices
        right = letters.index(right) if right in letters else right
        fields["target"] = letter(right, choices)
    else:
        fields["target"] = target_of(right, kind)
    return fields


def _choices(cell: Any) -> tuple[list[str], list[str]]:
    """The options of a cell, and how they are labelled: a list, or one of texts beside labels."""
    if isinstance(cell, Mapping) and "text" in cell:
        return list(cell["text"]), list(cell.get("label") or ())
    if isinstance(cell, list | tuple):
        return [str(one) for one in cell], []
    raise InputError(f"a cell of the options is no list of texts: {str(cell)[:80]!r}")


def _files(repo: str, revision: str, options: Mapping[str, str]) -> list[str]:
    """The paths of a split's files in their order."""
    if "file" in options:
        return [options["file"]]
    split, subset = options.get("split", "test"), options.get("subset", "")
    there = listed(repo, revision=revision)
    tables = [file for file in there if file.endswith(_SUFFIXES)]
    chosen = _on_card(repo, revision, split, subset, tables) if _CARD in there else []
    chosen = chosen or _by_path(split, subset, tables)
    if not chosen:
        shown = ", ".join(tables[:_MOST_SHOWN]) + (", …" if len(tables) > _MOST_SHOWN else "")
        of = f" of subset {subset!r}" if subset else ""
        raise InputError(
            f"{repo} at revision {short(revision)} has no file of split {split!r}{of}: it has"
            f" {shown or 'no JSONL, CSV or Parquet'}; give split, subset or file"
        )
    for file in chosen:
        if (shard := _SHARD.search(file)) and len(chosen) < int(shard[2]):
            raise InputError(
                f"{len(chosen)} of {int(shard[2])} files of {repo}, split {split!r}, are there: run"
                " once with a network"
            )
    return chosen


def _on_card(repo: str, revision: str, split: str, subset: str, tables: Sequence[str]) -> list[str]:
    """The files that the data set's card names for a split."""
    from huggingface_hub import metadata_load

    path = fetched(repo, _CARD, kind="dataset", revision=revision).path
    try:
        subsets = (metadata_load(path) or {})["configs"]
        wanted = [one for one in subsets if not subset or one["config_name"] == subset]
        if not subset:  # the one that is marked, is called so, or stands alone
            wanted = [one for one in wanted if one.get("default")] or [
                one for one in wanted if one["config_name"] == "default" or len(wanted) == 1
            ]
        globs = [
            glob
            for one in wanted
            for each in one["data_files"]
            if each["split"] == split
            for glob in ([each["path"]] if isinstance(each["path"], str) else each["path"])
        ]
    except (KeyError, TypeError, ValueError):  # a card says this or does not
        return []
    return [file for file in tables if any(fnmatch(file, glob) for glob in globs)]


def _by_path(split: str, subset: str, tables: Sequence[str]) -> list[str]:
    """The files whose path says the split, as a word of its own, and the subset, if given."""
    word = re.compile(rf"(?<![A-Za-z]){re.escape(split)}(?![A-Za-z])")
    return [
        file
        for file in tables
        if word.search(file) and (not subset or re.search(rf"\b{re.escape(subset)}\b", file))
    ]
