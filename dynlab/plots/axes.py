"""What panels share: a new figure, ticks that double, names at line ends, one legend, tints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from dynlab.plots.style import Look, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches: the widths of figures on a page
_TITLED = 0.8  # of a column's width, that a title may take: the rest is ticks and a gap


def new_panels(
    rows: int, columns: int, *, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """A new figure and its panels in reading order; a notebook shows it once."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, columns, figsize=(width, height), squeeze=False)
    figure._repr_mimebundle_ = partial(_close, figure)  # type: ignore[attr-defined]
    return figure, list(axes.flat)


def name_panel(ax: Axes, recording: str) -> None:
    """Writes a recording's name over its panel; all of a figure are smaller where one would reach
    the next panel.
    """
    from matplotlib import rcParams

    text, size, place = title(recording), float(rcParams["axes.titlesize"]), ax.get_subplotspec()
    columns = 1 if place is None else place.get_gridspec().ncols
    taken = _width(text, size, rcParams["axes.titleweight"])
    room = _TITLED * ax.figure.bbox.width / ax.figure.dpi / columns
    named: list[Text] = vars(ax.figure).setdefault("_panel_names", [])
    named.append(ax.set_title(text, fontsize=size * min(1.0, room / taken)))
    smallest = min(each.get_fontsize() for each in named)
    for each in named:
        each.set_fontsize(smallest)


@lru_cache(maxsize=256)  # a recording's name stands over a panel of most figures
def _width(text: str, size: float, weight: str | int) -> float:
    """The width of a line of text in the font of `style`, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    line = TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight))
    return line.get_extents().width / 72


def _close(figure: Figure, **_: Any) -> dict[str, Any]:
    """Called where a figure is a cell's value, so that it is not drawn again as an open one."""
    from matplotlib import pyplot

    pyplot.close(figure)
    return {}  # IPython's own formats of figures follow


def note(text: str, *, width: float) -> Figure:
    """A figure that says in a line why there is nothing to draw."""
    figure, (ax,) = new_panels(1, 1, width=width, height=0.6)
    ax.set_axis_off()
    ax.text(
        0.5,
        0.5,
        text,
        ha="center",
        va="center",
        fontsize=7,
        color="#666666",
        transform=ax.transAxes,
    )
    return figure


def shared_legend(figure: Figure, axes: Iterable[Axes], spare: Sequence[Axes] = ()) -> None:
    """One legend for all panels, each method once: in the first spare panel, else over them."""
    handles: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for ax in spare:
        ax.set_axis_off()
    if spare:
        spare[0].legend(list(handles.values()), list(handles), loc="center left")
    else:
        columns = math.ceil(len(handles) / math.ceil(len(handles) / 5))
        figure.legend(
            list(handles.values()), list(handles), loc="outside upper center", ncols=columns
        )


def share_x(axes: Sequence[Axes]) -> None:
    """Gives panels that are held against one another the same x axis, as wide as the widest."""
    ends = [ax.get_xlim() for ax in axes]
    for ax in axes:
        ax.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))


def draw_interval(
    ax: Axes,
    low: float,
    high: float,
    y: float,
    colour: str | tuple[float, float, float],
    *,
    inside: tuple[float, float] = (-math.inf, math.inf),
    cap: float = 4.5,
) -> None:
    """A horizontal interval whose capped ends show beside a marker that is wider than it.

    Args:
        ax: Where to draw.
        low: Its lower end.
        high: Its upper end.
        y: Its height.
        colour: Of the line.
        inside: The range that is drawn; an end beyond it has no cap.
        cap: Height of the caps, points.
    """
    ends = [min(max(end, inside[0]), inside[1]) for end in (low, high)]
    ax.plot(
        ends,
        [y, y],
        color=colour,
        lw=1.0,
        marker="|",
        ms=cap,
        mew=0.8,
        markevery=[n for n, end in enumerate((low, high)) if end == ends[n]],
        solid_capstyle="butt",
        zorder=2,
    )


def log2_axis(ax: Axes, values: Iterable[float]) -> None:
    """A logarithmic x axis whose ticks double from a round number: 1 2 4 8, 25 50 100, 1k 2k 4k."""
    from matplotlib.ticker import NullLocator

    known = [float(value) for value in values if value > 0]
    ticks = doubling(min(known), max(known))
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.xaxis.set_minor_locator(NullLocator())


def doubling(low: float, high: float) -> dict[float, str]:
    """Ticks that double from a round number, with their labels.

    >>> doubling(300, 2100)
    {500.0: '500', 1000.0: '1k', 2000.0: '2k'}
    """
    anchor = 10 ** math.floor(math.log10(4 * low))
    ticks = [anchor * 2.0**k for k in range(-2, 60) if low * 0.97 <= anchor * 2.0**k <= high * 1.03]
    return {tick: f"{tick / 1000:g}k" if tick >= 1000 else f"{tick:g}" for tick in ticks}


def name_ends(ax: Axes, ends: Sequence[tuple[Look, float, float]]) -> bool:
    """Writes each label beside its line's end, moved apart; False: they do not fit."""
    # the layout, without a drawing, decides how many points one unit of the y axis has
    figure = ax.figure.canvas.figure
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    bottom, top = ax.get_ylim()
    wanted = {look: (y - bottom) / (top - bottom) * height for look, _, y in ends}
    order = sorted(wanted, key=lambda look: wanted[look])
    gap = 8.5
    if len(order) * gap > height:
        return False
    places = apart([wanted[look] for look in order], gap, height)
    for look, x, y in ends:
        place = places[order.index(look)] / height
        ax.annotate(
            look.label,
            (x, y),
            (1.06, place),
            xycoords="data",
            textcoords="axes fraction",
            color=look.colour,
            va="center",
            fontsize=6.5,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": look.colour,
                "lw": 0.5,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
    return True


def apart(wanted: Sequence[float], gap: float, height: float) -> list[float]:
    """Sorted positions moved up and down until neighbours are `gap` apart within 0 … height.

    >>> apart([10, 10, 40], gap=8, height=50)
    [6.0, 14.0, 40.0]
    """
    clusters: list[list[float]] = []  # [sum of (wanted − its offset in the cluster), members]
    for place in wanted:
        clusters.append([place, 1])
        while len(clusters) > 1 and _start(clusters[-2], gap, height) + clusters[-2][
            1
        ] * gap > _start(clusters[-1], gap, height):
            total, members = clusters.pop()
            clusters[-1][0] += total - members * clusters[-1][1] * gap
            clusters[-1][1] += members
    return [
        _start(cluster, gap, height) + k * gap
        for cluster in clusters
        for k in range(int(cluster[1]))
    ]


def _start(cluster: Sequence[float], gap: float, height: float) -> float:
    """The lowest place of a cluster: as near to what its members want as the panel allows."""
    total, members = cluster
    return min(max(total / members, gap / 2), height - gap / 2 - (members - 1) * gap)


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white: share 0 keeps it, 1 is white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - (1 - part) * (1 - share) for part in to_rgb(colour))
    return red, green, blue
