"""Inspect evaluates two questions, four epochs each, by a model that answers from a list."""

import json
import sys

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

outputs = []
for at, text in enumerate(["It is 4", "5", "Lima", "Quito"] * 2):
    output = ModelOutput.from_content("mockllm/model", text)
    output.usage = ModelUsage(
        input_tokens=10 + at, output_tokens=at + 1, total_tokens=14 + at, input_tokens_cache_read=3
    )
    outputs.append(output)
questions = [
    Sample(id="a", input="2+2?", target="4"),
    Sample(id=2, input="Capital?", target=["Lima", "lima"]),
]
task = Task(dataset=MemoryDataset(questions), solver=generate(), scorer=match(), epochs=4)
(log,) = eval(
    task,
    model=get_model("mockllm/model", custom_outputs=outputs),
    log_dir=sys.argv[1],
    display="none",
    max_samples=1,
)
right = log.results.scores[0].metrics["accuracy"].value
print(
    json.dumps(
        {"file": log.location, "right": right, "tokens": sum(13 + 2 * n + 1 for n in range(8))}
    )
)
