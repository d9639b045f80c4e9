"""Pictures: they draw the frame's numbers, all intervals, the same bytes each time; nothing happens
at import.
"""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from helpers import frames
from matplotlib import rcParams

from dynlab._util.errors import InputError
from dynlab._util.files import write_csv
from dynlab.plots import axes, figure_files, style
from dynlab.plots import curves as plots
from dynlab.plots.savings import CUT, plot_saving_grid, plot_savings, savings_caption
from dynlab.plots.worth import plot_worth
from dynlab.policies import priced, registry

SIX = ("uniform", "ucb", "thompson", "entropy-greedy", "margin-greedy", "beta-greedy")
THREE = ("capitals--small", "opposites--small", "french--small")


@pytest.mark.slow
def test_a_curve_is_drawn_through_the_numbers_of_its_frame():
    curves = frames.curves()
    ax = plots.plot_curves(curves)
    drawn = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    uniform = curves[curves["allocator"] == "uniform"]
    np.testing.assert_allclose(drawn["uniform"], uniform[["spent_samples", "accuracy"]])


def test_every_method_has_its_interval_as_a_band():
    curves = frames.curves(methods=SIX)
    ax = plots.plot_curves(curves)
    spans = sorted(
        tuple(np.round(band.get_paths()[0].vertices[:, 1], 9)) for band in ax.collections[-6:]
    )
    for _, rows in curves[curves["allocator"] != "greedy"].groupby("allocator"):
        band = next(
            s
            for s in spans
            if np.isclose(max(s), rows["high"].max()) and np.isclose(min(s), rows["low"].min())
        )
        assert {round(low, 9) for low in rows["low"]} | {
            round(high, 9) for high in rows["high"]
        } == set(band)


@pytest.mark.slow
def test_greedy_is_a_level_of_its_own_with_its_interval_where_it_stands_in_cost():
    curves = frames.curves()
    greedy = curves[curves["allocator"] == "greedy"].iloc[0]
    ax = plots.plot_curves(curves, unit="tokens")
    levels = [line for line in ax.get_lines() if np.allclose(line.get_ydata(), greedy["accuracy"])]
    assert any(list(line.get_xdata()) == [0, 1] for line in levels)  # across the panel
    (bar,) = ax.containers
    np.testing.assert_allclose(
        bar.lines[2][0].get_segments()[0],
        [[greedy["spent_tokens"], greedy["low"]], [greedy["spent_tokens"], greedy["high"]]],
    )


def test_a_curve_is_dashed_from_where_samples_have_run_out():
    curves = frames.curves(methods=("ucb",))  # exhausted 0.1 at 16
    ax = plots.plot_curves(curves)
    solid, dashed = [line for line in ax.get_lines() if line.get_color() == style.COLOURS["ucb"]]
    assert (list(solid.get_xdata()), solid.get_linestyle()) == ([2, 4, 8], "-")
    assert (list(dashed.get_xdata()), dashed.get_linestyle()) == ([8, 16], "--")


@pytest.mark.slow
def test_the_axis_says_what_its_tokens_count():
    curves = frames.curves()
    assert (
        plots.plot_curves(curves, unit="tokens").get_xlabel()
        == "tokens per question\n(prompt + completion)"
    )
    short = curves.assign(tokens_kind="completion")
    assert (
        plots.plot_curves(short, unit="tokens").get_xlabel()
        == "tokens per question\n(completion only)"
    )
    assert plots.plot_curves(curves).get_xlabel() == "samples per question"


def test_a_rate_without_targets_is_not_called_accuracy():
    curves = frames.curves()
    curves.attrs["measure"] = "self-consistency rate"
    assert plots.plot_curves(curves).get_ylabel() == "self-consistency rate"


@pytest.mark.slow
@pytest.mark.parametrize("methods", [("uniform", "ucb"), SIX])
def test_names_at_line_ends_do_not_overlap(methods):
    from matplotlib.text import Text  # an annotation's own extent holds its connector too

    ax = plots.plot_curves(frames.curves(methods=methods))
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts if text.get_text() != "greedy"]
    assert len(boxes) == len(methods)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(box.x0 >= 0 and box.x1 <= ax.figure.bbox.x1 for box in boxes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "gap"),
    [([10, 10, 40], 8), ([0, 0, 0, 0], 9), ([50, 50, 49.9], 5), ([3, 8, 9, 30], 6)],
)
def test_labels_are_moved_apart_as_little_as_the_panel_allows(wanted, gap):
    places = axes.apart(sorted(wanted), gap, 50)
    assert all(later - earlier >= gap - 1e-9 for earlier, later in itertools.pairwise(places))
    assert min(places) >= gap / 2 - 1e-9 and max(places) <= 50 - gap / 2 + 1e-9
    grid = np.linspace(gap / 2, 50 - gap / 2, 46)
    tried = np.array(list(itertools.combinations(grid, len(wanted))))
    allowed = tried[(np.diff(tried) >= gap).all(axis=1)]
    best = np.square(allowed - sorted(wanted)).sum(axis=1).min()
    assert np.square(np.subtract(places, sorted(wanted))).sum() <= best + 1e-9


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 16], "1 2 4 8 16"),
        ([2, 16], "2 4 8 16"),
        ([58, 700], "100 200 400"),
        ([30, 900], "50 100 200 400 800"),
        ([900, 9000], "1k 2k 4k 8k"),
        ([0.002, 0.009], "0.002 0.004 0.008"),
    ],
)
def test_ticks_double_from_a_round_number(values, expected):
    _, (ax,) = axes.new_panels(1, 1, width=3, height=2)
    axes.log2_axis(ax, values)
    assert " ".join(label.get_text() for label in ax.get_xticklabels()) == expected


