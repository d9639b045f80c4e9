r"""Canonical keys of mathematical answers, so that a vote can count equal ones: `\frac{6}{8}` and
`0.75` are one, `x = 5` and `5`, `\{1, 2\}` and `2, 1`.

Numbers are read exactly, lists, pairs, intervals, matrices, equations and inequalities are taken
apart here, and what stands in them is read by math-verify's parser (`symbolic`). What is not read
whole keeps its own text, in one spelling; so does a number with a unit, or of another base.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from dynlab.tasks.integers import without_gloss
from dynlab.tasks.notation import is_date, latexed, unwrapped
from dynlab.tasks.numerals import latex, value
from dynlab.tasks.plain_text import LONGEST
from dynlab.tasks.symbolic import symbolic
from dynlab.tasks.units import with_unit
from dynlab.tasks.words import AND, words_of

_DEEPEST = 4  # lists in lists
_MOST_PARTS = 40
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_NAME = re.compile(  # x, x_{1}, \alpha, f(x), (x, y), |z|-free
    r"(?:[A-Za-z]|\\[A-Za-z]+)(?:_(?:\{?\w{1,3}\}?))?'?(?:\([A-Za-z](?:, ?[A-Za-z])*\))?"
    r"|\([A-Za-z](?:, ?[A-Za-z]){1,4}\)|[A-Z]{2,3}"
)
_RELATION = re.compile(r"\\(?:le|ge|ne|in)(?![A-Za-z])|[<>]|(?<![\\:<>!])=")
_BASE = re.compile(r"\(?([0-9A-F]+)\)?_\{?\s?(?:\\text\{)?([0-9]{1,2})\}{0,2}")
_MATRIX = re.compile(
    r"(?:\\begin\{([pb]?matrix)\}"
    r"|[\[(]\s?\\begin\{(?:array)\}\{[clr| ]*\}|[\[(]\s?\\begin\{matrix\})(.*)"
    r"\\end\{(?:[pb]?matrix|array)\}\s?[\])]?"
)


def canonical(written: str) -> str:
    r"""A key that equal simple expressions share; '' if it is empty or longer than `LONGEST`.
    Idempotent.

    >>> canonical(r"\frac{6}{8}"), canonical("75%"), canonical("x = 0.75"), canonical("2516_8")
    ('\\frac{3}{4}', '\\frac{3}{4}', '\\frac{3}{4}', '2516_{8}')

    Raises:
        InputError: math-verify is not installed.
    """
    written = without_gloss(unwrapped(written).removeprefix("= "))
    if not written or len(written) > LONGEST:
        return ""
    return _fixed(written)


@lru_cache(maxsize=20_000)
def _fixed(written: str) -> str:
    """The key, once it is its own key: what is not the same when read again is no expression."""
    key = _key(latexed(written), 0)
    if len(key) <= LONGEST and _key(latexed(unwrapped(key)), 0) == key:
        return key
    text = _spaced(latexed(written))
    for _ in range(4):
        again = _spaced(latexed(unwrapped(text)))
        if again == text:  # it may have a key, which is not that of what was written
            return text if text == written else _fixed(text)
        text = again
    return text


def _key(written: str, depth: int) -> str:
    """The key of one answer or of an element of one."""
    written = (
        written.strip()
        if written.rstrip().endswith("..")
        else written.strip(" .,;")
        if not written.lstrip().startswith(".")
        else written.rstrip(" .,;").lstrip()
    )
    if depth > _DEEPEST or not written:
        return _spaced(written)
    if (number := value(written)) is not None:
        return latex(number)
    if "\\approx" in written:  # what is exact, else what it is about
        exact, _, about = written.partition("\\approx")
        chosen = about if _NAME.fullmatch(exact.strip()) else exact
        return _key(chosen, depth + 1)
    if based := _BASE.fullmatch(written):
        return f"{based[1]}_{{{based[2]}}}"
    if is_date(written) or re.fullmatch(r"[A-Z]{2,4}", written):  # a segment, a triangle
        return written
    if key := words_of(written):
        return key
    for read in (_related, _listed, _united, _bracketed, _matrix, _signed, _measured):
        if (key := read(written, depth)) is not None:
            return key
    return symbolic(written) or _spaced(written)


def _spaced(written: str) -> str:
    """The text itself, without spaces that say nothing."""
    return re.sub(r"\s*([-+*/=:,;<>^_(){}\[\]|&])\s*", r"\1", written).strip()


def _split(written: str, separators: str) -> list[str]:
    """The parts between separators that stand in no brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(written):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in separators and written[index - 1 : index] != "\\":
            parts.append(written[start:index].strip())
            start = index + 1
    return [*parts, written[start:].strip()]


