from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from helpers.vote_states import states

from dynlab.policies.uncertainty import UNCERTAINTIES, doubt_table


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("top-share", [1 - 2 / 4, 0.0, 1.0]),
        ("margin", [1 - 1 / 4, 0.0, 1.0]),
        ("entropy", [(0.5 * np.log(2) + 2 * 0.25 * np.log(4)) / np.log(4), 0.0, 1.0]),
        ("posterior", [5 / 16, 1 / 8, 1.0]),  # v = (2, 1): Σ_{k≤1} C(4,k)/2⁴; v = (2, 0): C(3,0)/2³
    ],
)
def test_uncertainties_worked_by_hand(name, expected):
    found = [
        float(UNCERTAINTIES[name](seen)[0])
        for seen in states([0, 0, 1, None], [0, 0], [None, None])
    ]
    assert found == pytest.approx(expected)


def test_doubt_table_is_exact():
    table = doubt_table(40)
    for total in range(41):
        for v2 in range(total // 2 + 1):
            m = total + 1
            exact = Fraction(sum(comb(m, k) for k in range(v2 + 1)), 2**m)
            assert table[total, v2] == pytest.approx(float(exact), rel=1e-12)
