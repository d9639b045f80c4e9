"""The project as a whole: rooms and their order, what is public is documented, what the README says
is so.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest
from recipe.families import PUZZLES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROOMS = re.findall(
    r"^\| `(\w+)` \|", README.partition("## What each file is")[2].partition("\n## ")[0], flags=re.M
)
MODULES = sorted(path.stem for path in (ROOT / "dynlab").glob("*.py") if path.stem != "__init__")


def imported(module: str) -> set[str]:
    """The rooms that a room imports, at its top or inside its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "dynlab" / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "dynlab":
            found |= {alias.name for alias in node.names} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dynlab."):
            found.add(str(node.module).split(".")[1])
    return found


def test_readme_lists_every_room_once():
    assert sorted(ROOMS) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_upwards_only(module):
    above = ROOMS[: ROOMS.index(module)]
    assert imported(module) <= set(above)


@pytest.mark.parametrize("module", MODULES)
def test_rooms_stay_small(module):
    assert len((ROOT / "dynlab" / f"{module}.py").read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module):
    if module in ("executing",):
        pytest.skip("a program, not a library: importing it has no purpose")
    assert (
        doctest.testmod(
            importlib.import_module(f"dynlab.{module}"),
            extraglobs={"np": __import__("numpy"), "pd": __import__("pandas")},
        ).failed
        == 0
    )


def test_litellm_is_touched_by_one_room_only():
    touching = {
        m
        for m in MODULES
        if re.search(r"^\s*(import|from) litellm", (ROOT / "dynlab" / f"{m}.py").read_text(), re.M)
    }
    assert touching == {"live"}


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.S))
def test_python_in_the_readme_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


def test_findings_printed_in_the_readme_are_those_of_the_committed_figures():
    import pandas as pd

    from dynlab.reports.curves import headlines

    found = headlines(
        *(pd.read_csv(ROOT / "figures" / f"{name}.csv") for name in ("03-savings", "01-greedy"))
    )
    assert len(found) >= 3
    for line in found:
        assert line in README


def test_claims_told_in_the_readme_hold_in_the_committed_numbers():
    import pandas as pd

    differences, savings, greedy = (
        pd.read_csv(ROOT / "figures" / f"{name}.csv")
        for name in ("03-differences", "03-savings", "01-greedy")
    )
    assert (differences.loc[differences["at"].isin([4, 8]), "low"] > 0).all()
    assert (differences.loc[differences["at"] == 16, "low"] <= 0).mean() == pytest.approx(2 / 3)
    small = differences.loc[
        differences["at"].isin([4, 8]) & (differences["difference"] < 0.01), "recording"
    ]
    assert set(small.str.partition("--")[0]) == {"sums"}
    assert (
        savings[savings["at"].isin([8, 16])].groupby(["unit", "at"])["saving"].mean() > 0.3
    ).all()
    low = savings[savings["at"].isin([8, 16]) & (savings["saving"] < 0.3)]
    assert set(low["recording"].str.partition("--")[0]) == {"digits"} and set(low["at"]) == {8, 16}
    below = savings.loc[(savings["at"] == 16) & (savings["low"] < 0), "recording"]
    assert set(below.str.partition("--")[0]) == {"french"}
    named = greedy.assign(family=greedy["recording"].str.partition("--")[0])
    assert set(named.loc[named["low"] > 0, "family"]) == {"totals", "digits"}
    assert set(named.loc[named["high"] < 0, "family"]) == {"french"}
    chains, parts = (
        pd.read_csv(ROOT / "figures" / f"{name}-differences.csv") for name in ("02", "04")
    )
    for table in (chains, parts):
        table["family"] = table["recording"].str.partition("--")[0]
        assert {f: set(rows["questions"]) for f, rows in table.groupby("family")} == {
            f: {60} if f in ("capitals", "french") else {100}
            for f in (*PUZZLES, "capitals", "french")
        }
    chained, both = chains[chains["method"] == "integrated"], parts[parts["method"] == "both"]
    pays = {"digits": 6, "sums": 6}
    for family, rows in chained.groupby("family"):
        assert ((rows["low"] > 0) == (rows["at"] >= pays.get(family, 99))).all(), family
    ahead = both.set_index(["family", "at"])["low"] > 0
    assert ahead["sums"].to_dict() == {4: False, 8: True, 16: True} and ahead["digits"].all()
    assert not ahead[["totals", "calendar", "capitals", "french"]].any()
    assert (chained.loc[~chained["family"].isin(list(pays)), "high"] < 0).mean() > 0.5
    sequential = chains[chains["method"] == "sequential"]
    assert set(sequential.loc[sequential["low"] > 0, "family"]) == {"digits", "sums"}


