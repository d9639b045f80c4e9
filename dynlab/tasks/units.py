r"""Numbers with units: `5 cm`, `\frac12 \text{ square meters}`, `90^\circ`."""

from __future__ import annotations

import re

_NAMES = {
    **dict.fromkeys(("centimeter", "centimetre"), "cm"),
    **dict.fromkeys(("millimeter", "millimetre"), "mm"),
    **dict.fromkeys(("kilometer", "kilometre"), "km"),
    **dict.fromkeys(("meter", "metre"), "m"),
    **dict.fromkeys(("kilogram", "kilo"), "kg"),
    **dict.fromkeys(("gram",), "g"),
    **dict.fromkeys(("liter", "litre"), "l"),
    **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("inch", "inche"), "in"),
    **dict.fromkeys(("degree", "deg"), "^\\circ"),
    **dict.fromkeys(("hr", "hr."), "hour"),
    **dict.fromkeys(("min", "min."), "minute"),
    **dict.fromkeys(("sec", "sec."), "second"),
}
_SHORT = {
    *("cm", "mm", "km", "kg", "mg", "ml", "mL", "ft", "lb", "lbs", "oz", "hr", "mi", "yd", "dm"),
    *("nm", "ms", "Hz", "kW", "in", "mph", "km/h", "m/s"),
}
_MARKED = re.compile(
    r"(.*?[\d})])\s?\\(?:text|mathrm)\s?\{\s*([^{}\d]+?)\s*\}\s?(?:\^\s?\{?([23])\}?)?"
)
_BARE = re.compile(r"(.*?[\d})])\s?([A-Za-z][A-Za-z/. ]*?)(?:\^\{?([23])\}?)?")
_MONEY = re.compile(r"([€£¥])\s?(.+)|(.+?)\s?([€£¥])")
_DEGREES = re.compile(r"(.*?[\d})])\s?\^\\circ\s?([CF]?)")


def with_unit(written: str) -> tuple[str, str] | None:
    r"""A number and its unit in one spelling; None if there is no unit.

    >>> with_unit("5\\text{ cm}^2"), with_unit("5 meters"), with_unit("90^\\circ"), with_unit("5x")
    (('5', ' cm^2'), ('5', ' \\text{m}'), ('90', '^\\circ'), None)
    """
    if degrees := _DEGREES.fullmatch(written):
        return degrees[1], f"^\\circ{degrees[2]}"
    if money := _MONEY.fullmatch(written):
        return money[2] or money[3], f" {money[1] or money[4]}"
    if marked := _MARKED.fullmatch(written):
        return _named(marked[1], marked[2], marked[3])
    bare = _BARE.fullmatch(written)
    if bare is None:
        return None
    words = bare[2].split()
    alone = len(words) == 1 and bare[0][bare.end(1) :].startswith(" ") and words[0] in "mgsh"
    if words[0] in _SHORT or len(words[0]) >= 4 or alone:
        return _named(bare[1], bare[2], bare[3])
    return None


def _named(number: str, unit: str, power: str | None) -> tuple[str, str]:
    words = [word.strip(".") for word in unit.split()]
    if words and words[0].casefold() in ("square", "sq", "cubic", "cu"):
        power = "2" if words[0].casefold() in ("square", "sq") else "3"
        words = words[1:]
    names = []
    for word in words:
        singular = word.casefold() if len(word) > 3 else word
        singular = singular[:-1] if len(singular) > 3 and singular.endswith("s") else singular
        names.append(_NAMES.get(singular, singular))
    if names == ["^\\circ"]:
        return number, "^\\circ"
    raised = f"^{power}" if power else ""
    if len(names) == 1 and len(names[0]) == 1:  # 5 m is read as a product of 5 and a variable m
        return number, f" \\text{{{names[0]}}}{raised}"
    return number, f" {' '.join(names)}{raised}"
