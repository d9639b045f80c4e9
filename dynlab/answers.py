"""Final answers: taken out of a response, normalised so that equal answers are equal strings, compared with the target.

Responses are untrusted text: any length, any character. Everything here is linear in it, and nothing evaluates it.
A vote counts normalised answers; only `is_right` knows targets and aliases.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args

from dynlab.errors import InputError, one_of
from dynlab.types import Question

Kind = Literal["text", "choice", "integer", "expression"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NO_ANSWER = ""  # what stands for a response without a parsable answer: it is paid for and never votes
LONGEST = 200  # characters; what is longer is prose, not an answer

_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]")
_LABEL = re.compile(r"\banswer(?: is)?[*_]{0,2}\s?[:\uff1a][*_]{0,2}", re.IGNORECASE)
_INTEGER = re.compile(r"(?<![\w.,])[-−+]?[$€£]?[0-9]{1,40}(?:,[0-9]{3}){0,12}(?![\w]|[.,][0-9])")
_TO_TWELVE = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_TO_TWELVE)})\b", re.IGNORECASE)
_LETTERS = tuple(  # from the surest sign of a choice to the weakest; "A" and "I" are also words
    re.compile(pattern)
    for pattern in (
        r"\(([A-Za-z])\)",
        r"^([A-Za-z])(?:[).:*]|$)",
        r"(?<!\w)([B-HJ-Z]|[AI](?= is\b|[.,)*:]|$))(?!\w|['’])",
    )
)
_FOLDED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "−": "-", "’": "'", "ʼ": "'", "‘": "'"})
_TOWERS = re.compile(r"!|\^\s?\{?[^}]{0,40}\^|\*\*|\^\s?\{?[-+]?[0-9]{4}|[0-9]{40}|\\(?:sum|prod|int|lim|binom)")


def clean(text: str) -> str:
    """Text without terminal escapes, control characters (newline and tab stay) and lone surrogates.

    >>> clean("\\x1b[31mLima\\x1b[0m\\x00")
    'Lima'
    """
    text = _ESCAPES.sub("", text)
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def extract(text: str, kind: Kind, choices: Sequence[str] = ()) -> str:
    """The final answer as the response words it: what stands after its last `Answer:`, else its first line.

    An integer is otherwise the last one of the response; an expression the last `\\boxed{…}`.

    >>> extract("An apple is one, so 1.\\nAnswer: 1 fruit", "integer")
    '1'
    >>> extract("I think that (B) fits.", "choice")
    'B'

    Args:
        text: One whole response.
        kind: What kind of answer the task expects.
        choices: The options of a 'choice' question, in the order of their letters.

    Returns:
        The answer, not yet normalised; '' if there is none.
    """
    text = clean(text)
    if "<think>" in text or "</think>" in text:  # reasoning is no answer; unfinished reasoning has none
        text = text.rpartition("</think>")[2] if "</think>" in text else ""
    labelled = _after_label(text)
    candidate = labelled if labelled is not None else text
    if kind == "integer":
        return _last_integer(_boxed(text) or candidate, first=labelled is not None)
    if kind == "choice":
        return _choice(_boxed(text) or candidate, choices)
    line = _first_line(candidate)
    if kind == "expression":
        return (_boxed(text) or line)[:LONGEST]
    return line if len(line) <= LONGEST else NO_ANSWER


def normalise(text: str, kind: Kind) -> str:
    """The form in which equal answers are equal strings; '' if nothing can be parsed. Idempotent.

    text: case, accents, punctuation, quotes and a leading article (English, French) do not count;
    choice: an upper-case letter; integer: plain digits; expression: a canonical LaTeX key by math-verify.

    >>> normalise("The “Côte d’Ivoire”.", "text")
    'cote divoire'
    >>> normalise("1,024", "integer")
    '1024'

    Raises:
        InputError: `kind` is unknown, or it is 'expression' and math-verify is not installed.
    """
    if kind not in KINDS:
        raise one_of("kind of answer", kind, KINDS)
    text = clean(text[: 10 * LONGEST]).strip()
    if kind == "text":
        return _plain(text)
    if kind == "choice":
        return _choice(text, ())
    if kind == "integer":
        return _last_integer(text, first=True)
    return _canonical(text)


def is_right(answer: str, question: Question, kind: Kind) -> bool | None:
    """Whether a normalised answer equals the normalised target or an alias; None if the target is unknown.

    >>> is_right("cote divoire", Question("1", "…", "Ivory Coast", aliases=("Côte d'Ivoire",)), "text")
    True
    """
    if question.target is None:
        return None
    right = {normalise(accepted, kind) for accepted in (question.target, *question.aliases)}
    return answer != NO_ANSWER and answer in right


def _after_label(text: str) -> str | None:
    """What stands after the last `Answer:`, None if there is no such label."""
    start = None
    for match in _LABEL.finditer(text):
        start = match.end()
    return None if start is None else text[start:]


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _boxed(text: str) -> str:
    r"""The content of the last balanced `\boxed{…}` of at most `LONGEST` characters, else ''."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return ""
    inside, depth = text[start + len("\\boxed{") :][: LONGEST + 1], 1
    for position, character in enumerate(inside):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return inside[:position].strip()
    return ""


