"""Light pictures as SVG text, for panels that are redrawn while a slider is dragged.

Text is escaped. Colours are those of `dynlab.plots.style`, lifted towards white where the page is
dark (`static/explorer.css`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from html import escape

import numpy as np

from dynlab.plots.axes import apart
from dynlab.recordings.streams import Floats


@dataclass(frozen=True)
class End:
    """The label at the end of a line, in axis units; of a policy, or '' of something else."""

    label: str
    colour: str
    x: float
    y: float
    policy: str = ""


@dataclass
class Panel:
    """One panel: margins, two scales, and what was drawn so far (axis units in, SVG out)."""

    x: tuple[float, float]  # range of the x axis
    y: tuple[float, float]
    log_x: bool = False
    log_y: bool = False
    width: int = 520
    height: int = 300
    left: int = 58
    right: int = 92
    top: int = 16
    bottom: int = 40
    parts: list[str] = field(default_factory=list)

    def at_x(self, value: float | Floats) -> Floats:
        """Pixels from the left."""
        return np.asarray(
            self.left + _share(value, self.x, self.log_x) * (self.width - self.left - self.right)
        )

    def at_y(self, value: float | Floats) -> Floats:
        """Pixels from the top."""
        tall = self.height - self.top - self.bottom
        return np.asarray(self.height - self.bottom - _share(value, self.y, self.log_y) * tall)

    def axes(self, x: Mapping[float, str], y: Mapping[float, str], names: tuple[str, str]) -> None:
        """Ticks with their labels, grid lines, and what the axes count."""
        ground = self.height - self.bottom
        end = self.width - self.right
        middle = (self.left + end) / 2
        for value, label in y.items():
            level = _px(self.at_y(value))
            self.parts.append(f'<path class="dl-grid" d="M{self.left} {level}H{end}"/>')
            self.words(self.left - 6, float(level) + 4, label, "end")
        for value, label in x.items():
            self.parts.append(f'<path class="dl-tick" d="M{_px(self.at_x(value))} {ground}v4"/>')
            self.words(float(self.at_x(value)), ground + 16, label)
        self.parts.append(f'<path class="dl-axis" d="M{self.left} {ground}H{end}"/>')
        self.words(middle, self.height - 6, names[0], style="dl-name")
        turned = f'transform="rotate(-90 12 {(ground + self.top) / 2:.0f})"'
        self.words(12, (ground + self.top) / 2, names[1], style="dl-name", more=turned)

    def line(
        self, x: Floats, y: Floats, colour: str, *, wide: float = 2, dashed: bool = False
    ) -> None:
        """A line through points."""
        dash = ' stroke-dasharray="5 3"' if dashed else ""
        self.parts.append(
            f'<path d="{self._d(x, y)}" fill="none" {stroke(colour)}'
            f' stroke-width="{wide:g}"{dash}/>'
        )

    def dots(
        self, x: Floats, y: Floats, colour: str, *, size: float = 6, faint: bool = False
    ) -> None:
        """Round dots, all of them in one path."""
        d = "".join(
            f"M{_px(a)} {_px(b)}h0" for a, b in zip(self.at_x(x), self.at_y(y), strict=True)
        )
        seen = ' opacity=".45"' if faint else ""
        self.parts.append(
            f'<path d="{d}" {stroke(colour)} stroke-width="{size:g}" stroke-linecap="round"{seen}/>'
        )

    def band(self, x: Floats, low: Floats, high: Floats, colour: str, shade: float = 0.09) -> None:
        """The interval around a line: its edges, and a shade between them."""
        around = self._d(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
        self.parts.append(f'<path d="{around}Z" {fill(colour)} opacity="{shade:.3g}"/>')
        for edge in (low, high):
            self.parts.append(f'<path class="dl-edge" d="{self._d(x, edge)}" {stroke(colour)}/>')

    def upright(self, x: float, style: str, label: str = "", colour: str = "") -> None:
        """A vertical line over the whole panel, its label on top."""
        place = self.at_x(x)
        paint = stroke(colour) if colour else ""
        span = f"M{_px(place)} {self.top}V{self.height - self.bottom}"
        self.parts.append(f'<path class="{style}" d="{span}" {paint}/>')
        if label:
            self.words(float(place), self.top - 4, label, colour=colour, style="dl-mark")

    def words(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "middle",
        *,
        colour: str = "",
        style: str = "",
        more: str = "",
    ) -> None:
        """Text at a place in pixels."""
        kind = f' class="{style}"' if style else ""
        paint = fill(colour) if colour else ""
        self.parts.append(
            f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}"{kind} {paint}'
            f" {more}>{escape(text)}</text>"
        )

    @contextmanager
    def of_policy(self, name: str, strong: bool) -> Iterator[None]:
        """What is drawn within belongs to a policy; it is grey unless the policy is picked out."""
        style = "dl-policy dl-strong" if strong else "dl-policy"
        self.parts.append(f'<g class="{style}" data-policy="{escape(name)}">')
        yield
        self.parts.append("</g>")

    def ends(self, ends: Sequence[End], strong: Iterable[str] = ()) -> None:
        """Labels to the right of the panel, moved apart where they would overlap."""
        if not ends:
            return
        picked = set(strong)
        tall = self.height - self.bottom
        edge = self.width - self.right
        order = sorted(ends, key=lambda end: float(self.at_y(end.y)))
        places = apart([float(self.at_y(end.y)) for end in order], 13.0, float(tall + 10))
        for end, place in zip(order, places, strict=True):
            start = f"M{_px(self.at_x(end.x) + 4)} {_px(self.at_y(end.y))}"
            own = self.of_policy(end.policy, end.policy in picked) if end.policy else nullcontext()
            with own:
                self.parts.append(
                    f'<path d="{start}L{edge + 8} {_px(place)}"'
                    f' fill="none" {stroke(end.colour)} stroke-width=".7"/>'
                )
                self.words(
                    edge + 10, place + 4, end.label, "start", colour=end.colour, style="dl-label"
                )

    def svg(self, title: str) -> str:
        """The panel; its title is what a screen reader says."""
        return (
            f'<svg class="dl-panel" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' aria-label="{escape(title)}">'
            f"{''.join(self.parts)}</svg>"
        )

    def _d(self, x: Floats, y: Floats) -> str:
        return "M" + "L".join(
            f"{_px(a)} {_px(b)}" for a, b in zip(self.at_x(x), self.at_y(y), strict=True)
        )


def margin(labels: Iterable[str]) -> int:
    """Pixels to the right of a panel whose lines have these labels."""
    return 24 + round(7.2 * max((len(label) for label in labels), default=0))


def paint(colour: str) -> str:
    """A colour as CSS; black is the page's own ink, others are lifted where the page is dark."""
    return (
        "currentColor"
        if colour == "#000000"
        else f"color-mix(in srgb,white var(--dl-lift,0%),{colour})"
    )


