"""A recording as a log of Inspect AI (.eval), which `inspect view` opens.

A question's samples are epochs of it: those of each strategy one after another, in the order of
their streams. Each strategy is a scorer, so that its share of right answers stands by itself. A
sample's place in the recording, and all that Inspect has no field for, stand in its metadata under
`dynlab`; the recording's card stands in the log's. The fields are those of Inspect's log, version 2
(inspect.aisi.org.uk, "Eval Logs").
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import pandas as pd

from dynlab import __version__
from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab._util.values import GREEDY
from dynlab.recordings.blocks import Blocks
from dynlab.recordings.exports import Exported
from dynlab.recordings.exports.rows import Values, json_rows, named_in, without
from dynlab.recordings.recording import Recording, digest, right_of, simulated_name
from dynlab.recordings.streams import strategies_of

_VERSION = 2
# columns that stand in fields of Inspect's own; tokens only where both counts are known
_TEXTS = ("question", "text")
_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
_STOPPED = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}
_ERROR = "error: "  # how the reason of a failed sample begins
_SHOWN = "Shown before it answered (the wording of the prompt around them is not recorded):"
_UNNAMED = "unknown"  # a model, or a task, that the recording does not name
# samples of a log: their summaries, about 0.8 KB each, are one JSON text, and a browser, in which
# `inspect view` shows them, takes none above 512 MiB
MOST = 650_000


def export(blocks: Blocks, out: Path) -> Exported:
    """Writes the log; a recording whose card has a date gives the same bytes again.

    Raises:
        InputError: `out` is no .eval file, or cannot be written, or there are too many samples.
    """
    if out.suffix != ".eval":
        raise InputError(f"a log of Inspect ends in .eval: give such an --out; not {str(out)!r}")
    recording = blocks.overview
    if (number := len(recording.frame)) > MOST:
        raise InputError(
            f"{recording.name} has {number:,} samples, and a log of Inspect that can be viewed has"
            f" about {MOST:,} at most: export it --to lm-eval or --to hub"
        )
    header = _header(blocks)
    start = {name: header[name] for name in ("version", "eval", "plan")}
    num_completed = 0
    with (
        replacing(out) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile(dir=temporary.parent) as summaries,
    ):
        _put(archive, "_journal/start.json", start)
        for sample in _samples(blocks):
            _put(archive, f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample)
            num_completed += "error" not in sample
            summaries.write(b", " if summaries.tell() else b"[")
            summaries.write(_json(_summary(sample)))
        summaries.write(b"]")
        _put_file(archive, "summaries.json", summaries)
        header["results"]["completed_samples"] = num_completed
        _put(archive, "header.json", header)
    return Exported(out)


def _put(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    archive.writestr(_member(name), _json(content))


def _put_file(archive: zipfile.ZipFile, name: str, file: IO[bytes]) -> None:
    """What a file holds up to here, which need not fit in memory."""
    member = _member(name)
    member.file_size = file.tell()
    file.seek(0)
    with archive.open(member, "w") as target:
        shutil.copyfileobj(file, target, 2**20)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)  # of 1980: a log does not depend on when it was written
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _samples(blocks: Blocks) -> Iterator[Values]:
    """A sample a row, by question; of its strategies parallel comes first, greedy last."""
    order = {name: at for at, name in enumerate((*strategies_of(blocks.overview), GREEDY))}
    for frame in blocks:
        frame = frame.assign(_right=right_of(frame), _order=frame["strategy"].map(order))
        frame = frame.sort_values(["question_id", "_order"], kind="stable", ignore_index=True)
        epochs = frame.groupby("question_id").cumcount() + 1
        said = _said(frame)
        for row, epoch in zip(json_rows(frame.drop(columns="_order")), epochs, strict=True):
            yield _sample(row, int(epoch), said)


def _said(frame: pd.DataFrame) -> dict[tuple[Any, ...], str]:
    """What each sample said, by its key; its answer where its text was not kept."""
    key = [frame[name] for name in ("question_id", "strategy", "stream", "sample_index")]
    texts = frame["text"].fillna(frame["answer"]) if "text" in frame else frame["answer"]
    return dict(zip(zip(*key, strict=True), texts, strict=True))


def _sample(row: Values, epoch: int, said: Mapping[tuple[Any, ...], str]) -> Values:
    model = row.get("model", _UNNAMED)
    usage = _usage(row)
    text = row.get("text", row["answer"])
    failed = str(row.get("finish_reason", "")).startswith(_ERROR)
    right = row.pop("_right", None)
    score = {"value": "C" if right else "I", "answer": row["answer"]}
    message = {"role": "assistant", "content": text, "source": "generate", "model": model}
    stop = _STOPPED.get(row.get("finish_reason", ""), "unknown")
    output: Values = {
        "model": model,
        "choices": [] if failed else [{"message": message, "stop_reason": stop}],
        "completion": "" if failed else text,
    }
    output |= {"usage": usage} if usage else {}
    output |= {"time": row["latency_s"]} if "latency_s" in row else {}
    shown = _shown(row, said)
    own = without(row, (*_TEXTS, *(_TOKENS if usage else ())))
    # where there is no text, its answer stands in its place; where it failed, nothing does
    own |= {"text": row.get("text")} if failed or "text" not in row else {}
    sample: Values = {
        "id": row["question_id"],
        "epoch": epoch,
        "input": row.get("question", ""),
        "target": row.get("target", ""),
        "messages": [
            {"role": "user", "content": row.get("question", ""), "source": "input"},
            *([{"role": "user", "content": shown, "source": "input"}] if shown else []),
            *([] if failed else [message]),
        ],
        "output": output,
        "scores": {} if right is None else {row["strategy"]: score},
        "metadata": {"dynlab": own},
        "store": {},
        "events": [],
        "model_usage": {model: usage} if usage else {},
    }
    if failed:
        reason = row["finish_reason"].removeprefix(_ERROR)
        sample["error"] = {"message": reason, "traceback": "", "traceback_ansi": ""}
    return sample


def _shown(row: Values, said: Mapping[tuple[Any, ...], str]) -> str:
    """The earlier samples that a chained one was shown, each with its index."""
    stream = (row["question_id"], row["strategy"], row["stream"])
    parts = [
        f"Sample {parent}:\n{said.get((*stream, parent), '')}" for parent in row.get("parents", ())
    ]
    return "\n\n".join([_SHOWN, *parts]) if parts else ""


def _usage(row: Values) -> Values:
    """Inspect's tokens of a call, which count what was read from a cache apart; {} if unknown."""
    if not {"prompt_tokens", "completion_tokens"} <= row.keys():
        return {}
    cached, prompt = row.get("cached_tokens"), row["prompt_tokens"]
    usage = {
        "input_tokens": prompt - (cached or 0),
        "output_tokens": row["completion_tokens"],
        "total_tokens": prompt + row["completion_tokens"],
    }
    usage |= {} if cached is None else {"input_tokens_cache_read": cached}
    return usage | (
        {"reasoning_tokens": row["reasoning_tokens"]} if "reasoning_tokens" in row else {}
    )


