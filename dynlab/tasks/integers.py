r"""Integers in an answer: numerals, arithmetic that comes out whole, number words.

A number that is not whole is no integer, and no part of it is: `\frac12`, `12.5`, `3:1` and `5x`
have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from dynlab.tasks.extraction import first_line
from dynlab.tasks.joined_numbers import are_joined, is_qualified
from dynlab.tasks.notation import latexed, unwrapped
from dynlab.tasks.number_words import NUMBERS, SCALES
from dynlab.tasks.numerals import value

_LONGEST = 2000  # characters of an answer that are read
_PLAIN = re.compile(r"0|-?[1-9][0-9]{0,17}")  # a key already, as most answers are
_MOST_BITS = 1200  # some 360 digits: a key, decimals included, is short enough to be read again
_NUMERAL = (
    r"(?:[1-9]\d{0,2}(?:,\d{3}){1,12}(?![\d])(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?: \d{3}){1,12}(?![\d/])(?:\.\d+)?"
    r"|\d{1,1000}(?:\.\d+)?|\.\d+)"
)
_GROUP = r"\s?\{[^{}]{1,40}\}"
_ATOM = re.compile(
    r"(?P<sign>(?<![\w)}\]])[-+]\s?)?(?P<currency>[$€£¥]\s?)?(?P<sign2>-)?"
    rf"(?P<number>\\frac(?:{_GROUP}{_GROUP}|\d\d)|\\sqrt{_GROUP}"
    rf"|{_NUMERAL}(?:[eE][-+]?\d{{1,4}})?"
    rf"(?:\s?\\frac(?:{_GROUP}{_GROUP}|\s?\d\s?\d)|\s\d{{1,4}}/\d{{1,4}}|\s?/\s?\d{{1,9}}|\s?\*\s?10\s?\^(?:{_GROUP}|-?\d{{1,4}}(?!\d)))?"
    rf"(?:\s?\^(?:{_GROUP}|-?\d{{1,4}}(?!\d)))?)"
)
_BEFORE = re.compile(r"(?:[A-Za-z_\\^\d]|[A-Za-z]-|[\d.,:/]|\d\s?[-*/+^]\s?)$")
# what makes a numeral part of something else: 5x, 1st, 2\sqrt3, 3:1, 2516_8, 10-12
_AFTER = re.compile(
    r"[A-Za-z_]|\^(?!\\circ)|\s?\\(?!text|mathrm|,|;|\)|\]|\$|\^\\circ|boxed|fbox|%)[A-Za-z(]|:\d|-\d|[.,]\d|/|\s?[*+]\s?[\d(]"
)
_RANGE = re.compile(r"[$€£]?\d[\d.,]*\s?[-–—]\s?[$€£]?\d[\d.,]*")  # 10-12 is from one to the other
_GROUPED = re.compile(r"(?<![\d'’_.])\d{1,3}(?:(?:['’]\d{3}){1,12}|(?:_\d{3}){1,12})(?![\d'’_])")
_SCALED = re.compile(r"[\s~]?(thousand|million|billion|trillion)s?\b", re.IGNORECASE)
_NEGATIVE = re.compile(r"(?<![\d)]\s)(?<![-\w])(?:negative|minus)\s?$", re.IGNORECASE)
_TIMES = re.compile(r"(?<=\d)(?:\s?[xX]\s?|\stimes\s)(?=\d)")
_ROOT = re.compile(r"(?<![\\A-Za-z])sqrt\s?\(([^()]{1,80})\)")
_GLOSS = re.compile(r"(.{1,60}?)\s?\(([^()]{1,80})\)")
_EQUATION = re.compile(r"(?<![<>!\\=])=(?!=)")
_NAMED = re.compile(r"([^=]+)=\s?[A-Za-z]$")  # 5 = x
_LETTERS = re.compile(r"(?<!\\)\b[A-Za-z]+\b")
_PROSE = re.compile(r"[,;:?!]|\.\s|\([^()]{0,80}[A-Za-z]{3}|\b(?:and|or)\b")
_ONE = "|".join([*NUMBERS, *SCALES])
_NUMBER_WORDS = re.compile(
    rf"(?P<before>\b(?:no|any|each|every|this|that|which|another|the|minus|negative)\s+)?(?P<a>\ba\s+(?=(?:{'|'.join(SCALES)})\b))?"
    rf"\b(?P<words>(?:{_ONE})(?:(?:-|\s+and\s+|\s+)(?:{_ONE})\b)*)\b"
    r"(?P<after>(?:\s+and\s+a|\s+and\s+one)?[\s-]+(?:half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?|percent|point|of\b|another\b))?",
    re.IGNORECASE,
)


def integer(text: str, *, last: bool = False) -> str:
    r"""The first integer of an answer's first line, or the last of a whole response, as plain
    digits; '' if there is none, or the number that stands there is not whole.

    >>> integer("12 + 6 = 18"), integer("\\frac12"), integer("$1,024.00 in all"), integer("10^3")
    ('18', '', '1024', '1000')
    >>> integer("twenty-one"), integer("No one"), integer("First 3, then 4", last=True)
    ('21', '', '4')
    """
    if _PLAIN.fullmatch(written := text.strip()):
        return written
    found = first_number(text, last=last, percent=1)
    return str(found.numerator) if found is not None and found.denominator == 1 else ""


def first_number(text: str, *, last: bool = False, percent: int = 100) -> Fraction | None:
    """The number that an answer gives, or the last one of a whole response, if it has a value.

    Args:
        text: What stands after the sign of an answer, or a whole response without one.
        last: It is a whole response.
        percent: What a number with a percent sign is divided by.
    """
    line = unwrapped(text[-_LONGEST:] if last else first_line(text)[:_LONGEST])
    if percent == 1:
        line = re.sub(r"(?<=\d)\s?\\?%$", "", line)
    line = _GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), line)  # 1'024, 1_024
    line = without_gloss(_ROOT.sub(r"\\sqrt{\1}", _TIMES.sub("*", line)))
    if _RANGE.fullmatch(line):
        return None
    if (whole := value(line)) is not None:
        return _short(whole)
    written = _NAMED.sub(r"\1", latexed(_kept_currency(line)))
    if not last and (right := _right_hand_side(written)) is not None:
        number = value(right)
        number = _only(right, percent) if number is None else number
        return None if number is None or _converts(written, number) else _short(number)
    return _short(_only(written, percent, last=last))


def without_gloss(text: str) -> str:
    """An answer without brackets behind it that say the same number again.

    >>> without_gloss("12 (twelve)"), without_gloss("18 (12 + 6)"), without_gloss("2 (3)")
    ('12', '18', '2 (3)')
    """
    if (glossed := _GLOSS.fullmatch(text)) is None or (number := value(glossed[1])) is None:
        return text
    again = value(glossed[2])
    if again is None and _NUMBER_WORDS.fullmatch(glossed[2]):
        again = next((found.number for found in _worded(glossed[2])), None)
    return glossed[1] if again == number else text


def _only(written: str, percent: int, *, last: bool = False) -> Fraction | None:
    """The first or last number of a text; None where it is one of several that are joined."""
    found = list(_numbers(written, percent)) or list(_worded(written))
    if not found:
        return None
    chosen = found[-1 if last else 0]
    pair = found[-2:] if last else found[:2]
    if len(pair) == 2 and pair[0].number != pair[1].number:
        between, after = written[pair[0].end : pair[1].start], written[pair[1].end :]
        if are_joined(between, after, whole=last):
            return None
    if not last and is_qualified(written[: chosen.start], written[chosen.end :]):
        return None
    return chosen.number


def _converts(written: str, number: Fraction) -> bool:
    """Whether an equation says one number in two units: `36 inches = 3 feet`."""
    left = written.rpartition("=")[0].rpartition("=")[2]
    bare = _LETTERS.sub("", left).strip("$€£¥. ")
    return re.fullmatch(_NUMERAL, bare) is not None and value(bare) != number


def _kept_currency(text: str) -> str:
    """A dollar sign before a number stays a sign of money: `latexed` takes it for a delimiter."""
    return re.sub(r"\\?\$(?=\s?-?[\d.])", "€", text)


def _short(number: Fraction | None) -> Fraction | None:
    """None for a number of more digits than anybody would answer."""
    if number is None:
        return None
    bits = number.numerator.bit_length() + number.denominator.bit_length()
    return number if bits <= _MOST_BITS else None


def _right_hand_side(written: str) -> str | None:
    """What stands after the last equals sign, where everything before it is one calculation."""
    signs = [match.start() for match in _EQUATION.finditer(written)]
    if not signs:
        return None
    first = re.search(r"\d", written)
    if first is None or first.start() > signs[-1]:
        return written[signs[-1] + 1 :].strip()
    calculation = written[first.start() : signs[-1]]
    if _PROSE.search(re.sub(r"(?<=\d),(?=\d{3})", "", calculation)):
        return None
    lefts = (part.partition("=")[0] for part in (written, calculation))
    readable = any(value(_LETTERS.sub(" ", left)) is not None for left in lefts)
    return written[signs[-1] + 1 :].strip() if readable else None


@dataclass(frozen=True)
class _Found:
    """A number where it stands in a text; None has no value or is part of something else."""

    number: Fraction | None
    start: int
    end: int


def _numbers(written: str, percent: int) -> Iterator[_Found]:
    """The numbers of a text in their order."""
    position = 0
    while match := _ATOM.search(written, position):
        position = match.end()
        before, after = (
            written[max(0, match.start() - 4) : match.start()],
            written[position : position + 12],
        )
        if not match["sign"] and _BEFORE.search(before):
            if before[-1:].isalpha():  # x1, R2: a name
                continue
            yield _Found(None, *match.span())
        elif _AFTER.match(after):
            if re.match(r"(?:st|nd|rd|th)\b", after):  # an ordinal
                continue
            yield _Found(None, *match.span())
        else:
            number = value(match["number"])
            minus = (
                (match["sign"] or "").strip() == "-"
                or match["sign2"] is not None
                or _NEGATIVE.search(written[max(0, match.start() - 12) : match.start()]) is not None
            )
            if number is not None:
                number *= _factor(after, percent)
            number = -number if number is not None and minus else number
            yield _Found(number, *match.span())


def _factor(after: str, percent: int) -> Fraction:
    """What a number is multiplied by for what stands after it: million, %, ‰."""
    if scaled := _SCALED.match(after):
        return Fraction(SCALES[scaled[1].casefold()])
    sign = after.lstrip()[:1]
    per = {"%": percent, "‰": 1 if percent == 1 else 10 * percent}
    return Fraction(1, per.get(sign, 1))


def _worded(text: str) -> Iterator[_Found]:
    """The numbers that words say."""
    for match in _NUMBER_WORDS.finditer(text):
        before = (match["before"] or "").strip().casefold()
        words = re.split(r"[\s-]+", match["words"].casefold())
        if match["after"]:
            after = match["after"].split()[-1].casefold().strip("-")
            if after in ("of", "another") and words == ["one"]:
                continue
            if after not in ("of", "another"):
                yield _Found(None, *match.span())
                continue
        if before and before not in ("minus", "negative") and words == ["one"]:
            continue
        number = _said([word for word in words if word != "and"])
        negative = before in ("minus", "negative")
        meant = None if number is None else Fraction(-number if negative else number)
        yield _Found(meant, match.start("words"), match.end("words"))


def _said(words: list[str]) -> int | None:
    """The number of words in their order, None if they are several numbers.

    >>> _said(["two", "hundred", "five"]), _said(["two", "three"])
    (205, None)
    """
    total = group = 0
    least = 10**12  # what a smaller word may be added to
    for word in words:
        if word in SCALES:
            scale = SCALES[word]
            if scale in (100, 12):
                group, least = (group or 1) * scale, scale
            else:
                total, group, least = total + (group or 1) * scale, 0, 10**12
            continue
        number = NUMBERS[word]
        if number >= least or (least == 10 and number == 0):
            return None
        group += number
        least = 10 if number >= 20 else 1
    return total + group
