"""One run against a hostile server, in a process that may be killed; LiteLLM is imported before it is forked."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
warnings.simplefilter("ignore")
import litellm  # noqa: E402, F401

from dynlab.errors import DynlabError  # noqa: E402
from dynlab.local import Endpoint  # noqa: E402
from dynlab.sampling import record  # noqa: E402
from dynlab.tasks import Task  # noqa: E402
from dynlab.types import Question  # noqa: E402

KEY = "sk-marked-0123456789abcdef"


def run(address: str, out: Path, questions: int, samples: int, concurrency: int, cap: float | None, told: Path) -> None:
    asked = tuple(Question(f"q{i}", f"{i} + 1?", "1") for i in range(questions))
    task = Task("sums", asked, form="completion", answer="integer", reasoned=False, max_tokens=8, stop=("\n",))
    try:
        record(
            task, Endpoint("text-completion-openai/m", address, KEY), num_samples=samples, out=out, greedy=False,
            concurrency=concurrency, price=(1.0, 10.0), max_usd=cap, timeout_s=2.0, progress=False,
        )  # fmt: skip
    except DynlabError as error:
        told.write_text(str(error))
        sys.exit(1)
