"""The leaderboard's figure draws all of the table's numbers, and says which lie outside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.plots import style
from dynlab.plots.leaderboard import plot_leaderboard, plot_leaderboard_grid
from dynlab.reports import leaderboard

POLICIES = ("oracle", "ucb", "mine", "uniform", "thompson")
SAVING = (0.9, 0.4, 0.3, 0.05, -0.8)


def table():
    rows = []
    for policy, saving in zip(POLICIES, SAVING, strict=True):
        row = {
            "policy": policy,
            "kind": "bound" if policy == "oracle" else "allocator",
            "recordings": 2,
        }
        for name in ("saving", "saving_4", "saving_8", "of_oracle"):
            row |= {name: saving, f"{name}_low": saving - 0.1, f"{name}_high": saving + 0.05}
        for at in (4, 8):
            gap = saving / 20
            row |= {
                f"difference_{at}": gap,
                f"difference_{at}_low": gap - 0.01,
                f"difference_{at}_high": gap + 0.01,
            }
            row |= {
                f"depth_{at}": 1.0 if policy == "uniform" else 40.0,
                f"reached_{at}": 1.0 if saving > 0 else 0.5,
            }
        row |= {
            "worst_saving": saving,
            "worst_difference": saving / 20 - 0.1,
            "worst_cell": "a--b at 8",
        }
        rows.append(row | {"reached": 4 if saving > 0 else 2, "cells": 4, "flat": 1})
    return pd.DataFrame(rows).assign(unit="tokens", measure="accuracy")


def dots(ax, colour):
    return [
        line for line in ax.get_lines() if line.get_color() == colour and len(line.get_xdata()) == 1
    ]


def test_every_policy_has_its_row_label_dot_and_interval():
    ax = plot_leaderboard(table(), at=8)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "hindsight oracle",
        "UCB",
        "mine",
        "uniform",
        "Thompson",
    ]
    assert ax.yaxis_inverted()
    for y, name in enumerate(("oracle", "ucb")):
        look = style.LOOKS[name]
        (dot,) = [line for line in dots(ax, look.colour) if line.get_marker() == look.marker]
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (SAVING[y], ax.get_yticks()[y])
        (interval,) = [
            line
            for line in ax.get_lines()
            if line.get_color() == look.colour and len(line.get_xdata()) == 2
        ]
        np.testing.assert_allclose(interval.get_xdata(), [SAVING[y] - 0.1, SAVING[y] + 0.05])
    assert "tokens" in ax.get_xlabel() and "accuracy" in ax.get_xlabel()


def test_a_dot_outside_is_an_arrow_with_its_number_and_a_missed_accuracy_an_open_marker():
    ax = plot_leaderboard(table())
    (arrow,) = dots(ax, style.LOOKS["thompson"].colour)
    assert arrow.get_marker() == "<" and arrow.get_xdata()[0] < -0.5
    assert "−80 %" in [text.get_text() for text in ax.texts]
    missed = table().assign(saving=0.1, saving_low=0.0)
    (dot,) = dots(plot_leaderboard(missed), style.LOOKS["thompson"].colour)
    assert dot.get_markerfacecolor() == "white"


def test_one_greedy_answer_is_read_apart_and_leads_nothing():
    rows = table()
    greedy = rows[rows["policy"] == "ucb"].assign(
        policy="greedy", saving=0.7, saving_low=0.6, saving_high=0.8
    )
    text = leaderboard.of_savings(pd.concat([greedy, rows], ignore_index=True))
    assert "One greedy answer saves 70 % [60 %, 80 %]." in text and "**Who saves most.** In" in text
    assert "takes 40 %" in text


def test_differences_leave_the_bound_at_the_edge():
    ax = plot_leaderboard(
        table().assign(difference_8=[0.3, 0.02, 0.01, 0.0, -0.03]), value="difference", at=8
    )
    assert "+0.30" in [text.get_text() for text in ax.texts]
    assert ax.get_xlim()[1] < 0.1


def test_a_grid_has_a_panel_for_every_budget():
    figure = plot_leaderboard_grid(table())
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["B = 4", "B = 8"]
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == [""] * 5


def test_policies_stand_in_the_groups_of_their_kinds_under_headings():
    kinds = {"oracle": "bound", "mine": "stopping"}
    rows = table()
    ax = plot_leaderboard(rows.assign(kind=[kinds.get(name, "allocator") for name in POLICIES]))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["hindsight oracle", "UCB", "uniform", "Thompson", "mine"]
    headings = {text.get_text(): text.xy[1] for text in ax.texts if text.get_weight() == "bold"}
    ticks = dict(zip(labels, ax.get_yticks(), strict=True))
    assert ticks["hindsight oracle"] < headings["allocators"] < ticks["UCB"]
    assert ticks["Thompson"] < headings["stopping rules"] < ticks["mine"]


def test_every_panel_of_a_grid_has_its_axis_label_and_the_figure_a_caption():
    figure = plot_leaderboard_grid(table())
    assert len({ax.get_xlabel() for ax in figure.axes}) == 1 and figure.axes[1].get_xlabel()
    (caption,) = figure.texts
    said = " ".join(caption.get_text().split())
    assert "95 % intervals" in said and "Open: not reached" in said and "Arrow" in said


def test_a_caption_says_which_tokens_and_which_recordings_count():
    def said(value, **columns):
        (text,) = plot_leaderboard_grid(table().assign(**columns), value=value).texts
        return " ".join(text.get_text().split())

    public = {"tokens_kind": "completion", "recordings": 8}
    assert "of 8 recordings that hold B samples and on which uniform gains." in said(
        "saving", **public
    )
    assert "Tokens are those of answers alone." in said("saving", **public)
    assert "uniform gains" not in said("difference", **public)
    assert "uniform gains" not in said("saving", **public, flat=0)
    assert "answers alone" not in said("saving", **public | {"tokens_kind": "total"})
    assert "answers alone" not in said("saving", **public, unit="samples")


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(InputError, match="no rows"):
        plot_leaderboard(table().head(0))
    with pytest.raises(InputError, match="'saving_4', 'saving_8'"):
        plot_leaderboard(table(), at=5)
    with pytest.raises(InputError, match="'difference', 'saving'"):
        plot_leaderboard(table(), value="depth")


def test_a_leaderboard_s_savings_are_read_in_three_bullets_with_its_numbers():
    text = leaderboard.of_savings(table())
    assert text.startswith("- ") and text.count("\n- ") == 2
    assert "UCB 40 % [30 %, 45 %]; mine 30 % [20 %, 35 %]; Thompson -80 %" in text
    assert "Uniform itself 'saves' 5 % [-5 %, 10 %]" in text
    assert "UCB takes 40 % [30 %, 45 %]" in text


def test_its_differences_are_read_apart():
    text = leaderboard.of_differences(table())
    assert text.startswith("- ") and text.count("\n- ") == 2
    assert "at B = 4 UCB +0.020 [+0.010, +0.030]; at B = 8 UCB" in text
    assert "at B = 4 Thompson; at B = 8 Thompson" in text
    assert "UCB, first in savings, differs by -0.080 in its worst cell, a · b at B = 8" in text
    assert "40 deep, those of uniform 1" in text
