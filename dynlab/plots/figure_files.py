"""Figures on disk: NAME.svg, NAME.png, NAME.csv, the same bytes for the same numbers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from dynlab._util.files import replacing, write_csv
from dynlab.plots.manifest import add_figure
from dynlab.plots.style import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# what matplotlib would add to a file, and what would differ from run to run
_METADATA = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


@dataclass(frozen=True)
class Saved:
    """The three files of a figure. As the last value of a notebook's cell it shows the figure."""

    svg: Path
    png: Path
    csv: Path
    width: int  # of the figure on screen, in pixels

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = {"image/png": self.png.read_bytes(), "text/plain": self.svg.name}
        return bundle, {"image/png": {"width": self.width, "alt": self.svg.stem}}


def save(figure: Figure | Axes, folder: str | Path, name: str, data: pd.DataFrame) -> Saved:
    """Writes NAME.svg, NAME.png and NAME.csv, enters them in the manifest, and closes the figure.

    Each file is whole or not there. Its bytes depend on the numbers alone: no date, no version,
    fixed ids, text as text.

    Raises:
        InputError: The folder cannot be written to.
    """
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    canvas = cast("Figure", figure.figure if isinstance(figure, Axes) else figure)
    folder = Path(folder)
    written = {}
    with style():
        for kind, metadata in _METADATA.items():
            buffer = io.BytesIO()
            canvas.savefig(buffer, format=kind, metadata=metadata)
            written[kind] = write_bytes(folder / f"{name}.{kind}", buffer.getvalue())
    written["csv"] = write_csv(data, folder / f"{name}.csv")
    add_figure(folder, name, written)
    pyplot.close(canvas)
    return Saved(**written, width=round(canvas.get_figwidth() * 110))


def write_bytes(path: Path, content: bytes) -> Path:
    """Writes a file whole or not at all, in a folder that is made where there is none.

    Raises:
        InputError: The folder cannot be written to.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path