def stroke(colour: str) -> str:
    """The colour of lines."""
    return f'style="stroke:{paint(colour)}"'


def fill(colour: str) -> str:
    """The colour of areas and text."""
    return f'style="fill:{paint(colour)}"'


def nice_ticks(low: float, high: float, most: int = 6) -> dict[float, str]:
    """At most so many round ticks between two values, with their labels.

    >>> nice_ticks(0.62, 0.81)
    {0.65: '0.65', 0.7: '0.70', 0.75: '0.75', 0.8: '0.80'}
    """
    span = max(high - low, 1e-9)
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return {round(number * step, 9): f"{number * step:.{digits}f}" for number in numbers}


def whole_ticks(low: float, high: float, most: int = 8) -> dict[float, str]:
    """At most so many ticks between two values on a linear axis, all of them whole numbers.

    >>> whole_ticks(0.5, 4.5)
    {1.0: '1', 2.0: '2', 3.0: '3', 4.0: '4'}
    """
    ticks = nice_ticks(math.ceil(low), math.floor(high), most)
    return {value: f"{value:g}" for value in ticks if float(value).is_integer()}


def doubling_whole(low: float, high: float) -> dict[float, str]:
    """Ticks of a logarithmic axis that counts something: 1, 2, 4, 8, … between two values.

    >>> doubling_whole(2.6, 40)
    {4.0: '4', 8.0: '8', 16.0: '16', 32.0: '32'}
    """
    powers = (2.0**power for power in range(math.ceil(math.log2(max(low, 1))), 40))
    ticks = {tick: f"{tick:g}" for tick in powers if low <= tick <= high}
    return ticks if len(ticks) > 1 else whole_ticks(low, high)


def padded(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """A range around values with some air, never empty: padded([1, 2], 0.1) → (0.9, 2.1)."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    air = share * (high - low) or 0.05
    return low - air, high + air


def _share(value: float | Floats, span: tuple[float, float], log: bool) -> Floats:
    low, high = (math.log(span[0]), math.log(span[1])) if log else span
    place = np.log(value) if log else np.asarray(value, float)
    return np.asarray((place - low) / ((high - low) or 1.0))


def _px(value: float | Floats) -> str:
    """Pixels to a tenth."""
    return f"{float(value):.1f}".removesuffix(".0")