@pytest.mark.slow
def test_a_grid_has_a_panel_per_recording_and_one_legend_for_all():
    figure = plots.plot_curve_grid(frames.curves(THREE, SIX))
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "capitals · small",
        "opposites · small",
        "french · small",
    ]
    (legend,) = figure.legends
    assert sorted(text.get_text() for text in legend.get_texts()) == sorted(
        style.LOOKS[m].label for m in (*SIX, "greedy")
    )
    assert figure.get_figwidth() == plots.TWO_COLUMNS


@pytest.mark.slow
def test_the_legend_stands_in_a_spare_panel_where_there_is_one():
    figure = plots.plot_curve_grid(frames.curves((*THREE, "d--d", "e--e")))
    assert figure.legends == [] and len(figure.axes) == 6
    spare = figure.axes[-1]
    assert not spare.axison
    assert [text.get_text() for text in spare.get_legend().get_texts()] == [
        "uniform",
        "UCB",
        "greedy",
    ]


def test_savings_are_points_with_intervals_flat_ones_apart_and_unreached_ones_open():
    savings = frames.savings(THREE, flat=("french--small",), unreached=[("capitals--small", 16)])
    ax = plot_savings(savings)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [
        "capitals · small",
        "opposites · small",
        "french · small",
        "flat: uniform gains < 0.01",
    ]
    lines = [tuple(line.get_xdata()) for line in ax.get_lines()]
    for _, cell in savings.iterrows():
        assert (cell["low"], cell["high"]) in lines
    grey = [
        line
        for line in ax.get_lines()
        if line.get_color() == "#999999" and len(line.get_xdata()) == 1
    ]
    assert sorted(line.get_xdata()[0] for line in grey) == sorted(
        savings.loc[savings["flat"], "saving"]
    )
    missed = savings.loc[~savings["reached"], "saving"].iloc[0]
    hollow = [
        line
        for line in ax.get_lines()
        if line.get_markerfacecolor() == "white" and len(line.get_xdata())
    ]
    assert [line.get_xdata()[0] for line in hollow] == [missed]


@pytest.mark.parametrize("low", [-7.0, CUT, CUT + 1e-15])  # the last: not reached, up to rounding
def test_an_interval_that_leaves_the_panel_ends_in_an_arrow(low):
    savings = frames.savings(("a--b",)).head(1).assign(low=low)
    ax = plot_savings(savings)
    assert any(line.get_marker() == "<" and line.get_xdata()[0] == CUT for line in ax.get_lines())
    assert ax.get_xlim()[0] > -1.5
    assert any("Arrow" in line for line in savings_caption(savings))


def test_savings_in_two_units_stand_side_by_side_with_their_rows_named_once():
    figure = plot_saving_grid(
        pd.concat([frames.savings(unit=unit) for unit in ("samples", "tokens")])
    )
    left, right = figure.axes
    assert ("samples" in left.get_xlabel(), "tokens" in right.get_xlabel()) == (True, True)
    assert not any(label.get_text() for label in right.get_yticklabels())


def test_plotting_draws_on_the_axes_it_is_given_and_leaves_the_frame_as_it_was():
    _, (ax,) = axes.new_panels(1, 1, width=3, height=2)
    curves, savings = frames.curves(), frames.savings()
    before = curves.copy(), savings.copy()
    assert plots.plot_curves(curves, ax=ax) is ax
    assert plot_savings(savings, ax=ax) is ax
    pd.testing.assert_frame_equal(curves, before[0])
    pd.testing.assert_frame_equal(savings, before[1])


def test_what_cannot_be_drawn_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="no rows"):
        plots.plot_curves(frames.curves().head(0))
    with pytest.raises(InputError, match="plot_curve_grid"):
        plots.plot_curves(frames.curves(THREE))
    with pytest.raises(InputError, match="unknown; draw unit='samples'"):
        plots.plot_curves(frames.curves(), unit="usd")
    with pytest.raises(InputError, match="did you mean 'tokens'"):
        plots.plot_curves(frames.curves(), unit="token")
    with pytest.raises(InputError, match="one method in one unit"):
        plot_savings(pd.concat([frames.savings(), frames.savings(unit="tokens")]))


