"""Final answers: taken out of a response, normalised so that equal answers are equal strings,
compared with the target.

Responses are untrusted text: any length, any character. Everything here is linear in it, and
nothing evaluates it. A vote counts normalised answers; only `is_right` knows targets and aliases.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, get_args

from dynlab._util.errors import one_of
from dynlab._util.values import Question
from dynlab.tasks.expressions import canonical

Kind = Literal["text", "choice", "integer", "expression"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# what stands for a response without a parsable answer: it is paid for and never votes
NO_ANSWER = ""
LONGEST = 200  # characters; what is longer is prose, not an answer

_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]{0,200})\}")
_LABEL = re.compile(r"\banswer(?: is)?[*_]{0,2}\s?[:\uff1a][*_]{0,2}", re.IGNORECASE)
_INTEGER = re.compile(r"(?<![\w.,])[-−+]?[$€£]?[0-9]{1,40}(?:,[0-9]{3}){0,12}(?![\w]|[.,][0-9])")
_TO_TWELVE = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_TO_TWELVE)})\b", re.IGNORECASE)
_LETTERS = tuple(  # from the surest sign of a choice to the weakest; "A" and "I" are also words
    re.compile(pattern)
    for pattern in (
        r"\(([A-Za-z])\)",
        r"^([A-Za-z])(?:[).:*]|$)",
        r"(?<!\w)([B-HJ-Z]|[AI](?= is\b|[.,)*:]|$))(?!\w|['’])",
    )
)
_FOLDED = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "−": "-", "’": "'", "ʼ": "'", "‘": "'"}
)


def clean(text: str) -> str:
    """Text without terminal escapes, control and direction characters, lone surrogates; every line
    ends with a newline.

    >>> clean("\\x1b[31mLima\\x1b[0m\\x00")
    'Lima'
    """
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", _ESCAPES.sub("", text)))


def writable(text: str) -> str:
    """Text as UTF-8 can hold it: lone surrogates, which JSON may escape, become question marks."""
    return text.encode("utf-8", "replace").decode()


def extract(text: str, kind: Kind, choices: Sequence[str] = (), *, reasoned: bool = False) -> str:
    """The final answer as the response words it: its last `\\boxed{…}`, or what stands after its
    last `Answer:`.

    A response with neither is its own answer (its first line, its last integer), unless it was to
    be reasoned out: a solution that breaks off before its answer has none.

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
    text = clean(text)
    if (
        "<think>" in text or "</think>" in text
    ):  # reasoning is no answer; unfinished reasoning has none
        text = text.rpartition("</think>")[2] if "</think>" in text else ""
    labelled = _after_label(text)
    marked = _boxed(text if labelled is None else labelled) or labelled
    if reasoned and marked is None:
        return NO_ANSWER
    candidate = text if marked is None else marked
    if kind == "integer":
        return _integer(candidate, last=marked is None)
    if kind == "choice":
        return _choice(candidate, choices)
    line = _first_line(_TEXT.sub(r"\1", candidate) if kind == "text" else candidate)
    return line if len(line) <= LONGEST else NO_ANSWER


def normalise(text: str, kind: Kind) -> str:
    """The form in which equal answers are equal strings; '' if nothing can be parsed. Idempotent.

    text: case, accents, punctuation, quotes and a leading article (English, French) do not count;
    choice: an upper-case letter; integer: plain digits; expression: a canonical LaTeX key by
    math-verify.

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
        return _integer(text, last=False)
    return canonical(text)


def is_right(answer: str, question: Question, kind: Kind) -> bool | None:
    """Whether a normalised answer equals the normalised target or an alias; None if the target is
    unknown.

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


def _boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{…}` if it closes within `LONGEST` characters, else None."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    start, depth = start + len("\\boxed{"), 1
    for position, character in enumerate(text[start : start + LONGEST + 1]):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return text[start : start + position].strip() or None
    return None


def _integer(text: str, *, last: bool) -> str:
    """The first or last integer of a text as plain digits; number words up to twelve where no
    digits are.
    """
    index = -1 if last else 0
    if found := _INTEGER.findall(text):
        digits = re.sub(r"[^0-9]", "", found[index]).lstrip("0") or "0"
        return f"-{digits}" if found[index][0] in "-−" and digits != "0" else digits
    words = _NUMBER_WORD.findall(text)
    return str(_TO_TWELVE.index(words[index].casefold())) if words else NO_ANSWER


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
    text = "".join(
        c for c in text if not "\u0300" <= c <= "\u036f"
    )  # accents only: marks of other scripts are letters
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
