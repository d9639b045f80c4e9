"""Families of questions that are reasoned out in words, generated from a seed: `fruits` and `weekdays`.

`python -m dynlab.families` writes the committed files of `data/tasks` again, byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from dynlab import resources
from dynlab.errors import InputError, one_of
from dynlab.files import replacing
from dynlab.tasks import Task, to_jsonl
from dynlab.types import Question

FRUITS = ("apple", "apricot", "banana", "cherry", "grape", "kiwi", "lemon", "mango", "orange", "peach", "pear", "plum")
OTHERS = (
    *("book", "bread", "bus", "carrot", "cat", "chair", "cheese", "dog", "hammer", "horse", "lamp", "onion"),
    *("pencil", "potato", "shirt", "shoe", "spoon", "table", "train", "window"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEED = 2026
NUM_QUESTIONS = 110
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
    """The first `num_questions` different questions of a family, without its demos; a seed always gives the same.

    Args:
        family: 'fruits' or 'weekdays'.
        num_questions: How many; a family holds finitely many ('weekdays' 122).
        seed: Of the generator; the first questions that it draws are the demos.

    Raises:
        InputError: The family is unknown, or holds fewer questions.
    """
    return list(build(family, num_questions=num_questions, seed=seed).questions)


def build(family: str, *, num_questions: int = NUM_QUESTIONS, seed: int = SEED) -> Task:
    """A family as a task, its demos included; arguments and errors as of `generate`."""
    if family not in FAMILIES:
        raise one_of("family", family, FAMILIES)
    if num_questions < 1:
        raise InputError(f"num_questions is {num_questions}: give at least 1")
    rng = random.Random(seed)
    drawn: dict[str, Worked] = {}
    for _ in range(200 * (num_questions + NUM_DEMOS)):  # enough to meet every question of a family that is small
        worked = FAMILIES[family](rng)
        drawn.setdefault(worked[0], worked)
        if len(drawn) == num_questions + NUM_DEMOS:
            break
    else:
        raise InputError(
            f"family {family!r} holds {len(drawn) - NUM_DEMOS} questions, not {num_questions}: ask for fewer"
        )
    demos, items = list(drawn.values())[:NUM_DEMOS], list(drawn.values())[NUM_DEMOS:]
    questions = tuple(
        Question(f"{family}-{i:03}", asked, target) for i, (asked, target, _) in enumerate(items, start=1)
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


def main() -> None:
    """Write every family's committed task file again."""
    for family in FAMILIES:
        with replacing(resources.folder("data/tasks") / f"{family}.jsonl") as path:
            path.write_text(to_jsonl(build(family)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
