"""A made-up recording of any size, written a row group at a time: questions of all difficulties,
answers with their texts, prices and log-probabilities.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dynlab.recordings.schema import SCHEMA

GROUP = 1000  # questions of a row group
NUM_TEXTS = 2000  # different ones of a row group
WORDS = np.array("so the train with of and minutes leaves at then sum is hence from total".split())
CARD = {"design": "fixed", "model": "made-up", "date": "2026-01-01", "simulated": True}


def large_recording(path: Path, num_questions: int, num_samples: int = 64, words: int = 80) -> Path:
    """Writes it: `words` in each text, about 5 bytes a word."""
    rng = np.random.default_rng(0)
    schema = pa.schema([(name, SCHEMA[name]) for name in _group(rng, 0, 1, 1, 1)])
    schema = schema.with_metadata({b"dynlab": json.dumps(CARD).encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, num_questions, GROUP):
            number = min(GROUP, num_questions - first)
            columns = _group(rng, first, number, num_samples, words)
            writer.write_table(pa.table(columns, schema=schema))
    return path


def _group(rng, first: int, num_questions: int, num_samples: int, words: int):
    """The columns of some questions."""
    ids = [f"q{number:07}" for number in range(first, first + num_questions)]
    size = num_questions * num_samples
    each = np.repeat(np.arange(num_questions), num_samples)
    shares = rng.dirichlet(np.full(5, 0.6), num_questions).cumsum(axis=1)
    code = (rng.random(size)[:, None] > shares[each]).sum(axis=1).clip(0, 4)
    answers = pa.array([str(10 * letter) for letter in range(5)])
    spoken = rng.integers(len(WORDS), size=(NUM_TEXTS, words))
    texts = pa.array([" ".join(WORDS[row]) for row in spoken])
    tokens = rng.integers(50, 200, size)

    def of_question(values):
        return pa.array(values).take(pa.array(each))

    def same(value):
        return pa.repeat(value, size)

    return {
        "dataset": same("made-up"),
        "model": same("made-up"),
        "question_id": of_question(ids),
        "question": of_question([f"What is the sum of {id_}?" for id_ in ids]),
        "strategy": same("parallel"),
        "stream": pa.array(np.zeros(size, np.int32)),
        "sample_index": pa.array(np.tile(np.arange(num_samples, dtype=np.int32), num_questions)),
        "role": same("independent"),
        "parents": pa.array([[]] * size, pa.list_(pa.int32())),
        "awaited": pa.array([[]] * size, pa.list_(pa.int32())),
        "answer": answers.take(pa.array(code)),
        "target": same("0"),
        "correct": pa.array(code == 0),
        "votes": same(True),
        "text": texts.take(pa.array(rng.integers(NUM_TEXTS, size=size))),
        "finish_reason": same("stop"),
        "mean_logprob": pa.array(-rng.exponential(0.2, size).astype(np.float32)),
        "prompt_tokens": pa.array(np.full(size, 40, np.int32)),
        "completion_tokens": pa.array(tokens.astype(np.int32)),
        "cost_usd": pa.array(tokens * 1e-6),
        "latency_s": pa.array((tokens / 50).astype(np.float32)),
        "source": same("made-up"),
    }
