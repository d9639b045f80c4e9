"""One run against a hostile server, in a process that may be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from dynlab._util.errors import DynlabError
from dynlab._util.options import Limits, RecordingOptions, RequestOptions
from dynlab._util.values import Question
from dynlab.models.llama_cpp import Endpoint
from dynlab.sampling.recorder import record
from dynlab.tasks.task import Task

KEY = "sk-marked-0123456789abcdef"


def run(
    address: str,
    out: Path,
    questions: int,
    samples: int,
    concurrency: int,
    cap: float | None,
    told: Path,
) -> None:
    asked = tuple(Question(f"q{i}", f"{i} + 1?", "1") for i in range(questions))
    task = Task(
        "sums",
        asked,
        form="completion",
        answer="integer",
        reasoned=False,
        max_tokens=8,
        stop=("\n",),
    )
    try:
        record(
            task,
            Endpoint("text-completion-openai/m", address, KEY),
            num_samples=samples,
            out=out,
            limits=Limits(usd=cap),
            requests=RequestOptions(
                concurrency=concurrency, timeout_s=2.0, price=(1.0, 10.0), progress=False
            ),
            options=RecordingOptions(greedy=False),
        )
    except DynlabError as error:
        told.write_text(str(error))
        sys.exit(1)
