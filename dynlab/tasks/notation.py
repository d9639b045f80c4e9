r"""Mathematics as people and models type it, in one spelling: LaTeX of few commands.

Delimiters, sizes, spacing, Unicode signs and the words for percent and signs of operations are
spelled one way; what an expression says stays. Everything here is text in, text out, and linear.
"""

from __future__ import annotations

import re
import unicodedata

from dynlab.tasks.plain_text import undecorated

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+")
_LOWERED = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+")
_VULGAR = re.compile("[¼-¾⅐-⅞↉]")
_GREEK = {
    character: f"\\{name.rpartition(' ')[2].lower().replace('lamda', 'lambda')} "
    for character in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
    for name in [unicodedata.name(character)]
}
_GREEK |= {c: f"\\{_GREEK[c][1:].capitalize()}" for c in "ΓΔΘΛΞΠΣΦΨΩ"}
_SIGNS = str.maketrans(
    {
        **_GREEK,
        **dict.fromkeys("−–‒﹣－‐‑", "-"),
        **dict.fromkeys("×⋅·∙∗✕", "*"),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("’‘′", "'"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t", " "),
        "∞": "\\infty ",
        "≤": "\\le ",
        "≥": "\\ge ",
        "≠": "\\ne ",
        "±": "\\pm ",
        "∪": "\\cup ",
        "∩": "\\cap ",
        "∈": "\\in ",
        "∅": "\\emptyset ",
        "°": "^\\circ ",
        "ℝ": "\\mathbb{R}",
        "ℤ": "\\mathbb{Z}",
        "ℕ": "\\mathbb{N}",
        "ℚ": "\\mathbb{Q}",
        "ℂ": "\\mathbb{C}",
        "％": "%",
    }
)
_ROOT = re.compile(r"√\s*(\d+|[A-Za-z]|\([^()]{1,80}\)|\{[^{}]{1,80}\})")
_SPELLED = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"\\(?:left|right|middle|[bB]ig+[lrm]?)(?![A-Za-z])\s*\.?", ""),
        (r"\\(?:displaystyle|textstyle|limits|nolimits|!|rm|bf)(?![A-Za-z])", ""),
        (r"\\!\s*", ""),
        (r"\{\s*,\s*\}\s*", ","),
        (r"\\(?:quad|qquad|enspace|thinspace|medspace|thickspace|nobreakspace)(?![A-Za-z])", " "),
        (r"(?<!\\)\\[,;:> ]|~", " "),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\(?:d|t)binom(?![A-Za-z])", r"\\binom"),
        (r"\\(?:cdot|times|ast)(?![A-Za-z])", "*"),
        (r"\\div(?![A-Za-z])", "/"),
        (r"\*\*", "^"),
        (r"\\%", "%"),
        (r"\\(?:text|mathrm)\s?\{\s*(?:percent|pct|percentage)\s*\}", "%"),
        (r"(?<=[\d}])\s*(?:percent(?:age)?|pct|per cent)\b", "%"),
        (r"\\leq(?:slant)?(?![A-Za-z])|<=", r"\\le "),
        (r"\\geq(?:slant)?(?![A-Za-z])|>=", r"\\ge "),
        (r"\\neq(?![A-Za-z])|!=", r"\\ne "),
        (r"\\lt(?![A-Za-z])", "<"),
        (r"\\gt(?![A-Za-z])", ">"),
        (r"\\varnothing(?![A-Za-z])", r"\\emptyset "),
        (r"\\bigcup(?![A-Za-z])", r"\\cup "),
        (r"\\lbrace(?![A-Za-z])", r"\\{"),
        (r"\\rbrace(?![A-Za-z])", r"\\}"),
        (r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\degree(?![A-Za-z])", r"^\\circ"),
        (r"\\(?:vert|lvert|rvert)(?![A-Za-z])", "|"),
        (
            r"\\(?:arabic|mathbf|mathit|mathsf|boldsymbol|bm|mbox|textbf|textit|textrm|textnormal)\s?\{",
            r"\\text{",
        ),
        (r"\\(?:text|mathrm)\s?\{\s*(e|i|d)\s*\}", r"\1"),
        (r"\\\$|(?<!\\)\$", ""),
    )
)
_WRAPPERS = (  # what may stand around a whole answer
    *(("\\[", "\\]"), ("\\(", "\\)"), ("$$", "$$"), ("$", "$"), ("***", "***"), ("**", "**")),
    *(("__", "__"), ("*", "*"), ("```", "```"), ("`", "`"), ('"', '"'), ("“", "”"), ("'", "'")),
)
_ENDS = re.compile(r"(?<=\S)\s*\\(?:square|blacksquare|Box|checkmark|qed)\s*$")  # of a proof
_COMMANDS = re.compile(
    r"\\(?:boxed|fbox|text|mathrm|textbf|mathbf|mbox|textit|textrm|textnormal|boldsymbol|displaystyle)\s?(?=\{)"
)