def _last_integer(text: str, *, first: bool) -> str:
    """The first or last integer of a text as plain digits; number words up to twelve count when no digits are there."""
    found = [match.group() for match in _INTEGER.finditer(text)]
    if found:
        number = found[0 if first else -1]
        digits = re.sub(r"[^0-9]", "", number).lstrip("0") or "0"
        return ("-" if number[0] in "-−" and digits != "0" else "") + digits
    words = [match.group().casefold() for match in _NUMBER_WORD.finditer(text)]
    return str(_TO_TWELVE.index(words[0 if first else -1])) if words else NO_ANSWER


def _choice(text: str, choices: Sequence[str]) -> str:
    """The letter of the option that the first or last line repeats, or the letter that it names."""
    offered = {_plain(choice): chr(ord("A") + index) for index, choice in enumerate(choices)}
    for line in (_first_line(text), text.strip().rpartition("\n")[2].strip()):
        line = line[: 10 * LONGEST].strip("*_ \"'")
        if (plain := _plain(line)) and plain in offered:
            return offered[plain]
        for pattern in _LETTERS:
            for match in pattern.finditer(line):
                letter = match.group(1).upper()
                if not choices or ord(letter) - ord("A") < len(choices):
                    return letter
    return NO_ANSWER


def _plain(text: str) -> str:
    """Words only: no case, accents, punctuation, quotes or leading article."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not "\u0300" <= c <= "\u036f")  # accents only: marks of other scripts are letters
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_FOLDED)
    text = re.sub(r"\bl'(?=\w)", "", text)
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))|['`´]|(?<![0-9])\.|\.(?![0-9])", "", text)
    text = re.sub(r"(?<!\w)-(?=[0-9])", "\0", text)  # a sign, not a hyphen
    text = "".join(" " if _is_punctuation(c) else c for c in text).replace("\0", "-")
    text = " ".join(text.split())
    text = re.sub(r"^(?:(?:the|a|an|le|la|les|un|une) )+", "", text)
    text = unicodedata.normalize("NFC", text)
    return text if len(text) <= LONGEST else NO_ANSWER


def _is_punctuation(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Sk" or (category[0] in "PZ" and character not in "%.#")


def _canonical(text: str) -> str:
    """Canonical LaTeX of an expression; what could be costly to evaluate (towers, factorials) stays as written."""
    text = text.strip().strip("$").strip()
    written = " ".join(text.split())
    if not written or len(written) > LONGEST or _TOWERS.search(written):
        return written if len(written) <= LONGEST else NO_ANSWER
    for _ in range(3):  # to the fixed point of parsing and printing
        key = _parser()(written)
        if key in (NO_ANSWER, written):
            return key
        written = key
    return written


@cache
def _parser() -> Callable[[str], str]:
    """LaTeX → LaTeX through math-verify's parser, loaded once."""
    try:
        from math_verify import parse

        latex = import_module("sympy").latex  # comes with math-verify
    except ImportError as error:
        raise InputError(
            "answers of kind 'expression' are compared by math-verify, which is not installed: "
            "run `pip install 'dynlab[math]'`"
        ) from error
    logging.getLogger("math_verify.parser").setLevel(logging.ERROR)  # it warns at every call that has no time limit

    def key(written: str) -> str:
        parsed: list[Any] = parse(f"${written}$", parsing_timeout=None)
        if not parsed:
            return NO_ANSWER
        return parsed[0].strip() if isinstance(parsed[0], str) else str(latex(parsed[0]))

    return key
