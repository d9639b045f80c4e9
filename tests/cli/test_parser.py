from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import dynlab
from dynlab.analysis.comparison import CURVES, SAVINGS
from dynlab.cli.parser import main


@pytest.fixture
def recording(tmp_path, random_pool):
    from dynlab.recordings.recording import write

    return str(write(random_pool(8, 10), {}, tmp_path / "pool.parquet"))


def compare(recording, out, *more):
    return main(
        ["compare", "--recording", recording, "--replications", "5", "--out", str(out), *more]
    )


def test_compare_writes_curves_and_savings_with_the_columns_of_the_contract(
    recording, tmp_path, capsys
):
    assert compare(recording, tmp_path / "curves.csv", "--budgets", "2,4,8") == 0
    curves, savings = pd.read_csv(tmp_path / "curves.csv"), pd.read_csv(tmp_path / "savings.csv")
    assert (
        curves.columns.tolist()
        == CURVES
        == (
            "recording strategy allocator uncertainty exploration warmup batch stopping unit"
            " tokens_kind budget spent_samples spent_tokens spent_usd depth exhausted accuracy low"
            " high replications seed"
        ).split()
    )
    assert (
        savings.columns.tolist()
        == SAVINGS
        == (
            "recording strategy allocator uncertainty exploration warmup batch stopping unit"
            " tokens_kind at saving low high reached flat replications seed"
        ).split()
    )
    assert set(curves["recording"]) == {"pool"}
    assert curves["spent_usd"].isna().all()
    assert "curves.csv" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_gives_the_numbers_of_the_call(recording, tmp_path, capsys):
    texts = ["ucb", "ucb(exploration=0.3)", "beta-greedy", "priced", "thompson"]
    assert compare(recording, tmp_path / "curves.csv", "--allocators", ",".join(texts)) == 0
    called = dynlab.compare(recording, texts, replications=5)
    for name, table in (("curves", called.curves), ("savings", called.savings())):
        written = pd.read_csv(tmp_path / f"{name}.csv").dropna(axis=1, how="all")
        written = written.select_dtypes("number")
        pd.testing.assert_frame_equal(
            written, table[[*written]], check_dtype=False, check_exact=False
        )
        assert {"warmup", "low", "high"} < {*written}
    assert "exploration" in capsys.readouterr().out  # tells the two of one name apart


def test_savings_are_named_after_the_curves_and_write_over_nothing(recording, tmp_path):
    (tmp_path / "savings.csv").write_text("mine")
    assert compare(recording, tmp_path / "run3.csv", "--budgets", "2,4") == 0
    assert (tmp_path / "savings.csv").read_text() == "mine"
    assert "saving" in pd.read_csv(tmp_path / "run3-savings.csv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--allocators", "uniform", "--exploration", "2"], "uniform have no such setting"),
        (["--allocators", "unifrom"], "did you mean 'uniform'"),
        (["--budgets", "1,2"], "below the warm-up of 2"),
        (["--budgets", "two"], "must be numbers with commas"),
        (["--unit", "token"], "did you mean 'tokens'"),
        (["--unit", "usd"], "give a price by --price"),
        (["--uncertainty", "entropie"], "did you mean 'entropy'"),
        (["--stopping", "escape"], "did you mean 'esc'? It must be one of"),
        (["--replications", "0"], "replications must be a whole number from 1 on"),
        (["--batch", "0"], "batch must be a whole number from 1 on"),
        (["--warmup", "x"], "invalid int value"),
        (["--budgets", "2", "4", "8"], "4 8, put commas between numbers"),
        (["--exploration", "-1"], "exploration must be a number from 0 on"),
        (["--price", "1"], "two numbers IN,OUT"),
        (["--strategy", "chain"], "must be one of 'parallel'"),
        (["--recording", "capitols"], "unknown recording 'capitols'"),
        (
            ["--exploratoin", "1"],
            "did you mean --exploration?; `dynlab compare --help` lists",
        ),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(recording, tmp_path, capsys, more, message):
    assert compare(recording, tmp_path / "o" / "curves.csv", *more) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and message in lines[0]
    assert not (tmp_path / "o").exists()


def test_a_mistyped_command_or_required_flag_is_told_the_nearest(recording, tmp_path, capsys):
    assert main(["comapre", "--recording", recording]) == 2
    assert "unknown command 'comapre': did you mean 'compare'?" in capsys.readouterr().err
    assert main(["compare", "--recordings", recording, "--out", str(tmp_path / "c.csv")]) == 2
    assert "required: --recording, did you mean --recording?" in capsys.readouterr().err


def test_an_output_that_is_no_csv_or_cannot_be_written_is_refused(recording, tmp_path, capsys):
    assert compare(recording, tmp_path / "curves.parquet") == 2
    (tmp_path / "file").write_text("")
    assert compare(recording, tmp_path / "file" / "curves.csv") == 2
    assert all("dynlab: " in line for line in capsys.readouterr().err.splitlines())


HEAVY = "litellm matplotlib papermill ipywidgets xllamacpp numba torch seaborn".split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "code", ["import dynlab", "import dynlab.cli.parser; dynlab.cli.parser._parser().format_help()"]
)
def test_importing_dynlab_loads_nothing_heavy(code):
    asked = (
        f"import sys; {code}; print([m for m in {[*HEAVY, 'pandas', 'numpy', 'pyarrow']!r} if m in"
        " sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, check=True
        ).stdout
        == "[]\n"
    )


@pytest.mark.slow
def test_replaying_loads_nothing_heavy_but_numba(recording):
    asked = (
        f"import sys, dynlab; dynlab.compare({recording!r}, replications=2); "
        f"print([m for m in {[m for m in HEAVY if m != 'numba']!r} if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, check=True
        ).stdout
        == "[]\n"
    )


def test_help_and_version_end_well(capsys):
    for flag in ("--help", "--version"):
        with pytest.raises(SystemExit) as ended:
            main([flag])
        assert ended.value.code == 0
    assert "dynlab" in capsys.readouterr().out


@pytest.mark.benchmarks
def test_import_and_help_cost_less_than_four_imports_of_numpy(capsys):
    import time

    def seconds(*arguments):
        best = float("inf")
        for _ in range(7):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            best = min(best, time.perf_counter() - start)
        return best

    empty, numpy = seconds("-c", ""), seconds("-c", "import numpy")
    ratios = [
        (seconds(*what) - empty) / (numpy - empty)
        for what in (("-c", "import dynlab"), ("-m", "dynlab.cli.parser", "--help"))
    ]
    with capsys.disabled():
        print(
            f"\nimport dynlab: {ratios[0]:.2f}, dynlab --help: {ratios[1]:.2f} times import numpy"
        )
    assert max(ratios) < 4


def test_a_scheduler_s_signal_ends_a_command_as_ctrl_c_does(monkeypatch, capsys):
    def told_to_end(given, opened):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("dynlab.cli.browse._browse", told_to_end)
    begun = time.monotonic()
    assert main(["browse", "capitals--smollm2-135m"]) == 1
    assert "dynlab: interrupted" in capsys.readouterr().err and time.monotonic() - begun < 9
    assert signal.getsignal(signal.SIGTERM) is before
