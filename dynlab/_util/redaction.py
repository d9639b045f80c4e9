"""Errors told in one line without secrets: no key reaches a file, a log or a screen."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")
_SECRET = re.compile(r"\b(?:sk|pk|key|hf|gsk|xai|AIza)[-_]?[A-Za-z0-9_\-]{12,}|(?<=Bearer )\S+")


def scrubbed(error: BaseException, *secrets: str) -> str:
    """One line about an error, without the secrets and whatever looks like an API key."""
    line = " ".join(str(error).split()) or type(error).__name__
    line = "".join(
        letter if letter.isprintable() else "�" for letter in line
    )  # no escape reaches a terminal
    secrets += tuple(value for name, value in os.environ.items() if _SECRET_NAME.search(name))
    for secret in secrets:
        if len(secret) >= 6:
            line = line.replace(secret, "…")
    line = _SECRET.sub("…", line)
    return line if len(line) <= 300 else f"{line[:300]}…"
