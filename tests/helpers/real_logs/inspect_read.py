"""Inspect reads a log: what it holds, as Inspect's own types say it."""

import json
import sys

from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

log = read_eval_log(sys.argv[1])
samples = [
    {
        "question_id": sample.id,
        "epoch": sample.epoch,
        "target": sample.target,
        "scores": {name: [score.value, score.answer] for name, score in sample.scores.items()},
        "messages": [message.text for message in sample.messages],
        "tokens": [
            [usage.input_tokens + (usage.input_tokens_cache_read or 0), usage.output_tokens]
            for usage in sample.model_usage.values()
        ],
    }
    for sample in log.samples
]
scores = {score.name: score.metrics["accuracy"].value for score in log.results.scores}
summaries = len(read_eval_log_sample_summaries(sys.argv[1]))
print(json.dumps({"samples": samples, "scores": scores, "summaries": summaries}))
