"""Families of questions that are reasoned out in words, generated from a seed.

`fruits` and `weekdays` are asked with worked examples; those of `PUZZLES` without, of the small
reasoner that was trained on their training split. `python -m recipe.families` writes the committed
files of `data/tasks` again, byte for byte; `--family sums --seed 7 --out fresh.jsonl` writes
questions that nobody has been asked yet.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dynlab._util import shipped_files
from dynlab._util.errors import DynlabError, InputError, one_of
from dynlab._util.files import replacing
from dynlab._util.values import Question
from dynlab.tasks.task import Task, to_jsonl
from recipe.puzzles import WORDS, Puzzle, Split, split_of
from recipe.searches import Digits, Sums
from recipe.stories import Calendar, Totals

PUZZLES: dict[str, type[Puzzle]] = {kind.name: kind for kind in (Totals, Calendar, Digits, Sums)}
ASKED: dict[str, tuple[int, ...]] = {  # levels of the task files, in turn
    "totals": (2,),
    "calendar": (3,),
    "digits": (3,),
    "sums": (3,),
}

FRUITS = (
    "apple",
    "apricot",
    "banana",
    "cherry",
    "grape",
    "kiwi",
    "lemon",
    "mango",
    "orange",
    "peach",
    "pear",
    "plum",
)
OTHERS = (
    *(
        "book",
        "bread",
        "bus",
        "carrot",
        "cat",
        "chair",
        "cheese",
        "dog",
        "hammer",
        "horse",
        "lamp",
        "onion",
    ),
    *("pencil", "potato", "shirt", "shoe", "spoon", "table", "train", "window"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEED = 2026
NUM_QUESTIONS = 110
NUM_PUZZLES = 100
NUM_DEMOS = 4

Worked = tuple[str, str, str]  # question, target, solution in words


def fruits(rng: random.Random) -> Worked:
    """How many of three to seven things are fruits; the solution walks through the list."""
    size = rng.randint(3, 7)
    num_fruits = rng.randint(1, size - 1)
    things = rng.sample(FRUITS, num_fruits) + rng.sample(OTHERS, size - num_fruits)
    rng.shuffle(things)
    steps, count = [], 0
    for thing in things:
        count += thing in FRUITS
        steps.append(f"{thing} is a fruit ({count})" if thing in FRUITS else f"{thing} is not")
    question = f"How many of these are fruits: {', '.join(things)}?"
    return question, str(count), f"{', '.join(steps)}. Answer: {count}"


def weekdays(rng: random.Random) -> Worked:
    """Which weekday it is in two to nineteen days; the solution counts them off."""
    today, days = rng.randrange(7), rng.randint(2, 19)
    names = [DAYS[(today + ahead) % 7] for ahead in range(days + 1)]
    steps = ", ".join(f"{ahead} {name}" for ahead, name in enumerate(names[1:], start=1))
    question = f"Today is {names[0]}. Which weekday is it in {days} days?"
    return question, names[-1], f"{steps}. Answer: {names[-1]}"


FAMILIES: dict[str, Callable[[random.Random], Worked]] = {"fruits": fruits, "weekdays": weekdays}


def generate(family: str, *, num_questions: int, seed: int) -> list[Question]:
    """The first `num_questions` different questions of a family, without its demos; a seed always
    gives the same.

    Args:
        family: 'fruits', 'weekdays', or one of `PUZZLES`, whose evaluation split is meant.
        num_questions: How many; a family holds finitely many ('weekdays' 122).
        seed: Of the generator; the first questions that it draws are the demos.

    Raises:
        InputError: The family is unknown, or holds fewer questions.
    """
    return list(build(family, num_questions=num_questions, seed=seed).questions)


def build(family: str, *, num_questions: int | None = None, seed: int = SEED) -> Task:
    """A family as a task, its demos included; arguments and errors as of `generate`."""
    if family in PUZZLES:
        return puzzle_task(
            family, "eval", NUM_PUZZLES if num_questions is None else num_questions, seed
        )
    if family not in FAMILIES:
        raise one_of("family", family, [*FAMILIES, *PUZZLES])
    num_questions = NUM_QUESTIONS if num_questions is None else num_questions
    if num_questions < 1:
        raise InputError(f"num_questions is {num_questions}: give at least 1")
    rng = random.Random(seed)
    drawn: dict[str, Worked] = {}
    for _ in range(
        200 * (num_questions + NUM_DEMOS)
    ):  # enough to meet every question of a family that is small
        worked = FAMILIES[family](rng)
        drawn.setdefault(worked[0], worked)
        if len(drawn) == num_questions + NUM_DEMOS:
            break
    else:
        raise InputError(
            f"family {family!r} holds {len(drawn) - NUM_DEMOS} questions, not {num_questions}: ask"
            " for fewer"
        )
    demos, items = list(drawn.values())[:NUM_DEMOS], list(drawn.values())[NUM_DEMOS:]
    questions = tuple(
        Question(f"{family}-{i:03}", asked, target)
        for i, (asked, target, _) in enumerate(items, start=1)
    )
    return Task(
        name=family,
        questions=questions,
        form="completion",
        answer="integer" if family == "fruits" else "text",
        demos=tuple((asked, solution) for asked, _, solution in demos),
        reasoned=True,
        max_tokens=128,
        stop=("\n",),
    )


def draw_puzzle(family: str, level: int, split: Split, rng: random.Random) -> Puzzle:
    """A puzzle of a family whose numbers belong to the split."""
    while True:
        puzzle = PUZZLES[family].draw(rng, level, WORDS[split])
        if split_of(puzzle) == split:
            return puzzle


def puzzle_task(
    family: str, split: Split, num_questions: int, seed: int, levels: tuple[int, ...] | None = None
) -> Task:
    """Different puzzles of a split as a task without worked examples, levels in turn.

    Args:
        family: One of `PUZZLES`.
        split: 'train', 'dev' or 'eval'.
        num_questions: How many.
        seed: Of the generator.
        levels: Which difficulties; None: those of the task file.
    """
    if num_questions < 1:
        raise InputError(f"num_questions is {num_questions}: give at least 1")
    rng, levels = random.Random(f"{family} {split} {seed}"), levels or ASKED[family]
    drawn: dict[tuple[object, ...], Puzzle] = {}
    for _ in range(20 * num_questions):
        puzzle = draw_puzzle(family, levels[len(drawn) % len(levels)], split, rng)
        drawn.setdefault(puzzle.numbers, puzzle)
        if len(drawn) == num_questions:
            break
    else:
        raise InputError(
            f"family {family!r} holds about {len(drawn)} such questions, not {num_questions}: ask"
            " for fewer"
        )
    questions = tuple(
        Question(f"{family}-{puzzle.level}-{i:03}", puzzle.question, puzzle.target)
        for i, puzzle in enumerate(drawn.values(), start=1)
    )
    kind = PUZZLES[family].kind
    return Task(family, questions, "completion", kind, reasoned=True, max_tokens=128, stop=("\n",))


def level_of(question_id: str) -> int:
    """The exact difficulty of a puzzle of a task file, its number of steps or conditions.

    >>> level_of("totals-4-017")
    4
    """
    return int(question_id.split("-")[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes every family's committed task file again, or fresh questions of one to a file; returns
    the exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m recipe.families", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--family", choices=[*FAMILIES, *PUZZLES], help="write this one only, with --out"
    )
    parser.add_argument(
        "--questions", type=int, help="how many; default: as many as the committed task"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help=f"another than {SEED} gives fresh questions"
    )
    parser.add_argument(
        "--out", type=Path, help="a file that ends in .jsonl; default: data/tasks/FAMILY.jsonl"
    )
    given = parser.parse_args(arguments)
    try:
        if (given.family is None) != (given.out is None) or (
            not given.family and (given.questions or given.seed != SEED)
        ):
            raise InputError(
                "fresh questions need --family and --out; the committed tasks take no other option"
            )
        if given.out and given.out.suffix != ".jsonl":
            raise InputError(f"--out is {str(given.out)!r}: give a path that ends in .jsonl")
        for family in [given.family] if given.family else [*FAMILIES, *PUZZLES]:
            text = to_jsonl(build(family, num_questions=given.questions, seed=given.seed))
            with replacing(
                given.out or shipped_files.folder("data/tasks") / f"{family}.jsonl"
            ) as path:
                path.write_text(text, encoding="utf-8", newline="\n")
    except DynlabError as error:
        print(f"recipe.families: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
