"""Runs for processes that may be killed: each takes what can be sent to one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dynlab
from dynlab._util.options import Limits, RecordingOptions, RequestOptions
from dynlab._util.values import Question
from dynlab.models.engines import resolve
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.openvino import EngineSettings
from dynlab.sampling.recorder import record
from dynlab.tasks.task import Task
from helpers import sums, targeted_sums
from helpers.flat_options import grouped

KEY = "sk-marked-0123456789abcdef"
LETTERS = tuple(Question(f"q{i}", f"abc {i}", "a") for i in range(20))


def solve_sums(address: str, settings: dict[str, object]) -> None:
    """Solves the sums live."""
    endpoint = Endpoint("text-completion-openai/scripted", address, sums.KEY)
    dynlab.solve(sums.TASK, endpoint, **grouped(**settings))


def record_flat(address: str, task: Task, settings: dict[str, object]) -> None:
    """Records a task, with options written flat."""
    record(task, Endpoint("text-completion-openai/scripted", address, KEY), **grouped(**settings))


def record_letters(model: str, out: Path) -> None:
    """Records 20 questions × 2 samples of a local model by OpenVINO."""
    task = Task("letters", LETTERS, form="completion", reasoned=False, max_tokens=400)
    with resolve(model, settings=EngineSettings(4, 1, 512, 1)) as endpoint:
        record(
            task,
            endpoint,
            num_samples=2,
            out=out,
            options=RecordingOptions(greedy=False),
            requests=RequestOptions(progress=False),
        )


def record_hostile(
    address: str, out: Path, questions: int, samples: int, concurrency: int, cap: float | None
) -> None:
    """Records sums of a server whose answers fail in many ways."""
    asked = tuple(Question(f"q{i}", f"{i} + 1?", "1") for i in range(questions))
    record(
        replace(targeted_sums.TASK, questions=asked),
        Endpoint("text-completion-openai/m", address, KEY),
        num_samples=samples,
        out=out,
        limits=Limits(usd=cap),
        requests=RequestOptions(
            concurrency=concurrency, timeout_s=2.0, price=(1.0, 10.0), progress=False
        ),
        options=RecordingOptions(greedy=False),
    )
