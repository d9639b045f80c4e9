"""Tasks: the built-in files are sound, users' files in three formats read the same, and bad ones
say why.
"""

import json

import pandas as pd
import pytest
from recipe.families import PUZZLES

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab._util.options import Asking
from dynlab._util.values import Question
from dynlab.tasks import prompts
from dynlab.tasks.answers import is_right, normalise
from dynlab.tasks.task import Task, as_task, load_task, names, to_jsonl

BUILT_IN = [
    *("calendar", "capitals", "digits", "french", "fruits", "opposites", "past-tense", "sums"),
    *("symbols", "totals", "weekdays"),
]
ROWS = [
    {"id": "a", "question": "1 + 1, or 2?", "target": "2", "aliases": ["two", "II"]},
    {"id": "b", "question": "Is it?\nReally?", "target": "yes", "aliases": []},
]


def write(path, *lines):
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    )
    return path


def test_the_built_in_tasks_are_these():
    assert names() == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
class TestBuiltIn:
    def test_it_has_100_questions_or_more_with_parsable_targets(self, name):
        task = load_task(name)
        assert len(task.questions) >= 100
        assert len({question.question for question in task.questions}) == len(task.questions)
        assert all(
            is_right(normalise(q.target, task.answer), q, task.answer) for q in task.questions
        )

    def test_its_aliases_are_answers_of_their_own(self, name):
        for question in load_task(name).questions:
            keys = [normalise(text, "text") for text in (question.target, *question.aliases)]
            assert "" not in keys and len(set(keys)) == len(keys), question

    def test_its_demos_are_never_evaluated(self, name):
        task = load_task(name)
        assert len(task.demos) in ((0,) if name in PUZZLES else (3, 4, 5))
        asked = {question.question.casefold() for question in task.questions}
        assert not asked & {question.casefold() for question, _ in task.demos}

    def test_its_demos_end_before_a_stop_and_within_the_tokens(self, name):
        task = load_task(name)
        assert all(stop not in response for _, response in task.demos for stop in task.stop)
        assert all(
            len(response) / 2 <= task.max_tokens for _, response in task.demos
        )  # two characters a token at least
        assert all(task.final_answer(response, task.questions[0]) for _, response in task.demos)

    def test_it_is_asked_as_a_completion(self, name):
        task = load_task(name, limit=1)
        assert task.form == "completion" and isinstance(
            prompts.prompter_for(task), prompts.Completion
        )

    def test_its_file_is_what_writing_it_gives(self, name):
        task = load_task(name)
        assert shipped_files.named("data/tasks", (".jsonl",))[name].read_text(
            encoding="utf-8"
        ) == to_jsonl(task)


def test_a_task_survives_writing_and_reading(tmp_path):
    questions = (
        Question("ü", 'A "quoted"\nquestion, yes', "B", ("x", "y"), ()),
        Question("2", "No target", choices=("p",)),
    )
    task = Task(
        "mine",
        questions,
        form="completion",
        answer="choice",
        demos=(("q", "A"),),
        stop=("\n",),
        reasoned=False,
    )
    (tmp_path / "mine.jsonl").write_text(to_jsonl(task), encoding="utf-8")
    assert load_task(tmp_path / "mine.jsonl") == task


def test_jsonl_csv_and_parquet_read_the_same(tmp_path):
    write(tmp_path / "t.jsonl", *ROWS, "")
    frame = pd.DataFrame(ROWS)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.assign(aliases=frame.aliases.map("|".join)).to_csv(tmp_path / "t.csv", index=False)
    read = [load_task(tmp_path / f"t.{suffix}") for suffix in ("jsonl", "csv", "parquet")]
    assert read[0] == read[1] == read[2]
    assert read[0].questions == (
        Question("a", "1 + 1, or 2?", "2", (), ("two", "II")),
        Question("b", "Is it?\nReally?", "yes"),
    )
    assert (read[0].form, read[0].answer, read[0].demos) == ("chat", "text", ())


def test_a_file_with_choices_is_a_choice_task_whose_targets_become_letters(tmp_path):
    (tmp_path / "t.csv").write_text(
        "id,question,target,choices\n1,Hot?,cold,warm|cold\n2,Up?,A,down|up\n3,What?,,x|y\n"
    )
    task = load_task(tmp_path / "t.csv")
    assert task.answer == "choice"
    assert [question.target for question in task.questions] == ["B", "A", None]


