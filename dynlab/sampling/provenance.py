"""Where samples come from: the settings that decide them, the table and card that keep them, and
the way back.

A recording that exists is continued only with the settings that it was made with, so what it says
of itself is compared with what is given now, field by field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab import __version__
from dynlab._util.errors import InputError
from dynlab._util.values import Question, Sample, Usage
from dynlab.models.engines import describe
from dynlab.models.llama_cpp import Endpoint
from dynlab.recordings.blocks import blocks_of
from dynlab.recordings.schema import KEY
from dynlab.recordings.writing import BLOCK_ROWS, Counts
from dynlab.sampling.budget import Spending
from dynlab.sampling.key_set import KeySet
from dynlab.sampling.plan import Plan
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import refuse_difference
from dynlab.tasks.answers import writable
from dynlab.tasks.prompts import prompter_for
from dynlab.tasks.task import Task

_DECIDING = (
    "weights_sha256",
    "adapter_sha256",
    "server",
    "server_version",
)  # of a local model's description


def is_local(model: str | Endpoint) -> bool:
    """Whether a model is served from an address that is given, or on this machine."""
    return (
        bool(model.api_base or model.answer)
        if isinstance(model, Endpoint)
        else model.startswith("local/")
    )


def settings_of(plan: Plan, model: str | Endpoint, engine: str | None = None) -> dict[str, Any]:
    """What decides the samples, and so must not change when a recording is continued."""
    if isinstance(model, Endpoint):
        described, name = model.card, model.card.get("model", model.litellm_model)
    else:
        described, name = describe(model, engine=engine) if is_local(model) else {}, model
    return {
        "dataset": plan.task.name,
        "model": name,
        **{field: described[field] for field in _DECIDING if field in described},
        "prompt_form": plan.task.form,
        "wording": _wording_digest(plan),
        "answer": plan.task.grader.name,
        "strategy": plan.strategy.name,
        **asdict(plan.strategy),  # type: ignore[call-overload]
        **asdict(plan.sampling),
        "seed": plan.seed,
    }


def _wording_digest(plan: Plan) -> str:
    """A fingerprint of how questions are worded and attempts shown, whatever the questions are."""
    asked, attempts = Question("id", "question"), [Sample("id", "parallel", 0, 0, "answer", "text")]
    prompter = prompter_for(plan.task, plan.strategy.shown)
    words = [prompter(asked, shown) for shown in ([], attempts)]
    return hashlib.blake2b(repr(words).encode(), digest_size=8).hexdigest()


def wording_of(question: Question) -> str:
    """What must not change of a question: its text and its choices."""
    return "\n".join([question.question, *question.choices])


@dataclass(frozen=True)
class EarlierSamples:
    """The samples of a recording that exists already, on disk.

    Args:
        path: The recording; None: there is none.
        keys: Of its samples.
        reserved: What its calls of unknown cost may have cost.
    """

    path: Path | None
    keys: KeySet
    reserved: Spending = Spending()

    def __iter__(self) -> Iterator[Sample]:
        return (sample for sample, _ in self._told())

    def put_into(self, store: Store, plan: Plan) -> None:
        """Stores those that the store lacks, so that they are not drawn again.

        A store that holds none yet knows nothing of their calls, and takes over what is reserved.

        Raises:
            InputError: a chain of the plan is shown one whose text was not kept.
        """
        held = store.keys()

        def new() -> Iterator[Sample]:
            for sample, is_silent in self._told():
                if sample.key in held:
                    continue
                if is_silent and plan.shows(sample.key):
                    raise InputError(
                        f"the recording lacks texts that a chain is shown, and {store.path} too:"
                        " give another --out"
                    )
                yield sample

        store.load(new(), None if held else self.reserved)

    def _told(self) -> Iterator[tuple[Sample, bool]]:
        """The samples, and whether what the model said of each is not known."""
        for frame in () if self.path is None else blocks_of(self.path):
            yield from zip(samples_in(frame), without_text(frame), strict=True)


def earlier_samples(out: Path, task: Task, settings: Mapping[str, Any]) -> EarlierSamples:
    """The samples of a recording that exists already, if it was made with the same settings."""
    if not out.exists():
        return EarlierSamples(None, KeySet())
    recording = blocks_of(out).overview
    recorded = recording.card.get("settings")
    if recorded is None or recording.design != "fixed":
        merged = (
            "it is merged; take it apart by `dynlab recordings split`, or "
            if "merged" in recording.card
            else ""
        )
        raise InputError(
            f"{out} exists, and not as a recording of planned samples: {merged}give another --out"
        )
    given = json.loads(json.dumps(settings))
    recorded.setdefault("answer", given["answer"])  # not noted by earlier versions
    refuse_difference(out, {name: (recorded.get(name), value) for name, value in given.items()})
    frame = recording.frame
    asked = dict(zip(frame["question_id"], frame["question"], strict=True))
    known = {question.id: question.question for question in task.questions}
    refuse_difference(
        out, {f"question {id_!r}": (text, known.get(id_)) for id_, text in asked.items()}
    )
    keys = KeySet(zip(*(frame[name] for name in KEY), strict=True))
    return EarlierSamples(out, keys, Spending.read(recording.card.get("reserved")))


def without_text(frame: pd.DataFrame) -> pd.Series:
    """Whether a sample's text was not kept: what the model said is not known."""
    unknown = frame["text"].isna() if "text" in frame else pd.Series(True, frame.index)
    if "finish_reason" in frame:  # a sample that could not be had has none
        unknown &= ~frame["finish_reason"].fillna("").str.startswith("error: ")
    return unknown


