"""Sums for a model to solve on a scripted server, of all difficulties."""

from __future__ import annotations

import hashlib
import random

from dynlab._util.values import Question
from dynlab.models.llama_cpp import Endpoint
from dynlab.tasks.task import Task
from helpers.scripted_server import Reply

KEY = "sk-marked-0123456789-abcdef"
TASK = Task(
    "sums",
    tuple(Question(f"q{i}", f"{i} + 1?") for i in range(9)),
    form="completion",
    answer="integer",
    reasoned=False,
    max_tokens=8,
    stop=("\n",),
)


def lot(call, salt=b""):
    """Bytes that depend on the sample's seed alone."""
    return hashlib.blake2b(str(call.body["seed"]).encode() + salt).digest()


def answers(call):
    """Answers of all difficulties to 'i + 1?', and tokens, by the sample's seed; late by chance."""
    asked = int(call.words.rpartition("Question: ")[2].split()[0])
    drawn = lot(call)
    text = " ?" if drawn[3] < 20 else f" {asked + 1 if drawn[0] % 9 > asked else drawn[1] % 4}"
    usage = {"prompt_tokens": 10 + asked, "completion_tokens": 3 + drawn[2] % 6}
    logprobs = {
        "tokens": ["x"],
        "token_logprobs": [-drawn[4] / 255],
        "content": [{"token": "x", "logprob": -drawn[4] / 255}],
    }
    return Reply(
        text,
        usage=usage,
        delay_s=random.random() * 0.01,
        logprobs=logprobs if "logprobs" in call.body else None,
    )


def endpoint_at(server):
    return Endpoint("text-completion-openai/scripted", server.address, KEY)
