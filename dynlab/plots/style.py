"""How a method looks in every figure: its label, colour, marker; and the theme, applied in a
context only.

The theme is the data file `dynlab.mplstyle`. Colours are told apart by colour-blind readers (after
Okabe and Ito 2008, and Tol 2021 where those run out), and every method has a marker of its own
besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Look:
    """The label, colour and marker of one method."""

    label: str
    colour: str
    marker: str | tuple[int, int, int]  # a matplotlib marker; (n, 1, 0) is a star of n points


LOOKS = {
    "greedy": Look("greedy", "#7a7a7a", "*"),
    "uniform": Look("uniform", "#000000", "o"),
    "ucb": Look("UCB", "#d55e00", "s"),
    "thompson": Look("Thompson", "#0072b2", "^"),
    "entropy-greedy": Look("entropy-greedy", "#009e73", "D"),
    "margin-greedy": Look("margin-greedy", "#e69f00", "v"),
    "beta-greedy": Look("beta-greedy", "#cc79a7", "P"),
    "adaptive-consistency": Look("Adaptive-Consistency", "#56b4e9", "<"),
    "adaptive-consistency-dirichlet": Look("Adaptive-Consistency, Dirichlet", "#2f6f9f", (5, 1, 0)),
    "esc": Look("ESC", "#882255", ">"),
    "doubling": Look("doubling", "#999933", "X"),
    "best-of-infinity": Look("Best-of-∞", "#332288", "p"),
    "beta-sqrt": Look("(1 − P)/√n", "#ee8866", "2"),
    "okg-beta": Look("OKG, Beta", "#cc3311", "h"),
    "okg-pets": Look("OKG, PETS", "#44aa99", "8"),
    "uab": Look("UAB", "#661100", "1"),
    "strategic": Look("strategic scaling", "#6699cc", (4, 1, 0)),
    "strategic-entropy": Look("strategic scaling, entropy", "#004488", (6, 1, 0)),
    "vote-gain": Look("vote gain", "#997700", (3, 1, 0)),
    "sequential-halving": Look("sequential halving", "#aa4499", (8, 1, 0)),
    "cisc": Look("CISC", "#225522", "+"),
    "deepconf": Look("DeepConf", "#994455", "x"),
    "priced": Look("priced", "#117733", "H"),
    "oracle": Look("hindsight oracle", "#999999", "d"),
}
UNCERTAINTIES = {  # of UCB: in the colours of the allocators that follow them alone
    "top-share": Look("top share", LOOKS["ucb"].colour, "s"),
    "entropy": Look("entropy", LOOKS["entropy-greedy"].colour, "D"),
    "margin": Look("margin", LOOKS["margin-greedy"].colour, "v"),
    "posterior": Look("posterior", LOOKS["beta-greedy"].colour, "P"),
}
COLOURS = {method: look.colour for method, look in LOOKS.items()}
# of strategies against one another, of what attempts are worth, and of the method's parts apart
CONTRASTED = {
    "parallel": Look("parallel", "#000000", "o"),
    "sequential": Look("sequential", "#0072b2", "^"),
    "integrated": Look("integrated", "#d55e00", "s"),
    "rsa": Look("RSA", "#009e73", "D"),
    "chained": Look("one chained sample", "#0072b2", "^"),
    "sample": Look("one independent sample", "#000000", "o"),
    "untaught": Look("one sample, taught without attempts", "#56b4e9", "v"),
    "placebo": Look("one sample shown another question's attempts", "#cc79a7", "P"),
    "shown": Look("vote of the 4 attempts shown", "#e69f00", "D"),
    "vote": Look("vote of 16", "#009e73", "h"),
    "totals": Look("totals", "#0072b2", "^"),
    "calendar": Look("calendar", "#009e73", "D"),
    "digits": Look("digits", "#d55e00", "s"),
    "sums": Look("sums", "#cc79a7", "P"),
    "mean": Look("mean", "#000000", "o"),
    "neither": Look("neither", "#000000", "o"),
    "bandit only": Look("bandit only", "#0072b2", "^"),
    "integration only": Look("integration only", "#e69f00", "v"),
    "both": Look("both", "#d55e00", "s"),
}
_SPARE = ("#332288", "#44aa99", "#aa4499", "#ddcc77", "#88ccee", "#661100", "#6699cc")
_SPARE_MARKERS = "hd8H41"
_VARIED = ("strategy", "allocator", "uncertainty", "exploration", "warmup", "batch")


@contextmanager
def style() -> Iterator[None]:
    """The project's matplotlib theme, for the time of a `with` block."""
    from matplotlib import rc_context

    with rc_context(fname=str(Path(__file__).with_name("dynlab.mplstyle"))):
        yield


def methods(frame: pd.DataFrame) -> list[tuple[Look, pd.DataFrame]]:
    """The rows of every method in a frame of `compare` or `savings`, in the frame's order, greedy
    left out.

    A method is what the column `method` says where there is one, or a stopping rule, or else an
    allocator; what else differs between its rows becomes part of its label ("UCB, entropy"), and
    then every variant has a spare colour.
    """
    rows = frame[frame["allocator"] != "greedy"]
    if "method" in rows:
        return [
            (contrasted(name, i), rows[rows["method"] == name])
            for i, name in enumerate(rows["method"].unique())
        ]
    stopping = rows["stopping"].astype("string").fillna("").replace("none", "")
    keys = stopping.where(stopping != "", rows["allocator"].astype("string"))
    found: list[tuple[Look, pd.DataFrame]] = []
    for key in dict.fromkeys(keys):
        own = rows[keys == key]
        varied = [
            column for column in _VARIED if column in own and own[column].nunique(dropna=False) > 1
        ]
        variants = (
            [group for _, group in own.groupby(varied, sort=False, dropna=False)]
            if varied
            else [own]
        )
        for variant in variants:
            look = _look(key) or _spare(key, len(found))
            if varied:
                look = _spare(
                    ", ".join([look.label, *(str(variant[column].iloc[0]) for column in varied)]),
                    len(found),
                )
            found.append((look, variant))
    return found


def look_of(name: str) -> Look:
    """The look of an allocator, a stopping rule, an uncertainty or a strategy by its name; else
    black.
    """
    return (
        LOOKS.get(name)
        or UNCERTAINTIES.get(name)
        or CONTRASTED.get(name)
        or Look(name, "#333333", "o")
    )


def _look(key: str) -> Look | None:
    """The look of a method; that of a rule with a setting says it: `esc:4` is ESC 4."""
    name, _, setting = key.partition(":")
    look = LOOKS.get(name)
    return replace(look, label=f"{look.label} {setting}") if look and setting else look


def contrasted(method: str, number: int = 0) -> Look:
    """The look of a method of `dynlab.analysis.contrasts`, a spare one where it has none."""
    return CONTRASTED.get(method) or _spare(method, number)


def _spare(label: str, number: int) -> Look:
    """A look for a method that has none of its own."""
    return Look(label, _SPARE[number % len(_SPARE)], _SPARE_MARKERS[number % len(_SPARE_MARKERS)])


def title(recording: str) -> str:
    """A recording's name as a panel title; that of the small reasoner says what no other model was
    taught.

    >>> title("capitals--smollm2-135m"), title("sums--dynlab-reasoner")
    ('capitals · smollm2-135m', 'sums · trained on attempts')
    """
    return recording.replace("--dynlab-reasoner", " · trained on attempts").replace("--", " · ")
