"""Generated families: right by an independent count, and the committed files come out of the
generator.
"""

import datetime
import re

import pytest
from recipe import families
from recipe.families import DAYS, FAMILIES, FRUITS, PUZZLES, build, generate

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.tasks.task import load_task, to_jsonl


@pytest.mark.slow
@pytest.mark.parametrize("family", [*FAMILIES, *PUZZLES])
def test_committed_tasks_are_the_generators_bytes(family, tmp_path, monkeypatch):
    committed = (shipped_files.folder("data/tasks") / f"{family}.jsonl").read_bytes()
    monkeypatch.setattr(shipped_files, "folder", lambda name: tmp_path)
    assert families.main([]) == 0
    assert (
        (tmp_path / f"{family}.jsonl").read_bytes() == committed == to_jsonl(build(family)).encode()
    )
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl"}


def test_another_seed_writes_a_file_of_its_own(tmp_path, capsys):
    out = tmp_path / "fresh.jsonl"
    assert (
        families.main(["--family", "sums", "--questions", "6", "--seed", "7", "--out", str(out)])
        == 0
    )
    fresh = load_task(out)
    known = {question.question for question in build("sums").questions}
    assert len(fresh.questions) == 6 and not known & {
        question.question for question in fresh.questions
    }
    for wrong in (
        ["--family", "sums"],
        ["--seed", "7"],
        ["--family", "sums", "--out", "fresh.csv"],
    ):
        assert families.main(wrong) == 2
        assert capsys.readouterr().err.startswith("recipe.families: ")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_questions(family):
    assert generate(family, num_questions=20, seed=1) == generate(family, num_questions=20, seed=1)
    assert generate(family, num_questions=20, seed=1) != generate(family, num_questions=20, seed=2)
    assert (
        generate(family, num_questions=20, seed=1)
        == generate(family, num_questions=60, seed=1)[:20]
    )


def worked(family):
    task = build(family, num_questions=80, seed=7)
    pairs = [(question.question, question.target) for question in task.questions]
    return pairs + [
        (asked, task.final_answer(solution, task.questions[0])) for asked, solution in task.demos
    ]


def test_fruits_are_counted_right_in_questions_and_demos():
    for asked, target in worked("fruits"):
        things = asked.removeprefix("How many of these are fruits: ").removesuffix("?").split(", ")
        assert len(set(things)) == len(things) and int(target) == sum(
            thing in FRUITS for thing in things
        )


def test_weekdays_agree_with_the_calendar():
    monday = datetime.date(2024, 1, 1)
    for asked, target in worked("weekdays"):
        today, days = re.fullmatch(
            r"Today is (\w+)\. Which weekday is it in (\d+) days\?", asked
        ).groups()
        date = monday + datetime.timedelta(days=DAYS.index(today) + int(days))
        assert date.isoweekday() == [day.lower() for day in DAYS].index(target.lower()) + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_demo_solutions_walk_through_every_step(family):
    for asked, solution in build(family).demos:
        steps = solution.partition(". Answer: ")[0].split(", ")
        expected = (
            asked.count(",") + 1 if family == "fruits" else int(re.search(r"\d+", asked).group())
        )
        assert len(steps) == expected


@pytest.mark.slow
def test_a_family_that_is_used_up_or_unknown_says_so():
    assert len(generate("weekdays", num_questions=122, seed=0)) == 122
    with pytest.raises(InputError, match="holds 122 questions, not 123"):
        generate("weekdays", num_questions=123, seed=0)
    with pytest.raises(InputError, match="did you mean 'fruits'"):
        generate("fruit", num_questions=5, seed=0)
    with pytest.raises(InputError, match="at least 1"):
        generate("fruits", num_questions=0, seed=0)
