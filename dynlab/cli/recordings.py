"""`dynlab recordings`: list, verify, fetch, import, export, merge or split recordings on disk."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab.recordings.exports import TARGETS
from dynlab.recordings.formats import NAMES


def add(commands: Any) -> None:
    """The command, its actions and their flags."""
    command = commands.add_parser(
        "recordings",
        help="list, verify, fetch, import, export, merge or split recordings",
        example="dynlab recordings list",
    )
    actions = command.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser(
        "list",
        help="those that come with dynlab, and public ones",
        example="dynlab recordings list",
    ).set_defaults(run=_list_recordings)
    fetch = actions.add_parser(
        "fetch",
        help="download a public pool of a strong model's samples → a recording",
        example="dynlab recordings fetch aime2025--LIMO-v2 --out .",
    )
    fetch.add_argument(
        "name", metavar="NAME", help="such as aime2025--LIMO-v2; `dynlab recordings list` shows all"
    )
    fetch.add_argument("--out", type=Path, metavar="DIR", help="default: the user's cache folder")
    fetch.add_argument("--mirror", metavar="URL", help="another place that serves the same files")
    fetch.set_defaults(run=_fetch)
    check = actions.add_parser(
        "verify",
        help="whether a recording, or the store of one, is whole",
        example="dynlab recordings verify mine.parquet",
    )
    check.add_argument(
        "file", metavar="FILE", help="a recording (.parquet) or the store of one (.sqlite)"
    )
    check.set_defaults(run=_verify)
    bring = actions.add_parser(
        "import",
        help="samples of another tool → a recording",
        example="dynlab recordings import samples.jsonl --from samples --out mine.parquet",
    )
    bring.add_argument("file", metavar="FILE")
    bring.add_argument(
        "--from",
        dest="form",
        metavar="FORM",
        help=f"{', '.join(NAMES)} (default: told by what stands in the file)",
    )
    bring.add_argument(
        "--kind",
        default="text",
        help="what answers are: text (default), choice, integer, number, expression",
    )
    bring.add_argument(
        "--task",
        metavar="NAME_OR_FILE",
        help="whose questions were asked: gives targets, reads and judges the answers",
    )
    bring.add_argument(
        "--requests",
        metavar="FILE",
        help="of openai-batch: the input of the batch",
    )
    bring.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="the recording to write (.parquet)"
    )
    bring.set_defaults(run=_import)
    export = actions.add_parser(
        "export",
        help="a recording → a log of Inspect AI, samples of lm-eval, or a data set for the hub",
        example="dynlab recordings export capitals--smollm2-135m --to inspect --out capitals.eval",
    )
    export.add_argument("recording", metavar="PATH_OR_NAME")
    export.add_argument("--to", required=True, metavar="TOOL", help=", ".join(TARGETS))
    export.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="PATH",
        help="what to write: a file (.eval, .jsonl), or a folder for the hub",
    )
    export.set_defaults(run=_export)
    merge = actions.add_parser(
        "merge",
        help="recordings of one model on one task, of different strategies or shards, as one",
        example="dynlab recordings merge capitals--smollm2-135m chains.parquet --out both.parquet",
    )
    merge.add_argument("recordings", nargs="+", metavar="PATH_OR_NAME")
    merge.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="the recording to write (.parquet)"
    )
    merge.set_defaults(run=_merge)
    split = actions.add_parser(
        "split",
        help="a merged recording as its parts again, so that record can go on from them",
        example="dynlab recordings split both.parquet --out parts",
    )
    split.add_argument("recording", metavar="PATH_OR_NAME")
    split.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER", help="where to: NAME.STRATEGY.parquet"
    )
    split.set_defaults(run=_split)


def _fetch(given: argparse.Namespace) -> None:
    from dynlab.recordings.public_pools import URL, fetch, pool_named

    print(pool_named(given.name).describe(), flush=True)
    print(f"wrote {fetch(given.name, out=given.out, mirror=given.mirror or URL)}")


def _import(given: argparse.Namespace) -> None:
    from dynlab.recordings.importing import import_recording
    from dynlab.recordings.recording import load
    from dynlab.sampling.summary import doubts_about, summary_of

    path = import_recording(
        given.file,
        given.form,
        _free(given.out),
        kind=given.kind,
        task=given.task,
        requests=given.requests,
    )
    made = load(path)
    print(summary_of(made.frame))
    if reported := made.card.get("reported"):
        print("by its own report:", ", ".join(f"{name} {reported[name]:.3f}" for name in reported))
    for doubt in doubts_about(made.frame, given.kind):
        print(doubt, file=sys.stderr)
    print(f"wrote {path}")


def _export(given: argparse.Namespace) -> None:
    from dynlab.recordings.exports import export_recording

    made = export_recording(given.recording, given.to, _free(given.out))
    for note in made.notes:
        print(note, file=sys.stderr)
    print(f"wrote {made.path}")


def _split(given: argparse.Namespace) -> None:
    from dynlab.recordings.merging import split

    for path in split(given.recording, given.out).values():
        print(f"wrote {path}")


def _merge(given: argparse.Namespace) -> None:
    from dynlab.recordings.merging import merge

    print(f"wrote {merge(given.recordings, _free(given.out))}")


def _free(out: Path) -> Path:
    """The path of a recording to be written where none is yet: samples may have been paid for.

    Raises:
        InputError: A file lies there.
    """
    if out.is_file():
        raise InputError(f"{out} is there already: give another --out, or remove it first")
    return out


def _list_recordings(given: argparse.Namespace) -> None:
    from dynlab._util.shipped_files import named
    from dynlab.recordings.overview import overview
    from dynlab.recordings.public_pools import pools

    for name, path in named("data/recordings", (".parquet",)).items():
        found = overview(path)
        print(
            f"{name:40} {found.num_questions:5} questions {found.num_samples:7} samples "
            f" {', '.join(found.strategies)}"
        )
    print(f"\n{len(pools())} public ones by `dynlab recordings fetch NAME`:", *pools(), sep="\n  ")


def _verify(given: argparse.Namespace) -> int:
    from dynlab.sampling.verification import verify

    found = verify(given.file)
    for problem in found.problems:
        print(f"{given.file}: {problem}")
    if found.problems:
        return 1
    print(f"{given.file}: {found.summary}")
    return 0


def tell(path: Path) -> int:
    """Says on stderr which samples of a recording could not be had; 1 where a question has no vote
    at all, else 0.
    """
    from dynlab._util.values import GREEDY
    from dynlab.recordings.parquet_files import read_parquet

    # these columns alone, since the texts of a large recording may not fit in memory
    told = ("question_id", "strategy", "finish_reason", "votes")
    frame, card = read_parquet(path, only=told)
    failed = frame["finish_reason"].fillna("").str.startswith("error: ")
    for reason, count in Counter(frame.loc[failed, "finish_reason"]).most_common(5):
        print(
            f"{count} of {len(frame)} samples could not be had: {reason.removeprefix('error: ')}",
            file=sys.stderr,
        )
    if (reserved := card.get("reserved", {})).get("calls"):
        calls = f"{reserved['calls']} call{'s' * (reserved['calls'] != 1)}"
        print(f"reserved, since what it cost is unknown: {calls}", file=sys.stderr)
    voting = frame[frame["strategy"] != GREEDY].groupby("question_id")["votes"].any()
    if voting.all():
        return 0
    print(
        f"{int((~voting).sum())} of {len(voting)} questions have no sample that votes",
        file=sys.stderr,
    )
    return 1