def test_the_small_reasoner_s_table_in_the_readme_is_that_of_the_committed_numbers():
    import pandas as pd

    table = pd.read_csv(ROOT / "figures" / "reasoner.csv").set_index(["family", "measure"])
    gains = (
        "chained − sample",
        "chained − placebo",
        "chained − shown",
        "4 + 4 − independent, equal tokens",
    )
    for family in PUZZLES:
        cells = [
            f"{table.loc[(family, name), 'value']:.2f}"
            for name in ("greedy", "sample", "vote", "chained")
        ]
        rows = (table.loc[(family, name)] for name in gains)
        cells += [f"{row['value']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]" for row in rows]
        told = f"| `{family}` | {' | '.join(cells)} |".replace("-", "−")
        assert told in README, told

    beside = ("chained − untaught", "4 + 4 − untaught, equal tokens")
    for family in PUZZLES:
        cells = [
            f"{table.loc[(family, name), 'value']:.2f}"
            for name in ("untaught", "untaught, equal tokens")
        ]
        rows = (table.loc[(family, name)] for name in beside)
        cells += [f"{row['value']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]" for row in rows]
        told = f"| `{family}` | {' | '.join(cells)} |".replace("-", "−")
        assert told in README, told
    ahead, behind = (
        table.loc[[(f, beside[0]) for f in PUZZLES], end].to_numpy() for end in ("low", "high")
    )
    assert [f for f, end in zip(PUZZLES, ahead, strict=True) if end > 0] == ["sums"]
    assert [f for f, end in zip(PUZZLES, behind, strict=True) if end < 0] == [
        "totals",
        "calendar",
        "digits",
    ]
    assert table.loc[("sums", beside[1]), "low"] < 0 < table.loc[("sums", beside[1]), "high"]

    def cell(family, measure):
        row = table.loc[(family, measure)]
        return f"{row['value']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]".replace("-", "−")

    assert f"({cell('digits', 'chained − sample, right answer absent')})" in README
    assert f"on average by {cell('mean', 'vote − greedy')}" in README
    assert f"in `sums` not ({cell('sums', 'chained − sample, right answer absent')})" in README
    assert [f for f in PUZZLES if table.loc[(f, "vote − greedy"), "low"] > 0] == [
        "totals",
        "digits",
    ]
    for family in ("digits", "sums"):
        assert all(table.loc[(family, name), "low"] > 0 for name in gains), family
    in_reach = [f for f in PUZZLES if 0.35 <= table.loc[(f, "sample"), "value"] <= 0.75]
    assert in_reach == ["totals", "calendar", "sums"]
    saved = [table.loc[("mean", f"ucb − uniform, saving, B = {at}")] for at in (8, 16)]
    told = [
        f"{100 * row['value']:.0f} % [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
        for row in saved
    ]
    assert (
        f"UCB saves {told[0]} of the tokens at the accuracy of 8 samples and {told[1]} at that"
        " of 16" in README
    )
    means = [
        measure
        for family, measure in table.index
        if family == "mean" and measure.startswith("integrated, ucb")
    ]
    whole = {
        at: next(measure for measure in means if measure.endswith(f" {at}")) for at in (4, 8, 16)
    }
    gained = [cell("mean", measure) for measure in whole.values()]
    told = f"{gained[0]} at the cost of 4 samples, {gained[1]} at 8, {gained[2]} at 16, from"
    ends = [
        f"{table.loc[(family, whole[16]), 'value']:+.2f} in `{family}`"
        for family in ("digits", "calendar")
    ]
    assert f"{told} {ends[0]} to {ends[1]}".replace("-", "−") in README
    assert f"under `priced` {cell('mean', 'integrated, priced − priced, B = 16')} at 16" in README


