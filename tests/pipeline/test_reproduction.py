"""All figures again: the same bytes from any folder, and no path of the machine."""

import ast
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import papermill
import pytest
from helpers.tiny_notebooks import notebook

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.pipeline.reproduction import reproduce
from dynlab.plots.manifest import add_figure
from dynlab.recordings.recording import shipped as shipped_recordings
from dynlab.recordings.recording import write

NOTEBOOKS = ("00-quickstart", "01-accuracy-vs-cost", "03-dynamic-vs-uniform")


FIGURES = [
    "00-quickstart",
    "01-allocators-samples",
    "01-allocators-tokens",
    "01-greedy",
    "01-stopping-samples",
    "01-stopping-tokens",
    "03-differences",
    "03-savings",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A quick run, and one of notebook 01 alone from another folder, with absolute paths instead of
    relative ones.
    """
    made = []
    rng = np.random.default_rng(0)
    chances = rng.dirichlet((2, 1, 1), 20)
    rows = [
        {
            "question_id": f"q{q:02}",
            "sample_index": i,
            "answer": rng.choice(["a", "b", "c"], p=chances[q]),
            "target": "a",
            "prompt_tokens": 30,
            "strategy": "parallel",
            "completion_tokens": int(rng.integers(2, 9)),
        }
        for q in range(20)
        for i in range(24)
    ]
    greedy = [{**row, "strategy": "greedy"} for row in rows if row["sample_index"] == 0]
    for absolute in (False, True):
        home = tmp_path_factory.mktemp("elsewhere" if absolute else "here")
        write(
            pd.DataFrame(rows + greedy), {"design": "fixed"}, home / "given" / "coins--tiny.parquet"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)
            prefix = home if absolute else Path()
            report = reproduce(
                notebooks=["01"] if absolute else NOTEBOOKS,
                quick=True,
                progress=False,
                recordings=[prefix / "given" / "coins--tiny.parquet"],
                out=prefix / "made",
            )
        made.append((home / "made", report))
    return made


@pytest.mark.slow
def test_figures_are_byte_identical_from_two_folders(runs):
    (one, report), (other, again) = runs
    assert sorted(report.figures) == FIGURES
    assert sorted(again.figures) == [name for name in FIGURES if name.startswith("01-")]
    for name in again.figures:
        for kind in ("svg", "csv", "png"):
            assert (one / f"{name}.{kind}").read_bytes() == (other / f"{name}.{kind}").read_bytes()


@pytest.mark.slow
def test_pages_name_no_path_of_the_machine(runs):
    (complete, _), _ = runs
    kept = sorted(path.name for path in (complete / "notebooks").iterdir())
    assert kept == sorted(
        f"{stem}.{kind}" for stem in NOTEBOOKS for kind in ("html", "ipynb", "md")
    )
    for out, _ in runs:
        for path in [
            *out.glob("*.svg"),
            *out.glob("*.csv"),
            out / "index.html",
            *(out / "notebooks").iterdir(),
        ]:
            text = path.read_text()
            for place in (
                str(out.parent),
                os.getcwd(),
                str(Path.home()),
                str(Path(shipped_files.__file__).parents[1]),
            ):
                assert place not in text
            assert not re.search(r"(src|href)=\"(https?:)?//", text)  # reading fetches nothing
        executed = json.loads((out / "notebooks" / "01-accuracy-vs-cost.ipynb").read_text())
        (injected,) = [
            c for c in executed["cells"] if "injected-parameters" in c["metadata"].get("tags", [])
        ]
        assert 'recording = ["coins--tiny.parquet"]' in "".join(injected["source"])


@pytest.mark.slow
def test_the_index_shows_figures_and_headlines(runs):
    (out, report), _ = runs
    page = (out / "index.html").read_text()
    for name in FIGURES:
        assert f'<img src="{name}.svg"' in page and f'href="{name}.csv"' in page
    assert len(
        re.findall(r"\d+ s · recording = coins--tiny.parquet · quick = True · ", page)
    ) == len(NOTEBOOKS)
    assert "<li><b>Which samples.</b>" in page  # the words of notebook 01
    assert len(report.headlines) == 3
    for line in report.headlines:
        assert line in page and line in report.summary()


@pytest.mark.slow
def test_headlines_are_those_of_the_numbers(runs):
    (out, report), _ = runs
    greedy = pd.read_csv(out / "01-greedy.csv").iloc[0]
    assert (
        f"{greedy['difference']:+.3f} [{greedy['low']:+.3f}, {greedy['high']:+.3f}]"
        in report.headlines[-1]
    )
    saved = pd.read_csv(out / "03-savings.csv")
    for unit, line in zip(("samples", "tokens"), report.headlines, strict=False):
        cell = saved[(saved["unit"] == unit) & (saved["at"] == 16)].iloc[0]
        expected = (
            f"{100 * cell['saving']:.0f} % [{100 * cell['low']:.0f} %, {100 * cell['high']:.0f} %]"
        )
        assert expected in line or cell["flat"]


@pytest.mark.slow
@pytest.mark.skipif(not shipped_recordings(), reason="no recordings are committed")
def test_committed_numbers_come_out_again():
    committed = pd.read_csv(
        shipped_files.folder("figures") / "01-allocators-samples.csv",
        keep_default_na=False,
        na_values=[""],
    )
    declared = papermill.inspect_notebook(
        str(shipped_files.named("notebooks", (".ipynb",))["01-accuracy-vs-cost"])
    )
    options = {
        name: ast.literal_eval(declared[name]["default"])
        for name in ("budgets", "replications", "seed")
    }
    fresh = compare(shipped_recordings()[0], ("uniform", "ucb"), **options).curves
    rows = committed["allocator"].isin(set(fresh["allocator"])) & (
        committed["recording"] == shipped_recordings()[0]
    )
    numbers = fresh.select_dtypes("number").columns
    np.testing.assert_allclose(
        fresh[numbers], committed.loc[rows, numbers], atol=1e-6, equal_nan=True
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"notebooks": ["00-quickstar"]}, "did you mean '00-quickstart'"),
        ({"recordings": ["nowhere.parquet"]}, "no file nowhere.parquet"),
        ({"parameters": {"replication": 3}}, "Did you mean 'replications'"),
    ],
)
def test_wrong_use_is_refused_before_anything_runs(tmp_path, make_pool, wrong, said):
    make_pool({"q1": "aab"}).to_csv(tmp_path / "pool.csv", index=False)
    with pytest.raises(InputError, match=said):
        reproduce(
            **{
                "recordings": [tmp_path / "pool.csv"],
                "out": tmp_path / "out",
                "progress": False,
                **wrong,
            }
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_unwritable_folder_is_found_out_first(tmp_path, make_pool):
    make_pool({"q1": "aab"}).to_csv(tmp_path / "pool.csv", index=False)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot write"):
        reproduce(recordings=[tmp_path / "pool.csv"], out=tmp_path / "out", progress=False)


@pytest.mark.slow
def test_a_figure_no_longer_made_is_found_by_the_manifest(run, tiny):
    assert run(notebooks=["10"]).figures == ("10-one",)
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("a-name-without-a-number"))
    assert run(notebooks=["10"]).figures == ("a-name-without-a-number",)
    assert {path.name for path in (tiny / "out").glob("*.csv")} == {"a-name-without-a-number.csv"}


@pytest.mark.slow
def test_figures_saved_by_hand_are_left_alone(run, tiny):
    run()
    (tiny / "out" / "10-mine.svg").write_text("<svg/>")
    add_figure(tiny / "out", "10-mine", ["svg"])
    assert run(force=True).figures == ("10-one", "11-two")
    assert (tiny / "out" / "10-mine.svg").is_file()
