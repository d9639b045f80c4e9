"""How a method looks in every figure: label, colour, marker; and the theme.

The theme is the data file `dynlab.mplstyle`. Colours are told apart by colour-blind readers (after
Okabe and Ito 2008, and Tol 2021 where those run out), and every method has a marker of its own
besides.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pandas as pd

from dynlab._util.extras import require


@dataclass(frozen=True)
class Look:
    """The label, colour and marker of one method."""

    label: str
    colour: str
    marker: str | tuple[int, int, int]  # a matplotlib marker; (n, 1, 0) is a star of n points


# A method's label is its name in the API, but for letter case (and the oracle is a hindsight one).
LOOKS = {
    "greedy": Look("greedy", "#7a7a7a", "*"),
    "uniform": Look("uniform", "#000000", "o"),
    "ucb": Look("UCB", "#d55e00", "s"),
    "thompson": Look("Thompson", "#0072b2", "^"),
    "entropy-greedy": Look("entropy-greedy", "#009e73", "D"),
    "margin-greedy": Look("margin-greedy", "#e69f00", "v"),
    "beta-greedy": Look("beta-greedy", "#cc79a7", "P"),
    "adaptive-consistency": Look("Adaptive-Consistency", "#56b4e9", "<"),
    "adaptive-consistency-dirichlet": Look("Adaptive-Consistency-Dirichlet", "#2f6f9f", (5, 1, 0)),
    "esc": Look("ESC", "#882255", ">"),
    "doubling": Look("doubling", "#999933", "X"),
    "best-of-infinity": Look("Best-of-infinity", "#332288", "p"),
    "beta-sqrt": Look("beta-sqrt", "#ee8866", "2"),
    "okg-beta": Look("OKG-Beta", "#cc3311", "h"),
    "okg-pets": Look("OKG-PETS", "#44aa99", "8"),
    "uab": Look("UAB", "#661100", "1"),
    "strategic": Look("strategic", "#6699cc", (4, 1, 0)),
    "strategic-entropy": Look("strategic-entropy", "#004488", (6, 1, 0)),
    "vote-gain": Look("vote-gain", "#997700", (3, 1, 0)),
    "sequential-halving": Look("sequential-halving", "#aa4499", (8, 1, 0)),
    "cisc": Look("CISC", "#225522", "+"),
    "deepconf": Look("DeepConf", "#994455", "x"),
    "priced": Look("priced", "#117733", "H"),
    "oracle": Look("hindsight oracle", "#999999", "d"),
}
UNCERTAINTIES = {  # of UCB: in the colours of the allocators that follow them alone
    "top-share": Look("top-share", LOOKS["ucb"].colour, "s"),
    "entropy": Look("entropy", LOOKS["entropy-greedy"].colour, "D"),
    "margin": Look("margin", LOOKS["margin-greedy"].colour, "v"),
    "posterior": Look("posterior", LOOKS["beta-greedy"].colour, "P"),
}
COLOURS = {method: look.colour for method, look in LOOKS.items()}
# of strategies against one another, of what attempts are worth, of the method's parts apart, and of
# recordings beside their models
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
    "gsm_symbolic": Look("gsm_symbolic", "#332288", "h"),
    "countdown": Look("countdown", "#999933", "<"),
    "prime_factorization": Look("prime_factorization", "#cc6677", ">"),
    "family_relationships": Look("family_relationships", "#117733", "p"),
    "syllogism": Look("syllogism", "#882255", "X"),
    "capitals": Look("capitals", "#44aa99", "d"),
    "french": Look("french", "#aa4499", "8"),
    "mean": Look("mean", "#000000", "o"),
    "neither": Look("neither", "#000000", "o"),
    "bandit only": Look("bandit only", "#0072b2", "^"),
    "integration only": Look("integration only", "#e69f00", "v"),
    "both": Look("both", "#d55e00", "s"),
    "recorded": Look("recorded", "#000000", "o"),
    "simulated": Look("simulated", "#0072b2", "D"),
}
_SPARE = ("#332288", "#44aa99", "#aa4499", "#ddcc77", "#88ccee", "#661100", "#6699cc")
_SPARE_MARKERS = "hd8H41"
_themed = ContextVar("themed", default=False)
_VARIED = ("strategy", "allocator", "uncertainty", "exploration", "warmup", "batch")


@contextmanager
def style() -> Iterator[None]:
    """The project's matplotlib theme, for the time of a `with` block; within one it is on already.

    Raises:
        InputError: matplotlib is not installed.
    """
    if _themed.get():
        yield
        return
    require("drawing a figure", "matplotlib", extra="notebooks")
    from matplotlib import pyplot
    from matplotlib import style as styles

    # Loads the backend. A notebook's own turns interactive mode on as it loads: inside the block
    # that would end with the block, and every later figure of the session would stay unseen.
    pyplot.draw_if_interactive()  # type: ignore[no-untyped-call]
    sheet = Path(__file__).with_name("dynlab.mplstyle")
    token = _themed.set(True)
    try:
        with styles.context(["default", str(sheet)]):
            yield
    finally:
        _themed.reset(token)


def methods(frame: pd.DataFrame) -> list[tuple[Look, pd.DataFrame]]:
    """The rows of every method of a frame of `compare` or `savings`, greedy left out.

    A method is what the column `method` says where there is one, or a stopping rule, or else an
    allocator; what else differs between its rows becomes part of its label ("UCB, c = 0.3"), and
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
    differing = _varied(rows, _VARIED)
    for key in dict.fromkeys(keys):
        own = rows[keys == key]
        varied = _varied(own, differing)
        groups = own.groupby(varied, sort=False, dropna=False) if varied else [("", own)]
        for _, variant in groups:
            words = [_setting(name, variant[name].iloc[0]) for name in varied]
            look = _look(key) or _spare(key, len(found))
            if words or any(look.colour == other.colour for other, _ in found):
                look = _spare(", ".join([look.label, *words]), len(found))
            found.append((look, variant))
    return found