def _elements(parts: Sequence[str], depth: int) -> list[str]:
    """The keys of the parts of a list; one with ± is two."""
    keys: list[str] = []
    for part in parts:
        if part.count("\\pm") == 1:
            keys += [_key(part.replace("\\pm", sign, 1).strip(" +"), depth + 1) for sign in "+-"]
        else:
            keys.append(_key(part, depth + 1))
    return keys


def _set(keys: Sequence[str]) -> str:
    return f"\\{{{', '.join(sorted(set(keys)))}\\}}"


def _listed(written: str, depth: int) -> str | None:
    """Answers side by side are a set, unless one stands there twice."""
    if re.search(r"\\begin|[A-Za-z]{3,} [A-Za-z]{2,} [A-Za-z]{2,}", AND.sub(",", written)):
        return None
    joined = AND.sub(",", written)
    parts = _split(joined, ",;")
    decimals = any(re.fullmatch(r"0\d+", part) for part in parts)  # as in 3,05
    if len(parts) < 2 or len(parts) > _MOST_PARTS or not all(parts) or decimals:
        return None
    keys = _elements(_unnamed(parts), depth)
    if len(set(keys)) == len(keys) or all(key[0] in "([" for key in keys):
        return _set(keys)
    return ", ".join(sorted(keys))


def _unnamed(parts: Sequence[str]) -> list[str]:
    """`x = 1, x = 2` and `x = 1, 2` without the name; `x = 1, y = 2` stay equations, marked so."""
    sides = [part.split("=") for part in parts]
    names = {side[0].strip() for side in sides if len(side) == 2}
    if len(names) <= 1:
        return [
            side[-1]
            if len(side) == 2 and _NAME.fullmatch((names and side[0].strip()) or "")
            else part
            for side, part in zip(sides, parts, strict=True)
        ]
    return [
        f"\0{side[0].strip()}\0{side[1]}" if len(side) == 2 else part
        for side, part in zip(sides, parts, strict=True)
    ]


def _bracketed(written: str, depth: int) -> str | None:
    r"""Pairs, intervals, sets, vectors: `(1, 2)`, `[0, 1)`, `\{1, 2\}`, `\langle 1, 2 \rangle`."""
    braces = written.startswith("\\{") and written.endswith("\\}")
    if braces or (written[:1] + written[-1:] == "{}" and "," in written):
        inner = written[2:-2] if braces else written[1:-1]
        if not _is_balanced(inner) or not inner.strip():
            return None
        parts = _split(inner, ",;")
        if len(parts) > _MOST_PARTS or not all(parts) or re.search(r"\\mid|:|\|", inner):
            return None
        return _set(_elements(_unnamed(parts), depth))
    if angled := re.fullmatch(r"\\langle(.*)\\rangle", written):
        return f"\\langle {', '.join(_elements(_split(angled[1], ','), depth))} \\rangle"
    opening, closing = written[0], written[-1]
    if opening not in "([" or closing not in ")]" or not _is_balanced(written[1:-1]):
        return None
    inner = written[1:-1]
    parts = _split(inner, ",;")
    if len(parts) > _MOST_PARTS or not all(parts) or "\\pm" in inner:
        return None
    if len(parts) == 1:
        return _key(inner, depth + 1) if (opening, closing) == ("(", ")") else None
    return f"{opening}{', '.join(_elements(parts, depth))}{closing}"


def _is_balanced(inner: str) -> bool:
    depth = 0
    for character in inner:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _united(written: str, depth: int) -> str | None:
    """Unions, in the order of their keys."""
    parts = re.split(r"\\cup(?![A-Za-z])", written)
    if len(parts) < 2 or len(parts) > _MOST_PARTS or not all(part.strip() for part in parts):
        return None
    return " \\cup ".join(sorted({_key(part, depth + 1) for part in parts}))


