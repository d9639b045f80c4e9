"""Benchmarks by name: from a stand-in of the hub whose small files we wrote, with the columns of
the real ones.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from helpers.hub_server import HubServer, serving_hub

import dynlab
from dynlab._util import extras
from dynlab._util.errors import InputError
from dynlab._util.options import Asking
from dynlab.tasks import load_task
from dynlab.tasks.benchmark_table import BENCHMARKS
from dynlab.tasks.prompts import prompter_for
from dynlab.tasks.task import to_jsonl

ROWS = {
    "gsm8k": [
        {
            "question": "Ann packs 9 boxes of 2 cups. Cups?",
            "answer": "9 * 2 = <<9*2=18>>18\n#### 18",
        },
        {"question": "A town of 700 doubles. People?", "answer": "700 * 2 = 1400\n#### 1,400"},
    ],
    "math500": [
        {
            "problem": "What is three quarters, halved?",
            "solution": r"It is $\boxed{\frac{3}{8}}$.",
            "answer": r"\frac{3}{8}",
            "subject": "Prealgebra",
            "level": 1,
            "unique_id": "test/prealgebra/1.json",
        }
    ],
    "aime2024": [
        {
            "id": 60,
            "problem": "Half of 66?",
            "solution": "33",
            "answer": "033",
            "url": "",
            "year": "2024",
        }
    ],
    "aime2025": [{"problem": "Half of 140?", "answer": "70", "id": "0"}],
    "gpqa-diamond": [
        {
            "Record ID": f"rec{number}",
            "Question": f"What is {number} plus one?",
            "Correct Answer": f"{number + 1}",
            "Incorrect Answer 1": f"{number + 2}",
            "Incorrect Answer 2": f"{number + 3}\n",
            "Incorrect Answer 3": f"{number + 4}, or more",
        }
        for number in range(40)
    ],
    "mmlu-pro": [
        {
            "question_id": 70,
            "question": "Which is a metal?",
            "options": ["wood", "iron", "glass"],
            "answer": "B",
            "answer_index": 1,
            "cot_content": "",
            "category": "chemistry",
            "src": "ours",
        }
    ],
    "bbh/hyperbaton": [
        {
            "input": "Which order is right?\nOptions:\n(A) red big box\n(B) big red box",
            "target": "(B)",
        }
    ],
    "bbh/object_counting": [{"input": "I have a cat and two dogs. How many pets?", "target": "3"}],
    "bbh/web_of_lies": [{"input": "Ann says she lies. Does Ann tell the truth?", "target": "No"}],
    "bbh/word_sorting": [{"input": "Sort: List: pear fig", "target": "fig pear"}],
    "bbh/dyck_languages": [{"input": "Close them. Input: [ {", "target": "} ]"}],
}
RIGHT = {  # a response to the first question that is right, and one that is not
    "gsm8k": ("Answer: 18 cups", "Answer: 19"),
    "math500": (r"so $\boxed{0.375}$", r"\boxed{\frac{3}{4}}"),
    "aime2024": ("Answer: 33", "Answer: 330"),
    "aime2025": ("Answer: 070", "Answer: 7"),
    "mmlu-pro": ("Answer: (B) iron", "Answer: C"),
    "bbh/hyperbaton": ("Answer: big red box", "Answer: A"),
    "bbh/object_counting": ("Answer: three. Answer: 3", "Answer: 2"),
    "bbh/web_of_lies": ("Answer: **No**, she does not.", "Answer: yes"),
    "bbh/word_sorting": ("Answer: Fig, pear", "Answer: pear, fig"),
    "bbh/dyck_languages": ("Answer: [ { } ]", "Answer: ] }"),
}


def offer(hub, name, rows=None, **given):
    said = BENCHMARKS[name]
    rows = ROWS[name] if rows is None else rows
    hub.add(said.repo, {said.file: rows}, commit=said.revision, **given)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with serving_hub(tmp_path / "hub", monkeypatch) as server:
        yield server


@pytest.mark.parametrize("name", RIGHT)
def test_a_benchmark_is_fetched_at_its_commit_and_its_answers_are_judged(hub, name):
    offer(hub, name)
    task = load_task(name)
    said = BENCHMARKS[name]
    assert task.name == name and task.origin == f"{said.repo}@{said.revision}/{said.file}"
    right, wrong = (task.final_answer(text, task.questions[0]) for text in RIGHT[name])
    assert right and task.is_right(right, task.questions[0])
    assert wrong and task.is_right(wrong, task.questions[0]) is False
    files = [asked for asked in hub.asked if "/resolve/" in asked]
    assert files and all(f"/resolve/{said.revision}/{said.file}" in each for each in files)


def test_what_is_cached_is_not_asked_for_again(hub):
    offer(hub, "gsm8k")
    first = load_task("gsm8k")
    hub.asked.clear()
    assert load_task("gsm8k") == first and hub.asked == []


def test_no_prompt_holds_a_solution(hub):
    offer(hub, "gsm8k")
    task = load_task("gsm8k")
    words = str([prompter_for(task)(question, []) for question in task.questions])
    assert "packs 9 boxes" in words
    assert not any(told in words for told in ("####", "<<", "1400", "18"))


def test_a_text_completion_is_shown_worked_examples_of_ours(hub):
    offer(hub, "gsm8k")
    assert load_task("gsm8k").demos == ()
    task = load_task("gsm8k", asking=Asking(form="completion"))
    assert len(task.demos) == 3 and task.stop
    for question, solution in task.demos:
        assert task.final_answer(solution, task.questions[0]) and question not in str(ROWS)


def test_right_letters_are_spread_by_a_seed_of_each_question(hub):
    offer(hub, "gpqa-diamond")
    task = load_task("gpqa-diamond")
    targets = Counter(question.target for question in task.questions)
    assert sorted(targets) == list("ABCD") and min(targets.values()) >= 4
    for number, question in enumerate(task.questions):
        assert question.choices[ord(question.target) - ord("A")] == str(number + 1)
        assert len(set(question.choices)) == 4
    part = load_task("gpqa-diamond?size=5")
    assert set(part.questions) < set(task.questions)
    other = load_task("gpqa-diamond?seed=1")
    assert other.name == "gpqa-diamond?seed=1"
    assert [question.target for question in other.questions] != [
        question.target for question in task.questions
    ]


def test_a_smaller_draw_is_part_of_a_larger_one(hub):
    offer(hub, "gpqa-diamond")
    drawn = [{q.id for q in load_task(f"gpqa-diamond?size={size}").questions} for size in (3, 9)]
    assert drawn[0] < drawn[1] and len(drawn[1]) == 9
    with pytest.raises(InputError, match="there are 40 questions, not 41"):
        load_task("gpqa-diamond?size=41")


def test_the_task_of_a_benchmark_can_be_kept_as_a_file(hub, tmp_path):
    offer(hub, "mmlu-pro")
    task = load_task("mmlu-pro")
    (tmp_path / "mmlu-pro.jsonl").write_text(to_jsonl(task), encoding="utf-8")
    assert load_task(tmp_path / "mmlu-pro.jsonl") == task


@pytest.mark.slow
@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_data_set_says_how_to_get_access_and_no_token(hub, status):
    offer(hub, "gpqa-diamond", gate=status)
    with pytest.raises(InputError) as error:
        load_task("gpqa-diamond")
    assert str(error.value) == (
        f"Idavidrein/gpqa is gated: accept its terms at {hub.address}/datasets/Idavidrein/gpqa,"
        " then set HF_TOKEN to a token of that account (or run `hf auth login`)"
    )
    assert hub.tokens == ["Bearer hf_secret"]  # it is sent, and never shown
    assert "hf_secret" not in repr(error.getrepr(chain=True))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, r"the hub refuses .* \(403\): HF_TOKEN is no token that may read it"),
        (503, r"the hub answers 503 for main/test.*parquet of openai/gsm8k: try again later"),
    ],
)
def test_a_refused_token_and_an_outage_are_told_apart(hub, status, said):
    offer(hub, "gsm8k", gate=status, code="")
    with pytest.raises(InputError, match=said) as error:
        load_task("gsm8k")
    assert "hf_secret" not in repr(error.getrepr(chain=True))


def test_expressions_ask_for_their_extra_before_anything_is_paid_for(hub, monkeypatch):
    offer(hub, "math500")
    installed = extras.find_spec
    monkeypatch.setattr(
        extras, "find_spec", lambda name: None if name == "math_verify" else installed(name)
    )
    with pytest.raises(InputError, match=r"needs math_verify.*dynlab\[math\]"):
        load_task("math500")


def test_a_data_set_a_file_or_a_revision_that_is_not_there_is_named(hub):
    with pytest.raises(InputError, match=r"no data set 'openai/gsm8k' that you may read"):
        load_task("gsm8k")
    said = BENCHMARKS["gsm8k"]
    hub.add(said.repo, {"README.md": b"moved"}, commit=said.revision)
    with pytest.raises(InputError, match=r"has no file 'main/test-00000-of-00001.parquet'"):
        load_task("gsm8k")
    with pytest.raises(InputError, match=r"openai/gsm8k has no revision 'v2': give a commit"):
        load_task("gsm8k?revision=v2")


@pytest.mark.slow
def test_without_a_network_a_warm_cache_answers_and_a_cold_one_says_what_to_do(
    hub, tmp_path, monkeypatch
):
    offer(hub, "gsm8k")
    named, newest = load_task("gsm8k"), load_task("gsm8k?revision=main")
    with HubServer() as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    assert load_task("gsm8k") == named
    assert load_task("gsm8k?revision=main") == newest
    cold = f"cannot reach the hub at {gone.address}.* is not in its cache: run once with a network"
    with pytest.raises(InputError, match=cold):
        load_task("math500")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(InputError, match=cold):
        load_task("gsm8k")


def test_a_changed_schema_names_the_columns_that_are_there(hub):
    offer(hub, "gsm8k", [{"prompt": "1 + 1?", "response": "#### 2"}])
    with pytest.raises(
        InputError,
        match=r"at revision 740312add88f has no column 'question', 'answer': it has 'prompt',"
        r" 'response'",
    ):
        load_task("gsm8k")


def test_one_target_that_cannot_be_read_is_left_out_and_many_are_no_benchmark(hub):
    name, good = "bbh/object_counting", ROWS["bbh/object_counting"]
    offer(hub, name, good * 30 + [{"input": "How many?", "target": "a few"}])
    with pytest.warns(UserWarning, match="left out.*bbh-object_counting-0031"):
        assert len(load_task(name).questions) == 30
    offer(hub, "aime2025", [ROWS["aime2025"][0] | {"answer": "unknown"}])
    with pytest.raises(InputError, match="the target is no answer of kind 'integer'"):
        load_task("aime2025")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gms8k", r"unknown task 'gms8k': did you mean 'gsm8k'\?.*'bbh/TASK'.*'hf:OWNER/NAME"),
        ("bbh/navigat", r"task of BIG-Bench Hard 'bbh/navigat': did you mean 'bbh/navigate'"),
        ("gsm8k?sise=3", r"unknown option of gsm8k: 'sise': did you mean 'size'"),
        ("gsm8k?size=few", "size must be a whole number of at least 1, not 'few'"),
        ("gsm8k?size=1&size=2", "give size once"),
        ("gsm8k?size", "options are key=value"),
    ],
)
def test_a_mistyped_name_or_option_is_told_what_there_is(name, said):
    with pytest.raises(InputError, match=said):
        load_task(name)


def test_the_guide_names_the_data_set_and_the_commit_of_every_benchmark():
    guides = Path(__file__).resolve().parents[2] / "notebooks" / "guides"
    page = (guides / "models-and-questions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/-]+)` \| `([\w./-]+)`[^|]*\| `([0-9a-f]{12})` \|", page, re.M)
    shown = {name: (repo, commit) for name, repo, commit in rows}
    for name, said in BENCHMARKS.items():
        row = "bbh/TASK" if name.startswith("bbh/") else name
        assert shown[row] == (said.repo, said.revision[:12]) and len(said.revision) == 40
    assert len(BENCHMARKS) == 6 + 27


def test_a_preview_shows_the_prompt_of_a_benchmark_without_its_solution(hub):
    offer(hub, "gsm8k")
    shown = str(dynlab.preview("gsm8k", num_questions=1))
    assert "Ann packs 9 boxes of 2 cups" in shown and "one integer" in shown
    assert "####" not in shown and "9*2" not in shown and "town" not in shown
