"""lighteval scores six questions with four samples each and saves its details."""

import json
import sys
from pathlib import Path

from lighteval.logging.evaluation_tracker import EvaluationTracker
from lighteval.metrics.metrics import Metrics
from lighteval.models.abstract_model import ModelConfig
from lighteval.models.model_output import ModelResponse
from lighteval.tasks.requests import Doc

folder = Path(sys.argv[1])
metric = Metrics.avg_at_n(sample_params={"n": 4})
tracker = EvaluationTracker(output_dir=str(folder), save_details=True)
tracker.general_config_logger.log_model_info(ModelConfig(model_name="tabled"))
values = []
for number in range(6):
    doc = Doc(
        query=f"{number}+{number}?",
        choices=[str(2 * number)],
        gold_index=0,
        task_name="sums|0",
        id=str(number),
        num_samples=4,
    )
    texts = [doc.choices[0] if (number + at) % 3 else "no idea" for at in range(4)]
    tokens = [[5] * (at + 2) for at in range(4)]
    response = ModelResponse(
        input=doc.query, input_tokens=[1] * 7, text=texts, output_tokens=tokens
    )
    marks = metric.compute_sample(doc=doc, model_response=response)
    tracker.details_logger.log("sums|0", doc, response, marks)
    tracker.metrics_logger.log("sums|0", marks)
    values += marks.values()
tracker.details_logger.aggregate()
tracker.save()
(file,) = folder.rglob("details_*.parquet")
tokens = 6 * sum(7 + at + 2 for at in range(4))
print(json.dumps({"file": str(file), "right": float(sum(values) / 6), "tokens": tokens}))
