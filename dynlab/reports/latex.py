"""Tables for papers: LaTeX with the rules of booktabs, each number with its interval."""

from __future__ import annotations

import re

from dynlab.reports.tables import Table

_WRITTEN = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "·": r"\textperiodcentered{}",
    "−": "$-$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "≥": r"$\geq$",
    **{letter: rf"\{letter}" for letter in "&%$#_{}"},
}


def latex(table: Table) -> str:
    """A table as a LaTeX `tabular`, its caption as a comment over it.

    It needs \\usepackage{booktabs}. Intervals are set small; the recording stands in its first row.
    """
    first, second, *budgets = table.text.columns
    lines = [
        f"% {' '.join(table.caption.split())}",
        rf"\begin{{tabular}}{{ll{'r' * len(budgets)}}}",
        r"\toprule",
        " & ".join(map(escape, (first, second, *budgets))) + r" \\",
    ]
    above = None
    for row in table.text.itertuples(index=False):
        recording, method, *cells = map(str, row)
        named = escape(recording) if recording != above else ""
        lines += [r"\midrule"] if recording != above else []
        lines.append(" & ".join([named, escape(method), *map(_number, cells)]) + r" \\")
        above = recording
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def escape(text: str) -> str:
    """Text in which no character means anything to LaTeX; line breaks become spaces.

    >>> escape("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return "".join(_WRITTEN.get(letter, letter) for letter in " ".join(text.split()))


def _number(cell: str) -> str:
    """'-0.02 [-0.05, 0.01]' → '$-$0.02 {\\scriptsize [$-$0.05, 0.01]}'."""
    signed = escape(re.sub(r"-(?=\d)", "−", cell))
    number, bracket, interval = signed.partition(" [")
    return f"{number} {{\\scriptsize [{interval}}}" if bracket else number
