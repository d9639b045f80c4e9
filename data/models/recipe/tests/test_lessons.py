"""Lessons: what is shown, what is learned, and that both depend on seed and number alone."""

import random

from recipe.families import PUZZLES, draw_puzzle
from recipe.lessons import (
    WITHHELD,
    attempted_puzzle,
    lesson,
    mixed_lesson,
    plain_lesson,
    prompt,
    training_puzzle,
)
from recipe.puzzles import split_of

from dynlab._util.values import Question, Sample
from dynlab.tasks.prompts import Completion


def puzzle(family, seed=0):
    return draw_puzzle(
        family, {"sums": 4, "digits": 3, "totals": 3}[family], "train", random.Random(seed)
    )


def test_a_plain_lesson_asks_as_a_task_does():
    one = training_puzzle(0, 0)
    learned = plain_lesson(0, 0)
    assert (
        learned.prompt
        == Completion(reasoned=True)(Question("", one.question))
        == prompt(one.question)
    )
    assert learned.prompt.endswith("\nSolution:")
    assert learned.completion.startswith(" ") and learned.completion.endswith(
        f"Answer: {one.target}\n"
    )


def test_attempts_are_shown_as_in_a_recording():
    one = puzzle("sums")
    attempts = ["1+2=3. Answer: 1", "3+4=7. Answer: 3"]
    samples = [Sample("", "", 0, i, "", text) for i, text in enumerate(attempts)]
    learned = lesson(one, attempts, random.Random(0))
    assert learned.prompt == Completion(reasoned=True)(Question("", one.question), samples)
    assert (
        "Earlier attempts: (1) 1+2=3. Answer: 1 (2) 3+4=7. Answer: 3\nSolution:" in learned.prompt
    )


def test_checks_end_at_the_first_right_attempt():
    one = puzzle("sums")
    a, b = one.pair
    attempts = [f"{a}+99={one.total}. Answer: {a} and 99"] * 2 + [
        "no answer at all",
        f"x. Answer: {one.target}",
    ]
    learned = lesson(one, [*attempts, "1+2=3. Answer: 5"], random.Random(0)).completion
    words, right = one.check(one.target)
    assert right and learned == f" (1) {a}+99: no 99. (4) {words}. Answer: {a} and {b}\n"


def test_without_a_right_attempt_it_is_solved_anew():
    one = puzzle("sums")
    learned = lesson(one, ["x. Answer: 7"], random.Random(0)).completion
    assert learned.startswith(" (1) 7 no. ") and learned.endswith(
        f"={one.total}. Answer: {one.target}\n"
    )


def test_uncheckable_puzzles_are_always_solved():
    one = puzzle("totals")
    shown = lesson(one, ["x. Answer: 7", f"x. Answer: {one.target}"], random.Random(4))
    assert shown.completion == lesson(one, [], random.Random(4)).completion


def test_lessons_depend_on_seed_and_number_alone():
    attempts = [["Answer: 1", "Answer: 2"]] * 9
    assert (
        mixed_lesson(attempts, 1, 7) == mixed_lesson(attempts, 1, 7) != mixed_lesson(attempts, 2, 7)
    )
    for number in range(40):
        assert (
            split_of(training_puzzle(0, number)) == split_of(attempted_puzzle(0, number)) == "train"
        )


def test_two_lessons_of_three_show_attempts():
    attempts = [["Answer: 1", "Answer: 2", "Answer: 3", "Answer: 4"]] * 14
    shown = [
        number
        for number in range(28)
        if "Earlier attempts" in mixed_lesson(attempts, 0, number).prompt
    ]
    assert shown == [number for number in range(28) if number % 3]
    assert not any("Earlier attempts" in mixed_lesson([], 0, number).prompt for number in range(28))
    assert {attempted_puzzle(0, i).name for i in range(14)} == {"totals", "digits", "sums"}
    assert WITHHELD == "calendar"


def test_every_family_is_taught_without_attempts():
    attempts = [["Answer: 1", "Answer: 2"]] * 7
    plain = [mixed_lesson(attempts, 0, number) for number in range(0, 12, 3)]
    assert plain == [plain_lesson(0, number) for number in range(4)]
    assert {training_puzzle(0, number).name for number in range(4)} == set(PUZZLES)


def test_plain_lessons_may_be_of_some_families():
    attempts = [["Answer: 1", "Answer: 2"]] * 7
    chosen = [
        mixed_lesson(attempts, 0, number, ("digits", "digits", "totals")) for number in range(12)
    ]
    asked = [training_puzzle(0, number, ("digits", "digits", "totals")) for number in range(4)]
    assert [one.prompt for one in chosen[::3]] == [prompt(puzzle.question) for puzzle in asked]
    assert [puzzle.name for puzzle in asked] == ["digits", "digits", "totals", "digits"]
    assert [chosen[n] for n in range(12) if n % 3] == [
        mixed_lesson(attempts, 0, n) for n in range(12) if n % 3
    ]