_DATE = re.compile(
    r"(?=.*(?<!\d)(?:0\d(?!\d)|(?:1[5-9]|20)\d\d))\d{1,2}/\d{1,2}/\d{2,4}"
    r"|(?:1[5-9]|20)\d\d/\d{1,2}/\d{1,2}"
)


def is_date(text: str) -> bool:
    """Whether numbers between slashes are a date, by a year or a leading zero, and no division.

    >>> is_date("01/02/2024"), is_date("2024/1/2"), is_date("12/3/4")
    (True, True, False)
    """
    return len(text) <= 10 and _DATE.fullmatch(text) is not None


def latexed(text: str) -> str:
    r"""An expression in one spelling.

    >>> latexed("\\left(\\dfrac{1}{2}\\right)"), latexed("10³ × 2"), latexed("1½")
    ('(\\frac{1}{2})', '10^{3} * 2', '1\\frac{1}{2}')
    """
    text = _RAISED.sub(lambda found: f"^{{{found[0].translate(_SUPERSCRIPTS)}}}", text)
    text = _LOWERED.sub(lambda found: f"_{{{found[0].translate(_SUBSCRIPTS)}}}", text)
    text = _VULGAR.sub(_fraction, text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS))
    text = _ROOT.sub(lambda found: f"\\sqrt{{{found[1].strip('(){}')}}}", text)
    for pattern, spelling in _SPELLED:
        text = pattern.sub(spelling, text)
    return " ".join(text.split())


def _fraction(found: re.Match[str]) -> str:
    over, _, under = unicodedata.normalize("NFKC", found[0]).partition("\u2044")
    return f"\\frac{{{over}}}{{{under}}}"


def unwrapped(text: str) -> str:
    r"""An answer without what may stand around the whole of it: delimiters of mathematics,
    emphasis, quotes, `\boxed{…}`, `\text{…}`, and a full stop.

    >>> unwrapped("**$\\boxed{73}$**."), unwrapped("\\[5\\]"), unwrapped("(1, 2)")
    ('73', '5', '(1, 2)')
    """
    for _ in range(8):
        before = text
        text = _ENDS.sub("", undecorated(text))
        text = (
            text.strip().rstrip(".,;:。，").rstrip()
            if not text.strip().endswith("...")
            else text.strip()
        )
        if (command := _COMMANDS.match(text)) and _closing(text, command.end()) == len(text) - 1:
            text = text[command.end() + 1 : -1]
        for opening, closing in _WRAPPERS:
            inner = text[len(opening) : len(text) - len(closing)]
            if (
                len(text) > len(opening) + len(closing)
                and text.startswith(opening)
                and text.endswith(closing)
                and opening not in inner
                and closing not in inner
            ):
                text = inner
                break
        if text == before:
            break
    return text


def _closing(text: str, opening: int) -> int:
    """The index of the brace that closes the one at `opening`, -1 if none does."""
    depth = 0
    for index in range(opening, len(text)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return index
    return -1
