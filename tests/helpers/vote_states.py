"""Vote states written down as the answers that lead to them."""

from __future__ import annotations

import numpy as np

from dynlab.policies.votes import tally


def states(*answers):
    """The votes behind each list of answers (None = missing): arrays of one number a list; each
    sample costs 1.
    """
    tables = []
    for drawn in answers:
        codes = np.array([-1 if a is None else a for a in drawn], np.int32)[:, None, None]
        seen = tally(codes, np.ones((1, 4), bool)).seen
        tables.append(
            seen.at((np.array([len(drawn)]), np.array([0]), np.array([0])), np.array([len(drawn)]))
        )
    return tables