def _varied(rows: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """The columns among `names` that hold several values, an absent one counted."""
    return [name for name in names if name in rows and rows[name].nunique(dropna=False) > 1]


def look_of(name: str) -> Look:
    """The look of an allocator, a rule, a policy's text, an uncertainty or a strategy.

    A policy with settings, or one of your own, has a spare colour, always the same one.
    """
    known = LOOKS.get(name) or UNCERTAINTIES.get(name) or CONTRASTED.get(name)
    return known or _spare(label_of(name), zlib.crc32(name.encode()))


def label_of(policy: str) -> str:
    """A policy's text as figures write it.

    >>> label_of("ucb(exploration=0.3, warmup=3)"), label_of("uniform+esc(window=4)")
    ('UCB, c = 0.3, warm-up 3', 'uniform + ESC 4')
    """
    return " + ".join(_part_label(part) for part in re.split(r"\+(?![^()]*\))", policy))


def _part_label(text: str) -> str:
    """The label of an allocator, a vote or a rule with its settings: `esc:4` is ESC 4."""
    name, settings = re.fullmatch(r"([^:(]*)[:(]?(.*?)\)?", text, re.DOTALL).groups()  # type: ignore[union-attr]
    label = LOOKS[name].label if name in LOOKS else name
    for setting in settings.split(",") if settings else ():
        key, _, value = setting.strip().rpartition("=")
        plain = key in ("", "window", "threshold", "factor")  # what rules are swept over
        label += f" {value}" if plain else f", {_setting(key, value)}"
    return label


def _setting(name: str, value: object) -> str:
    """A setting in a label: 'c = 0.3', 'entropy', 'warm-up 3', 'thrift 0.5'."""
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    words = {"exploration": "c = ", "warmup": "warm-up "}
    plain = name in ("strategy", "allocator", "uncertainty")
    return shown if plain else words.get(name, f"{name} ") + shown


def _look(key: str) -> Look | None:
    """The look of a known allocator, vote or rule, its settings in the label."""
    look = LOOKS.get(re.split(r"[:(+]", key)[0])
    return look and replace(look, label=label_of(key))


def contrasted(method: str, number: int = 0) -> Look:
    """The look of a method of `dynlab.contrast`, a spare one where it has none.

    >>> contrasted("integrated").label, contrasted("integrated, ucb").label
    ('integrated', 'integrated, UCB')
    """
    strategy, _, policy = method.partition(", ")
    played = _look(policy) if strategy in CONTRASTED else None
    label = f"{strategy}, {played.label}" if played else method
    return CONTRASTED.get(method) or _spare(label, number)


def recording_looks(titles: Iterable[str]) -> dict[str, Look]:
    """The looks of recordings drawn beside one another, by title: a family known has its own."""
    names = [*titles]
    known = {name: CONTRASTED.get(name.partition(" · ")[0]) for name in names}
    taken = {family.colour for family in known.values() if family}
    spare = (number for number in count() if _SPARE[number % len(_SPARE)] not in taken)
    return {
        name: replace(family, label=name) if (family := known[name]) else _spare(name, next(spare))
        for name in names
    }


def _spare(label: str, number: int) -> Look:
    """A look for a method that has none of its own."""
    return Look(label, _SPARE[number % len(_SPARE)], _SPARE_MARKERS[number % len(_SPARE_MARKERS)])


def title(recording: str) -> str:
    """A recording's name as a panel title; the small reasoner's says what it was taught.

    >>> title("capitals--smollm2-135m"), title("sums--dynlab-reasoner")
    ('capitals · smollm2-135m', 'sums · trained on attempts')
    """
    return recording.replace("--dynlab-reasoner", " · trained on attempts").replace("--", " · ")
