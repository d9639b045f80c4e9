"""The blocks of code that pages show, and a folder in which a reader would run them."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_EXTRAS = re.compile(r"dynlab(?:\[([\w,]+)\])?(?: @ git\+https://github\.com/OWNER/dynlab)?")

QUESTIONS = (
    '{"id": "q1", "question": "1 + 1?", "target": "2"}\n{"id": "q2", "question": "2 + 2?"}\n'
)
LOGGED = (
    '{"doc_id": 0, "doc": {"question": "1 + 1?"}, "target": "2", "resps": [["2"]],'
    ' "filtered_resps": ["2"]}\n'
)
FILES = {
    "questions.jsonl": QUESTIONS,
    "questions.csv": "id,question,target\nq1,1 + 1?,2\nq2,2 + 2?,4\n",
    "logs/samples_gsm8k.jsonl": LOGGED,
    "settings/early.yaml": "seed: 1\n",
    "settings/late.yaml": "seed: 2\n",
}


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of a page's blocks, in order."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(code: str) -> list[list[str]]:
    """The words of each command of a shell's block, without comments.

    >>> commands("A=1 dynlab new x  # one\\n# two")
    [['A=1', 'dynlab', 'new', 'x']]
    """
    lines = (shlex.split(line, comments=True) for line in code.splitlines())
    return [words for words in lines if words]


def lay_out(folder: Path) -> None:
    """The files that a reader of the guides has: questions, a log, settings, recordings."""
    from dynlab.recordings import load, write

    live = Path("data", "recordings", "live")  # as in a clone
    shutil.copytree(ROOT / live, folder / live)

    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shipped = load("capitals--smollm2-135m")
    frame = shipped.frame
    few = frame["question_id"].isin(frame["question_id"].unique()[:5])
    own = frame[few & frame["strategy"].isin(["parallel", "greedy"])]
    write(own, shipped.card, folder / "mine.parquet")


def installs(words: list[str]) -> bool:
    """Whether `pip install …` names this package and extras that it has."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = _EXTRAS.fullmatch(words[-1])
    named = set((asked[1] or "").split(",")) - {""} if asked else {"?"}
    return words[:2] == ["pip", "install"] and named <= set(project["optional-dependencies"])


def makes(words: list[str]) -> bool:
    """Whether `make …` names targets that there are."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    return {word for word in words[1:] if "=" not in word} <= set(targets)
