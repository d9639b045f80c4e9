"""What marks mean stands under each figure, in the figure, over nothing that is drawn."""

import numpy as np
import pytest
from helpers import frames

from dynlab.plots import axes, captions, curves, figure_files, savings, style

SIX = ("uniform", "ucb", "thompson", "entropy-greedy", "margin-greedy", "beta-greedy")


def said(figure):
    return " ".join(text.get_text() for text in figure.texts).replace("\n", " ")


@pytest.mark.slow
def test_a_caption_names_the_marks_that_occur_and_no_others():
    whole = said(curves.plot_curve_grid(frames.curves(methods=SIX)))
    assert "95 % intervals" in whole and "greedy" in whole and "Dashed, open markers" in whole
    assert "more than 5 %" in whole and "broader" in whole
    frame = frames.curves()
    plain = frame[frame["allocator"] != "greedy"].assign(exhausted=0.0)
    assert said(curves.plot_curves(plain).figure) == captions.BANDS


def test_a_figure_s_own_axes_get_no_caption():
    figure, (ax,) = axes.new_panels(1, 1, width=3, height=2)
    curves.plot_curves(frames.curves(), ax=ax)
    savings.plot_savings(frames.savings(), ax=ax)
    assert figure.texts == []


@pytest.mark.slow
def test_a_caption_stands_below_all_that_is_drawn_and_inside_the_figure():
    with style.style():
        figure, panels = axes.new_panels(1, 2, width=axes.TWO_COLUMNS, height=2)
        for ax in panels:
            ax.plot([1, 2], label="a line")
            ax.set_xlabel("what is counted")
        axes.shared_legend(figure, panels)
        captions.add_caption(figure, "What the marks of this figure mean, at some length. " * 8)
        figure.draw_without_rendering()
    caption = figure.texts[0].get_window_extent()
    assert caption.y0 >= 0 and caption.x1 <= figure.bbox.x1
    assert all(caption.y1 <= ax.get_tightbbox().y0 for ax in panels)
    assert all(
        leg.get_window_extent().y0 >= panels[0].get_window_extent().y1 - 1 for leg in figure.legends
    )


def test_open_and_cut_savings_are_explained():
    cells = frames.savings(("a--b", "c--d"), unreached=[("a--b", 16)])
    assert "Open: not reached within 2 B" in " ".join(savings.savings_caption(cells))
    assert "Arrow" not in " ".join(savings.savings_caption(cells))
    cut = cells.assign(low=-7.0)
    arrow = "Arrow: the interval goes on to where it is not reached within 2 B."
    assert arrow in savings.savings_caption(cut)


def test_interval_ends_are_capped_where_they_are_not_cut():
    _, (ax,) = axes.new_panels(1, 1, width=3, height=2)
    axes.draw_interval(ax, -3.0, 0.5, 1.0, "black", inside=(-1.0, np.inf))
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == [-1.0, 0.5] and line.get_markevery() == [1]


@pytest.mark.slow
def test_equal_curves_lie_on_broader_ones():
    ax = curves.plot_curves(frames.curves(methods=SIX))
    widths = {line.get_label(): line.get_linewidth() for line in ax.get_lines()}
    drawn = [widths[style.LOOKS[name].label] for name in SIX]
    assert drawn == sorted(drawn) and len(set(drawn)) == len(SIX)


def test_the_bound_is_no_broader_than_the_line_on_top():
    frame = frames.curves(methods=SIX).replace({"allocator": {SIX[-1]: "oracle"}})
    ax = curves.plot_curves(frame)
    widths = {line.get_label(): line.get_linewidth() for line in ax.get_lines()}
    assert widths["hindsight oracle"] == widths["uniform"] < widths["UCB"]


@pytest.mark.slow
def test_a_method_is_as_broad_in_every_panel():
    frame = frames.curves(("a--b", "c--d"), SIX)
    absent = (frame["recording"] == "c--d") & (frame["allocator"] == "ucb")
    broad = [
        {line.get_label(): line.get_linewidth() for line in ax.get_lines()}["Thompson"]
        for ax in curves.plot_curve_grid(frame[~absent]).axes[:2]
    ]
    assert broad[0] == broad[1]


def test_a_method_has_one_name_in_figures_and_in_the_api():
    for name, look in style.LOOKS.items():
        assert look.label.lower().removeprefix("hindsight ") == name
    for name, look in style.UNCERTAINTIES.items():
        assert look.label == name


@pytest.mark.slow
def test_a_figure_is_written_as_pdf_where_that_is_asked_for(tmp_path, monkeypatch):
    data = frames.curves()
    one = figure_files.save(curves.plot_curves(data), tmp_path / "a", "one", data, pdf=True)
    monkeypatch.setenv(figure_files.PDF, "1")
    other = figure_files.save(curves.plot_curves(data), tmp_path / "b", "one", data)
    assert one.pdf.read_bytes().startswith(b"%PDF")
    assert one.pdf.read_bytes() == other.pdf.read_bytes()
    monkeypatch.delenv(figure_files.PDF)
    again = figure_files.save(curves.plot_curves(data), tmp_path / "a", "one", data)
    assert again.pdf is None and not one.pdf.exists()  # it would show an earlier figure
