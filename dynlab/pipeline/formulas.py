"""Formulas as MathML, which browsers draw without a library."""

from __future__ import annotations

import re
from html import escape

_FUNCTION = r'<mo lspace="0.17em" rspace="0.17em">\1</mo>'


def as_mathml(latex: str, display: str) -> str:
    """A formula as MathML; as its LaTeX where it can't be read.

    Args:
        latex: The formula without its dollars.
        display: `inline` or `block`.
    """
    from latex2mathml.converter import convert

    try:
        formula = convert(latex, display=display)
        # names of functions, which stand apart from what they are applied to
        return re.sub(r"<mi>(ln|log|exp|min|max)</mi>", _FUNCTION, formula)
    except Exception:  # its errors have no common class
        return f"<code>{escape(latex)}</code>"
