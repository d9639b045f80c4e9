r"""The exact value of a number as people write it: `1,024`, `1 1/4`, `3\frac12`, `0.\overline{3}`,
`1.5 \times 10^3`, `50\%`, `2·3`.

A reader of the whole text, or of none of it: what it does not know has no value. Values are
fractions, so nothing is rounded; nothing is evaluated that would be long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from dynlab.tasks.notation import is_date, latexed, unwrapped

LONGEST = 400  # characters
_MOST_DIGITS = 1000  # of a value
_DEEPEST = 20  # brackets
_LITERAL = (
    r"[1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?"  # 1,024.5
    r"|[1-9]\d{0,2}(?: \d{3})+(?![\d/])(?:\.\d+)?"  # 1 024.5
    r"|\d*\.\d*\\(?:overline|bar|dot)\s?\{\d+\}"  # 0.1\overline{6}
    r"|\d+\.\d*\(\d+\)"  # 0.1(6)
    r"|\d+(?:\.\d*)?|\.\d+"
)
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{_LITERAL})(?P<exponent>[eE][-+]?\d{{1,4}}(?![\d.]))?"
    r"|(?P<command>\\(?:frac|sqrt|binom))|(?P<sign>[-+*/^(){}\[\]!%]))"
)
_REPEATING = re.compile(r"(\d*)\.(\d*)(?:\\[a-z]+\s?\{|\()(\d+)[})]")


class _Unreadable(Exception):
    """The text is no number that is read here."""


def value(text: str) -> Fraction | None:
    r"""The value of a text that is one number or an arithmetic expression of numbers, else None.

    >>> value("1 1/4"), value("80{,}000"), value("10³"), value("x + 1")
    (Fraction(5, 4), Fraction(80000, 1), Fraction(1000, 1), None)
    """
    if len(text) > LONGEST:
        return None
    if text.isascii() and text.isdigit():  # which most numbers are
        return Fraction(int(text))
    written = latexed(unwrapped(text))
    if is_date(written):
        return None
    try:
        return _Reader(_tokens(written)).all()
    except (_Unreadable, ZeroDivisionError):
        return None


def latex(number: Fraction) -> str:
    r"""The key of a value.

    >>> latex(Fraction(-6, 8)), latex(Fraction(4))
    ('-\\frac{3}{4}', '4')
    """
    if number.denominator == 1:
        return str(number.numerator)
    sign = "-" if number < 0 else ""
    return f"{sign}\\frac{{{abs(number.numerator)}}}{{{number.denominator}}}"


def decimal(number: Fraction) -> str:
    """The key of a value, as a decimal where it ends within 30 digits.

    >>> decimal(Fraction(1, 8)), decimal(Fraction(1, 3))
    ('0.125', '1/3')
    """
    places = next((n for n in range(31) if 10**n % number.denominator == 0), None)
    if not places:
        return str(number)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _tokens(written: str) -> list[tuple[str, str]]:
    """(kind, text) of each token, with `space` where a number follows a number."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(written):
        match = _TOKEN.match(written, position)
        if match is None:
            raise _Unreadable
        kind = str(match.lastgroup).replace("exponent", "number")
        found.append((kind, match[0].strip()))
        position = match.end()
    return found


def literal(text: str) -> Fraction:
    """The value of a numeral; repeating digits are exact.

    >>> literal("0.1\\\\overline{6}"), literal("1.5e3")
    (Fraction(1, 6), Fraction(1500, 1))
    """
    if repeating := _REPEATING.fullmatch(text):
        whole, once, again = repeating.groups()
        scale = 10 ** len(once)
        tail = Fraction(int(again), (10 ** len(again) - 1) * scale)
        return int(whole or 0) + Fraction(int(once or 0), scale) + tail
    mantissa, _, exponent = text.replace(",", "").replace(" ", "").lower().partition("e")
    power = int(exponent or 0)
    if abs(power) > _MOST_DIGITS:
        raise _Unreadable
    number = Fraction(mantissa if mantissa[-1] != "." else mantissa[:-1])
    return number * Fraction(10) ** power


