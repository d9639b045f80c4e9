"""All figures again: the same bytes wherever it runs, no path of the machine, and a failure that
keeps the rest.
"""

import ast
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import papermill
import pytest

from dynlab._util import shipped_files
from dynlab._util.errors import DynlabError, InputError
from dynlab.analysis.comparison import compare
from dynlab.pipeline.inputs import chosen, known_units
from dynlab.pipeline.reproduction import reproduce
from dynlab.recordings.recording import load, write
from dynlab.recordings.recording import shipped as shipped_recordings

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
def test_figures_and_numbers_are_byte_identical_from_two_folders(runs):
    (one, report), (other, again) = runs
    assert sorted(report.figures) == FIGURES
    assert sorted(again.figures) == [name for name in FIGURES if name.startswith("01-")]
    for name in again.figures:
        for kind in ("svg", "csv", "png"):
            assert (one / f"{name}.{kind}").read_bytes() == (other / f"{name}.{kind}").read_bytes()


@pytest.mark.slow
def test_executed_notebooks_and_pages_are_complete_and_name_no_path_of_the_machine(runs):
    (complete, _), _ = runs
    kept = sorted(path.name for path in (complete / "notebooks").iterdir())
    assert kept == sorted(f"{stem}.{kind}" for stem in NOTEBOOKS for kind in ("html", "ipynb"))
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
def test_the_index_shows_every_figure_with_its_numbers_and_the_headlines(runs):
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
def test_headlines_are_those_of_the_written_numbers(runs):
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


@pytest.mark.skipif(not shipped_recordings(), reason="no recordings are committed")
def test_committed_numbers_are_those_that_a_fresh_run_gives():
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
    fresh = compare(shipped_recordings()[0], allocators=("uniform", "ucb"), **options)
    rows = committed["allocator"].isin(set(fresh["allocator"])) & (
        committed["recording"] == shipped_recordings()[0]
    )
    numbers = fresh.select_dtypes("number").columns
    np.testing.assert_allclose(
        fresh[numbers], committed.loc[rows, numbers], atol=1e-6, equal_nan=True
    )


def test_a_failing_notebook_names_its_cell_and_keeps_what_the_others_made(
    tmp_path, monkeypatch, make_pool
):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = json.loads(
        shipped_files.named("notebooks", (".ipynb",))["00-quickstart"].read_text()
    )
    notebook["cells"] = notebook["cells"][:3]
    notebook["cells"][2]["source"] = ["1 + 1"]
    (folder / "10-good.ipynb").write_text(json.dumps(notebook))
    notebook["cells"][2] |= {"id": "the-bad-one", "source": ["raise ValueError('too bad')"]}
    (folder / "11-bad.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(
        "dynlab.pipeline.reproduction.named",
        lambda *_: {path.stem: path for path in sorted(folder.iterdir())},
    )
    pool = tmp_path / "pool.csv"
    make_pool({"q1": "aab", "q2": "abb"}).to_csv(pool, index=False)
    with pytest.raises(
        DynlabError, match=r"11-bad failed in cell 'the-bad-one' \(In \[3\]\): ValueError: too bad"
    ) as info:
        reproduce(recordings=[pool], out=tmp_path / "out", progress=False)
    assert info.value.exit_code == 1
    assert {path.name for path in (tmp_path / "out" / "notebooks").iterdir()} >= {
        "10-good.ipynb",
        "11-bad.ipynb",
    }
    assert "too bad" in (tmp_path / "out" / "index.html").read_text()


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


def test_a_folder_that_cannot_be_written_to_is_found_out_first(tmp_path, make_pool):
    make_pool({"q1": "aab"}).to_csv(tmp_path / "pool.csv", index=False)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot write"):
        reproduce(recordings=[tmp_path / "pool.csv"], out=tmp_path / "out", progress=False)


def test_units_that_one_recording_does_not_know_are_left_out(make_pool, random_pool):
    rich, poor = load(random_pool()), load(make_pool({"q1": "aab"}))
    assert known_units([rich], ["samples", "tokens"]) == ["samples", "tokens"]
    assert known_units([rich, poor], ["tokens", "samples"]) == ["samples"]
    with pytest.raises(InputError, match="unknown unit"):
        known_units([rich], ["token"])


def test_a_notebook_s_choice_needs_model_and_task_together_and_names_that_differ(
    tmp_path, make_pool
):
    with pytest.raises(InputError, match="give both"):
        chosen(model="local/x")
    for folder in ("a", "b"):
        write(make_pool({"q1": "aab"}), {}, tmp_path / folder / "same.parquet")
    with pytest.raises(InputError, match="two recordings are named 'same'"):
        chosen([tmp_path / "a" / "same.parquet", tmp_path / "b" / "same.parquet"])
    one = tmp_path / "a" / "same.parquet"
    for given in (one, str(one), [one]):
        assert [recording.name for recording in chosen(given)] == ["same"]
    other = write(make_pool({"q1": "ab"}), {}, tmp_path / "other.parquet")
    assert [recording.name for recording in chosen(f"{one}, {other}")] == ["same", "other"]


def test_a_model_and_a_task_are_recorded_first_and_drawn_then(tmp_path, monkeypatch, make_pool):
    calls = []

    def record(task, model, *, num_samples, out, max_usd, strategy):
        calls.append((task, model, num_samples, max_usd, strategy))
        return write(make_pool({"q1": "aab"}), {}, out)

    monkeypatch.setattr("dynlab.sampling.recorder.record", record)
    (made,) = chosen(
        model="local/smollm2-135m", task="capitals", max_usd=0.5, num_samples=3, out=tmp_path
    )
    assert calls == [("capitals", "local/smollm2-135m", 3, 0.5, "parallel")]
    assert made.name == "capitals--smollm2-135m"
    assert (tmp_path / "recordings" / "capitals--smollm2-135m.parquet").is_file()


def test_several_strategies_are_recorded_into_one_within_the_limit(
    tmp_path, monkeypatch, make_pool
):
    calls = []

    def record(task, model, *, num_samples, out, max_usd, strategy, num_streams, greedy):
        calls.append((strategy, num_streams, greedy, round(max_usd, 9)))
        return write(make_pool({"q1": "aab"}, strategy=strategy, cost_usd=0.125), {}, out)

    monkeypatch.setattr("dynlab.sampling.recorder.record", record)
    given = {
        "strategies": ["parallel", "integrated", "rsa"],
        "max_usd": 0.5,
        "num_samples": 3,
        "out": tmp_path,
    }
    (made,) = chosen(model="local/smollm2-135m", task="capitals", **given)
    assert calls == [
        ("parallel", 1, True, 0.5),
        ("integrated", 4, False, 0.125),
        ("rsa", 4, False, 0.0),
    ]
    assert made.name == "capitals--smollm2-135m" and set(made.frame["strategy"]) == set(
        given["strategies"]
    )