def test_savings_on_public_pools_and_speed_told_in_the_readme_are_those_of_the_committed_figures():
    import pandas as pd

    table = pd.read_csv(ROOT / "figures" / "public-pools.csv").set_index("policy")
    for name in ("priced", "beta-sqrt", "ucb"):
        row = table.loc[name]
        numbers = [
            [100 * row[f"saving_{b}{end}"] for end in ("", "_low", "_high")] for b in (8, 16, 32)
        ]
        cells = [f"{saved:.0f} % [{low:.0f}, {high:.0f}]" for saved, low, high in numbers]
        told = " | ".join([*cells, f"{row['worst_difference']:.3f}"]).replace("-", "−")
        assert f"{told} |" in README, told
    rivals = table[table["kind"].isin(["allocator", "stopping"])].drop(index="priced")
    assert (rivals[["saving_8", "saving_16"]] < table.loc["priced", ["saving_8", "saving_16"]]).all(
        axis=None
    )
    assert table.loc["oracle", "saving_8"] > 0.9
    bound = pd.read_csv(ROOT / "figures" / "public-headroom.csv")
    means = (
        100
        * bound[~bound["flat"]]
        .pivot_table(index="at", columns="method", values="saving")
        .loc[[4, 8, 16]]
    )
    learned, ours = (
        "{:.0f} %, {:.0f} % and {:.0f} %".format(*means[name])
        for name in ("learned in hindsight", "priced")
    )
    assert (
        f"saves {learned} at 4, 8 and 16 where `priced` saves {ours}"
        " (`dynlab.analysis.learned_index`" in README
    )
    shipped = pd.read_csv(ROOT / "figures" / "08-savings-tokens.csv").set_index("policy")
    saved = ["saving_4", "saving_8", "saving_16"]
    lead = shipped.loc[["cisc", "deepconf"], saved] - shipped.loc["priced", saved]
    assert (lead["saving_4"] > 0).all() and (lead[["saving_8", "saving_16"]] < 0).all(axis=None)
    speed = pd.read_csv(ROOT / "figures" / "engine-scaling.csv").set_index("questions")
    last = speed.loc[10_000]
    assert (
        f"{last['pulls'] / 1e6:.0f} million pulls, takes {last['seconds']:.0f} s of one core and"
        in README
    )
    assert f"{last['peak_mib']:.0f} MiB" in README
    per_pull = speed["microseconds_a_pull"]
    assert (
        f"{per_pull[100]:.2f} µs with 100 questions and {per_pull[10_000]:.2f} µs with 10,000"
        in README
    )


def test_a_built_wheel_carries_notebooks_tasks_and_recordings(tmp_path):
    pytest.importorskip("hatchling", reason="building a wheel here needs hatchling")
    import zipfile

    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    for kind, suffix in (
        ("notebooks", ".ipynb"),
        ("data/tasks", ".jsonl"),
        ("data/recordings", ".parquet"),
        ("data/models", ".gguf"),
    ):
        committed = {path.name for path in (ROOT / kind).glob(f"*{suffix}")}
        packed = {
            name.rsplit("/", 1)[1] for name in names if name.startswith(f"dynlab/_shipped/{kind}/")
        }
        assert committed and committed <= packed
    assert (
        "dynlab/py.typed" in names
        and "dynlab/boinf.txt" in names
        and "dynlab/explorer/static/explorer.css" in names
        and "dynlab/explorer/static/explorer.js" in names
        and any(name.endswith(".mplstyle") for name in names)
    )