def samples_in(frame: pd.DataFrame) -> list[Sample]:
    """The samples that a recording's table holds."""
    return [
        _sample(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]


def _sample(row: Mapping[Any, Any]) -> Sample:
    values = {
        field.name: row[field.name] for field in fields(Sample) if row.get(field.name) is not None
    }
    usage = Usage(**{field.name: row[field.name] for field in fields(Usage) if field.name in row})
    return Sample(**({"text": ""} | values | {"usage": usage, "parents": tuple(row["parents"])}))


def frame_of(
    samples: list[Sample], plan: Plan, task: Task, model: str, keep_text: int | None
) -> pd.DataFrame:
    """The samples as a recording's table, with what is known of their questions.

    Args:
        task: With all the questions that samples are of, also where the plan is of fewer.
        keep_text: Texts are kept of so many samples of a stream, and of all parents of planned
            ones; None: of all.
    """
    questions = {question.id: question for question in task.questions}

    def row(sample: Sample) -> dict[str, Any]:
        question = questions[sample.question_id]
        kept = keep_text is None or sample.sample_index < keep_text or plan.shows(sample.key)
        return {
            "dataset": task.name,
            "model": model,
            "question": question.question,
            **vars(sample),
            **vars(sample.usage),
            "awaited": [index for *_, index in plan.parents(sample.key)],
            "target": question.target,
            "correct": task.is_right(sample.answer, question),
            "text": writable(sample.text) if kept else None,
            "source": f"dynlab {__version__}",
        }

    return pd.DataFrame([row(sample) for sample in samples])


def frames_of(
    samples: Iterable[Sample], plan: Plan, task: Task, model: str, keep_text: int | None
) -> Iterator[pd.DataFrame]:
    """Tables of whole questions, of samples that come sorted by key; arguments as `frame_of`."""
    held: list[Sample] = []
    for sample in samples:
        if len(held) >= BLOCK_ROWS and sample.question_id != held[-1].question_id:
            yield frame_of(held, plan, task, model, keep_text)
            held = []
        held.append(sample)
    yield frame_of(held, plan, task, model, keep_text)


def card_of(
    plan: Plan, settings: Mapping[str, Any], described: Mapping[str, Any], counts: Counts
) -> dict[str, Any]:
    """What a recording says about itself."""
    date = datetime.now(UTC).date().isoformat()
    return {
        "design": "fixed",
        **described,
        "model": settings["model"],
        "settings": settings,
        **({"task_origin": plan.task.origin} if plan.task.origin else {}),
        "date": date,
        **counts,
    }
