"""Canonical keys of mathematical expressions, so that a vote can count equal ones: `\\frac{6}{8}`
and `0.75` are one.

math-verify parses, sympy prints. Its own comparison is not symmetric and its time limits need the
main thread, so the work is bounded beforehand instead: what is long, deeply nested or costly to
evaluate stays as it is written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from dynlab._util.errors import InputError

LONGEST = 200  # characters
_DEEPEST = 6  # nested brackets: the parser's time doubles with each
_MOST_BARS = 6  # absolute values, likewise
_MOST_DIGITS = (
    1000  # of what evaluating may give: the longest number × the product of all exponents
)
_NODES = {
    *(
        "Add",
        "Mul",
        "Pow",
        "Integer",
        "Rational",
        "Float",
        "Symbol",
        "Half",
        "One",
        "NegativeOne",
        "Zero",
        "Pi",
        "Exp1",
    ),
    *("ImaginaryUnit", "Infinity", "NegativeInfinity", "Abs", "sin", "cos", "tan", "log", "exp"),
    *("Tuple", "FiniteSet", "Interval", "Union", "Equality", "BooleanTrue", "BooleanFalse"),
}


def canonical(written: str) -> str:
    r"""A LaTeX key that equal simple expressions share; '' if it is empty or longer than `LONGEST`.
    Idempotent.

    >>> canonical(r"\frac{6}{8}"), canonical("0.75")
    ('\\frac{3}{4}', '\\frac{3}{4}')

    Raises:
        InputError: math-verify is not installed.
    """
    written = " ".join(written.split()).lstrip("$ ").rstrip("$ .")
    if not written or len(written) > LONGEST:
        return ""
    key = _printed(written)
    # what does not survive being printed and parsed again is no expression
    return key if len(key) <= LONGEST and _printed(key) == key else written


def _printed(written: str) -> str:
    too_hard = not written or len(written) > LONGEST or _is_deep(written)
    return written if too_hard else _parser()(written)


def _is_deep(written: str) -> bool:
    depth = deepest = 0
    for character in written:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST or written.count("|") > _MOST_BARS


@cache
def _parser() -> Callable[[str], str]:
    """LaTeX → LaTeX, evaluated where that is cheap; loaded once."""
    try:
        from math_verify import parse

        sympy: Any = import_module("sympy")  # comes with math-verify
    except ImportError as error:
        raise InputError(
            "answers of kind 'expression' are compared by math-verify, which is not installed: "
            "run `pip install 'dynlab[math]'`"
        ) from error
    logging.getLogger("math_verify.parser").setLevel(
        logging.ERROR
    )  # it warns at every call that has no time limit

    def parse_and_print(written: str) -> str:
        parsed: list[Any] = parse(f"${written}$", parsing_timeout=None)
        if not parsed or isinstance(parsed[0], str):
            return written
        expression = parsed[0]
        if _is_cheap(sympy, expression):
            decimals = {
                number: sympy.Rational(str(number)) for number in expression.atoms(sympy.Float)
            }
            expression = expression.xreplace(decimals).doit()
            if isinstance(expression, sympy.Expr):
                expression = sympy.radsimp(expression)
        return re.sub(r"\s+", " ", str(sympy.latex(expression))).strip()

    return parse_and_print


def _is_cheap(sympy: Any, expression: Any) -> bool:
    """Whether evaluating it is bounded: known node types, small numbers and exponents."""
    digits, powers = 1, 1
    for node in sympy.preorder_traversal(expression):
        if type(node).__name__ not in _NODES:
            return False
        if node.is_Integer:
            digits = max(digits, len(str(node)))
        if node.is_Pow:
            exponent = node.exp
            if exponent.is_number and not exponent.is_Rational:
                return False
            if exponent.is_Rational:
                powers *= max(1, abs(exponent.p), exponent.q)
    return digits * powers <= _MOST_DIGITS
