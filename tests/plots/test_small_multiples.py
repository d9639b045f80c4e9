"""Small multiples, rows of dots and heat maps draw the numbers of their frames, each with its
interval.
"""

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.plots import heatmaps, small_multiples, style


def lines(recordings=("a--x", "b--x")):
    return pd.DataFrame(
        [
            {
                "recording": name,
                "allocator": allocator,
                "budget": budget,
                "regret": 1 / budget,
                "low": 0.9 / budget,
                "high": 1.2 / budget,
            }
            for name in recordings
            for allocator in ("uniform", "ucb")
            for budget in (2, 4, 8)
        ]
    )


def settings():
    cells = [(u, c, w) for u in ("top-share", "entropy") for c in (0.0, 1.0, 2.0) for w in (1, 2)]
    table = pd.DataFrame(cells, columns=["uncertainty", "exploration", "warmup"])
    value = np.linspace(-0.02, 0.035, len(table))
    return table.assign(
        difference=value,
        low=value - 0.01,
        high=value + 0.01,
        best=value == value.max(),
        measure="accuracy",
    )


def test_small_multiples_share_one_scale_and_one_legend_and_draw_every_interval():
    frame = lines()
    figure = small_multiples.plot_lines_grid(
        frame, "budget", "regret", xlabel="samples", ylabel="regret", log2=True
    )
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["uniform", "UCB"]
    for ax in figure.axes:
        for line, band in zip(ax.get_lines(), ax.collections, strict=True):
            np.testing.assert_allclose(line.get_ydata(), [0.5, 0.25, 0.125])
            edges = band.get_paths()[0].vertices[:, 1]
            assert {0.45, 0.6, 0.3, 0.15} <= set(np.round(edges, 9))
    assert figure.axes[0].get_lines()[1].get_color() == style.COLOURS["ucb"]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1])
def test_a_long_name_stays_over_its_own_panel(place):
    names = ["b--x", "c--x"]
    names.insert(place, "word-problems-of-grade-school--some-model-7b")
    figure = small_multiples.plot_lines_grid(
        lines(names), "budget", "regret", xlabel="samples", ylabel="regret"
    )
    figure.draw_without_rendering()
    titles = [ax._left_title for ax in figure.axes]
    assert [each.get_text() for each in titles] == [style.title(name) for name in names]
    ends = [each.get_window_extent() for each in titles]
    assert ends[place].x1 + 4 < ends[place + 1].x0
    assert len({each.get_fontsize() for each in titles}) == 1


def test_steps_stand_side_by_side_with_their_values_as_labels():
    figure = small_multiples.plot_lines_grid(
        lines(("a--x",)), "budget", "regret", xlabel="c", ylabel="regret", steps=True, zero=True
    )
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "4", "8"]
    assert list(ax.get_lines()[1].get_xdata()) == [0, 1, 2]


def test_dots_stand_in_their_intervals_in_the_colour_of_their_allocator():
    frame = pd.DataFrame(
        {
            "how": ["one", "one", "two", "two"],
            "allocator": ["ucb", "priced"] * 2,
            "difference": [1.0, 2.0, 3.0, 4.0],
            "low": [0.5, 1.5, 2.5, 3.5],
            "high": [1.5, 2.5, 3.5, 4.5],
            "open": [False, False, True, False],
        }
    )
    ax = small_multiples.plot_dots(frame, "how", "difference", xlabel="difference")
    drawn = [tuple(line.get_xdata()) for line in ax.get_lines()]
    for _, row in frame.iterrows():
        assert (row["low"], row["high"]) in drawn and (row["difference"],) in drawn
    hollow = [line for line in ax.get_lines() if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata()[0] for line in hollow] == [3.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]


def test_a_map_of_settings_writes_every_number_and_frames_the_best_and_the_default():
    table = settings()
    figure = heatmaps.plot_settings(table)
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert "+3.5" in texts and "[+2.5, +4.5]" in texts and "−2.0" in texts
    assert len(texts) == 2 * len(table)
    frames = [(patch.get_linestyle(), patch.get_xy()) for ax in figure.axes for patch in ax.patches]
    assert len(frames) == 2 and {style == "-" or style == "solid" for style, _ in frames} == {
        True,
        False,
    }
    colours = figure.axes[0].collections[0].get_array()
    expected = table[table["uncertainty"] == "top-share"].pivot_table(
        index="warmup", columns="exploration", values="difference"
    )
    np.testing.assert_allclose(np.asarray(colours).reshape(expected.shape), expected)


def test_the_allocation_is_drawn_question_by_question():
    drawn = pd.DataFrame(
        {
            "recording": "a--x",
            "allocator": ["uniform"] * 3 + ["ucb"] * 3,
            "easy": [0.0, 0.4, 0.6] * 2,
            "question_id": ["q1", "q2", "q3"] * 2,
            "2": [2.0] * 6,
            "4": [4.0, 4.0, 4.0, 7.0, 3.0, 2.0],
        }
    )
    figure = heatmaps.plot_allocation(drawn)
    images = [ax.images[0].get_array() for ax in figure.axes[:2]]
    np.testing.assert_allclose(images[1], [[2, 7], [2, 3], [2, 2]])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "25 %",
        "50 %",
        "75 %",
    ]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: small_multiples.plot_lines_grid(
            lines().head(0), "budget", "regret", xlabel="", ylabel=""
        ),
        lambda: small_multiples.plot_dots(lines().head(0), "recording", "regret", xlabel=""),
        lambda: heatmaps.plot_settings(settings().head(0)),
        lambda: heatmaps.plot_settings(pd.concat([settings(), settings()])),
        lambda: heatmaps.plot_allocation(pd.DataFrame({"allocator": []})),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(InputError, match="no rows|each of them once"):
        draw()
