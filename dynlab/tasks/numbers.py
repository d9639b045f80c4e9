r"""Numbers in an answer: integers, decimals, fractions, percentages, with or without units."""

from __future__ import annotations

from dynlab.tasks.integers import first_number
from dynlab.tasks.numerals import decimal


def number(text: str, *, last: bool = False) -> str:
    r"""The first number of an answer's first line, or the last of a whole response, as a decimal,
    or as a fraction where that does not end; '' if there is none.

    >>> number("about 3.50 m"), number("50\\%"), number("1/3"), number("so 2, then 0.5", last=True)
    ('3.5', '0.5', '1/3', '0.5')
    """
    found = first_number(text, last=last)
    return "" if found is None else decimal(found)
