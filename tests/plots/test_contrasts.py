"""Figures of strategies against one another, and their words: drawn and told are the numbers of the
frame.
"""

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.plots import contrasts, curves
from dynlab.plots.style import CONTRASTED, methods
from dynlab.reports import contrasts as contrast_reading

RECORDINGS = ("capitals--small", "french--large")


def cells(values, names=("sequential", "integrated"), column="difference", **more):
    """One row per recording, method and B, of (value, low, high) triples."""
    rows = []
    for recording in RECORDINGS:
        for name, triple in zip(names, values, strict=True):
            for at in (4, 8):
                value, low, high = triple
                rows.append(
                    {
                        "recording": recording,
                        "strategy": name,
                        "allocator": "uniform",
                        "method": name,
                        "against": "parallel",
                        "questions": 60,
                        "unit": "tokens",
                        "at": at,
                        column: value,
                        "low": low,
                        "high": high,
                        **more,
                    }
                )
    return pd.DataFrame(rows)


def depth_cells(winner="integrated"):
    rows = []
    for recording in RECORDINGS:
        for at in (4, 8):
            for depth in (1, 2, 4):
                for name, accuracy in (("parallel", 0.5), ("integrated", 0.6)):
                    lead = 0.1 if (name == winner) and depth > 1 else -0.1 if depth > 1 else 0.0
                    clear = at == 8 and depth == 2
                    rows.append(
                        {
                            "recording": recording,
                            "method": name,
                            "at": at,
                            "depth": depth,
                            "accuracy": accuracy,
                            "low": accuracy - 0.1,
                            "high": accuracy + 0.1,
                            "lead": lead,
                            "lead_low": lead - (0.05 if clear else 0.2),
                            "lead_high": lead + 0.2,
                        }
                    )
    return pd.DataFrame(rows)


def curve_rows():
    rows = [
        {
            "recording": recording,
            "strategy": name,
            "allocator": "uniform",
            "stopping": "",
            "method": name,
            "unit": "tokens",
            "tokens_kind": "total",
            "budget": b,
            "spent_samples": b,
            "spent_tokens": 30.0 * b,
            "spent_usd": np.nan,
            "exhausted": 0.0,
            "accuracy": 0.5 + b / 100,
            "low": 0.4,
            "high": 0.7,
            "questions": 60,
        }
        for recording in RECORDINGS
        for name in ("parallel", "integrated")
        for b in (2, 4)
    ]
    greedy = {
        **rows[0],
        "allocator": "greedy",
        "method": "greedy",
        "accuracy": 0.55,
        "budget": 1,
        "spent_tokens": 30.0,
    }
    return pd.DataFrame([*rows, greedy])


# ——— pictures ———


def test_each_method_has_a_panel_with_a_point_and_an_interval_for_each_cell():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)])
    figure = contrasts.plot_contrasts(frame)
    left, right = figure.axes
    assert left.get_xlabel().startswith("sequential − parallel") and right.get_xlabel().startswith(
        "integrated − parallel"
    )
    for ax, value in ((left, 0.1), (right, -0.02)):
        points = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
        assert [line.get_xdata()[0] for line in points] == [value] * 4
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["B = 4", "B = 8"]
    assert not left.get_legend() and not right.get_legend()
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "capitals · small",
        "french · large",
    ]


def test_a_budget_has_the_same_colour_in_all_panels_even_where_cells_are_missing():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)])
    frame = frame[(frame["method"] == "sequential") | (frame["at"] == 8)]
    left, right = contrasts.plot_contrasts(frame).axes
    looks = [
        {
            (line.get_color(), line.get_marker())
            for line in ax.get_lines()
            if len(line.get_xdata()) == 1
        }
        for ax in (left, right)
    ]
    assert len(looks[0]) == 2 and len(looks[1]) == 1 and looks[1] < looks[0]


def test_a_recording_stands_in_the_same_row_of_all_panels_even_where_one_has_no_cell_of_it():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)])
    for gone in RECORDINGS:
        left, right = contrasts.plot_contrasts(
            frame[(frame["method"] == "integrated") | (frame["recording"] != gone)].sort_values(
                "method"
            )
        ).axes
        heights = [
            {round(line.get_ydata()[0]) for line in ax.get_lines() if len(line.get_xdata()) == 1}
            for ax in (left, right)
        ]
        (kept,) = {0, 1} - {RECORDINGS.index(gone)}
        assert heights == [{0, 1}, {kept}] and left.get_ylim() == right.get_ylim()


