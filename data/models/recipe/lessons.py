"""Lessons: prompts and right completions of training puzzles, with or without earlier attempts.

A lesson depends on (seed, its number) alone, so a training run that goes on after a break sees what
it would have seen.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from dynlab._util.values import Question, Sample
from dynlab.tasks.answers import extract
from dynlab.tasks.prompts import Completion
from recipe.families import PUZZLES, draw_puzzle
from recipe.puzzles import Puzzle

WITHHELD = (  # the family that is never taught with attempts, so that transfer can be measured
    "calendar"
)
ATTEMPTED = ("sums", "digits", "sums", "totals", "sums")
END = "\n"
PROMPTER = Completion(reasoned=True)


@dataclass(frozen=True)
class Lesson:
    """What is shown and what is learned: the loss counts the completion's tokens only."""

    prompt: str
    completion: str


def training_puzzle(seed: int, number: int, families: Sequence[str] = tuple(PUZZLES)) -> Puzzle:
    """The training puzzle of that number: families in turn, levels at random."""
    rng = random.Random(f"puzzle {seed} {number}")
    family = families[number % len(families)]
    return draw_puzzle(family, rng.choice(PUZZLES[family].levels), "train", rng)


def lesson(puzzle: Puzzle, attempts: Sequence[str], rng: random.Random) -> Lesson:
    """A puzzle with the attempts shown, and what to answer.

    Where an answer is quickly checked, the attempts are checked in turn up to the first right one;
    if none is right, and in the other families, the puzzle is solved anew.
    """
    words, found = verdicts(puzzle, attempts)
    ending = f"Answer: {puzzle.target}" if found else puzzle.solution(rng)
    return Lesson(prompt(puzzle.question, attempts), " " + " ".join([*words, ending]) + END)


def verdicts(puzzle: Puzzle, attempts: Sequence[str]) -> tuple[list[str], bool]:
    """One check for each different one among the attempts, up to the first right one, and whether
    there is one.
    """
    words: list[str] = []
    checked = set[str]()
    for number, attempt in enumerate(attempts, start=1):
        answer = extract(attempt, puzzle.kind, reasoned=True)
        if not answer or (verdict := puzzle.check(answer)) is None or verdict[0] in checked:
            continue
        computation, right = verdict
        checked.add(computation)
        words.append(f"({number}) {computation}.")
        if right:
            return words, True
    return words, False


def prompt(question: str, attempts: Sequence[str] = ()) -> str:
    """How a puzzle is asked, with the attempts that are shown: in the words of every recording."""
    text = PROMPTER(
        Question("", question),
        [Sample("", "", 0, i, "", attempt) for i, attempt in enumerate(attempts)],
    )
    assert isinstance(text, str)
    return text


def plain_lesson(seed: int, number: int, families: Sequence[str] = tuple(PUZZLES)) -> Lesson:
    """Lesson `number` of those without attempts."""
    return lesson(
        training_puzzle(seed, number, families), (), random.Random(f"solution {seed} {number}")
    )


def attempted_puzzle(seed: int, number: int) -> Puzzle:
    """The training puzzle of that number that attempts are drawn at: more of those that are quickly
    checked.
    """
    rng = random.Random(f"attempted {seed} {number}")
    family = ATTEMPTED[number % len(ATTEMPTED)]
    return draw_puzzle(family, rng.choice(PUZZLES[family].levels), "train", rng)


def mixed_lesson(
    attempts: Sequence[Sequence[str]],
    seed: int,
    number: int,
    families: Sequence[str] = tuple(PUZZLES),
) -> Lesson:
    """Every third lesson is plain; the rest show some of the attempts at a puzzle, in any order.

    Args:
        attempts: Of `attempted_puzzle(seed, i)` for i = 0, 1, …; [] leaves plain lessons only.
        seed: Of the puzzles and of the lessons.
        number: Which lesson.
        families: Of the plain lessons, in turn; a family may stand there more than once.
    """
    if not attempts:
        return plain_lesson(seed, number, families)
    if number % 3 == 0:
        return plain_lesson(seed, number // 3, families)  # so that every family has its turn
    rng = random.Random(f"shown {seed} {number}")
    which = (number - number // 3 - 1) % len(attempts)
    own = attempts[which]
    shown = rng.sample(own, min(len(own), rng.choice((1, 2, 3, 4, 4, 4, 6))))
    return lesson(attempted_puzzle(seed, which), shown, rng)
