"""Whether numbers that stand side by side are one answer: `3 or 4`, `5 feet 6 inches`, `3, 4`,
`between 3 and 5` are none of their numbers.
"""

from __future__ import annotations

import re

from dynlab.tasks.number_words import NUMBERS

_MEASURES = (
    r"(?:feet|foot|ft|inch(?:es)?|yards?|yd|miles?|k?m|[cm]m|met(?:er|re)s?|hours?|hrs?|h|minutes?"
    r"|mins?|seconds?|secs?|s|days?|weeks?|months?|years?|dollars?|euros?|cents?|pounds?|lbs?|oz"
    r"|ounces?|pence|k?g|(?:kilo)?grams?|gallons?|quarts?|pints?|cups?|degrees|dozens?)\b\.?"
    r"|\^\\circ|['\"″]"
)
_WORD = r"[^\W\d_][\w'-]*"
_LINKS = r"(?:is|are|was|were|because|since|as|so|which|that|than|for|per|of|in)\b"
_NOUNS = rf"(?:\s(?!{_LINKS}){_WORD}){{0,3}}"
_UNIT = rf"\s?%?(?:\s?(?:{_MEASURES})|\s?\\text\s?\{{[^{{}}]{{1,20}}\}})?"
_NAME = (
    r"(?:(?:perhaps|maybe|possibly|even|about|rather|also)\s)?(?:[A-Za-z]\w{0,2}\s?=\s?)?[$€£¥]?"
)
_JOINED = re.compile(
    rf"{_NOUNS}{_UNIT}\s?(?:,\s?)?\b(?:and|or|to|versus|vs\.?|und|oder|et|ou|y|o)\s{_NAME}"
    rf"|{_UNIT}\s?(?:\\text\s?\{{\s?(?:and|or|to)\s?\}})\s?{_NAME}"
    rf"|(?:\s{_WORD})?{_UNIT}\s?[,;&/|]\s?{_NAME}"
    rf"|{_UNIT}\s?(?:[-–—]|\\pm)\s?[$€£¥]?|\s[$€£¥]?"  # 3 - 5, and 3 -5 whose sign is the number's
    rf"|\s?(?:{_MEASURES})\s?|\s(?:remainder|plus|minus|times|divided by)\s"
)
_BARE = re.compile(  # at the end of a whole response: directly side by side
    rf"{_UNIT}\s?(?:,\s?)?\b(?:and|or|to)\s{_NAME}|{_UNIT}\s?[,;&]\s?(?:(?:and|or)\s)?{_NAME}"
)
_DELIMITERS = re.compile(r"\\[()\[\]]")  # of LaTeX
_ASIDE = re.compile(r"\s?(?:for|per|each|more|less|fewer|of|times|in|from|at|left)\b")
_ROUNDED = re.compile(r"\s?(?:decimal|significant|d\.?p|s\.?f|places)", re.IGNORECASE)
_BEFORE = re.compile(r"(?:\b(?:not|n't|between)|\\(?:pm|le|ge|ne)|[<>])\s?[$€£¥]?$", re.IGNORECASE)
_WORDS = "|".join(NUMBERS)
_AFTER = re.compile(
    rf"{_UNIT}\s?(?:,\s?)?(?:or|to)\s(?:{_WORDS})\b"
    r"|\s?and\s(?:(?:an?|one)[\s-](?:half|third|quarter|fourth|fifth|sixth|eighth|tenth)\b"
    r"|\d+\s?/\s?\d|\\frac)"
    r"|\s?(?:\\(?:pm|le|ge|ne)|[<>]|\+$|(?:remainder|rem\.?|r)\s?\d)",
    re.IGNORECASE,
)


def are_joined(between: str, after: str, *, whole: bool = False) -> bool:
    """Whether a number and the next one are an answer only together, or one or the other.

    >>> are_joined(" or ", ""), are_joined(" feet ", " inches"), are_joined(", because ", "")
    (True, True, False)

    Args:
        between: What stands between them, in one spelling (`latexed`).
        after: What stands after the second.
        whole: They end a whole response, in which most numbers are no answer.
    """
    between = _DELIMITERS.sub("", between)
    if whole:
        return _BARE.fullmatch(between) is not None
    if _JOINED.fullmatch(between) is None or _ROUNDED.match(after):
        return False
    return not ("," in between and _ASIDE.match(after))


def is_qualified(before: str, after: str) -> bool:
    """Whether the words around a number make it none: `not 3`, `x > 5`, `3 and a half`.

    >>> is_qualified("it is not ", ""), is_qualified("", " and a half"), is_qualified("about ", "")
    (True, True, False)
    """
    return _BEFORE.search(before) is not None or _AFTER.match(after) is not None
