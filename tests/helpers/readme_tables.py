"""Tables of the README and the guides, made from the committed figures: `make readme`.

A region stands between `<!-- NAME -->` and `<!-- end -->`; each function below makes one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from dynlab.analysis.same_model import agreement
from dynlab.cli import main
from dynlab.recordings.recording import load
from dynlab.reports.savings import headlines
from dynlab.reports.wording import pooled

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks" / "guides").glob("*.md"))]
_REGION = re.compile(r"<!-- ([a-z-]+) -->\n(.*?)<!-- end -->", flags=re.S)
WORD_PROBLEMS = "gsm_symbolic--qwen2.5-coder-1.5b"
Interval = tuple[float, float, float]  # value, low, high


def numbers(name: str) -> pd.DataFrame:
    """The numbers of a committed figure."""
    return pd.read_csv(ROOT / "figures" / f"{name}.csv")


def reproduce() -> str:
    """What `make reproduce` prints at its end."""
    pictures = list((ROOT / "figures").glob("[0-9][0-9]-*.svg"))
    lines = [f"{len(pictures)} figures in figures (open figures/index.html)"]
    lines += [f"  {line}" for line in headlines(numbers("03-savings"), numbers("01-greedy"))]
    return "\n".join(["```text", *lines, "```"])


def reasoner() -> str:
    """What the small reasoner's votes and chains are worth, a row a family."""
    gains = {
        "chained − sample": "chained − sample",
        "chained − placebo": "chained − placebo",
        "chained − vote of the shown": "chained − shown",
        "4 + 4 − independent at equal tokens": "4 + 4 − independent, equal tokens",
    }
    levels = {"greedy": "greedy", "sample": "sample", "vote of 16": "vote", "chained": "chained"}
    return _by_family(levels, gains)


def control() -> str:
    """The reasoner's chains against its control, a row a family."""
    levels = {
        "one untaught sample": "untaught",
        "its vote, at the tokens of 4 + 4": "untaught, equal tokens",
    }
    gains = {
        "chained − untaught sample": "chained − untaught",
        "4 + 4 − untaught vote at equal tokens": "4 + 4 − untaught, equal tokens",
    }
    return _by_family(levels, gains)


def bandit() -> str:
    """What the bandit saves on the small reasoner's families, and what chains add to it."""
    saved, joined = numbers("10-savings"), numbers("10-together")
    budgets = [4, 8, 16]
    rows = [
        [
            "saving of UCB without chains",
            *(_mean(saved[saved["allocator"] == "ucb"], at, "saving", _percent) for at in budgets),
        ]
    ]
    for name in ("ucb", "priced"):
        own = joined[joined["method"] == f"integrated, {name}"]
        cells = [_mean(own, at, "difference", _signed) for at in budgets]
        rows.append([f"accuracy of chains under `{name}` − best without chains", *cells])
    return _table(["mean of the four families", *(f"at {at} samples" for at in budgets)], rows)


def pools() -> str:
    """Three policies on the eight public pools."""
    table = numbers("public-pools").set_index("policy")
    names = {"priced": "`priced`", "beta-sqrt": "`beta-sqrt`, (1 − P)/√n", "ucb": "`ucb`"}
    rows = []
    for name, label in names.items():
        row = table.loc[name]
        saved = [
            _percent(tuple(row[f"saving_{at}{end}"] for end in ("", "_low", "_high")))
            for at in (8, 16, 32)
        ]
        rows.append([label, *saved, f"{row['worst_difference']:.3f}"])
    head = ["", "saving at 8 samples", "at 16", "at 32", "largest loss of accuracy to uniform"]
    return _table(head, rows)


def headroom() -> str:
    """What an index learned in hindsight saves on the eight public pools, beside `priced`."""
    table = numbers("public-headroom")
    means = table[~table["flat"]].pivot_table(index="method", columns="at", values="saving")
    rows = [
        [label, *(f"{100 * means.loc[name, at]:.0f} %" for at in (4, 8, 16))]
        for name, label in {"learned in hindsight": "learned", "priced": "`priced`"}.items()
    ]
    return _table(["mean saving of an index", "at 4 samples", "at 8", "at 16"], rows)


