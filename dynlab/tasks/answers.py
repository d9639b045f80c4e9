"""Final answers: taken out of a response, normalised so that equal answers are equal strings,
compared with the target.

Responses are untrusted text: any length, any character. Everything here is linear in it, and
nothing evaluates it. A vote counts normalised answers; only `is_right` knows targets and aliases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, get_args

from dynlab._util.errors import one_of
from dynlab._util.values import Question
from dynlab.tasks.choices import choice
from dynlab.tasks.expressions import canonical
from dynlab.tasks.extraction import first_line, marked, mathematics
from dynlab.tasks.integers import integer
from dynlab.tasks.numbers import number
from dynlab.tasks.numerals import value
from dynlab.tasks.plain_text import (
    LONGEST,
    clean,
    plain,
    undecorated,
    without_tokens,
    writable,
)

__all__ = ["KINDS", "NO_ANSWER", "Kind", "clean", "extract", "is_right", "normalise", "writable"]

Kind = Literal["text", "choice", "integer", "number", "expression"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# what stands for a response without a parsable answer: it is paid for and never votes
NO_ANSWER = ""

_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]{0,200})\}")


def extract(text: str, kind: Kind, choices: Sequence[str] = (), *, reasoned: bool = False) -> str:
    """The final answer as the response words it: what stands after its last `Answer:`, in its last
    `\\boxed{…}`, after `####`, or after “the answer is”.

    A response with none of these is its own answer (its first line, its last number), unless it was
    to be reasoned out: a solution that breaks off before its answer has none.

    >>> extract("An apple is one, so 1.\\nAnswer: 1 fruit", "integer")
    '1'
    >>> extract("I think that (B) fits.", "choice")
    'B'

    Args:
        text: One whole response.
        kind: What kind of answer the task expects.
        choices: The options of a 'choice' question, in the order of their letters.
        reasoned: Whether the response is a solution that ends with its answer.

    Returns:
        The answer, not yet normalised; '' if there is none.
    """
    text = without_tokens(clean(text))
    # reasoning is no answer; unfinished reasoning has none
    if "<think>" in text or "</think>" in text:
        text = text.rpartition("</think>")[2] if "</think>" in text else ""
    # a short answer may speak of answers
    found = marked(text, stated=reasoned or kind != "text")
    if reasoned and found is None:
        return NO_ANSWER
    candidate = text if found is None else found
    if kind == "integer":
        return integer(candidate, last=found is None)
    if kind == "number":
        return number(candidate, last=found is None)
    if kind == "choice":
        return choice(candidate, choices, last=found is None)
    if kind == "text":
        line = undecorated(first_line(_TEXT.sub(r"\1", candidate)))
    else:
        line = mathematics(first_line(candidate))
    return line if len(line) <= LONGEST else NO_ANSWER


def normalise(text: str, kind: Kind) -> str:
    """The form in which equal answers are equal strings; '' if nothing can be parsed. Idempotent.

    text: case, accents, punctuation, quotes and a leading article (English, French) do not count;
    choice: an upper-case letter, or several as 'A,B'; integer: plain digits; number: a decimal, or
    a fraction where that does not end; expression: a LaTeX key by math-verify's parser.

    >>> normalise("The “Côte d’Ivoire”.", "text")
    'cote divoire'
    >>> normalise("1,024", "integer"), normalise("1 1/4", "number")
    ('1024', '1.25')

    Raises:
        InputError: `kind` is unknown, or it is 'expression' and math-verify is not installed.
    """
    if kind not in KINDS:
        raise one_of("kind of answer", kind, KINDS)
    text = clean(text[: 10 * LONGEST]).strip()
    if kind == "text":
        return plain(text)
    if kind == "choice":
        return choice(text)
    if kind == "integer":
        return integer(text)
    if kind == "number":
        return number(text)
    return canonical(text)


def is_right(answer: str, question: Question, kind: Kind, tolerance: float = 0.0) -> bool | None:
    """Whether a normalised answer equals the normalised target or an alias; None if the target is
    unknown.

    A number is also right within the tolerance of one. Votes know no tolerance: of three answers,
    the first may be near the second and the second near the third only.

    >>> country = Question("1", "…", "Ivory Coast", aliases=("Côte d'Ivoire",))
    >>> is_right("cote divoire", country, "text")
    True
    >>> is_right("3.14", Question("1", "π?", "3.1416"), "number", tolerance=0.01)
    True
    """
    if question.target is None:
        return None
    right = {normalise(accepted, kind) for accepted in (question.target, *question.aliases)}
    if answer == NO_ANSWER:
        return False
    return answer in right or (
        kind == "number" and any(_is_near(answer, target, tolerance) for target in right)
    )


def _is_near(answer: str, target: str, tolerance: float) -> bool:
    given, wanted = value(answer), value(target)
    if given is None or wanted is None:
        return False
    return abs(given - wanted) <= Fraction(str(tolerance))
