"""A store of any size, of a recording that lacks its last question's samples: `record` draws them,
and writes all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dynlab._util.options import RequestOptions
from dynlab._util.values import GREEDY, Sample, Usage
from dynlab.sampling.preparation import asked_at, prepared
from helpers.large_recording import NUM_TEXTS, WORDS

MODEL = "openai/stand-in"


def large_store(folder: Path, num_questions: int, api_base: str, num_samples: int = 64) -> Path:
    """Makes task.jsonl and the store of large.parquet; the recording's path."""
    folder.mkdir()
    task, out = folder / "task.jsonl", folder / "large.parquet"
    header = {"task": {"form": "chat", "answer": "integer", "max_tokens": 64}}
    ids = [f"q{number:07}" for number in range(num_questions)]
    lines = [header] + [
        {"id": id_, "question": f"What is the sum of {id_}?", "target": "0"} for id_ in ids
    ]
    task.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    model = asked_at(MODEL, RequestOptions(api_base=api_base))
    with prepared(str(task), model, out, num_samples=num_samples).store() as store:
        store.load(_samples(ids[:-1], num_samples))
        store.account(None)
    return out


def _samples(ids: list[str], num_samples: int, words: int = 80) -> Iterator[Sample]:
    """`words` in each text, about 5 bytes a word; answers of which one is right."""
    rng = np.random.default_rng(0)
    texts = [" ".join(row) for row in WORDS[rng.integers(len(WORDS), size=(NUM_TEXTS, words))]]
    for id_ in ids:
        shares = rng.dirichlet(np.full(5, 0.6))
        codes = rng.choice(5, num_samples + 1, p=shares).tolist()
        said = rng.integers(NUM_TEXTS, size=num_samples + 1).tolist()
        tokens = rng.integers(50, 200, num_samples + 1).tolist()
        keys = [(GREEDY, 0), *(("parallel", index) for index in range(num_samples))]
        for (strategy, index), code, text, num in zip(keys, codes, said, tokens, strict=True):
            answer = str(10 * code)
            yield Sample(
                *(id_, strategy, 0, index, answer, f"{texts[text]}\nAnswer: {answer}"),
                Usage(40, num),
                finish_reason="stop",
                latency_s=num / 50,
            )
