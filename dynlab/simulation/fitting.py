"""A model fitted to a recording by one call, each part by maximum likelihood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab.recordings.arrays import Floats, Ints
from dynlab.recordings.recording import Recording, load
from dynlab.simulation.chains import NONE, RIGHT, ChainGain, fit_chain_gain, states_of
from dynlab.simulation.chances import fit_chance
from dynlab.simulation.lengths import fit_lengths, fit_prompts
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.observations import Observations, observed
from dynlab.simulation.parts import Intervals
from dynlab.simulation.wrong_answers import WrongAnswers, fit_wrong_answers


def fit(recording: str | Path | pd.DataFrame | Recording) -> RecordingModel:
    """The model of a recording: how hard its questions are, and how samples of them come about.

    Difficulty and wrong answers are told by independent samples, lengths by all of them, the gain
    of chains by those that were shown others. Greedy answers play no part.

    Args:
        recording: A path, the name of a shipped recording, a DataFrame or a Recording, with targets
            and two or more independent samples of a question.

    Raises:
        InputError: A recording that cannot be read, or tells too little.
    """
    given = load(recording)
    seen = observed(given)
    lone = seen.independent
    trials, hits, nones = (
        seen.counts(lone & which)
        for which in (np.full(len(lone), True), seen.code == RIGHT, seen.code == NONE)
    )
    right, ends = fit_chance(hits, trials)
    intervals = {"right": ends}
    parts: dict[str, Any] = {}
    easy = right.expected(hits, trials)
    if nones.any():
        parts["none"], intervals["none"] = fit_chance(nones, trials - hits)
    counts = seen.wrong_counts()
    wrong, intervals["wrong"] = fit_wrong_answers(_sizes(counts), easy)
    lengths, found = _lengths(seen, easy)
    parts |= lengths
    intervals |= found
    if seen.chained.any():
        given_odds = right.posterior(hits, trials)
        parts["chains"], intervals["chains"] = _chain_gain(seen, given_odds, wrong, counts, easy)
    named = {
        f"{part}.{own}": each for part, all_ in intervals.items() for own, each in all_.items()
    }
    return RecordingModel(given.name, right, wrong, **parts, intervals=named)


def _sizes(counts: Ints) -> Ints:
    """[Q, M] how many answers of a question were given 1, 2, … M times, from [Q, K] counts."""
    most = max(int(counts.max(initial=0)), 1)
    return np.stack([(counts == times).sum(axis=1) for times in range(1, most + 1)], axis=1)


def _lengths(seen: Observations, easy: Floats) -> tuple[dict[str, Any], dict[str, Intervals]]:
    """The parts of responses' and of prompts' lengths that can be told."""
    parts: dict[str, Any] = {}
    intervals: dict[str, Intervals] = {}
    tokens, prompts = (seen.numbers(f"{name}_tokens") for name in ("completion", "prompt"))
    if tokens is None:
        return {}, {}
    held = (tokens > 0) & (seen.independent | seen.chained)
    own = seen.question[held]
    parts["lengths"], intervals["lengths"] = fit_lengths(
        tokens[held], own, easy[own], (seen.code == RIGHT)[held], seen.chained[held]
    )
    if prompts is not None:
        known = seen.independent & (prompts > 0)
        means = pd.Series(prompts[known]).groupby(seen.question[known]).median()
        base = means.reindex(range(seen.num_questions)).fillna(means.mean()).to_numpy(float)
        chained = np.flatnonzero(seen.chained)
        shown = np.nansum(np.where(seen.shown >= 0, tokens[seen.shown], 0.0), axis=1)
        extra = prompts[chained] - base[seen.question[chained]]
        kept = np.isfinite(extra) & (shown > 0)
        parts["prompts"], intervals["prompts"] = fit_prompts(base, extra[kept], shown[kept])
    return parts, intervals


def _chain_gain(
    seen: Observations,
    odds: tuple[Floats, Floats],
    wrong: WrongAnswers,
    counts: Ints,
    easy: Floats,
) -> tuple[ChainGain, Intervals]:
    """The gain of chains, from samples that were shown others."""
    rows = np.flatnonzero(seen.chained)
    question, code = seen.question[rows], seen.code[rows]
    shown = np.where(seen.shown >= 0, seen.code[seen.shown], NONE)
    state = states_of(shown)
    table = np.zeros((2, seen.num_questions, 3), int)
    np.add.at(table, ((code == RIGHT).astype(int), question, state), 1)
    copying = (code > RIGHT) & (shown > RIGHT).any(axis=1)
    alike = (shown[copying] == code[copying, None]).sum(axis=1)
    copies = alike / (shown[copying] > RIGHT).sum(axis=1)
    anew = _chance_anew(wrong, counts, easy, question[copying], code[copying])
    return fit_chain_gain(table[1], table.sum(axis=0), odds, copies, anew)


def _chance_anew(
    wrong: WrongAnswers, counts: Ints, easy: Floats, question: Ints, code: Ints
) -> Floats:
    """[W] the chance of wrong answers after all the independent ones of their questions."""
    strength = wrong.strengths(np.log(easy / (1 - easy)))[question]
    given = counts[question, code]
    total, distinct = counts.sum(axis=1)[question], (counts > 0).sum(axis=1)[question]
    new = strength + distinct * wrong.discount
    chance = np.where(given > 0, given - wrong.discount, np.where(total > 0, new, 1.0))
    return np.asarray(chance / np.where(total > 0, strength + total, 1.0))
