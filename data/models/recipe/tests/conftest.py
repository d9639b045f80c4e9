"""Fixtures that the recipe shares with the package's tests."""

from helpers.fixtures import (  # noqa: F401
    figures_closed,
    interruptible,
    make_pool,
)
