"""A comparison as a LaTeX table: every number with its interval, and nothing that LaTeX reads."""

import pandas as pd
import pytest
from helpers import frames

from dynlab._util.errors import InputError
from dynlab.reports.latex import escape, latex
from dynlab.reports.tables import Table, table


def test_a_table_has_a_row_a_method_and_each_number_with_its_interval():
    text = latex(table(frames.curves(budgets=(2, 4))))
    lines = text.splitlines()
    assert lines[1:4] == [
        r"\begin{tabular}{llrrr}",
        r"\toprule",
        r"recording & method & 1 & 2 & 4 \\",
    ]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    assert text.count(r"\midrule") == 1  # of one recording
    row = frames.curves(budgets=(2, 4)).iloc[0]
    number = f"{row['accuracy']:.3f} {{\\scriptsize [{row['low']:.3f}, {row['high']:.3f}]}}"
    assert number in lines[5]
    assert lines[5].startswith(r"capitals \textperiodcentered{} small & uniform &")
    assert lines[6].startswith(" & UCB &")
    assert {line.count(" & ") for line in lines[5:-2]} == {4}


def test_signs_are_signs():
    text = latex(
        Table(
            "",
            pd.DataFrame(
                [["r", "m", "-0.020 [-0.050, +0.010]"]], columns=["recording", "method", "4"]
            ),
        )
    )
    assert r"$-$0.020 {\scriptsize [$-$0.050, +0.010]}" in text


def test_names_mean_nothing_to_latex():
    assert escape(r"a_b \input{x} 5 % ~^ $#&") == (
        r"a\_b \textbackslash{}input\{x\} 5 \% \textasciitilde{}\textasciicircum{} \$\#\&"
    )
    hostile = frames.curves(("x\n\\end{tabular}--%",), budgets=(2,))
    text = latex(table(hostile))
    assert text.count(r"\end{tabular}") == 1
    assert all(not line.startswith("%") for line in text.splitlines()[1:])


def test_a_comparison_gives_its_tables_as_latex():
    import dynlab

    rows = [(q, i, a, "a") for q in "uvw" for i, a in enumerate(["a", "b", "a", q])]
    frame = pd.DataFrame(rows, columns=["question_id", "sample_index", "answer", "target"])
    comparison = dynlab.compare(frame, ["uniform", "ucb"], [2, 3], replications=2)
    accuracy, gap = comparison.to_latex(), comparison.to_latex("difference", at=3)
    cell = comparison.curves.iloc[0]
    assert f"{cell['accuracy']:.3f} " in accuracy and "UCB" in accuracy
    assert "uniform" not in gap and r"recording & method & 3 \\" in gap
    with pytest.raises(InputError, match="'accuracy', 'difference', 'saving'"):
        comparison.to_latex("cost")


def test_strategies_of_one_allocator_keep_a_row_each():
    rows = [
        ("a--b", "uniform", name, "tokens", 8, gain, gain - 0.1, gain + 0.1)
        for name, gain in (("sequential", 0.2), ("integrated", 0.4))
    ]
    columns = "recording allocator method unit at difference low high".split()
    text = latex(table(pd.DataFrame(rows, columns=columns)))
    assert "& sequential & +0.200" in text and "& integrated & +0.400" in text