def _matrix(written: str, depth: int) -> str | None:
    """A matrix of keys; what brackets it has is a matter of style, a determinant's bars are not."""
    match = _MATRIX.fullmatch(written)
    if match is None or "\\begin" in match[2]:
        return None
    rows = [row for row in re.split(r"\\\\", match[2]) if row.strip()]
    cells = [[_key(cell, depth + 1) for cell in row.split("&")] for row in rows]
    body = " \\\\ ".join(" & ".join(row) for row in cells)
    return f"\\begin{{pmatrix}} {body} \\end{{pmatrix}}"


def _signed(written: str, depth: int) -> str | None:
    """± is two answers."""
    if written.count("\\pm") != 1 or "\\mp" in written:
        return None
    return _set(_elements([written], depth))


def _measured(written: str, depth: int) -> str | None:
    """A number with a unit keeps it: 5 cm is neither 5 m nor 5."""
    found = with_unit(written)
    if found is None:
        return None
    number, unit = found
    amount = value(number)
    key = latex(amount) if amount is not None else symbolic(number)
    return None if key is None else f"{key}{unit}"


def _related(written: str, depth: int) -> str | None:
    """Equations and inequalities: those that say what one variable is are what it is."""
    if marked := re.fullmatch("\0(.*?)\0(.*)", written):
        return f"{_spaced(marked[1])}={_key(marked[2], depth + 1)}"
    if len(_split(AND.sub(",", written), ",;")) > 1 and "\\in" not in written:
        named = re.match(r"([^=,;]+)=(?=\s*[(\[\\{])", written)
        if not (
            named and _NAME.fullmatch(named[1].strip()) and _RELATION.findall(written) == ["="]
        ):
            return None
    signs = _RELATION.findall(written)
    if not signs or len(signs) > 6:
        return None
    sides = [side.strip() for side in _RELATION.split(written)]
    if not all(sides) or not all(_is_balanced(side) for side in sides):
        return None
    if set(signs) == {"="}:
        return _equation(sides, depth)
    if signs == ["\\in"]:
        return _key(sides[1], depth + 1) if _NAME.fullmatch(sides[0]) else None
    return _inequality(sides, signs, depth)


def _equation(sides: Sequence[str], depth: int) -> str | None:
    """`x = 5` is 5; a chain is its last side; another equation is a polynomial that is zero."""
    name, *rest = sides
    if len(sides) == 2 and value(name) is not None and _NAME.fullmatch(rest[0]):  # 5 = x
        return _key(name, depth + 1)
    if _NAME.fullmatch(name) and not (
        len(name) == 1 and re.search(rf"(?<![A-Za-z\\]){name}(?![A-Za-z])", rest[-1])
    ):
        return _key(rest[-1], depth + 1)
    keys = [_key(side, depth + 1) for side in sides]
    if len(set(keys)) == 1:
        return keys[0]
    if len(sides) != 2:
        return None
    for over, under in (sides, sides[::-1]):
        # up to its sign; a number's factor stays
        if (difference := symbolic(f"({over})-({under})")) and not difference.startswith("-"):
            return f"{difference}=0" if "=" not in difference else None
    return None


def _inequality(sides: Sequence[str], signs: Sequence[str], depth: int) -> str | None:
    """Bounds of one variable are an interval; other inequalities point one way."""
    if "=" in signs or "\\in" in signs or ("\\ne" in signs and len(signs) > 1):
        return None
    if signs == ["\\ne"]:
        return " \\ne ".join(_key(side, depth + 1) for side in sides)
    if all(sign in (">", "\\ge") for sign in signs):
        sides, signs = sides[::-1], [{">": "<", "\\ge": "\\le"}[sign] for sign in signs[::-1]]
    if any(sign in (">", "\\ge") for sign in signs):
        return None
    keys = [_key(side, depth + 1) for side in sides]
    opening = "[" if signs[0] == "\\le" else "("
    closing = "]" if signs[-1] == "\\le" else ")"
    named = [bool(_NAME.fullmatch(side)) and side not in ("\\infty", "\\pi") for side in sides]
    if named == [False, True, False]:
        return f"{opening}{keys[0]}, {keys[2]}{closing}"
    if named == [True, False]:
        return f"(-\\infty, {keys[1]}{closing}"
    if named == [False, True]:
        return f"{opening}{keys[0]}, \\infty)"
    text = keys[0]
    for sign, key in zip(signs, keys[1:], strict=True):
        text += f" {sign} {key}"
    return text