def test_cells_in_which_none_is_chained_are_hollow_and_the_caption_says_so():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)])
    frame["unchained"] = (frame["method"] == "integrated") & (frame["at"] == 4)
    figure = contrasts.plot_contrasts(frame)
    for ax, faces in zip(figure.axes, [{False}, {True, False}], strict=True):
        points = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
        assert {line.get_markerfacecolor() == "white" for line in points} == faces
    assert figure.legends[0].get_texts()[-1].get_text() == "none chained"
    assert "Open: none is chained yet" in figure.texts[0].get_text()
    whole = contrasts.plot_contrasts(frame.assign(unchained=False))
    assert "Open" not in whole.texts[0].get_text() and len(whole.legends[0].get_texts()) == 2


def test_savings_of_each_method_have_a_panel():
    frame = cells([(0.3, 0.2, 0.4), (-1.5, -3.0, 0.1)], column="saving", reached=True, flat=False)
    left, right = contrasts.plot_contrast_savings(frame).axes
    assert left.get_xlabel() == "sequential: saving in tokens\nat equal accuracy"
    assert right.get_xlabel().startswith("integrated: ")


@pytest.mark.slow
def test_depths_are_drawn_with_their_intervals_inside_the_panels():
    frame = depth_cells()
    figure = contrasts.plot_depths(frame)
    assert [ax.get_title("left") for ax in figure.axes] == ["B = 4", "B = 8", "", ""]
    assert [ax.get_ylabel() for ax in figure.axes] == ["capitals\nsmall", "", "french\nlarge", ""]
    for ax in figure.axes:
        low, high = ax.get_ylim()
        assert low < frame["low"].min() and frame["high"].max() < high
        drawn = {
            container.get_label(): container.lines[0].get_ydata() for container in ax.containers
        }
        assert drawn["parallel"].tolist() == [0.5] * 3 and drawn["integrated"].tolist() == [0.6] * 3


def test_panels_that_are_compared_have_one_axis():
    frame = cells([(0.1, 0.05, 0.15), (-0.6, -0.8, -0.4)])
    left, right = contrasts.plot_contrasts(frame).axes
    assert left.get_xlim() == right.get_xlim()
    assert left.get_xlim()[0] < -0.8 and left.get_xlim()[1] > 0.15


def test_what_is_absent_is_called_so():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)])
    alone = (frame["method"] == "sequential") & (frame["recording"] == RECORDINGS[1])
    late = (frame["method"] == "integrated") & (frame["at"] == 8)
    figure = contrasts.plot_contrasts(frame[~alone & ~late])
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == ["n/a"]
    assert [text.get_text() for text in right.texts] == ["B = 8: n/a"] * 2
    for text in [*left.texts, *right.texts]:  # the line at zero does not strike it through
        assert text.get_bbox_patch().get_facecolor() == (1, 1, 1, 1)
        assert 1 < text.get_zorder() < 2
    assert "n/a: not sampled" in figure.texts[0].get_text().replace("\n", " ")
    assert "n/a" not in contrasts.plot_contrasts(frame).texts[0].get_text()


@pytest.mark.slow
def test_depths_say_n_a_where_a_budget_was_not_recorded():
    frame = depth_cells()
    late = (frame["recording"] == RECORDINGS[1]) & (frame["at"] == 8)
    without = frame[~late]
    figure = contrasts.plot_depths(without)
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [[], [], [], ["n/a"]]
    assert figure.axes[3].get_xlim() == figure.axes[0].get_xlim()
    assert "n/a: not sampled" in figure.texts[-1].get_text().replace("\n", " ")
    figure = contrasts.plot_depths(frame[~late | (frame["method"] == "parallel")])
    assert [text.get_text() for text in figure.axes[3].texts] == ["integrated: n/a"]
    assert "n/a" not in contrasts.plot_depths(frame).texts[-1].get_text()


@pytest.mark.slow
def test_depths_of_seven_recordings_fit_on_a_page():
    frame = pd.concat([depth_cells().assign(recording=f"r{n}--m") for n in range(7)])
    frame = frame.drop_duplicates(["recording", "method", "at", "depth"])
    assert contrasts.plot_depths(frame).get_figheight() < 9.5


def test_curves_of_methods_have_their_own_looks():
    found = [look for look, _ in methods(curve_rows())]
    assert found == [CONTRASTED["parallel"], CONTRASTED["integrated"]]
    assert len(curves.plot_curve_grid(curve_rows()).axes) >= 2
    look, _ = methods(curve_rows().assign(method="mine"))[0]
    assert look.label == "mine"


