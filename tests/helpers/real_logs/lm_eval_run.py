"""lm-evaluation-harness evaluates six questions, four repeats each, and logs its samples."""

import json
import sys
from pathlib import Path

import lm_eval
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

folder = Path(sys.argv[1])
questions = [{"question": f"{n}+{n}?", "answer": str(2 * n)} for n in range(6)]
(folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions))
(folder / "sums.yaml").write_text(
    f"""task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder / "sums.jsonl"}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
repeats: 4
generation_kwargs: {{until: ["\\n"], do_sample: true, temperature: 1.0}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
filter_list:
- name: first
  filter: [{{function: regex, regex_pattern: "(\\\\d+)"}}, {{function: take_first}}]
"""
)


class Tabled(LM):
    """Knows two answers of three."""

    def generate_until(self, requests, disable_tqdm=False):
        return [
            f"so it is {request.doc['answer']}" if at % 3 else "no idea"
            for at, request in enumerate(requests)
        ]

    def loglikelihood(self, requests):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


tasks = TaskManager(include_path=str(folder), include_defaults=False)
found = lm_eval.simple_evaluate(
    model=Tabled(), tasks=["sums"], task_manager=tasks, log_samples=True, bootstrap_iters=0
)
tracker = EvaluationTracker(output_path=str(folder / "out"))
tracker.general_config_tracker.model_name_sanitized = "tabled"
samples = found.pop("samples")
tracker.save_results_aggregated(found, samples)
tracker.save_results_samples(task_name="sums", samples=samples["sums"])
(file,) = (folder / "out").rglob("samples_*.jsonl")
report = {"exact_match,first": float(found["results"]["sums"]["exact_match,first"])}
print(json.dumps({"file": str(file), "reported": report}))
