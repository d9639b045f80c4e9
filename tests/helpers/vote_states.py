"""Vote states written down as the answers that lead to them."""

from __future__ import annotations

import numpy as np

from dynlab.policies.votes import Votes, tally


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


def votes(**fields):
    """Votes of U questions, one for each profile."""
    profiles = np.array(fields.pop("profiles", [[0]]), np.int16)
    zero = np.zeros(len(profiles), int)
    given = dict.fromkeys(("pulls", "votes", "first", "second", "distinct"), zero)
    given |= dict.fromkeys(("surprise", "gained", "spent", "probe"), zero.astype(float))
    return Votes(**{**given, "profile": np.arange(len(profiles)), "profiles": profiles, **fields})