class _Reader:
    """A descent over the tokens of an arithmetic expression: sums of products of powers."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0
        self.in_brackets = 0

    def all(self) -> Fraction:
        """The value of all tokens."""
        number = self._sum()
        if self.index != len(self.tokens):
            raise _Unreadable
        return number

    def _next(self, *texts: str) -> str:
        """The next token if it is one of these, which is then passed; else ''."""
        if self.index < len(self.tokens) and self.tokens[self.index][1] in texts:
            self.index += 1
            return self.tokens[self.index - 1][1]
        return ""

    def _expect(self, text: str) -> None:
        if not self._next(text):
            raise _Unreadable

    def _sum(self) -> Fraction:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Unreadable
        sign = self._next("-", "+")
        total = -self._product() if sign == "-" else self._product()
        while sign := self._next("+", "-"):
            term = self._product()
            total = _bounded(total + term if sign == "+" else total - term)
        self.depth -= 1
        return total

    def _product(self) -> Fraction:
        total, divided = self._power(), False
        while True:
            if sign := self._next("*", "/"):
                minus = self._next("-")
                factor = -self._power() if minus else self._power()
                if sign == "/" and self._peek(-1) == "%":  # 1/2%: a half percent, or fifty?
                    raise _Unreadable
                total = _bounded(total * factor if sign == "*" else total / factor)
                divided = divided or sign == "/"
            elif self._peek() in ("(", "\\sqrt", "\\binom") and not divided:
                total = _bounded(total * self._power())  # 2(3)
            else:
                return total

    def _peek(self, ahead: int = 0) -> str:
        index = self.index + ahead
        return self.tokens[index][1] if index < len(self.tokens) else ""

    def _power(self) -> Fraction:
        base = self._atom()
        while sign := self._next("^", "!", "%"):
            if sign == "!" == self._peek():  # a double factorial is none of a factorial
                raise _Unreadable
            if sign == "^":
                base = _raised(base, self._exponent())
            else:
                base = _factorial(base) if sign == "!" else base / 100
        return base

    def _exponent(self) -> Fraction:
        if self._peek() in ("{", "("):
            return self._group()
        minus = self._next("-")
        exponent = self._atom()
        # a tower is read from its top: 2^3^2 is 2^9
        if self._next("^"):
            exponent = _raised(exponent, self._exponent())
        return -exponent if minus else exponent

    def _group(self) -> Fraction:
        opening = self._next("{", "(", "[")
        self.in_brackets += opening != "{"
        number = self._sum()
        self._expect({"{": "}", "(": ")", "[": "]"}[opening])
        self.in_brackets -= opening != "{"
        return number

    def _argument(self) -> Fraction:
        r"""What a command takes: a group, or one digit, so that `\frac12` is a half."""
        if self._peek() == "{":
            return self._group()
        if self.index < len(self.tokens) and self.tokens[self.index][0] == "number":
            digits = self.tokens[self.index][1]
            if digits.isdigit():
                rest = [("number", digits[1:])] if digits[1:] else []
                self.tokens = [*self.tokens[: self.index], *rest, *self.tokens[self.index + 1 :]]
                return Fraction(int(digits[0]))
        raise _Unreadable

    def _atom(self) -> Fraction:
        if self._next("\\frac"):
            over = self._argument()
            return over / self._argument()
        if self._next("\\sqrt"):
            degree = self._group() if self._peek() == "[" else Fraction(2)
            return _raised(self._argument(), 1 / degree)
        if self._next("\\binom"):
            return _binomial(self._argument(), self._argument())
        if self._peek() in ("(", "{", "["):
            return self._group()
        if self.index >= len(self.tokens) or self.tokens[self.index][0] != "number":
            raise _Unreadable
        text = self.tokens[self.index][1]
        if "," in text and self.in_brackets:  # (1,200) is a pair
            raise _Unreadable
        before = self._peek(-1) if self.index else ""
        self.index += 1
        return self._mixed(text) if text.isdigit() and before not in ("/", "^") else literal(text)

    def _mixed(self, whole: str) -> Fraction:
        r"""A whole number, or one with a proper fraction after it: `1 1/4`, `3\frac12`."""
        number = literal(whole)
        if self._peek() == "\\frac":
            part = self._atom()
        elif (
            self.index + 2 < len(self.tokens)
            and self.tokens[self.index][0] == self.tokens[self.index + 2][0] == "number"
            and self._peek(1) == "/"
        ):
            over, under = self._peek(), self._peek(2)
            if not (over.isdigit() and under.isdigit()) or self._peek(3) in ("/", "^"):
                raise _Unreadable
            part = Fraction(int(over), int(under))
            self.index += 3
        else:
            return number
        if not 0 < part < 1:
            raise _Unreadable
        return number + part


def _bounded(number: Fraction) -> Fraction:
    # 3.33 bits a digit
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > 3.33 * _MOST_DIGITS:
        raise _Unreadable
    return number


def _raised(base: Fraction, exponent: Fraction) -> Fraction:
    """A power whose value is rational and not long."""
    if base == 0 and exponent <= 0:
        raise _Unreadable
    if exponent.denominator != 1:
        base, exponent = _root(base, exponent.denominator), Fraction(exponent.numerator)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * bits > 3.33 * _MOST_DIGITS and abs(base) != 1 and base != 0:
        raise _Unreadable
    return Fraction(base ** int(exponent))


def _root(base: Fraction, degree: int) -> Fraction:
    """The root of a power of a fraction."""
    if base < 0 or degree > 64:
        raise _Unreadable
    parts = []
    for part in (base.numerator, base.denominator):
        root = math.isqrt(part) if degree == 2 else round(part ** (1 / degree))
        if part.bit_length() > 900 or root**degree != part:
            raise _Unreadable
        parts.append(root)
    return Fraction(*parts)


def _factorial(base: Fraction) -> Fraction:
    if base.denominator != 1 or not 0 <= base <= 400:
        raise _Unreadable
    return Fraction(math.factorial(int(base)))


def _binomial(upper: Fraction, lower: Fraction) -> Fraction:
    if upper.denominator != 1 or lower.denominator != 1 or not 0 <= lower <= upper <= 1000:
        raise _Unreadable
    return Fraction(math.comb(int(upper), int(lower)))
