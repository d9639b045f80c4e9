"""A figure's file: as matplotlib would write it, in one drawing."""

import io

import pytest

from dynlab.plots.drawing import METADATA, drawn
from dynlab.plots.style import style


@pytest.mark.slow
def test_a_file_is_as_savefig_writes_it_and_drawn_once():
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    class Counted(Line2D):
        times = 0

        def draw(self, renderer):
            Counted.times += 1
            super().draw(renderer)

    def made():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(4, 2))
        left.add_line(Counted([0, 1], [0, 1]))
        left.set(title="on the left", ylabel="a long name\nof the axis")
        figure.colorbar(right.imshow([[0.0, 1000.0]]), ax=right)
        figure.legend(left.lines, ["a line"], loc="outside upper center")
        return figure

    with style():
        ours, plain = made(), made()
        for kind, metadata in METADATA.items():  # a layout begins from the one before
            file = io.BytesIO()
            plain.savefig(file, format=kind, metadata=metadata)
            Counted.times = 0
            assert drawn(ours, kind) == file.getvalue()
            assert Counted.times == 1
