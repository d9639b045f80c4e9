"""An executed notebook as Markdown, to be read where files are shown and on the site.

Its pictures are the committed SVG files beside it, so that it stays small enough to be committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SLIDERS = "application/vnd.jupyter.widget-view+json"
_NO_KERNEL = "*The sliders need a kernel: `dynlab explore` opens them in JupyterLab.*"
_LAID_OUT = re.compile(r'<style.*?</style>|</?div>| border="\d+"| style="[^"]*"|^ +', re.S | re.M)


def markdown_copy(notebook: str) -> str:
    """An executed notebook (the text of its .ipynb file) as Markdown.

    The copy lies in a folder beside the figures: `../NAME.svg` is the picture of a saved figure.
    What a code cell wrote to stderr, and pictures that were not saved, are left out.
    """
    parts = []
    for cell in json.loads(notebook)["cells"]:
        source = "".join(cell["source"]).strip()
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            continue  # the folder to write to
        parts.append(_fenced(source, "python"))
        parts += [_output(output) for output in cell["outputs"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _output(output: Mapping[str, Any]) -> str:
    """One output of a code cell; '' for what a page doesn't show."""
    kind = output["output_type"]
    if kind == "stream":
        return _fenced(_joined(output["text"]), "text") if output["name"] == "stdout" else ""
    if kind == "error":
        return _fenced(f"{output['ename']}: {output['evalue']}", "text")
    data = {name: _joined(value) for name, value in output["data"].items()}
    plain = data.get("text/plain", "")
    if _SLIDERS in data:
        return _NO_KERNEL
    if plain.endswith(".svg"):  # as a saved figure calls itself
        return f"![{plain.removesuffix('.svg')}](../{plain})"
    if "text/markdown" in data:
        return data["text/markdown"].strip()
    if "text/html" in data:
        return _table(data["text/html"])
    return "" if any(name.startswith("image/") for name in data) else _fenced(plain, "text")


def _table(html: str) -> str:
    """A frame's HTML without what only a notebook needs: a line a row, none of them blank.

    >>> _table('<div>\\n<table border="1">\\n  <tr>\\n    <th>a</th>\\n  </tr>\\n</table></div>')
    '<table>\\n<tr><th>a</th></tr>\\n</table>'
    """
    bare = _LAID_OUT.sub("", html)
    return re.sub(r"\n+(?=<t[hd]|</tr>)|\n(?=\n)", "", bare).strip()


def _fenced(text: str, language: str) -> str:
    """Text as a block of code, whatever fences it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}" if text.strip() else ""


def _joined(text: str | list[str]) -> str:
    """A notebook's text, which is kept whole or in lines."""
    return text if isinstance(text, str) else "".join(text)
