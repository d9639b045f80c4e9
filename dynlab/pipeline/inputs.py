"""What a notebook works on: the recordings that its parameters name, or that are made first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from dynlab._util.errors import InputError
from dynlab._util.options import Limits, RecordingOptions
from dynlab.recordings.recording import Recording, load, located, shipped
from dynlab.recordings.streams import UNITS, strategies_of, streams_of

QUICK_RECORDINGS, QUICK_REPLICATIONS = 2, 20
# of the shipped recordings: some of every model, the one that solves word problems first
DEFAULT = (
    "gsm_symbolic--qwen2.5-coder-1.5b",
    "totals--dynlab-reasoner",
    "digits--dynlab-reasoner",
    "calendar--dynlab-reasoner",
    "capitals--smollm2-135m",
    "french--gemma3-270m",
)
REASONING = (  # questions that take steps, asked of models that reason
    "gsm_symbolic--qwen2.5-coder-1.5b",
    "countdown--qwen2.5-coder-1.5b",
    "prime_factorization--qwen2.5-coder-1.5b",
    "family_relationships--qwen2.5-coder-1.5b",
    "syllogism--qwen2.5-coder-0.5b",
)
RECALL = (  # questions of fact and of words, asked of plain models; the first two hold chains
    "capitals--smollm2-135m",
    "french--gemma3-270m",
    "opposites--smollm2-135m",
    "past-tense--gemma3-270m",
    "past-tense--smollm2-135m",
    "symbols--smollm2-135m",
)
NUM_STREAMS = 4  # of an ordered strategy that is recorded first


def chosen(
    recording: str | Path | Iterable[str | Path] = (),
    *,
    model: str = "",
    task: str = "",
    max_usd: float = 0.0,
    num_samples: int = 16,
    strategies: Sequence[str] = ("parallel",),
    out: str | Path = "figures",
    quick: bool = False,
) -> list[Recording]:
    """The recordings to draw: those named, or one that is recorded now, or the shipped ones.

    Args:
        recording: A name or a path, several of them with commas between ('a,b'), or a list.
        model: With `task`: record this model on that task first, into OUT/recordings, where it is
            resumed next time.
        task: The name of a task, or a file of questions.
        max_usd: The most that recording may cost; 0 sets no limit.
        num_samples: Samples per question to record, and per stream.
        strategies: What to record, in one recording; the ordered ones in a few streams.
        out: The folder of the figures.
        quick: Only the first few of the recordings that come with dynlab.

    Raises:
        InputError: One of model and task without the other, no recording to draw, two of the same
            name, or one that holds fewer than two samples of a question.
    """
    if bool(model) != bool(task):
        raise InputError(
            f"model={model!r} and task={task!r}: give both to record first, or neither"
        )
    if model:
        from dynlab.sampling.preparation import file_name

        path = Path(out) / "recordings" / file_name(task, model)
        return [load(_recorded(task, model, num_samples, strategies, path, max_usd or None))]
    paths = located_all(recording, quick=quick)
    loaded = [load(path, texts=False) for path in paths]
    for each in loaded:
        if (most := num_samples_of(each)) < 2:
            raise InputError(
                f"{each.name} holds {most:.3g} samples per question, and a vote takes two at least;"
                " record more, as by dynlab record --samples 16"
            )
    names = [recording.name for recording in loaded]
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"two recordings are named {again!r}, and figures tell them apart by name; rename one"
            " file"
        )
    return loaded


def _recorded(
    task: str,
    model: str,
    num_samples: int,
    strategies: Sequence[str],
    path: Path,
    max_usd: float | None,
) -> Path:
    """The path of a recording of these strategies, drawn one after the other.

    Each may spend what those before it have left.
    """
    from dynlab.recordings.merging import merge
    from dynlab.sampling.recorder import record

    if len(strategies) == 1:
        return record(
            task,
            model,
            num_samples=num_samples,
            out=path,
            strategy=strategies[0],
            limits=Limits(usd=max_usd),
        )
    parts: list[Path] = []
    for strategy in strategies:
        spent = sum(float(load(part).frame["cost_usd"].sum()) for part in parts)
        left = None if max_usd is None else max(max_usd - spent, 0.0)
        pool, out = strategy == "parallel", path.with_suffix(f".{strategy}.parquet")
        streams = 1 if pool else NUM_STREAMS
        parts.append(
            record(
                task,
                model,
                num_samples=num_samples,
                out=out,
                strategy=strategy,
                limits=Limits(usd=left),
                options=RecordingOptions(num_streams=streams, greedy=pool),
            )
        )
    return merge(parts, path)


def located_all(
    recording: str | Path | Iterable[str | Path] = (),
    *,
    quick: bool = False,
) -> list[Path]:
    """The files of the recordings that are named as `chosen` takes them, by default the shipped.

    Raises:
        InputError: One of them is not there, or dynlab came without recordings.
    """
    if isinstance(recording, str) and not Path(recording).is_file():
        recording = [name.strip() for name in recording.split(",") if name.strip()]
    named = [recording] if isinstance(recording, str | Path) else list(recording)
    if not named:
        named = [*default_recordings()[: QUICK_RECORDINGS if quick else None]]
    if not named:
        raise InputError(
            "dynlab comes without recordings here; name one by its path, or record one: dynlab"
            " record"
        )
    return [located(source) for source in named]


def default_recordings() -> list[str]:
    """Names of the shipped recordings that are drawn where none is named, or else of all."""
    known = shipped()
    return [name for name in DEFAULT if name in known] or known


def num_samples_of(recording: Recording) -> float:
    """Mean samples per question, without those of the greedy baseline; 0 where there are none."""
    held = strategies_of(recording)
    frame = recording.frame[recording.frame["strategy"].isin(held[:1])]
    return float(frame.groupby("question_id").size().mean()) if held else 0.0


def held(budgets: Iterable[float], recordings: Sequence[Recording]) -> list[float]:
    """Those budgets that some recording holds; of one that holds none of them, all its samples."""
    wanted = [float(budget) for budget in budgets]
    found: set[float] = set()
    for recording in recordings:
        most = num_samples_of(recording)
        found |= {budget for budget in wanted if budget <= most} or {float(math.floor(most))}
    return sorted(found)


def known_units(recordings: Sequence[Recording], units: Iterable[str] = UNITS) -> list[str]:
    """Those of the units in which all the recordings know the cost of a sample, in their order."""
    streams = [streams_of(recording) for recording in recordings]
    known = []
    for unit in units:
        try:
            for each in streams:
                each.prices(unit)
        except InputError:
            if unit not in UNITS:
                raise
        else:
            known.append(unit)
    return known
