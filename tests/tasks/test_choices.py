"""Choices: the letter that is chosen, not one that is ruled out; several, or none."""

import pytest

from dynlab.tasks.answers import extract, normalise

CITIES = ("Quito", "Lima", "Bogotá", "Santiago")
BLOOD = ("O", "A", "B", "AB")


def final(response, options):
    return normalise(extract(response, "choice", options), "choice")


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Let's see. (A) is wrong because it is too small. (B) too. So the answer is (C).", "C"),
        ("Answer: not (A), it is (C)", "C"),
        ("Answer: A or B", ""),
        ("Answer: A, B", "A,B"),
        ("Answer: A and B", "A,B"),
        ("Answer: B, A", "A,B"),
        ("***ANSWER***: ***B***", "B"),
        ("答案：C", "C"),
        ("Answer: (B) Lima", "B"),
        ("Answer: B. Lima", "B"),
        ("\\boxed{\\text{(B)}}", "B"),
        ("\\boxed{B}", "B"),
        ("Answer: Option B", "B"),
        ("The correct option is B.", "B"),
        ("Answer: **(B)**", "B"),
        ("Answer: B, because A is too small", "B"),
        ("Answer: (B) since (A) is false", "B"),
        ("B is right because A is too small", "B"),
        ("A man is a wolf, so it is D", "D"),
        ("I think that (B) fits", "B"),
        ("Answer: C)", "C"),
        ("Answer: [C]", "C"),
        ("Answer: c", "C"),
        ("Answer: $C$", "C"),
        ("I don't know", ""),
        ("Z", ""),
        ("Answer: Lima", "B"),
        ("The answer: lima.", "B"),
        ("Answer: A/B", ""),
        ("Answer: either A or B", ""),
        ("Answer: neither A nor B", ""),
        ("Answer: It isn't A, so D", "D"),
        ("The answer is not A but C", "C"),
        ("Answer: AC", "A,C"),
        ("Answer: A, C and D", "A,C,D"),
        ("Answer: both A and C", "A,C"),
        ("After eliminating A and B, the answer must be D.", "D"),
        ("Answer: A is correct", "A"),
        ('Answer: "B"', "B"),
        ("Answer: \\textbf{B}", "B"),
        ("Answer:\nB", "B"),
        ("**Answer**\n\nB", "B"),
        ("Answer: B\n\nExplanation: A is wrong", "B"),
        ("Final answer: D", "D"),
        ("I would choose C", "C"),
        ("Answer: E", ""),
        ("Answer: A B", "A,B"),
        ("Answer: A & C", "A,C"),
        ("Answer: the second", ""),
        ("Answer: I think (C)", "C"),
        ("Answer: a) Quito", "A"),
        ("Both B and C are plausible, but the best answer is C", "C"),
        ("(A) Quito is in Ecuador. (B) Lima is the capital of Peru. Therefore, (B).", "B"),
        ("Option A is incorrect. Option B is incorrect. Option C is incorrect. Hence D.", "D"),
    ],
)
def test_a_choice_is_the_letter_that_is_chosen(response, answer):
    assert final(response, CITIES) == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Answer: AB", "D"),
        ("Answer: O", "A"),
        ("Answer: D", "D"),
        ("Answer: B. A", "B"),
        ("Answer: A. O", "A"),
        ("Answer: D. AB", "D"),
        ("Answer: (D) AB", "D"),
        ("\\boxed{AB}", "D"),
        ("Answer: type O", "A"),
        ("Answer: A", "A"),
    ],
)
def test_options_that_look_like_letters_are_options(response, answer):
    assert final(response, BLOOD) == answer


def test_sets_of_letters_are_answers_of_their_own():
    keys = [normalise(text, "choice") for text in ("A", "A, B", "B and A", "A,B,C", "AB")]
    assert keys == ["A", "A,B", "A,B", "A,B,C", "A,B"]
