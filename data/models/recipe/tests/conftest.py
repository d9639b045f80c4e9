"""The fixtures of the project's tests, for the recipe's."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4] / "tests"))

from conftest import *  # noqa: F403