def test_numbers_are_taken_as_ids_and_targets(tmp_path):
    task = load_task(write(tmp_path / "t.jsonl", {"id": 7, "question": "3 + 4?", "target": 7}))
    assert task.questions == (Question("7", "3 + 4?", "7"),)


def test_a_parquet_column_of_numbers_with_gaps_stays_whole_numbers(tmp_path):
    pd.DataFrame({"id": [1, 2], "question": ["3 + 4?", "?"], "target": [7, None]}).to_parquet(
        tmp_path / "t.parquet"
    )
    assert load_task(tmp_path / "t.parquet").questions == (
        Question("1", "3 + 4?", "7"),
        Question("2", "?"),
    )


def test_limit_keeps_the_first_questions():
    assert load_task("symbols", limit=2).questions == load_task("symbols").questions[:2]
    with pytest.raises(InputError, match="at least 1"):
        load_task("symbols", limit=0)


def test_a_completion_task_without_a_stop_ends_before_an_invented_question(tmp_path):
    path = write(tmp_path / "t.jsonl", {"task": {"form": "completion"}}, ROWS[0])
    assert load_task(path).stop == ("\nQuestion:",)


BAD = {
    "an empty file": ([""], "holds no questions"),
    "a header alone": ([{"task": {}}], "holds no questions"),
    "a line that is no JSON": ([ROWS[0], "", "{oops"], r"line 3 is not JSON"),
    "a line that is no object": (["[1]"], "line 1 is a list"),
    "endless nesting": (["[" * 100_000], "line 1 is not JSON"),
    "a missing column": (
        [{"id": "1", "qestion": "x"}],
        r"line 1 has no column 'question', it has 'id', 'qestion': rename",
    ),
    "a missing id": ([{"question": "x"}], "no column 'id', it has 'question'"),
    "a repeated id": ([ROWS[0], ROWS[0]], r"line 2: id 'a' is already used in .*line 1"),
    "an empty question": ([{"id": "1", "question": " "}], "line 1: 'question' is empty"),
    "a blank target": ([{"id": "1", "question": "x", "target": " "}], "line 1: 'target' is blank"),
    "choices that are no list": (
        [{"id": "1", "question": "x", "choices": "a,b"}],
        "'choices' must be a list",
    ),
    "a target outside the choices": (
        [{"id": "1", "question": "x", "choices": ["a", "b"], "target": "C"}],
        "question '1': the target is no answer of kind 'choice' among a, b",
    ),
    "an index in place of a choice": (
        [{"id": "1", "question": "x", "choices": ["a", "b", "c"], "target": 2}],
        "'2' is C counted from 0, B counted from 1: give letters, or the texts",
    ),
    "too many choices": (
        [{"id": "1", "question": "x", "choices": list(map(str, range(27)))}],
        "27 choices",
    ),
    "an unknown field": ([{"task": {"fom": "chat"}}, ROWS[0]], "did you mean 'form'"),
    "an unknown form": ([{"task": {"form": "chatty"}}, ROWS[0]], "did you mean 'chat'"),
    "an unknown kind": (
        [{"task": {"answer": "numeral"}}, ROWS[0]],
        "must be one of 'choice', 'expression'",
    ),
    "a header that is no object": ([{"task": "x"}, ROWS[0]], "header must be"),
    "a stop that is a text": ([{"task": {"stop": "x"}}, ROWS[0]], "'stop' must be a list of texts"),
    "demos that are no pairs": (
        [{"task": {"demos": ["xy"]}}, ROWS[0]],
        "'demos' must be a list of",
    ),
    "tokens that are no number": ([{"task": {"max_tokens": "9"}}, ROWS[0]], "'max_tokens' must be"),
    "reasoned that is no truth value": ([{"task": {"reasoned": 1}}, ROWS[0]], "'reasoned' must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_says_where_and_why(case, tmp_path):
    lines, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        load_task(write(tmp_path / "t.jsonl", *lines))
    assert "\n" not in str(caught.value)


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(
        InputError, match=r"unknown task 'capital': did you mean 'capitals'.*'weekdays'"
    ):
        load_task("capital")


def test_a_file_that_is_missing_or_of_another_kind_says_so(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl does not exist"):
        load_task(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="is a folder"):
        load_task(tmp_path)
    (tmp_path / "t.txt").write_text("x")
    with pytest.raises(InputError, match=r"ends in '\.txt'.*\.jsonl, \.json, \.csv, \.parquet"):
        load_task(tmp_path / "t.txt")
    (tmp_path / "t.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        load_task(tmp_path / "t.jsonl")
    (tmp_path / "t.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match="not a Parquet file"):
        load_task(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("id,question\n1,a,b\n")
    with pytest.raises(InputError, match=r"line 2 has more cells than the 2 columns"):
        load_task(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text('id,question\n1,"a\n')
    with pytest.raises(InputError, match=r"is not CSV"):
        load_task(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(InputError, match="holds no questions"):
        load_task(tmp_path / "t.csv")


def test_a_column_that_looks_like_a_slip_of_a_known_one_is_told(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 1, "question": "x", "traget": "y", "topic": "z"}\n')
    with pytest.raises(InputError, match="has a column 'traget': rename it 'target' if it"):
        load_task(path)


@pytest.mark.parametrize("name", ["Target", "Answer", "answer", "TARGET"])
def test_a_wrongly_named_target_is_an_error_with_the_right_name(tmp_path, name):
    path = write(tmp_path / "t.jsonl", {"id": "1", "question": "?", name: "4"})
    with pytest.raises(InputError, match=f"a column '{name}': rename it 'target'"):
        load_task(path)


def test_a_list_of_targets_is_a_target_and_aliases(tmp_path):
    path = write(tmp_path / "t.jsonl", {"id": "1", "question": "?", "target": ["Lima", "Ciudad"]})
    (question,) = load_task(path).questions
    assert (question.target, question.aliases) == ("Lima", ("Ciudad",))


def test_the_text_of_a_list_is_the_list(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "id,question,target,choices\n"
        "1,2 + 2?,\"['4', 'four']\",\n"
        "2,Which is blue?,B,\"['sun', 'sky']\"\n"
    )
    first, second = load_task(path, asking=Asking(answer="text")).questions
    assert (first.target, first.aliases) == ("4", ("four",))
    assert second.choices == ("sun", "sky")


@pytest.mark.parametrize("name", ["label", "Gold", "correct_answer", "expected output", "solution"])
def test_a_target_under_another_name_is_told(tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text(f"id,question,{name}\n1,2 + 2?,4\n")
    with pytest.raises(InputError, match=f"a column '{name}': rename it 'target'"):
        load_task(path)
    path.write_text(f"id,question,target,meta,{name}\n1,2 + 2?,4,x,5\n")
    with pytest.warns(UserWarning, match=f"'{name}' ignored, 'target' is read"):
        assert load_task(path).questions[0].target == "4"


def test_a_setting_under_another_name_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,question,target,Kind\n1,2 + 2?,4,integer\n")
    with pytest.raises(InputError, match="a column 'Kind': rename it 'kind'"):
        load_task(path)
    rows = write(tmp_path / "t.jsonl", {"id": "1", "question": "?", "kind": "integer"})
    with pytest.warns(UserWarning, match="'kind' of a row is ignored; a header says it"):
        load_task(rows)
    frame = pd.DataFrame({"id": [1], "question": ["?"], "target": [b"5"], "kind": ["integer"]})
    assert as_task(frame).answer == "integer"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,question,target,target\n1,?,4,5\n", "has 2 columns 'target': keep one of them"),
        ("id,question,target\n1.0,a,4\n1,b,5\n", "has the ids '1' and '1.0'"),
        ("ID,Question\n1,a\n", "no column 'id', it has 'ID', 'Question': rename 'ID'"),
    ],
)
def test_an_odd_table_of_questions_is_told_in_a_line(tmp_path, text, expected):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=expected):
        load_task(tmp_path / "t.csv")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_table_between_other_marks_is_read(tmp_path, mark):
    (tmp_path / "t.csv").write_text(f"id{mark}question{mark}target\n1{mark}a, b?{mark}4,5\n")
    (question,) = load_task(tmp_path / "t.csv").questions
    assert (question.question, question.target) == ("a, b?", "4,5")


def test_targets_may_be_bytes_or_sets():
    rows = [{"id": "1", "question": "?", "target": target} for target in (b"Lima", {"b", "a"})]
    found = [as_task([row]).questions[0] for row in rows]
    assert [(each.target, each.aliases) for each in found] == [("Lima", ()), ("a", ("b",))]
    with pytest.raises(InputError, match="'target' is {'x': 1}: give a text"):
        as_task([{"id": "1", "question": "?", "target": {"x": 1}}])
