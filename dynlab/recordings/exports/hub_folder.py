"""A recording as the folder of a data set of the Hugging Face hub: its Parquet file, whole, with a
card that tells what it holds, each number of it computed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab.recordings.blocks import Blocks
from dynlab.recordings.exports import Exported
from dynlab.recordings.exports.rows import named_in
from dynlab.recordings.parquet_files import card_in
from dynlab.recordings.recording import Recording
from dynlab.recordings.writing import write_blocks

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_LICENCES = {  # how the hub writes licences, by how a card begins
    "apache-2.0": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "mit": "mit",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc0-1.0": "cc0-1.0",
}
_RECORDED = "Recorded samples of a language model"
_SIMULATED = "Simulated samples, drawn from a model of recorded ones and said by no language model"
_FACTS = {  # of a recording's card, as the page calls them
    "design": "Design",
    "adapter": "Adapter",
    "weights": "Weights",
    "weights_sha256": "SHA-256 of the weights",
    "weights_license": "Licence of the weights",
    "licence": "Licence of the samples",
    "server": "Server",
    "server_version": "Its version",
    "date": "Recorded",
    "source": "Source",
    "digest": "Digest of the rows",
}


def export(blocks: Blocks, out: Path) -> Exported:
    """Writes the folder.

    Raises:
        InputError: Something lies there.
    """
    recording, readme = blocks.overview, out / "README.md"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already and is not empty: give another --out")
    name = re.sub(r"[^\w.-]+", "-", recording.name).strip("-.") or "recording"
    file = f"data/{name}.parquet"
    written = write_blocks(blocks, lambda _: recording.card, out / file)
    with replacing(readme) as temporary:
        digest = card_in(written)["digest"]
        page = _page(recording, blocks.columns, digest, name, file)
        temporary.write_text(page, encoding="utf-8")
    upload = f"hf upload OWNER/{name} {shlex.quote(str(out))} . --repo-type dataset"
    notes = [f"to upload it: {upload}"]
    if _licence(recording) is None:
        notes.insert(0, f"no licence of the samples is known: say one in {readme} first")
    return Exported(out, tuple(notes))


def _page(recording: Recording, columns: Sequence[str], digest: str, name: str, file: str) -> str:
    """The card: a header that the hub reads, and what people read."""
    facts = {name: named_in(recording, name) for name in ("model", "dataset")}
    known = {**recording.card, "design": recording.design, "digest": digest}
    rows = [("Model", facts["model"]), ("Questions of", facts["dataset"])]
    rows += [(label, known[key]) for key, label in _FACTS.items() if known.get(key)]
    about = "\n".join(f"| {label} | {_cell(value)} |" for label, value in rows if value)
    return f"""---
{_header(recording, file)}
---

# {_cell(name)}

{_SIMULATED if recording.simulated else _RECORDED}, many for each question, in the format
of dynlab: a row a sample, so that every way of spending a sampling budget on them can be replayed.

| | |
|---|---|
{about}

## What it holds

{_counts(recording)}

Columns: {", ".join(f"`{column}`" for column in columns)}.

## How to load it

```python
import dynlab

recording = dynlab.load("hf://datasets/OWNER/{name}/{file}")
print(dynlab.compare(recording, ["uniform", "ucb"], [2, 4, 8]).curves)
```

or as a table: `datasets.load_dataset("OWNER/{name}", split="train")`.
"""


def _header(recording: Recording, file: str) -> str:
    """YAML; texts are written as JSON writes them, which YAML reads."""
    size = next((name for most, name in _SIZES if len(recording.frame) < most), _LARGEST)
    lines = [
        f"pretty_name: {json.dumps(recording.name)}",
        f"license: {_licence(recording) or 'unknown'}",
        f"tags: [dynlab, inference-scaling, {'synthetic' if recording.simulated else 'recorded'}]",
        f"size_categories: [{json.dumps(size)}]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {json.dumps(file)}",
    ]
    return "\n".join(lines)


def _licence(recording: Recording) -> str | None:
    """The hub's name of the samples' licence; None where the card says none.

    The licence of a model's weights is not that of its answers.
    """
    said = str(recording.card.get("licence") or "").casefold()
    if not said:
        return None
    return next((name for begin, name in _LICENCES.items() if said.startswith(begin)), "other")


def _counts(recording: Recording) -> str:
    """A row a strategy."""
    lines = ["| strategy | questions | samples | no answer | right | completion tokens |"]
    lines.append("|---|---|---|---|---|---|")
    for strategy, row in recording.counts().iterrows():
        numbers = [f"{row['questions']:,.0f}", f"{row['samples']:,.0f}", f"{row['no answer']:.1%}"]
        right, tokens = row["right"], row["completion tokens"]
        numbers.append(f"{right:.3f}" if right == right else "unknown")
        numbers.append(f"{tokens:.1f}" if tokens == tokens else "unknown")
        lines.append(f"| {_cell(strategy)} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    """A value in a table of Markdown, without anything that a page would take for markup."""
    return re.sub(r"([|\\`*_\[\]])", r"\\\1", escape(" ".join(str(value).split()), quote=False))
