"""Generated puzzles: right by brute force from their words alone, checked right, never shared
between splits.
"""

import random
import re
from itertools import combinations, pairwise, permutations

import pytest
from recipe.families import (
    ASKED,
    DAYS,
    PUZZLES,
    build,
    draw_puzzle,
    generate,
    level_of,
    puzzle_task,
)
from recipe.puzzles import GAINS, SPLITS, WORDS, split_of
from recipe.searches import Sums

from dynlab._util.errors import InputError
from dynlab.tasks.answers import extract


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def totals(asked):
    start, *amounts = numbers(asked)
    verbs = re.findall(
        rf"({'|'.join((*GAINS, 'loses', 'sells', 'drops', 'gives away'))}) \d+", asked
    )
    return str(
        start + sum(n if verb in GAINS else -n for verb, n in zip(verbs, amounts, strict=True))
    )


def calendar(asked):
    today = next(day for day in re.findall(r"\w+", asked) if day in DAYS)
    for _ in range(sum(numbers(asked))):
        today = DAYS[(DAYS.index(today) + 1) % 7]
    return today


def digits(asked):
    conditions = {
        r"digits that add up to (\d+)": lambda x, s: sum(map(int, str(x))) == s,
        r"digits that differ by (\d+)": lambda x, d: abs(x // 10 - x % 10) == d,
        r"greater than (\d+)": lambda x, b: x > b,
        r"less than (\d+)": lambda x, b: x < b,
    }
    stated = [
        (holds, numbers(found[0]))
        for text, holds in conditions.items()
        if (found := re.search(text, asked))
    ]
    (only,) = [x for x in range(10, 100) if all(holds(x, *values) for holds, values in stated)]
    return str(only)


def sums(asked):
    *items, total = numbers(asked)
    (pair,) = [pair for pair in combinations(items, 2) if sum(pair) == total]
    return "{} and {}".format(*sorted(pair))


ORACLES = {"totals": totals, "calendar": calendar, "digits": digits, "sums": sums}


def drawn(family, split, count=60, seed=3):
    rng = random.Random(seed)
    for i in range(count):
        levels = PUZZLES[family].levels
        yield draw_puzzle(family, levels[i % len(levels)], split, rng)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("family", PUZZLES)
def test_targets_are_those_of_brute_force(family, split):
    for puzzle in drawn(family, split, 24):
        assert puzzle.target == ORACLES[family](puzzle.question), puzzle.question


@pytest.mark.parametrize("family", PUZZLES)
def test_every_equation_of_a_solution_holds(family):
    rng = random.Random(0)
    for puzzle in drawn(family, "train"):
        solution = puzzle.solution(rng)
        assert extract(solution, puzzle.kind, reasoned=True) == puzzle.target
        for step in re.split(r", |\. ", solution):
            sides = step.split("=")
            for left, right in pairwise(sides):  # 34 +17=51 -23=28, 54=49+5 Friday
                value = eval(re.search(r"\d[\d+* -]*$", left)[0])
                assert value in (
                    int(re.match(r"\d+", right)[0]),
                    eval(re.match(r"[\d+*-]+", right)[0]),
                ), solution
    assert solution.count("Answer:") == 1 and "\n" not in solution


@pytest.mark.parametrize(("family", "level"), [("totals", 4), ("calendar", 2), ("sums", 4)])
def test_steps_come_in_several_orders(family, level):
    puzzle = draw_puzzle(family, level, "train", random.Random(5))
    rng = random.Random(0)
    assert len({puzzle.solution(rng) for _ in range(40)}) >= 2


@pytest.mark.parametrize("family", PUZZLES)
def test_difficulty_grows_with_the_level(family):
    for puzzle in drawn(family, "eval", 12):
        counted = {
            "totals": lambda asked: len(numbers(asked)) - 1,
            "calendar": lambda asked: len(numbers(asked)),
            "digits": lambda asked: len(re.findall(r"add up|differ|greater|less", asked)),
            "sums": lambda asked: len(numbers(asked)) - 1,
        }[family](puzzle.question)
        assert puzzle.level == counted, puzzle.question


def test_a_check_of_a_number_accepts_the_target_only():
    for puzzle in drawn("digits", "train", 20):
        assert [str(x) for x in range(100) if puzzle.check(str(x))[1]] == [puzzle.target]
        assert puzzle.check(puzzle.target)[0].endswith(" yes")


def test_a_sums_check_accepts_the_pair_only():
    for puzzle in drawn("sums", "train", 20):
        for a, b in permutations((*puzzle.items, 10), 2):
            words, right = puzzle.check(f"{a} and {b}")
            assert right is ((a, b) == puzzle.pair), words
            assert words.endswith(" yes") is right and words.startswith(f"{a}+{b}: ")
            for left, result in re.findall(r"([\d+]+)=(\d+)", words):
                assert sum(map(int, left.split("+"))) == int(result)
                assert right is (int(result) % 10 == puzzle.total % 10) or a > b
            assert right or re.search(r" no( 10)?$", words)
    assert Sums("", (28, 83, 19), 111).check("28 and 83") == ("28+83: 8+3=11 yes", True)
    assert Sums("", (28, 83, 19), 102).check("28 and 83") == ("28+83: 8+3=11 no", False)


def test_only_one_pair_has_the_last_digit_of_the_sum():
    for puzzle in drawn("sums", "train", 60):
        ends = [sum(pair) % 10 == puzzle.total % 10 for pair in combinations(puzzle.items, 2)]
        assert ends.count(True) == 1


@pytest.mark.parametrize("family", ["digits", "sums"])
def test_a_check_refuses_what_is_no_answer(family):
    for puzzle in drawn(family, "train", 5):
        for answer in ("", "x" * 500, "7", "12 and 123", "0+0=0"):
            words, right = puzzle.check(answer)
            assert not right and len(words) < 10


@pytest.mark.parametrize("family", ["totals", "calendar"])
def test_solved_puzzles_offer_no_check(family):
    (puzzle,) = drawn(family, "train", 1)
    assert puzzle.check(puzzle.target) is None


@pytest.mark.slow
@pytest.mark.parametrize("family", PUZZLES)
def test_splits_share_nothing_over_thousands(family):
    rng = random.Random(1)
    seen = {
        split: [draw_puzzle(family, PUZZLES[family].levels[-1], split, rng) for _ in range(count)]
        for split, count in {"train": 1000, "dev": 100, "eval": 200}.items()
    }
    for one, other in combinations(SPLITS, 2):
        assert not {p.numbers for p in seen[one]} & {p.numbers for p in seen[other]}
        assert not {p.question for p in seen[one]} & {p.question for p in seen[other]}
        assert not {phrasing(p.question) for p in seen[one]} & {
            phrasing(p.question) for p in seen[other]
        }


def phrasing(question):
    """The question's last words, where each family puts what it asks for, without names, things and
    numbers.
    """
    words = {word for part in WORDS.values() for word in (*part.names, *part.things)} | set(DAYS)
    return " ".join(
        "…" if word.strip(".,?") in words else word
        for word in re.sub(r"\d+", "0", question).split()[-5:]
    )


def test_splits_share_no_name_and_no_thing():
    for one, other in combinations(WORDS.values(), 2):
        assert not {*one.names, *one.things} & {*other.names, *other.things}


@pytest.mark.parametrize("family", PUZZLES)
def test_a_split_depends_on_numbers_alone(family):
    puzzle = next(drawn(family, "dev"))
    again = PUZZLES[family](**{**puzzle.__dict__, "question": "other words"})
    assert split_of(again) == split_of(puzzle) == "dev"


@pytest.mark.parametrize("family", PUZZLES)
def test_a_task_names_its_puzzles_level(family):
    task = build(family)
    assert task.demos == () and task.form == "completion" and task.reasoned and task.stop == ("\n",)
    assert len({question.question for question in task.questions}) == 100
    assert {level_of(question.id) for question in task.questions} == set(ASKED[family])
    assert all(question.target == ORACLES[family](question.question) for question in task.questions)


def test_another_seed_gives_fresh_questions():
    assert generate("totals", num_questions=5, seed=1) != generate(
        "totals", num_questions=5, seed=2
    )
    assert (
        generate("sums", num_questions=5, seed=1) == generate("sums", num_questions=9, seed=1)[:5]
    )
    with pytest.raises(InputError, match="ask for fewer"):
        puzzle_task("calendar", "eval", 80, 0, levels=(1,))
