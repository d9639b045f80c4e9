"""Graders: a kind of answer, a function of one's own, or a class that judges its keys itself."""

import sys

import pytest

from dynlab._util.errors import InputError
from dynlab._util.values import Question
from dynlab.tasks.graders import FunctionGrader, Grader, KindGrader, as_grader
from dynlab.tasks.prompts import Chat
from dynlab.tasks.task import Task, load_task, to_jsonl

QUESTION = Question("q", "Sort: b a", "a b", aliases=("a, b",))


def sorted_words(response, question):
    return " ".join(response.rpartition(":")[2].split())


class AnyLength(Grader):
    """Judges by a property that has no list of right answers."""

    name = "any-length"

    def key(self, response, question):
        return response.strip()

    def is_right(self, answer, question):
        return len(answer) == int(question.target)


def test_a_kind_is_a_grader_that_extracts_and_normalises():
    grader = as_grader("integer")
    assert grader == KindGrader("integer") and grader.name == "integer"
    assert grader.key("so 1,024. Answer: 1,024", QUESTION) == "1024"
    assert grader.key("so 1,024", QUESTION) == ""
    assert as_grader("integer", reasoned=False).key("so 1,024", QUESTION) == "1024"
    assert grader.is_right("2", Question("q", "1 + 1?", "2"))


@pytest.mark.parametrize("given", [sorted_words, "test_graders:sorted_words"])
def test_a_function_or_its_path_gives_keys(given, monkeypatch):
    monkeypatch.setitem(sys.modules, "test_graders", sys.modules[__name__])
    task = Task("sort", (QUESTION,), answer=given)
    assert task.final_answer("I sort: a   b\n", QUESTION) == "a b"
    assert [task.is_right(key, QUESTION) for key in ("a b", "a, b", "b a", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert task.is_right("a b", Question("q", "?")) is None


def test_a_grader_may_judge_its_keys_itself():
    task = Task("lengths", (Question("q", "Write three letters.", "3"),), answer=AnyLength())
    key = task.final_answer(" abc ", task.questions[0])
    assert key == "abc" and task.is_right(key, task.questions[0])
    assert not task.is_right("abcd", task.questions[0])


def test_keys_of_a_function_are_lines_of_text():
    def parsed(value):
        return FunctionGrader(lambda response, question: value).key("", QUESTION)

    assert [parsed(value) for value in (None, 3, "a\n b\x00")] == ["", "3", "a b"]


def test_a_function_that_fails_loses_no_response():
    def broken(response, question):
        raise KeyError("entry")

    with pytest.warns(UserWarning, match="failed on question 'q', which counts as no answer"):
        assert as_grader(broken).key("4", QUESTION) == ""


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("interger", "unknown kind of answer 'interger': give one of 'text'"),
        ("no_such_module:f", "no grader 'no_such_module:f'"),
        ("math:no_such_name", "no grader 'math:no_such_name'"),
        ("math:pi", "'math:pi' is no function"),
        ("os.system('x'):y", "unknown kind"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(path, message):
    with pytest.raises(InputError) as error:
        as_grader(path)
    assert message in str(error.value)


def test_a_file_names_no_code_that_is_not_ours(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"task": {"answer": "os:getcwd"}}\n{"id": "1", "question": "?"}\n')
    with pytest.raises(InputError, match="answer in the header"):
        load_task(path)


def test_a_task_file_names_its_grader():
    assert '"answer": "any-length"' in to_jsonl(Task("t", (QUESTION,), answer=AnyLength()))
    assert "answer" not in to_jsonl(Task("t", (QUESTION,))).split("\n")[0]


def test_prompts_ask_for_the_format_of_the_grader():
    assert "holds one integer" in Chat("integer")(QUESTION)[0]["content"]
    assert "holds the answer alone" in Chat(sorted_words)(QUESTION)[0]["content"]
