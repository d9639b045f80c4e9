"""The page: one HTML text that fetches nothing, to be written to a file or shown in a notebook.

What a model wrote is data in it, never markup: it travels as JSON in which no `<` stands, the
script makes nodes of text alone, and the page's policy lets no other script and no address be used.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab._util.options import PAGE_MB
from dynlab.recordings.recording import Recording, load
from dynlab.viewer.page_data import page_data, with_short_texts

STATIC = Path(__file__).with_name("static")
# one module of JavaScript, in this order
SCRIPTS = (
    *("state.js", "nodes.js", "samples.js", "filters.js", "tools.js"),
    *("list.js", "question.js", "chains.js", "start.js"),
)
# `<` would end the script's element; the others are no text in UTF-8, or line ends to some readers
_SPELLED_OUT = re.compile("[<\u2028\u2029\ud800-\udfff]")
_FRAME = "width:100%;height:760px;border:1px solid rgba(128,128,128,.35);border-radius:6px"


@dataclass(frozen=True)
class SamplesPage:
    """The samples of a recording. As the last value of a notebook's cell it shows itself."""

    recording: Recording = field(repr=False)
    max_mb: float = PAGE_MB

    @cached_property
    def html(self) -> str:
        """The whole page."""
        script = "".join(_static(name) for name in SCRIPTS)
        style = _static("viewer.css")
        values = page_data(self.recording)
        bare = script + style + as_json(values | {"strings": []})
        written = len(as_json(values["strings"])) / max(sum(map(len, values["strings"])), 1)
        room = (self.max_mb * 1e6 - len(bare)) / written  # characters of text, before JSON escapes
        data = as_json(with_short_texts(values, room))
        return Template(_static("viewer.html")).substitute(
            title=escape(f"{self.recording.name}: samples"),
            policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}",
            style=style,
            script=script,
            data=data,
        )

    def write(self, path: str | Path) -> Path:
        """Writes the page to a file, whole or not at all.

        Raises:
            InputError: The folder cannot be written to.
        """
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # a frame of its own: neither the notebook's styles nor another page's ids reach into it
        name = escape(self.recording.name)
        frame = f'<iframe title="samples of {name}" style="{_FRAME}" srcdoc="{escape(self.html)}">'
        return {"text/html": f"{frame}</iframe>", "text/plain": repr(self)}

    def __repr__(self) -> str:
        frame = self.recording.frame
        return (
            f"SamplesPage of {self.recording.name}: {frame['question_id'].nunique()} questions,"
            f" {len(frame)} samples; write('samples.html') makes it a file"
        )


def browse(
    recording: str | Path | pd.DataFrame | Recording, *, max_mb: float = PAGE_MB
) -> SamplesPage:
    """The samples behind the numbers: each question's answers, texts, chains, tokens and cost.

    >>> browse(pd.DataFrame({"question_id": ["q"], "sample_index": [0], "answer": ["a"]}))
    SamplesPage of recording: 1 questions, 1 samples; write('samples.html') makes it a file

    Args:
        recording: A path, the name of a shipped recording, a DataFrame or a Recording, of a live
            run too.
        max_mb: Megabytes that the page may have, about; where texts would take more, the longest
            are cut in their middle.

    Raises:
        InputError: A recording that cannot be read, or of which is not known what is right: targets
            are lacking or several.
    """
    if not (isinstance(max_mb, int | float) and 0 < max_mb < math.inf):
        raise InputError(f"max_mb must be a number above 0, in megabytes; not {max_mb!r}")
    return SamplesPage(load(recording), float(max_mb))


def as_json(value: Any) -> str:
    r"""JSON that can stand in a script's element, whatever it holds.

    >>> as_json(["</script>"])
    '["\\u003c/script>"]'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _SPELLED_OUT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a page's policy calls a script or a style sheet that it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
