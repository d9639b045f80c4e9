r"""Keys of expressions with variables, roots and functions: `2x + 1 + x^2`, `\frac{1}{\sqrt2}`.

latex2sympy2_extended, math-verify's parser, reads them, sympy brings them into one form. The
parser's grammar ends with the end of its input, so nothing is dropped by it; what it is known to
read differently from people (thousands, decimals, mixed numbers, bare functions) is spelled out
before, and signs that it skips or guesses at are refused. Its time grows with depth and sympy's
with degrees, so both are bounded beforehand: no time limit, which needs the main thread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from dynlab._util.errors import InputError
from dynlab.tasks.numerals import latex, literal

_DEEPEST = 5  # nested brackets: the parser's time doubles with each
_MOST_BARS = 2  # absolute values, likewise
_MOST_DIGITS = (
    1000  # of what evaluating may give: the longest number × the product of all exponents
)
_MOST_NODES = 80
_MOST_TERMS = 200  # of what is multiplied out
_MOST_ROOTS = 3  # different ones in one number
_FUNCTIONS = (
    *("sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "sinh", "cosh"),
    *("tanh", "log", "ln", "exp"),
)
_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
    *("mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "varphi"),
    *("Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
)
_COMMANDS = {*_FUNCTIONS, *_GREEK, "frac", "sqrt", "pi", "infty"}
_NODES = {
    *("Add", "Mul", "Pow", "Integer", "Rational", "Symbol", "Half", "One", "NegativeOne", "Zero"),
    *("Pi", "Exp1", "ImaginaryUnit", "Infinity", "NegativeInfinity", "Abs", "factorial", "log"),
    *("exp", "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "sinh", "cosh"),
    *("tanh", "UndefinedFunction", "f", "g", "h"),
}
_TOKENS = re.compile(r"(?:\\([A-Za-z]+)|[\dA-Za-z+\-*/^_(){}\[\]|!.\s])*")
_BARE = re.compile(rf"(?<![\\A-Za-z])({'|'.join([*_FUNCTIONS, 'sqrt', 'pi'])})(?![A-Za-z])")
_LITERAL = re.compile(
    r"(?<![\d.])(?:[1-9]\d{0,2}(?:,\d{3})+(?![\d,])|\d*\.\d*\\overline\s?\{\d+\}|\d*\.\d+|\d+\.?)%?"
)
_AMBIGUOUS = re.compile(  # 1/2x, a transpose, signs in a row, n!!
    r"/\s?(?:\d[\d.]*|[A-Za-z])\s?(?=[A-Za-z(\\])|\^\s?\{?\s?(?:T|\\top)(?![A-Za-z])|[-+*/^]\s?[-+*/^]\s?[-+*/^]|\.\.\.|!\s?!"
)
_TOWER = re.compile(r"\^\s?\{[^{}^]*\^\s?\{[^{}^]*\^")
_MIXED = re.compile(r"(?<![\d.}^])(\d+)\s?(?:\\frac\s?\{(\d+)\}\s?\{(\d+)\}|\s(\d+)\s?/\s?(\d+))")


def symbolic(written: str) -> str | None:
    r"""The key of one expression that has no list, relation or bracketed pair; None if it is not
    read whole, or would be long to work out.

    >>> symbolic("2x+1+x^2") == symbolic("(x+1)^2"), symbolic("x_{1}'")
    (True, None)

    Raises:
        InputError: math-verify is not installed.
    """
    spelled = _spelled(written)
    return None if spelled is None else _read(spelled)


@lru_cache(maxsize=20_000)
def _read(spelled: str) -> str | None:
    """The key; kept, since a key is read again to see that it is its own, and parts recur."""
    return _reader()(spelled)


def _spelled(written: str) -> str | None:
    """The expression as the parser is known to read it like people; None if it may not be."""
    written = _BARE.sub(r"\\\1 ", written)
    if _AMBIGUOUS.search(written):
        return None
    written = re.sub(r"\\sqrt\s?\(([^()]*)\)", r"\\sqrt{\1}", written)
    written = re.sub(r"\\sqrt\s?(\d|[A-Za-z])", r"\\sqrt{\1}", written)
    for _ in range(2):
        written = re.sub(r"\\frac\s?([\dA-Za-z])\s?(?=[\dA-Za-z{])", r"\\frac{\1}", written)
        written = re.sub(r"(\\frac\s?\{[^{}]*\})\s?([\dA-Za-z])", r"\1{\2}", written)
    written = re.sub(r"\^\s?\(([^()]*)\)", r"^{\1}", written)
    written = re.sub(r"\^\s?(-?\d+(?:\.\d+)?)", r"^{\1}", written)
    written = re.sub(r"(?<=[A-Za-z])_\s?(\d+)", r"_{\1}", written)
    if (mixed := _with_mixed(written)) is None:
        return None
    if re.search(r"(?:\d|\.)\s+[\d.]|\d_|\.\.", mixed):  # numbers in a row, a number's base
        return None
    # f(x) applies a function, x(x + 1) multiplies
    product = re.sub(r"(?<![A-Za-z\\])([a-eij-z]|\d)\s?\(", r"\1*(", _LITERAL.sub(_exact, mixed))
    spelled = re.sub(r"\)\s?(?=\()", ")*", product)
    tokens = _TOKENS.fullmatch(spelled)
    words = re.findall(r"(?<![\\A-Za-z])[A-Za-z]{4,}", spelled)
    unknown = set(re.findall(r"\\([A-Za-z]+)", spelled)) - _COMMANDS
    if not tokens or words or unknown or "I" in re.sub(r"\\[A-Za-z]+", "", spelled):
        return None
    return None if _is_deep(spelled) else spelled


def _with_mixed(written: str) -> str | None:
    """Mixed numbers as fractions; None if a whole number stands before an improper one."""
    improper = False

    def fraction(found: re.Match[str]) -> str:
        nonlocal improper
        whole, *parts = (int(part) for part in found.groups() if part is not None)
        over, under = parts
        improper = improper or not 0 < over < under
        return f"\\frac{{{whole * under + over}}}{{{under}}}"

    spelled = _MIXED.sub(fraction, written)
    return None if improper else spelled


def _exact(found: re.Match[str]) -> str:
    """A decimal as a fraction: the parser's floats would lose digits."""
    text = found[0]
    number = literal(text.rstrip("%").removesuffix(".")) / (100 if text.endswith("%") else 1)
    return latex(Fraction(number))


