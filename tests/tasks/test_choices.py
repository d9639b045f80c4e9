"""Choices: the letter that is chosen, not one that is ruled out; several, or none."""

import pytest

from dynlab.tasks.answers import extract, normalise
from dynlab.tasks.choices import choice

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


@pytest.mark.parametrize(
    ("options", "letters"),
    [
        (
            ("-x", "x"),
            {"-x": "A", "x": "B", "$-x$": "A", "**x**.": "B", "(B) x": "B", "A. -x": "A"},
        ),
        (("(1,2)", "[1,2]"), {"(1,2)": "A", "[1,2]": "B", "$[1, 2]$.": "B"}),
        (("x = 1", "x ≠ 1"), {"x = 1": "A", "x ≠ 1": "B", "$x \\neq 1$": "B", "so x ≠ 1": ""}),
        (("C", "c"), {"C": "A", "c": "B"}),
        (("mg", "Mg"), {"mg": "A", "Mg": "B", "MG": "", "B": "B"}),
        (("x!", "x"), {"x!": "A", "x": "B"}),
        (("x", "$x^2$"), {"x": "A", "$x^2$": "B", "x^2": "B"}),
        (("x2", "x²"), {"x2": "A", "x²": "B"}),
        (BLOOD, {"A": "A", "AB": "D"}),
    ],
)
def test_options_that_differ_in_signs_or_case_are_told_apart(options, letters):
    assert {text: final(f"Answer: {text}", options) for text in letters} == letters
    assert {text: final(text, options) for text in letters} == letters


@pytest.mark.parametrize(
    "response",
    [
        "The answer is not (A) but (C).",
        "Die Antwort ist (C).",
        "Die richtige Antwort ist C.",
        "La bonne réponse est (C).",
        "故选C",
        "故选C。",
    ],
)
def test_a_sentence_without_a_colon_states_a_choice(response):
    assert normalise(extract(response, "choice", CITIES, reasoned=True), "choice") == "C"


def test_sets_of_letters_are_answers_of_their_own():
    keys = [normalise(text, "choice") for text in ("A", "A, B", "B and A", "A,B,C", "AB")]
    assert keys == ["A", "A,B", "A,B", "A,B,C", "A,B"]


def test_what_is_left_is_chosen_and_what_may_be_is_not():
    assert choice("So A, B and D are out, leaving C.", last=True) == "C"
    assert choice("A or maybe B") == choice("It is A or perhaps B", last=True) == ""
