"""Samples drawn from a model, as a recording that says so wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.recordings.recording import SIMULATED, Recording
from dynlab.recordings.schema import validated
from dynlab.simulation.chains import NONE, RIGHT
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.questions import SimulatedQuestions
from dynlab.strategies.base import Strategy
from dynlab.strategies.registry import as_strategy

_MOST = 20_000_000  # samples: what fits into memory


def simulate(
    model: RecordingModel,
    *,
    num_questions: int = 100,
    num_samples: int = 32,
    strategies: str | Strategy | Sequence[str | Strategy] = "parallel",
    num_streams: int = 4,
    seed: int = 0,
) -> Recording:
    """A recording drawn from a model: all functions take it, and what they make says `simulated`.

    Questions are new ones, their difficulty drawn from the model; strategies share them, and the
    wrong answers that are popular with each.

    Args:
        model: What `dynlab.fit` returned.
        num_questions: How many questions.
        num_samples: Samples of each question, or of each stream where a strategy has streams.
        strategies: parallel, sequential, integrated, …, one or several, as text or objects.
        num_streams: Streams of each question, of strategies other than parallel.
        seed: Of all draws; the same seed and sizes give the same recording.

    Raises:
        InputError: A number out of range, chains of a model that has seen none, or a strategy that
            shows a part of the earlier samples only.
    """
    for name, value, least in (
        ("num_questions", num_questions, 1),
        ("num_samples", num_samples, 1),
        ("num_streams", num_streams, 1),
        ("seed", seed, 0),
    ):
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be a whole number from {least} on; not {value!r}")
    plans = _checked_plans(model, strategies, num_samples)
    streams = [1 if plan.name == "parallel" else num_streams for plan in plans]
    each = sum(streams) * num_samples
    if each * num_questions > _MOST:
        raise InputError(
            f"{each * num_questions:,} samples are more than a simulation holds ({_MOST:,}); ask"
            " for fewer questions or samples"
        )
    questions = SimulatedQuestions(model, num_questions, each, np.random.default_rng(seed))
    frame = pd.concat(
        [
            _rows(questions, model.source, plan, stream, num_samples)
            for plan, held in zip(plans, streams, strict=True)
            for stream in range(held)
        ],
        ignore_index=True,
    )
    card = {
        "design": "fixed",
        SIMULATED: json.loads(model.to_json()),
        "model": f"{SIMULATED} from {model.source}",
        "questions": num_questions,
        "samples": len(frame),
        "seed": int(seed),
    }
    return Recording(validated(frame, "the simulation"), card, model.source)


def _checked_plans(
    model: RecordingModel, given: str | Strategy | Sequence[str | Strategy], num_samples: int
) -> list[Strategy]:
    """The strategies as objects, each of which the model can draw.

    Raises:
        InputError: One stands twice, shows a choice of earlier samples, or chains without a gain.
    """
    listed = [given] if isinstance(given, str | Strategy) else list(given)
    plans = [as_strategy(each) for each in listed]
    names = [plan.name for plan in plans]
    if not names or len(set(names)) < len(names):
        raise InputError(f"strategies are {names}: give one or more, each once")
    for plan in plans:
        if plan.num_shown is not None:
            raise InputError(
                f"{plan.name} shows a choice of earlier samples: a simulation shows all; leave out"
                " who and num_shown"
            )
        chains = any(plan.parents(index) for index in range(num_samples))
        if chains and model.chains is None:
            raise InputError(
                f"{plan.name} chains samples, and {model.source} holds no chained samples to learn"
                " from; simulate parallel samples, or fit a recording with chains"
            )
    return plans


def _rows(
    questions: SimulatedQuestions, source: str, plan: Strategy, stream: int, num_samples: int
) -> pd.DataFrame:
    """A stream of every question as rows of a recording, question by question."""
    drawn = questions.stream(plan, num_samples)
    num_questions = len(questions.chances)
    digits = len(str(num_questions))
    words = {RIGHT: "right", NONE: ""}
    codes, where = drawn.codes.ravel(), f"{SIMULATED} from {source}"
    names = [f"q{number:0{digits}}" for number in range(1, num_questions + 1)]
    texts = [
        f"Simulated question: a sample is right with the chance {chance:.3f}."
        for chance in questions.chances
    ]
    roles = ["chained" if shown else "independent" for shown in drawn.parents]
    votes = [plan.votes(index) for index in range(num_samples)]
    columns: dict[str, Any] = {
        "dataset": where,
        "model": where,
        "question_id": np.repeat(names, num_samples),
        "question": np.repeat(texts, num_samples),
        "strategy": plan.name,
        "stream": stream,
        "sample_index": np.tile(np.arange(num_samples), num_questions),
        "role": np.tile(roles, num_questions),
        "parents": [list(shown) for shown in drawn.parents] * num_questions,
        "answer": [words.get(code, f"wrong {code}") for code in codes.tolist()],
        "target": "right",
        "correct": codes == RIGHT,
        "votes": np.tile(votes, num_questions),
        "source": where,
    }
    for name, tokens in (("completion_tokens", drawn.tokens), ("prompt_tokens", drawn.prompts)):
        if tokens is not None:
            columns[name] = tokens.ravel()
    return pd.DataFrame(columns)
