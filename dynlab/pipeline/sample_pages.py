"""Pages of the samples behind the figures: one for each recording that notebooks draw."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dynlab._util.errors import InputError
from dynlab.plots.figure_files import write_bytes
from dynlab.plots.manifest import sha256
from dynlab.viewer import browse

FOLDER = "samples"  # in the output folder


def write_sample_pages(files: Iterable[Path], out: Path, made_of: str) -> dict[str, Path]:
    """Writes OUT/samples/NAME.html for each recording, and returns the pages by name.

    A page of the same recording and code is left as it is: what it was made of stands at its end. A
    recording of which is not known what is right has none.

    Args:
        files: The recordings.
        out: The folder of the figures.
        made_of: The digest of the environment.
    """
    pages = {}
    for path in dict.fromkeys(files):
        page = out / FOLDER / f"{path.stem}.html"
        key = hashlib.sha256(f"{sha256(path)} {made_of}".encode()).hexdigest()
        mark = f"<!-- {key} -->\n".encode()
        if not (page.is_file() and page.read_bytes().endswith(mark)):
            try:
                html = browse(path).html
            except InputError:
                continue
            write_bytes(page, html.encode() + mark)
        pages[path.stem] = page
    return pages
