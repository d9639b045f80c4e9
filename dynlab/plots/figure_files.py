"""Figures on disk: NAME.svg, NAME.png, NAME.csv, the same bytes for the same numbers.

NAME.pdf lies beside them where it is asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from dynlab._util.files import replacing, write_csv
from dynlab.plots.drawing import METADATA, drawn
from dynlab.plots.manifest import add_figure, read_manifest
from dynlab.plots.style import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PDF = "DYNLAB_PDF"  # environment variable: 1 writes a PDF of every figure, too


@dataclass(frozen=True)
class Saved:
    """The files of a figure. As the last value of a notebook's cell it shows the figure."""

    svg: Path
    png: Path
    csv: Path
    width: int  # of the figure on screen, in pixels
    pdf: Path | None = None  # where it was asked for

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = {"image/png": self.png.read_bytes(), "text/plain": self.svg.name}
        return bundle, {"image/png": {"width": self.width, "alt": self.svg.stem}}


def save(
    figure: Figure | Axes,
    folder: str | Path,
    name: str,
    data: pd.DataFrame,
    *,
    pdf: bool | None = None,
) -> Saved:
    """Writes NAME.svg, NAME.png and NAME.csv, enters them in the manifest, and closes the figure.

    Each file is whole or not there. Its bytes depend on the numbers alone: no date, no version,
    fixed ids, text as text.

    Args:
        figure: What to write.
        folder: Where to; made where there is none.
        name: Of the files, without their endings.
        data: The numbers that are drawn.
        pdf: Write NAME.pdf as well; None: where the environment variable DYNLAB_PDF is 1, as it is
            under `dynlab reproduce --pdf`. A PDF of an earlier figure of that name is removed.

    Raises:
        InputError: The folder cannot be written to.
    """
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    canvas = cast("Figure", figure.figure if isinstance(figure, Axes) else figure)
    folder = Path(folder)
    written = {}
    wanted = os.environ.get(PDF) == "1" if pdf is None else pdf
    kinds = [kind for kind in METADATA if wanted or kind != "pdf"]
    before = read_manifest(folder).get(name)
    if before is not None and "pdf" in before.files and not wanted:
        (folder / f"{name}.pdf").unlink(missing_ok=True)
    with style():
        for kind in kinds:
            written[kind] = write_bytes(folder / f"{name}.{kind}", drawn(canvas, kind))
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
