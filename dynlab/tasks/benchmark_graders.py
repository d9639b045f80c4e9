"""Graders of benchmarks whose answers are no number, letter or short text: a verdict, a sorted list
of words, closing brackets.
"""

from __future__ import annotations

import re

from dynlab._util.values import Question
from dynlab.tasks.extraction import marked
from dynlab.tasks.plain_text import clean

_VERDICT = re.compile(r"(?:yes|no|true|false|valid|invalid|plausible|implausible)\b")
_MEANT = {"plausible": "yes", "implausible": "no"}
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LONGEST = 2000  # letters of a list of words


def verdict(response: str, question: Question) -> str:
    """Yes or no, true or false, valid or invalid: the word that the final answer begins with.

    >>> verdict("It is not. Answer: **No**, it isn't.", Question("1", "…"))
    'no'
    """
    found = _VERDICT.match(_said(response).casefold().lstrip(" *_`\"'($\\"))
    return _MEANT.get(found[0], found[0]) if found else ""


def words(response: str, question: Question) -> str:
    """The words of the final answer in their order, without case, commas and numbering.

    >>> words("Answer: apple, Pear, zoo.", Question("1", "…"))
    'apple pear zoo'
    """
    return " ".join(_WORD.findall(_said(response).casefold()))


def brackets(response: str, question: Question) -> str:
    """The brackets of the final answer, without those that the question begins with.

    >>> brackets("Answer: [ { } ]", Question("1", "Close them. Input: [ {"))
    '}]'
    """
    given = _only_brackets(question.question.rpartition("Input:")[2])
    found = _only_brackets(_said(response))
    return found.removeprefix(given) if len(found) > len(given) else found


def _said(response: str) -> str:
    """The line after the sign of a final answer; '' where there is no sign."""
    text = clean(response)
    if "<think>" in text or "</think>" in text:  # unfinished reasoning has no answer
        text = text.rpartition("</think>")[2] if "</think>" in text else ""
    return (marked(text) or "").strip()[:_LONGEST].partition("\n")[0]


def _only_brackets(text: str) -> str:
    return "".join(letter for letter in text if letter in "()[]{}<>")