def _summary(sample: Values) -> Values:
    """What `inspect view` lists of a sample."""
    names = ("id", "epoch", "input", "target", "metadata", "scores", "model_usage")
    summary = {name: sample[name] for name in names}
    error = {"error": sample["error"]["message"]} if "error" in sample else {}
    return summary | error | {"completed": True, "message_count": len(sample["messages"])}


def _header(blocks: Blocks) -> Values:
    """The log without its samples, and without how many of them were completed."""
    recording = blocks.overview
    frame = recording.frame
    strategies = list(recording.counts().index)
    model, task = (named_in(recording, name) or _UNNAMED for name in ("model", "dataset"))
    task = simulated_name(task) if recording.simulated else task
    # what comes in blocks has a digest, else all is there
    identity = str(recording.card.get("digest") or digest(frame))
    day = _day(recording)
    sizes = frame.groupby("question_id", sort=False).size()
    return {
        "version": _VERSION,
        "status": "success",
        "eval": {
            "eval_id": identity,
            "run_id": identity,
            "created": day,
            "task": task,
            "task_id": identity,
            "task_version": 0,
            "dataset": {
                "name": task,
                "samples": len(sizes),
                "sample_ids": list(sizes.index),
                "shuffled": False,
            },
            "model": model,
            "model_args": {},
            "config": {"epochs": int(sizes.max())},
            "packages": {"dynlab": __version__},
            "metadata": {"dynlab": dict(recording.card)},
            "scorers": [{"name": name, "options": {}, "metrics": []} for name in strategies],
        },
        "plan": {
            "name": "plan",
            "steps": [{"solver": name, "params": {}} for name in strategies],
            "config": {},
        },
        "results": {
            "total_samples": len(frame),
            "completed_samples": 0,
            "scores": _scores(recording),
        },
        "stats": {"started_at": day, "completed_at": day, "model_usage": {}},
    }


def _day(recording: Recording) -> str:
    """When it was recorded, else now."""
    with suppress(ValueError):
        return f"{date.fromisoformat(str(recording.card.get('date')))}T00:00:00+00:00"
    return datetime.now(UTC).isoformat(timespec="seconds")


def _scores(recording: Recording) -> list[Values]:
    """The share of right answers of each strategy whose targets are known."""
    table = recording.counts()
    return [
        {
            "name": strategy,
            "scorer": strategy,
            "scored_samples": int(table.loc[strategy, "samples"]),
            "params": {},
            "metrics": {
                "accuracy": {"name": "accuracy", "value": float(table.loc[strategy, "right"])}
            },
        }
        for strategy in table.index[table["right"].notna()]
    ]
