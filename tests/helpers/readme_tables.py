"""Tables of the README and the guides, made from the committed figures: `make readme`.

A region stands between `<!-- NAME -->` and `<!-- end -->`; each function below makes one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from dynlab.cli import main
from dynlab.reports.savings import headlines
from helpers import reasoner_chains, word_problems
from helpers.markdown_tables import ROOT, mean_at, numbers, percent, signed, table_of

PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks" / "guides").glob("*.md"))]
_REGION = re.compile(r"<!-- ([a-z-]+) -->\n(.*?)<!-- end -->", flags=re.S)


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
            *(mean_at(saved[saved["allocator"] == "ucb"], at, "saving", percent) for at in budgets),
        ]
    ]
    for name in ("ucb", "priced"):
        own = joined[joined["method"] == f"integrated, {name}"]
        cells = [mean_at(own, at, "difference", signed) for at in budgets]
        rows.append([f"accuracy of chains under `{name}` − best without chains", *cells])
    return table_of(["mean of the four families", *(f"at {at} samples" for at in budgets)], rows)


def pools() -> str:
    """Three policies on the eight public pools."""
    table = numbers("public-pools").set_index("policy")
    names = {"priced": "`priced`", "beta-sqrt": "`beta-sqrt`, (1 − P)/√n", "ucb": "`ucb`"}
    rows = []
    for name, label in names.items():
        row = table.loc[name]
        saved = [
            percent(tuple(row[f"saving_{at}{end}"] for end in ("", "_low", "_high")))
            for at in (8, 16, 32)
        ]
        rows.append([label, *saved, f"{row['worst_difference']:.3f}"])
    head = ["", "saving at 8 samples", "at 16", "at 32", "largest loss of accuracy to uniform"]
    return table_of(head, rows)


def headroom() -> str:
    """What an index learned in hindsight saves on the eight public pools, beside `priced`."""
    table = numbers("public-headroom")
    means = table[~table["flat"]].pivot_table(index="method", columns="at", values="saving")
    rows = [
        [label, *(f"{100 * means.loc[name, at]:.0f} %" for at in (4, 8, 16))]
        for name, label in {"learned in hindsight": "learned", "priced": "`priced`"}.items()
    ]
    return table_of(["mean saving of an index", "at 4 samples", "at 8", "at 16"], rows)


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
    return table_of(["questions", "pulls", "one core", "a pull", "peak memory"], rows)


def large(name: str = "large-recordings") -> str:
    """How time and memory of commands grow with a recording."""
    rows = [
        [
            f"`{row.command}`",
            f"{row.questions:,.0f}",
            f"{row.questions * row.samples / 1e6:.2f} million",
            f"{row.seconds:,.0f} s",
            f"{row.peak_mib:,.0f} MiB",
        ]
        for row in numbers(name).itertuples()
    ]
    head = ["command", "questions", "samples", "processor time", "peak memory"]
    return table_of(head, rows)


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
    "claims": word_problems.claims,
    "word-problems": word_problems.word_problems,
    "chain-choice": reasoner_chains.chain_choice,
    "reasoner-chains": reasoner_chains.reasoner_chains,
    "live": word_problems.live,
    "families": word_problems.families,
    "chain-gains": reasoner_chains.chain_gains,
    "in-sequence": reasoner_chains.in_sequence,
    "engines": word_problems.engines,
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


def _by_family(levels: dict[str, str], gains: dict[str, str]) -> str:
    """Heading → measure of `10-accuracies`, as they are and as differences with intervals."""
    table = numbers("10-accuracies").set_index(["family", "measure"])
    rows = []
    for family in ("digits", "sums", "totals", "calendar"):
        row = [f"`{family}`"]
        row += [f"{table.loc[(family, name), 'value']:.2f}" for name in levels.values()]
        row += [
            signed(tuple(table.loc[(family, name), ["value", "low", "high"]]))
            for name in gains.values()
        ]
        rows.append(row)
    return table_of(["family", *levels, *gains], rows)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written_again(page.read_text(encoding="utf-8")), encoding="utf-8")