def _is_deep(written: str) -> bool:
    depth = deepest = 0
    for character in written:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return (
        deepest > _DEEPEST or written.count("|") > _MOST_BARS or _TOWER.search(written) is not None
    )


@cache
def _reader() -> Callable[[str], str | None]:
    """LaTeX → key; loaded once."""
    try:
        from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy

        sympy: Any = import_module("sympy")  # comes with math-verify
    except ImportError as error:
        raise InputError(
            "answers of kind 'expression' are compared by math-verify, which is not installed: "
            "run `pip install 'dynlab[math]'`"
        ) from error
    config = ConversionConfig(lowercase_symbols=False)

    def key(spelled: str) -> str | None:
        try:
            parsed = latex2sympy(
                spelled, is_real=True, normalization_config=None, conversion_config=config
            )
        except Exception:  # of many kinds: the grammar's own, sympy's, recursion
            return None
        if not isinstance(parsed, sympy.Expr):
            return None
        imaginary = {name: sympy.I for name in parsed.free_symbols if name.name == "i"}
        parsed = parsed.xreplace(imaginary)
        if not _is_cheap(sympy, parsed):
            return None
        worked = _worked_out(sympy, parsed)
        if worked is None or worked.has(sympy.nan, sympy.zoo, sympy.Float):
            return None
        return re.sub(r"\s+", " ", str(sympy.latex(worked))).strip()

    return key


def _worked_out(sympy: Any, parsed: Any) -> Any:
    """The expression multiplied out, over one denominator without roots."""
    try:
        done = parsed.doit()
        if not _is_cheap(sympy, done):
            return None
        roots = {node for node in done.atoms(sympy.Pow) if not node.exp.is_Integer}
        if len(roots) > _MOST_ROOTS or any(node.exp.atoms(sympy.Pow, sympy.exp) for node in roots):
            return None
        if done.is_infinite or not done.free_symbols:
            return sympy.radsimp(sympy.expand(done))
        plain = sympy.cancel(sympy.together(sympy.expand(done)))
        over, under = sympy.fraction(plain)
        return sympy.expand(over) / sympy.expand(under)
    except Exception:  # sympy's own, of many kinds
        return None


def _is_cheap(sympy: Any, expression: Any) -> bool:
    """Whether evaluating it is bounded: known node types, small numbers and exponents."""
    digits, powers = 1, 1
    for nodes, node in enumerate(sympy.preorder_traversal(expression), start=1):
        if type(node).__name__ not in _NODES or nodes > _MOST_NODES:
            return False
        if node.is_Integer or node.is_Rational:
            digits = max(digits, len(str(node.p)), len(str(node.q)))
        if type(node).__name__ == "factorial" and node.args[0].is_number:
            return False
        if node.is_Pow:
            exponent = node.exp
            if exponent.is_number and not exponent.is_Rational:
                # the parser leaves 1/2 and -1 as products
                exponent = exponent if exponent.has(sympy.Pow) else exponent.doit()
                if not exponent.is_Rational:
                    return False
            if exponent.is_Rational:
                powers *= max(1, abs(exponent.p), exponent.q)
    return digits * powers <= _MOST_DIGITS and _terms(expression) <= _MOST_TERMS


def _terms(expression: Any) -> int:
    """At most so many terms it has when it is multiplied out."""
    parts = [_terms(argument) for argument in expression.args]
    if max(parts, default=0) > _MOST_TERMS:
        return _MOST_TERMS + 1
    if expression.is_Add:
        return sum(parts)
    if expression.is_Pow and expression.exp.is_Integer:
        power = min(abs(int(expression.exp)), _MOST_TERMS)
        return math.comb(parts[0] + power - 1, power) if parts[0] > 1 else 1
    return math.prod(parts) if expression.is_Mul else 1
