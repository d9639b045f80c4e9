"""Generated tasks: development and evaluation apart, the family's scorer as the grader."""

from __future__ import annotations

import importlib.util

import pytest

from dynlab._util.errors import InputError
from dynlab.tasks.prompts import prompter_for
from dynlab.tasks.reasoning_families import FAMILIES, demos, expression, factors, number
from dynlab.tasks.task import load_task

installed = pytest.mark.skipif(
    importlib.util.find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed"
)
SIZE = 12


def task(family, **fields):
    query = "&".join(
        f"{name}={value}" for name, value in ({"size": SIZE, "seed": 7} | fields).items()
    )
    return load_task(f"reasoning-gym:{family}?{query}")


@pytest.mark.slow
@installed
@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_questions_and_a_longer_task_begins_like_a_shorter_one(family):
    short, long = task(family), task(family, size=2 * SIZE)
    assert short.questions == long.questions[:SIZE]
    assert len({question.question for question in long.questions}) == 2 * SIZE
    assert load_task(short.name) == short
    assert load_task(short.name, limit=3).questions == short.questions[:3]


@pytest.mark.slow
@installed
@pytest.mark.parametrize("family", FAMILIES)
def test_development_and_evaluation_share_no_text(family):
    asked = {
        split: {
            question.question
            for seed in (1, 2, 3)
            for question in task(family, seed=seed, size=60, split=split).questions
        }
        for split in ("dev", "eval")
    }
    assert not asked["dev"] & asked["eval"]
    shown = {question for question, _ in demos(family)}
    assert not shown & (asked["dev"] | asked["eval"])


@pytest.mark.slow
@installed
def test_development_and_evaluation_share_no_template_of_word_problems():
    def templates(split):
        made = [task("gsm_symbolic", seed=seed, size=60, split=split) for seed in (1, 2)]
        return {
            one.grader.scorer.task_indices[int(id_.rpartition("-")[2])]
            for one in made
            for id_ in one.grader.entries
        }

    dev, evaluation = templates("dev"), templates("eval")
    assert dev and evaluation and not dev & evaluation


@pytest.mark.slow
@installed
@pytest.mark.parametrize("family", FAMILIES)
def test_the_generator_s_own_answer_is_right_and_none_is_wrong(family):
    made = task(family)
    for question in made.questions:
        told = made.grader.entries[question.id]["answer"]
        key = made.final_answer(f"So it is clear. Answer: {told}", question)
        assert made.is_right(key, question) is True
        assert made.final_answer("a solution that breaks off", question) == ""
        assert made.is_right("", question) is False
        assert made.is_right(FAMILIES[family].key(key), question) is True


@installed
@pytest.mark.parametrize("family", FAMILIES)
def test_worked_examples_are_right_by_the_family_s_key(family):
    assert len(demos(family)) == 4
    for question, solution in demos(family):
        assert "\n" not in solution and FAMILIES[family].key(solution.rpartition("Answer: ")[2])
        assert question.strip() == question


@pytest.mark.slow
@installed
def test_what_can_be_checked_has_many_right_answers():
    made = task("countdown", size=40)
    question = next(
        q for q in made.questions if made.grader.entries[q.id]["metadata"]["expression"]
    )
    target = question.target
    assert made.is_right(expression(f"({target})"), question)
    assert not made.is_right("1 + 1", question)


@installed
def test_the_prompt_shows_four_solutions_and_leaves_the_fifth_open():
    made = task("gsm_symbolic")
    words = prompter_for(made)(made.questions[0], ())
    assert words.count("Question: ") == 5 and words.count("Answer: ") == 4
    assert words.endswith(f"{made.questions[0].question}\nSolution:")


@installed
def test_settings_of_the_generator_are_fields_of_the_name():
    made = task("countdown", max_value=9, min_value=2)
    assert made.name.endswith("split=eval&max_value=9&min_value=2")
    numbers = [n for entry in made.grader.entries.values() for n in entry["metadata"]["numbers"]]
    assert max(numbers) <= 9


@pytest.mark.slow
@installed
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gsm_symbolik?size=3&seed=1", "did you mean 'gsm_symbolic'"),
        ("gsm_symbolic?size=3&seed=1&split=test", "must be one of|did you mean|unknown split"),
        ("gsm_symbolic?size=0&seed=1", "size must be a whole number, not '0'"),
        ("gsm_symbolic?size=3", "seed must be a whole number, which is missing"),
        ("gsm_symbolic?size=3&seed=1&colour=red", "the generator refuses its settings"),
        ("syllogism?size=15000&seed=1", "ask for fewer"),
    ],
)
def test_a_name_that_cannot_work_is_told_in_one_line(name, told):
    with pytest.raises(InputError, match=told) as error:
        load_task(f"reasoning-gym:{name}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "same"),
    [
        (number, ["1,204.50", "$1204.5", "1204.500 dollars"]),
        (factors, ["2 × 2 × 3", "3 x 2 * 2", "2^2 × 3"]),
        (expression, ["3 * (4 + 5)", "(5+4)*3 = 27", "3×(4 + 5)."]),
    ],
)
def test_equal_answers_are_one_vote(key, same):
    assert len({key(text) for text in same}) == 1 and key(same[0])


@pytest.mark.parametrize(
    "text", ["__import__('os')", "9**9**9", "1//2", "f(3)", "1 + x", "(" * 59, "1234567 + 1", ""]
)
def test_nothing_but_plain_arithmetic_reaches_a_scorer_that_evaluates(text):
    assert expression(text) == ""