@pytest.mark.parametrize(
    "plot", [contrasts.plot_contrasts, contrasts.plot_depths, contrasts.plot_contrast_savings]
)
def test_an_empty_frame_is_refused_by_pictures(plot):
    with pytest.raises(InputError, match="no recording holds two strategies"):
        plot(depth_cells().iloc[:0])


# ——— words ———


def test_words_of_differences_are_the_frame_s_numbers():
    text = contrast_reading.of_differences(cells([(0.1, 0.05, 0.15), (-0.02, -0.04, 0.0)]))
    assert (
        "**sequential − parallel**, accuracy at equal tokens: +0.100 [+0.065, +0.135] at B = 4"
        in text
    )
    assert (
        "ahead in 4 (capitals · small, french · large), behind in 0, and not told apart in 0"
        in text
    )
    assert (
        "**integrated − parallel**, accuracy at equal tokens: -0.020" in text
        and "not told apart in 4" in text
    )


def test_words_of_differences_leave_out_cells_in_which_none_is_chained_and_say_so():
    frame = cells([(0.1, 0.05, 0.15), (-0.02, -0.04, -0.01)])
    frame["unchained"] = (frame["method"] == "integrated") & (frame["at"] == 4)
    sequential, integrated = contrast_reading.of_differences(frame).splitlines()
    assert "chained" not in sequential and "Of 4 cells, " in sequential
    assert "equal tokens: -0.020 [-0.034, -0.013] at B = 8 (mean of 2 recordings)" in integrated
    assert "Of 2 cells, " in integrated and "behind in 2 (" in integrated
    assert "At B = 4 none is chained yet in 2 cells, left out here." in integrated
    early = contrast_reading.of_differences(frame.assign(unchained=True)).splitlines()
    assert early[0].endswith("tokens: At B = 4, 8 none is chained yet in 4 cells, left out here.")


def test_words_of_savings_leave_out_of_the_mean_what_was_never_reached_and_say_so():
    frame = cells([(0.4, 0.35, 0.45), (-7.0, -7.0, 0.1)], column="saving", reached=True, flat=False)
    frame["reached"] = frame["method"] == "sequential"
    text = contrast_reading.of_savings(frame)
    assert (
        "**sequential** saves in tokens, against parallel: 40 % [36 %, 44 %] at B = 4 (mean of 2"
        " recordings)" in text
    )
    assert (
        "**integrated** saves in tokens, against parallel: in 4 of 4 cells the accuracy is never"
        " reached." in text
    )
    assert "not found, for the accuracy is not reached everywhere, for integrated" in text
    frame["reached"] = True
    frame[["saving", "low", "high"]] = 0.4, 0.35, 0.45
    assert "is found, for integrated" in contrast_reading.of_savings(frame)
    assert "Nothing can be said" in contrast_reading.of_savings(frame.assign(flat=True))


def test_words_of_depths_name_the_region_in_which_each_strategy_wins():
    text = contrast_reading.of_depths(depth_cells())
    assert "**parallel** is most accurate in 0 of 12 cells." in text
    assert "**integrated** is most accurate in 8 of 12 cells, by the paired interval in 2: " in text
    assert "capitals · small within B = 8, depth 2; french · large within B = 8, depth 2" in text
    assert "french · large: integrated +0.100" in text


def test_words_of_depths_leave_out_cells_that_are_led_before_anything_is_chained():
    cells = depth_cells()
    cells["unchained"] = (cells["at"] == 4) & (cells["recording"] == cells["recording"].iloc[0])
    assert cells["unchained"].any() and (cells["at"] > 4).any()
    text = contrast_reading.of_depths(cells)
    left_out = len(cells[cells["unchained"]].drop_duplicates(["at", "depth"]))
    assert f"is most accurate in 0 of {12 - left_out} cells." in text
    assert f"a chained sample yet in {left_out} cells, left out here." in text
    text = contrast_reading.of_depths(cells.assign(unchained=True))
    assert "chained sample yet in 12 cells, left out here." in text and "none leads" in text


def test_words_of_curves_name_questions_ends_and_greedy():
    text = contrast_reading.of_curves(curve_rows())
    assert (
        "**capitals · small** (60 questions), where each curve ends: parallel 0.540 for 120 tokens"
        " a question; " in text
    )
    assert text.count("one greedy answer 0.550") == 1


def test_words_say_clearly_that_nothing_can_be_told():
    for words in ("of_curves", "of_differences", "of_savings", "of_depths"):
        assert "None of these recordings holds samples of two strategies" in getattr(
            contrast_reading, words
        )(pd.DataFrame())
