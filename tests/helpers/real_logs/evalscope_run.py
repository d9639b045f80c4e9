"""EvalScope evaluates five questions, four repeats each, by a model that answers from a table."""

import json
import sys
from pathlib import Path

from evalscope import TaskConfig, run_task
from evalscope.api.model import GenerateConfig, Model, ModelAPI, ModelOutput, ModelUsage

folder = Path(sys.argv[1])
rows = "".join(f"{n},{n}+{n}?,{2 * n},{2 * n + 1},A\n" for n in range(5))
(folder / "data").mkdir()
(folder / "data" / "sums_val.csv").write_text("id,question,A,B,answer\n" + rows)


class Tabled(ModelAPI):
    """Knows two answers of three."""

    calls = 0

    def __init__(self):
        super().__init__(model_name="tabled")

    def generate(self, input, tools, tool_choice, config):
        Tabled.calls += 1
        output = ModelOutput.from_content("tabled", f"ANSWER: {'A' if Tabled.calls % 3 else 'B'}")
        output.usage = ModelUsage(input_tokens=10, output_tokens=3, total_tokens=13)
        return output


local = {"local_path": str(folder / "data"), "subset_list": ["sums"]}
reports = run_task(
    TaskConfig(
        model=Model(api=Tabled(), config=GenerateConfig()),
        model_id="tabled",
        datasets=["general_mcq"],
        dataset_args={"general_mcq": local},
        repeats=4,
        work_dir=str(folder / "out"),
        no_timestamp=True,
        eval_batch_size=1,
    )
)
(file,) = (folder / "out" / "reviews").rglob("*.jsonl")
right = reports["general_mcq"].metrics[0].score
print(json.dumps({"file": str(file), "right": right, "tokens": 20 * 13}))