def test_variants_of_a_method_are_named_and_coloured_apart():
    curves = pd.concat([frames.curves().assign(uncertainty=name) for name in ("entropy", "margin")])
    found = [look for look, _ in style.methods(curves[curves["allocator"] == "ucb"])]
    assert [look.label for look in found] == ["UCB, entropy", "UCB, margin"]
    assert len({look.colour for look in found}) == 2


def test_methods_are_told_apart_by_marker_and_by_colour_also_by_colour_blind_readers():
    assert len({look.marker for look in style.LOOKS.values()}) == len(style.LOOKS)
    allocators, rules = SIX, ("uniform", "adaptive-consistency", "esc", "doubling")
    for seen in (np.eye(3), PROTAN, DEUTAN):
        for together in (allocators, rules):
            seen_as = [lightness_and_hue(seen @ linear(style.COLOURS[name])) for name in together]
            assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen_as, 2)) > 12


# What a reader without the red or the green cones sees (Viénot, Brettel and Mollon 1999, in linear
# RGB).
PROTAN = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTAN = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


def linear(colour):
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lightness_and_hue(rgb):
    """CIELAB of a linear RGB colour."""
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum(matrix @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.slow
def test_a_saved_figure_has_the_same_bytes_every_time_with_its_numbers_beside_it(tmp_path):
    curves = frames.curves(THREE, SIX)
    one = figure_files.save(plots.plot_curve_grid(curves), tmp_path / "a", "grid", curves)
    other = figure_files.save(plots.plot_curve_grid(curves), tmp_path / "b", "grid", curves)
    for kind in ("svg", "png", "csv"):
        assert getattr(one, kind).read_bytes() == getattr(other, kind).read_bytes()
    assert "<text" in one.svg.read_text() and "uniform" in one.svg.read_text()
    np.testing.assert_allclose(pd.read_csv(one.csv)["accuracy"], curves["accuracy"], rtol=1e-8)
    names = sorted(path.name for path in one.svg.parent.glob("grid.*"))
    assert names == ["grid.csv", "grid.png", "grid.svg"]


@pytest.mark.slow
def test_saving_shows_the_figure_in_a_notebook_and_closes_it(tmp_path):
    from matplotlib import pyplot

    saved = figure_files.save(plots.plot_curves(frames.curves()), tmp_path, "one", frames.curves())
    bundle, metadata = saved._repr_mimebundle_()
    assert bundle["image/png"] == saved.png.read_bytes()
    assert metadata["image/png"]["width"] == saved.width
    assert pyplot.get_fignums() == []


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_to_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        figure_files.save(
            plots.plot_curves(frames.curves()), tmp_path / "file", "one", frames.curves()
        )


@pytest.mark.slow
def test_importing_and_plotting_leave_matplotlib_s_settings_alone():
    script = (
        "import sys; import dynlab.plots.curves, dynlab.plots.figure_files,"
        " dynlab.pipeline.reproduction, dynlab.pipeline.inputs;assert 'matplotlib' not in"
        " sys.modules and 'papermill' not in sys.modules, 'imported too early';sys.path.insert(0,"
        " 'tests'); import matplotlib; from helpers import frames;before ="
        " dict(matplotlib.rcParams); before.pop('backend', None);"
        "dynlab.plots.curves.plot_curves(frames.curves());after ="
        " dict(matplotlib.rcParams); after.pop('backend', None); assert before == after"
    )
    root = plots.__file__.rsplit("dynlab", 1)[0]
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=root,
        env={"MPLBACKEND": "agg", "PYTHONPATH": root},
    )


def test_the_theme_is_put_on_once_and_taken_off_at_the_end():
    def font():
        return [rcParams[name] for name in ("font.size", "axes.titlesize", "svg.hashsalt")]

    before = font()
    for _ in range(2):
        with style.style():
            themed = font()
            with pytest.raises(ValueError, match="inside"), style.style():
                assert font() == themed
                raise ValueError("inside")
            assert font() == themed != before
        assert font() == before


def test_worth_is_drawn_a_panel_a_rule_and_a_line_for_each_way_the_votes_stand():
    worth = priced.worth([registry.allocator(name) for name in ("priced", "beta-sqrt")])
    panels = plot_worth(worth).axes
    assert [ax.get_title() or ax.get_title(loc="left") for ax in panels] == ["priced", "beta-sqrt"]
    for ax, (_, rule) in zip(panels, worth.groupby("rule", sort=False), strict=True):
        for line, (way, rows) in zip(
            ax.get_lines(), rule.groupby("votes", sort=False), strict=True
        ):
            assert line.get_label() == way
            np.testing.assert_array_equal(line.get_xydata(), rows[["n", "index"]])


def test_a_zero_is_written_alike_however_it_was_summed(tmp_path):
    summed = pd.DataFrame({"saving": [sum([0.1] * 10) - 1.0, 1.5e-8, -0.0, np.nan]})
    assert summed["saving"][0] != 0
    assert write_csv(summed, tmp_path / "a.csv").read_text() == 'saving\n0\n1.5e-08\n0\n""\n'
