from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOOP = "def total(n):\n    s = 0\n    for k in range(n):\n        s += k\n    return s\n"
RUN = """
import loops
from dynlab.replay.compiling import compiled
loop = compiled(loops.total)
print(loop(5), loop.stats.cache_path)
"""


def ran(folder, home):
    """A loop of a module in `folder`, compiled in a process of its own with that home."""
    environment = os.environ | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-c", RUN]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout.split(maxsplit=1)


@pytest.mark.slow
def test_without_a_writable_folder_loops_are_compiled_anew(tmp_path):
    package, home = tmp_path / "package", tmp_path / "home"
    package.mkdir()
    (package / "loops.py").write_text(LOOP)
    (package / "__pycache__").write_text("a file, where a folder would be")
    home.write_text("no folder either")
    total, where = ran(package, home)
    assert (total, where.strip()) == ("10", "None")


@pytest.mark.slow
def test_a_read_only_package_caches_in_the_users_folder(tmp_path):
    package, home = tmp_path / "package", tmp_path / "home"
    package.mkdir()
    home.mkdir()
    (package / "loops.py").write_text(LOOP)
    (package / "__pycache__").write_text("a file, where a folder would be")
    total, where = ran(package, home)
    assert total == "10" and where.strip().startswith(str(home))
    assert list(home.rglob("*.nbi"))
