"""What turns a response into the key that is voted on, and says which keys are right.

A kind of answer (`text`, `choice`, `integer`, `number`,
`expression`) is one grader; a function of
one's own that takes a response and a question and gives a key is another; a subclass of `Grader`
may also judge keys itself, as scorers of generated puzzles do.
"""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from dynlab._util.errors import InputError
from dynlab._util.values import Question
from dynlab.tasks.answers import KINDS, NO_ANSWER, Kind, clean, extract, is_right, normalise

KeyFunction = Callable[[str, Question], object]
_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_FORMATS: dict[Kind, str] = {
    "text": "the answer alone",
    "choice": "the letter of the right choice",
    "integer": "one integer",
    "number": "one number",
    "expression": "the expression in LaTeX",
}


class Grader(ABC):
    """How answers of a task are taken out of responses, told apart and judged.

    Equal keys are one vote. A key must not depend on the target: a vote that knew which answers are
    right would be verified.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What a task's header and a recording's card call it."""

    @abstractmethod
    def key(self, response: str, question: Question) -> str:
        """The key of the response's final answer; '' if it gives none."""

    def is_right(self, answer: str, question: Question) -> bool | None:
        """Whether a key is right; None if the target is unknown.

        It is if it is the target or an alias, or the key that one of them has as a response.
        """
        if question.target is None:
            return None
        accepted = (question.target, *question.aliases)
        keys = {self.key(text, question) for text in accepted} | {_line(text) for text in accepted}
        return answer != NO_ANSWER and answer in keys

    def wording(self, response: str, question: Question) -> str:
        """The final answer as the response words it, which later attempts may be shown."""
        return self.key(response, question)

    @property
    def format(self) -> str:
        """What the line `Answer: …` shall hold, as a prompt says it."""
        return "the answer alone"


@dataclass(frozen=True)
class KindGrader(Grader):
    """The grader of a kind of answer.

    Args:
        kind: 'text', 'choice', 'integer', 'number' or 'expression'.
        reasoned: Whether a response is a solution that ends with its answer.
        tolerance: How far a right 'number' may be from the target.
    """

    kind: Kind
    reasoned: bool = True
    tolerance: float = 0.0

    @property
    def name(self) -> str:
        """The kind."""
        return self.kind

    def key(self, response: str, question: Question) -> str:
        """The extracted answer, normalised."""
        return normalise(self.wording(response, question), self.kind)

    def wording(self, response: str, question: Question) -> str:
        """The extracted answer."""
        return extract(response, self.kind, question.choices, reasoned=self.reasoned)

    def is_right(self, answer: str, question: Question) -> bool | None:
        """Whether a key equals the target or an alias, or lies within the tolerance of one."""
        return is_right(answer, question, self.kind, self.tolerance)

    @property
    def format(self) -> str:
        """What the line `Answer: …` shall hold, as a prompt says it."""
        return _FORMATS[self.kind]


@dataclass(frozen=True)
class FunctionGrader(Grader):
    """A function of one's own: `function(response, question)` gives a key; None or '' is none.

    A function that raises loses nothing that was paid for: the response counts as one without an
    answer, and a warning says so.
    """

    function: KeyFunction

    @property
    def name(self) -> str:
        """`module:function`."""
        named = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{self.function.__module__}:{named}"

    def key(self, response: str, question: Question) -> str:
        """What the function gives, as one line of text."""
        try:
            given = self.function(response, question)
        except Exception as error:
            warnings.warn(
                f"the grader {self.name} failed on question {question.id!r}, which counts as no"
                f" answer: {type(error).__name__}: {error}",
                stacklevel=2,
            )
            return NO_ANSWER
        return NO_ANSWER if given is None else _line(str(given))


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def as_grader(
    answer: str | Grader | KeyFunction, *, reasoned: bool = True, tolerance: float = 0.0
) -> Grader:
    """The grader of a kind, a `module:function`, a function, or a grader itself.

    >>> as_grader("integer").key("2 + 2 makes 4. Answer: 4", Question("1", "2 + 2?"))
    '4'

    Raises:
        InputError: There is no such kind, module or function.
    """
    if isinstance(answer, Grader):
        return answer
    if callable(answer):
        return FunctionGrader(answer)
    for kind in KINDS:
        if kind == answer:
            return KindGrader(kind, reasoned, tolerance)
    return _imported(str(answer))


def _imported(path: str) -> Grader:
    kinds = ", ".join(map(repr, KINDS))
    if not _PATH.fullmatch(path):
        raise InputError(
            f"unknown kind of answer {path!r}: give one of {kinds}, or a grader as module:function"
        )
    module_name, _, name = path.partition(":")
    try:
        found: object = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"no grader {path!r} ({error}): give module:function") from error
    if isinstance(found, Grader):
        return found
    if isinstance(found, type) and issubclass(found, Grader):
        return found()
    if not callable(found):
        raise InputError(f"{path!r} is no function: a grader takes a response and a question")
    return FunctionGrader(found)
