"""What an installation without extras lacks, said in one line."""

from __future__ import annotations

from importlib.util import find_spec

from dynlab._util.errors import InputError


def require(who: str, *packages: str, extra: str) -> None:
    """Ends with one line where a package is missing.

    Args:
        who: Whoever needs them, as a sentence begins.
        packages: What is imported.
        extra: The extra of dynlab that brings them.

    Raises:
        InputError: The first package that is not installed, and what to run.

    >>> require("reproduce", "no_such_package", extra="notebooks")
    Traceback (most recent call last):
    dynlab._util.errors.InputError: reproduce needs no_such_package, which is not installed; \
run: pip install 'dynlab[notebooks]'
    """
    for package in packages:
        if find_spec(package) is None:
            raise InputError(
                f"{who} needs {package}, which is not installed; run: pip install 'dynlab[{extra}]'"
            )