def word_problems() -> str:
    """What votes and the bandit are worth to the model that reasons, a row a budget."""
    curves, gains, saved, greedy = (
        _of(numbers(name), WORD_PROBLEMS)
        for name in ("01-allocators-samples", "03-differences", "03-savings", "01-greedy")
    )
    uniform = curves[curves["allocator"] == "uniform"].set_index("budget")
    gains = gains[gains["unit"] == "samples"].set_index("at")
    rows = []
    for at in (4, 8, 16):
        own = uniform.loc[at]
        cells = [f"{own['accuracy']:.2f} [{own['low']:.2f}, {own['high']:.2f}]"]
        known = gains.loc[gains.index == at, ["difference", "low", "high"]]
        cells.append(_signed(tuple(known.iloc[0])) if len(known) else "")
        for unit in ("samples", "tokens"):
            told = saved[(saved["unit"] == unit) & (saved["at"] == at)].dropna(subset="saving")
            cells.append(
                _percent(tuple(told.iloc[0][["saving", "low", "high"]])) if len(told) else ""
            )
        rows.append([f"{at} samples", *cells])
    (one,) = greedy.to_dict("records")
    gap = _signed((one["difference"], one["low"], one["high"]))
    head = ["", "uniform's accuracy", "UCB − uniform", "UCB saves samples", "tokens"]
    said = f"One greedy answer is right {one['greedy']:.2f} of the time; vote − greedy = {gap}."
    return f"{_table(head, rows)}\n\n{said}"


def chain_choice() -> str:
    """What chained samples were worth on development questions, a row a way of showing attempts."""
    found = json.loads((ROOT / "data/tasks/reasoning-choices.json").read_text(encoding="utf-8"))
    chain, ways = (
        found["chain"],
        {
            "finals": "their final answers only",
            "distinct": "those that disagree, listed",
            "listed": "all four, listed",
            "prefill": "all four, as if written before",
            "two": "two of them, listed",
            "leader-last": "all four, listed, the leading answer last",
        },
    )
    rows = [
        [
            f"**{label}** (chosen)" if name == chain["chosen"] else label,
            *(f"{chain['tried'][name][key]:.2f}" for key in ("chained", "shown", "vote_of_shown")),
            f"{chain['tried'][name]['tokens']:.0f}",
        ]
        for name, label in ways.items()
    ]
    head = [
        "shown",
        "chained sample",
        "sample shown",
        "vote of the shown",
        "tokens of a chained call",
    ]
    return _table(head, rows)


def reasoner_chains() -> str:
    """What one chained sample of the model that reasons is worth, a row a difference."""
    own = _of(numbers("02-chained"), WORD_PROBLEMS).set_index("measure")
    labels = {
        "chained − sample": "one chained − one independent sample",
        "chained − placebo": "one chained sample − one that was shown attempts at another question",
        "chained − shown": "one chained sample − the vote of the four that it was shown",
        "4 + 4 − 8 independent": "vote of 4 and 4 chained − vote of 8 independent",
        "4 + 4 − independent, equal tokens": "the same − independent ones for as many tokens",
    }
    labels |= {
        f"chained − sample, right answer {case}": f"chained − independent, right answer {case}"
        for case in ("absent", "present", "leading")
    }
    rows = [
        [
            label,
            _signed(tuple(own.loc[name, ["value", "low", "high"]])),
            f"{own.loc[name, 'num_questions']:.0f}",
        ]
        for name, label in labels.items()
        if name in own.index
    ]
    return _table(["accuracy", "difference", "questions"], rows)


def engines() -> str:
    """The model that reasons by two engines, a row a measure."""
    beside = load(ROOT / f"data/recordings/controls/{WORD_PROBLEMS}.llama-cpp.parquet")
    table = agreement(load(WORD_PROBLEMS).frame, beside.frame)
    rows = [
        [row.measure, f"{row.one:.3f}", f"{row.other:.3f}", f"{row.p:.2f}", str(row.num_other)]
        for row in table.itertuples()
    ]
    return _table(["right", "OpenVINO", "llama.cpp", "p", "questions"], rows)


def speed() -> str:
    """How time and memory of a replay grow with the number of questions."""
    rows = [
        [
            f"{row.questions:,.0f}",
            f"{row.pulls / 1e6:.1f} million",
            f"{row.seconds:.1f} s",
            f"{row.microseconds_a_pull:.2f} µs",
            f"{row.peak_mib:.0f} MiB",
        ]
        for row in numbers("engine-scaling").itertuples()
    ]
    return _table(["questions", "pulls", "one core", "a pull", "peak memory"], rows)


