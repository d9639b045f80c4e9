"""Any data set of the hub as a task: files of a split, columns, options, what goes wrong."""

from __future__ import annotations

import pytest
from helpers.hub_server import COMMIT, HubServer, serving_hub

from dynlab._util.errors import InputError
from dynlab.tasks import load_task
from dynlab.tasks.hub_rows import split_options, target_of

SUMS = [{"problem": f"{n} + 1?", "solution": f"It is {n + 1}.\n#### {n + 1}"} for n in range(6)]
QUIZ = [
    {"ask": "Largest?", "options": ["one", "two"], "right": 1, "key": "a"},
    {"ask": "Smallest?", "options": ["one", "two"], "right": 0, "key": "b"},
]
CARD = b"""---
configs:
- config_name: easy
  data_files:
  - split: test
    path: easy/held-out-*.jsonl
- config_name: hard
  default: true
  data_files:
  - {split: test, path: [hard.csv]}
  - {split: train, path: more.csv}
---
# Sums
"""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with serving_hub(tmp_path / "hub", monkeypatch) as server:
        yield server


@pytest.mark.slow
def test_columns_are_named_and_the_commit_is_kept(hub):
    hub.add("me/sums", {"data/test-00000-of-00001.parquet": SUMS, "data/train.jsonl": QUIZ})
    name = "hf:me/sums?target=solution&question=problem&kind=integer"
    task = load_task(name)
    assert task.name == "hf:me/sums?kind=integer&question=problem&target=solution"
    assert task.origin == f"me/sums@{COMMIT}/data/test-00000-of-00001.parquet"
    assert [question.target for question in task.questions] == list("123456")
    drawn = load_task(f"{name}&size=2&seed=3").questions
    assert len(drawn) == 2 and set(drawn) < set(task.questions)


def test_an_index_a_letter_a_text_and_a_label_name_an_option(hub):
    labelled = [
        {"q": "A?", "c": {"text": ["x", "y"], "label": ["1", "2"]}, "t": "2"},
        {"q": "B?", "c": {"text": ["x", "y"], "label": ["1", "2"]}, "t": "1"},
    ]
    hub.add("me/quiz", {"test.jsonl": QUIZ, "labelled.jsonl": labelled})
    task = load_task("hf:me/quiz?question=ask&options=options&target=right&id=key")
    assert task.answer == "choice" and [q.id for q in task.questions] == ["a", "b"]
    assert [q.target for q in task.questions] == ["B", "A"]
    task = load_task("hf:me/quiz?file=labelled.jsonl&question=q&options=c&target=t")
    assert [q.target for q in task.questions] == ["B", "A"]
    assert task.questions[0].choices == ("x", "y")


@pytest.mark.slow
def test_the_card_says_which_files_a_split_has(hub):
    rows = [{"question": str(n), "target": str(n)} for n in range(3)]
    files = {"easy/held-out-1.jsonl": rows[:1], "hard.csv": rows[1:], "more.csv": rows}
    hub.add("me/parts", {"README.md": CARD, **files})
    name = "hf:me/parts?question=question&target=target"
    assert [q.question for q in load_task(name).questions] == ["1", "2"]
    assert [q.question for q in load_task(f"{name}&subset=easy").questions] == ["0"]
    assert len(load_task(f"{name}&split=train").questions) == 3


def test_shards_are_read_in_order_and_all_of_them_also_without_a_network(hub, monkeypatch):
    rows = [{"question": str(n)} for n in range(4)]
    shards = {f"en/test-0000{n}-of-00002.parquet": rows[2 * n : 2 * n + 2] for n in (1, 0)}
    other = {"de/test-00000-of-00001.parquet": rows}
    hub.add("me/shards", shards | other)
    name = "hf:me/shards?question=question&subset=en"
    task = load_task(name)
    assert [q.question for q in task.questions] == ["0", "1", "2", "3"]
    assert task.questions[0].target is None
    with HubServer() as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    assert load_task(name) == task
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert load_task(name) == task
    with pytest.raises(InputError, match="cannot reach the hub.*me/unseen is not in its cache"):
        load_task("hf:me/unseen?question=question")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", r"names no column of the question: hf:me/sums\?question=…&target=…"),
        ("?question=ask", r"has no column 'ask': it has 'problem', 'solution'; name those"),
        ("?question=problem&split=dev", r"no file of split 'dev': it has test.jsonl; give split"),
        ("?question=problem&subset=x", "no file of split 'test' of subset 'x'"),
        ("?question=problem&kind=sum", "unknown kind in .* 'sum'"),
        ("?question=problem&options=solution", "a cell of the options is no list of texts"),
        ("?question=problem&target=problem&kind=number", "the target is no answer of kind"),
        ("?question=problem&answer=x", "unknown option of hf:me/sums: 'answer'"),
        ("?question=problem&id=solution&file=test.csv", "has no file 'test.csv'"),
    ],
)
def test_what_cannot_be_is_one_line(hub, query, said):
    hub.add("me/sums", {"test.jsonl": SUMS})
    with pytest.raises(InputError, match=said) as error:
        load_task(f"hf:me/sums{query}")
    assert "\n" not in str(error.value) and "hub/datasets--" not in str(error.value)


@pytest.mark.parametrize("name", ["hf:?question=q", "hf:a/b/c?question=q", "hf:../x?question=q"])
def test_a_name_that_is_none_is_told_so(hub, name):
    with pytest.raises(InputError, match="OWNER/NAME|that you may read"):
        load_task(name)


def test_an_answer_is_found_at_the_end_of_a_solution():
    assert target_of("It costs 9 * 200.\n#### $1,800", "integer") == "1800"
    assert target_of(r"2 \cdot 3 = \boxed{6}", "number") == "6"
    assert target_of(r"\sqrt{2}", "expression") == r"\sqrt{2}"
    assert target_of(["1", "#### 2"], "integer") == ["1", "2"]
    assert target_of("#### plain text", "text") == "#### plain text"


def test_options_in_a_question_are_taken_out_only_if_all_are_lettered_in_order():
    assert split_options("Q?\nOptions:\n(A) x\n(B) y\n") == ("Q?", ["x", "y"])
    for text in ("Q?\nOptions:\n- yes\n- no", "Q?\nOptions:\n(A) x\n(C) y", "Q?"):
        assert split_options(text) == (text, [])
