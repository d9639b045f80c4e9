"""For processes that runs are forked from: what a first call to a model imports takes seconds."""

from __future__ import annotations

import gc
from tempfile import TemporaryDirectory

import dynlab
from dynlab.models.llama_cpp import Endpoint
from helpers.flat_options import grouped
from helpers.scripted_server import ScriptedServer
from helpers.sums import KEY, TASK, answers


def warm() -> None:
    """Solves a few questions, so that forks find everything imported and nothing to collect."""
    with TemporaryDirectory() as folder, ScriptedServer(answers) as server:
        endpoint = Endpoint("text-completion-openai/scripted", server.address, KEY)
        options = grouped(out=f"{folder}/answers.jsonl", budget=3, price=(1.0, 2.0), progress=False)
        dynlab.solve(TASK, endpoint, **options)
    gc.collect()
    gc.freeze()
