"""The benchmarks that have a name: where each lies on the hub, at which revision, how it is asked.

A table and nothing else: `benchmarks` loads what stands here. Revisions are commits of the data
sets, so that a name means the same questions for ever; `?revision=main` asks for the newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_GRADERS = "dynlab.tasks.benchmark_graders"
VERDICT, WORDS, BRACKETS = (f"{_GRADERS}:{name}" for name in ("verdict", "words", "brackets"))
BBH = "bbh/"  # how the names of BIG-Bench Hard's tasks begin


@dataclass(frozen=True)
class Benchmark:
    """A data set of the hub as a task.

    Args:
        repo: 'OWNER/NAME' on the hub.
        revision: A commit of it.
        file: The path of its questions.
        answer: The kind of answer, or a grader.
        question: The column of the question.
        target: The column of the right answer: a letter's index for 'choice', a solution that ends
            with the answer for the others, if it is not the answer itself.
        id: The column that names a question, '' for its place in the file.
        options: The column of the options, in their order; '' for none, or where the question's
            own text lists them.
        wrong: The columns of the wrong options, which are shuffled with the right one.
        demos: The worked examples (ours) that precede a question in a text completion.
        max_tokens: How long a response may be.
    """

    repo: str
    revision: str
    file: str
    answer: str
    question: str = "question"
    target: str = "answer"
    id: str = ""
    options: str = ""
    wrong: tuple[str, ...] = ()
    demos: str = ""
    max_tokens: int = 4096
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        named = (self.id, self.question, self.options, self.target, *self.wrong)
        object.__setattr__(self, "columns", tuple(name for name in named if name))


_BBH_KINDS: Mapping[str, tuple[str, ...]] = {
    "choice": (
        "date_understanding", "disambiguation_qa", "geometric_shapes", "hyperbaton",
        "logical_deduction_five_objects", "logical_deduction_seven_objects",
        "logical_deduction_three_objects", "movie_recommendation", "penguins_in_a_table",
        "reasoning_about_colored_objects", "ruin_names", "salient_translation_error_detection",
        "snarks", "temporal_sequences", "tracking_shuffled_objects_five_objects",
        "tracking_shuffled_objects_seven_objects", "tracking_shuffled_objects_three_objects",
    ),
    "integer": ("multistep_arithmetic_two", "object_counting"),
    VERDICT: (
        "boolean_expressions", "causal_judgement", "formal_fallacies", "navigate",
        "sports_understanding", "web_of_lies",
    ),
    WORDS: ("word_sorting",),
    BRACKETS: ("dyck_languages",),
}  # fmt: skip

BENCHMARKS: Mapping[str, Benchmark] = {
    "gsm8k": Benchmark(
        "openai/gsm8k",
        "740312add88f781978c0658806c59bc2815b9866",
        "main/test-00000-of-00001.parquet",
        "integer",
        demos="arithmetic",
        max_tokens=1024,
    ),
    "math500": Benchmark(
        "HuggingFaceH4/MATH-500",
        "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
        "test.jsonl",
        "expression",
        question="problem",
        id="unique_id",
        demos="mathematics",
    ),
    "aime2024": Benchmark(
        "HuggingFaceH4/aime_2024",
        "2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
        "data/train-00000-of-00001.parquet",
        "integer",
        question="problem",
        id="id",
        demos="mathematics",
        max_tokens=16_384,
    ),
    "aime2025": Benchmark(
        "math-ai/aime25",
        "563bb8404243c5f09de6ec262f2db674fe5bce9b",
        "test.jsonl",
        "integer",
        question="problem",
        id="id",
        demos="mathematics",
        max_tokens=16_384,
    ),
    "gpqa-diamond": Benchmark(
        "Idavidrein/gpqa",
        "633f5ee89ab8ad4522a9f850766b73f62147ffdd",
        "gpqa_diamond.csv",
        "choice",
        question="Question",
        target="Correct Answer",
        id="Record ID",
        wrong=("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"),
        demos="choices",
        max_tokens=8192,
    ),
    "mmlu-pro": Benchmark(
        "TIGER-Lab/MMLU-Pro",
        "b189ec765aa7ed75c8acfea42df31fdae71f97be",
        "data/test-00000-of-00001.parquet",
        "choice",
        target="answer_index",
        id="question_id",
        options="options",
        demos="choices",
    ),
    **{
        f"{BBH}{task}": Benchmark(
            "lukaemon/bbh",
            "982bb89fd79532a8ac676a61fc42eb1aeec63f99",
            f"{task}/test-00000-of-00001.parquet",
            kind,
            question="input",
            target="target",
            max_tokens=2048,
        )
        for kind, tasks in _BBH_KINDS.items()
        for task in tasks
    },
}


def listed() -> list[str]:
    """The names, those of BIG-Bench Hard as one: 'bbh/TASK'."""
    return [name for name in BENCHMARKS if not name.startswith(BBH)] + [f"{BBH}TASK"]