def large(name: str = "large-recordings") -> str:
    """How time and memory of commands grow with a recording."""
    rows = [
        [
            f"`{row.command}`",
            f"{row.questions:,.0f}",
            f"{row.questions * row.samples / 1e6:.2f} million",
            f"{row.seconds:.0f} s",
            f"{row.peak_mib:,.0f} MiB",
        ]
        for row in numbers(name).itertuples()
    ]
    head = ["command", "questions", "samples", "processor time", "peak memory"]
    return _table(head, rows)


def compare() -> str:
    """What the quickstart's first comparison prints."""
    told = StringIO()
    with TemporaryDirectory() as folder, redirect_stdout(told):
        command = "compare --recording capitals--smollm2-135m --allocators uniform,ucb"
        out = Path(folder, "curves.csv")
        main([*command.split(), "--budgets", "2,4,8,16", "--out", str(out)])
    return f"```text\n{told.getvalue().replace(f'{folder}/', '').rstrip()}\n```"


def citation() -> str:
    """BibTeX of dynlab and of the paper, from CITATION.cff."""
    own = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = own["references"]
    authors = " and ".join(each["family-names"] for each in paper["authors"])
    (group,) = (each["name"] for each in own["authors"])
    entries = [
        _bibtex("software", "dynlab", own["title"], f"{{{group}}}", version=own["version"]),
        _bibtex("article", "dynscaling", paper["title"], authors, paper["year"], url=paper["url"]),
    ]
    return "\n".join(["```bibtex", *entries, "```"])


REGIONS: dict[str, Callable[[], str]] = {
    "reproduce": reproduce,
    "reasoner": reasoner,
    "control": control,
    "bandit": bandit,
    "word-problems": word_problems,
    "chain-choice": chain_choice,
    "reasoner-chains": reasoner_chains,
    "engines": engines,
    "pools": pools,
    "headroom": headroom,
    "speed": speed,
    "large": large,
    "written": partial(large, "large-recordings-written"),
    "compare": compare,
    "citation": citation,
}


def written_again(text: str, *, but: str = "") -> str:
    """A page's text with every marked region made anew, but one where its name is given.

    >>> written_again("plain words")
    'plain words'
    """

    def fresh(found: re.Match[str]) -> str:
        if found[1] == but:
            return found[0]
        return f"<!-- {found[1]} -->\n{REGIONS[found[1]]()}\n<!-- end -->"

    return _REGION.sub(fresh, text)


def _bibtex(
    kind: str, key: str, title: str, author: str, year: int | None = None, **more: str
) -> str:
    """An entry of BibTeX, a field a line."""
    fields = {"title": f"{{{title}}}", "author": author, "year": year, **more}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _of(table: pd.DataFrame, recording: str) -> pd.DataFrame:
    return table[table["recording"] == recording]


def _by_family(levels: dict[str, str], gains: dict[str, str]) -> str:
    """Heading → measure of `10-accuracies`, as they are and as differences with intervals."""
    table = numbers("10-accuracies").set_index(["family", "measure"])
    rows = []
    for family in ("digits", "sums", "totals", "calendar"):
        row = [f"`{family}`"]
        row += [f"{table.loc[(family, name), 'value']:.2f}" for name in levels.values()]
        row += [
            _signed(tuple(table.loc[(family, name), ["value", "low", "high"]]))
            for name in gains.values()
        ]
        rows.append(row)
    return _table(["family", *levels, *gains], rows)


def _mean(rows: pd.DataFrame, at: float, value: str, shown: Callable[[Interval], str]) -> str:
    """The mean over recordings at one budget, '' where there is none."""
    cells = rows[rows["at"] == at]
    return "" if cells.empty else shown(pooled(cells, value))


def _percent(interval: Interval) -> str:
    """(0.31, 0.05, 0.48) → '31 % [5, 48]'."""
    value, low, high = (round(100 * each) for each in interval)
    return f"{value} % [{low}, {high}]"


def _signed(interval: Interval) -> str:
    """(0.39, 0.35, 0.42) → '+0.39 [+0.35, +0.42]'."""
    value, low, high = (f"{each:+.2f}" for each in interval)
    return f"{value} [{low}, {high}]"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, with true minus signs."""
    lines = [head, *rows]
    text = [f"| {' | '.join(line)} |" for line in lines]
    body = [line.replace("-", "−") if number else line for number, line in enumerate(text)]
    body[1:] = [
        re.sub(r"`[^`]*`", lambda name: name[0].replace("−", "-"), each) for each in body[1:]
    ]
    return "\n".join([body[0], "|" + "---|" * len(head), *body[1:]])


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written_again(page.read_text(encoding="utf-8")), encoding="utf-8")
