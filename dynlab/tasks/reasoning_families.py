"""The families of reasoning-gym that are asked here, and how each makes a vote of an answer.

An answer's key is what votes: equal keys are equal answers, and the family's own scorer sees it
alone. A key is no more than digits, letters and arithmetic signs, because some scorers evaluate it.
The worked examples that precede each question are in `data/tasks/worked-examples.json`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dynlab._util import shipped_files
from dynlab.tasks.answers import NO_ANSWER

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?(?![\d.]*\d)")
_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+){0,3}")
_LONGEST = 60  # characters of an expression, and of its numbers at most 6 digits
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True)
class Family:
    """One generator: what it is told, and how its answers are read.

    Args:
        key: Makes a vote of what a response gives as its answer, '' where that is none.
        config: Settings of the generator that differ from its defaults.
        threshold: What the family's scorer gives at least to a right answer.
        max_tokens: Of a solution.
    """

    key: Callable[[str], str]
    config: Mapping[str, Any] = field(default_factory=dict)
    threshold: float = 0.99
    max_tokens: int = 120


def number(text: str) -> str:
    """The first number of a text in its shortest decimal form.

    >>> number("$1,204.50 in all"), number("-0"), number("twelve")
    ('1204.5', '0', '')
    """
    found = _NUMBER.search(text.replace(",", "").replace("−", "-"))
    if not found:
        return NO_ANSWER
    whole, _, part = found.group().partition(".")
    digits = whole.lstrip("-").lstrip("0") or "0"
    part = part.rstrip("0")
    sign = "-" if whole.startswith("-") and (digits != "0" or part) else ""
    return f"{sign}{digits}.{part}" if part else f"{sign}{digits}"


def word(text: str) -> str:
    """The first word of a text in small letters.

    >>> word("**Mother-in-law**, I think")
    'mother-in-law'
    """
    found = _WORD.search(text)
    return found.group().lower() if found else NO_ANSWER


def title(text: str) -> str:
    """The first word of a text, its first letter a capital: title("yes, it does") → 'Yes'."""
    return word(text).capitalize()


def factors(text: str) -> str:
    """Whole numbers that are multiplied, in rising order.

    >>> factors("7 × 5 x 7"), factors("2^3 * 5"), factors("none")
    ('5 × 7 × 7', '2 × 2 × 2 × 5', '')
    """
    numbers: list[int] = []
    for base, power in re.findall(r"(\d{1,9})(?:\s?(?:\^|\*\*)\s?(\d{1,2}))?", text)[:40]:
        numbers += [int(base)] * min(int(power or 1), 40)
    return " × ".join(map(str, sorted(numbers)[:60])) if numbers else NO_ANSWER


def expression(text: str) -> str:
    """An expression of whole numbers, what may be exchanged in order; '' for anything else.

    >>> expression("(5 - 7) * 19 = -38"), expression("19*(5-7)"), expression("2 ** 9")
    ('19 * (5 - 7)', '19 * (5 - 7)', '')
    """
    plain = (
        text.partition("=")[0]
        .replace("×", "*")
        .replace("·", "*")
        .replace("÷", "/")
        .replace("−", "-")
    )
    plain = plain.strip(" .`$\"'*")
    if not plain or len(plain) > _LONGEST or re.search(r"[^\d\s()+*/-]|\d{7}|\*\*|//", plain):
        return NO_ANSWER
    try:
        return ast.unparse(_ordered(ast.parse(plain, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError):
        return NO_ANSWER


def _ordered(node: ast.expr) -> ast.expr:
    """The same expression, the operands of every sum and product in the order of their texts."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return ast.Constant(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return ast.UnaryOp(ast.USub(), _ordered(node.operand))
    if not isinstance(node, ast.BinOp) or type(node.op) not in _SIGNS:
        raise ValueError("not an expression of whole numbers")
    if isinstance(node.op, ast.Add | ast.Mult):
        kind = type(node.op)
        parts = sorted((_ordered(part) for part in _operands(node, kind)), key=ast.unparse)
        joined = parts[0]
        for part in parts[1:]:
            joined = ast.BinOp(joined, kind(), part)
        return joined
    return ast.BinOp(_ordered(node.left), node.op, _ordered(node.right))


def _operands(node: ast.expr, kind: type[ast.operator]) -> list[ast.expr]:
    """What a chain of one operator joins: a + (b + c) → a, b, c."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        return [*_operands(node.left, kind), *_operands(node.right, kind)]
    return [node]


_THREE_NUMBERS = {
    "min_numbers": 3,
    "max_numbers": 3,
    "min_value": 1,
    "max_value": 20,
    "min_target": 1,
    "max_target": 60,
    "operators": ("+", "-"),
}
_SMALL = {"min_family_size": 3, "max_family_size": 4}
_WEEKDAYS = {"tasks": ["weekday_offset", "weekday_of_date_from_first_date"]}

FAMILIES: dict[str, Family] = {
    "gsm_symbolic": Family(number, max_tokens=200),
    "family_relationships": Family(word, _SMALL),
    "syllogism": Family(title),
    "countdown": Family(expression, _THREE_NUMBERS),
    "prime_factorization": Family(factors),
    "calendar_arithmetic": Family(title, _WEEKDAYS),
}


@cache
def demos(family: str) -> tuple[tuple[str, str], ...]:
    """Worked (question, solution) pairs; a solution is one line that ends with `Answer: …`."""
    path = shipped_files.folder("data/tasks") / "worked-examples.json"
    pairs = json.loads(path.read_text(encoding="utf-8"))[family]
    return tuple((pair["question"], pair["solution"]) for pair in pairs)
