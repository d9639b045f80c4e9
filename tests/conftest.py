"""Fixtures of all tests; they are written in `helpers/fixtures.py`."""

from helpers.fixtures import (  # noqa: F401
    figures_closed,
    interruptible,
    make_pool,
    pool,
    random_pool,
    solve,
    sums_server,
)
