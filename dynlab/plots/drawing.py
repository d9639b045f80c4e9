"""A figure as the bytes of a file, laid out once and drawn once."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import LayoutEngine

# what matplotlib would add to a file, and what would differ from run to run
METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


class _LaidOut(Exception):
    """Ends a drawing whose layout is made."""


def drawn(figure: Figure, kind: str) -> bytes:
    """The file of a figure, of a kind of `METADATA`: its bytes depend on what is drawn alone."""
    # Why by two calls: of a figure with a layout engine, savefig makes the layout, which differs
    # by kind as letters are not as wide in all of them, by a whole drawing that nobody sees; then
    # it draws again.
    from matplotlib import rc_context

    engine = figure.get_layout_engine()
    buffer = io.BytesIO()
    with rc_context({"figure.constrained_layout.use": False}):  # no engine means none, then
        if engine is not None:
            _lay_out(figure, kind, engine)
            figure.set_layout_engine(None)
        figure.savefig(buffer, format=kind, metadata=METADATA[kind])
        figure.set_layout_engine(engine)
    return buffer.getvalue()


def _lay_out(figure: Figure, kind: str, engine: LayoutEngine) -> None:
    """Makes the layout that `savefig` would make, and ends there."""
    from matplotlib import layout_engine

    class LayoutAlone(layout_engine.LayoutEngine):
        """The figure's own engine, after which nothing is drawn."""

        _adjust_compatible = engine.adjust_compatible
        _colorbar_gridspec = engine.colorbar_gridspec

        def execute(self, fig: Figure) -> None:
            engine.execute(fig)
            raise _LaidOut

    figure.set_layout_engine(LayoutAlone())
    with suppress(_LaidOut):
        figure.savefig(io.BytesIO(), format=kind)
