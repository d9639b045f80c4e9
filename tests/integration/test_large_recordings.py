"""Time and memory of `compare` and `leaderboard` on recordings of 64 samples a question with texts,
to 100,000 questions. `make benchmarks`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from helpers.large_recording import large_recording

pytestmark = pytest.mark.benchmarks
RUNS = Path(__file__).resolve().parents[2] / "runs"
QUESTIONS = (1000, 10_000, 100_000)
COMMANDS = {
    "compare": "--allocators uniform,ucb,priced --budgets 4,8",
    "leaderboard": "--allocators ucb,priced --stopping esc --at 4,8",
}
COMMON = "--unit tokens --replications 2"
MOST_MIB = 4096


def measured(command: str, *arguments: str) -> dict[str, float]:
    """Seconds of the processor and peak memory of one of our commands, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "dynlab", command, *arguments])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {"seconds": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}


def test_time_grows_no_faster_than_the_data_and_memory_stays_below_four_gib(tmp_path, capfd):
    """To 6.4 million samples (an hour on two busy cores); writes
    runs/large-recordings.{csv,svg,png}.
    """
    from dynlab.plots import figure_files

    rows = []
    for num_questions in QUESTIONS:
        path = large_recording(tmp_path / f"{num_questions}.parquet", num_questions)
        for command, own in COMMANDS.items():
            out = tmp_path / f"{command}-{num_questions}"
            target = str(out / "curves.csv" if command == "compare" else out)
            arguments = [*own.split(), *COMMON.split(), "--out", target]
            found = measured(command, "--recording", str(path), *arguments)
            size = {"command": command, "questions": num_questions, "samples": 64}
            rows.append(size | {"replications": 2, "file_mib": path.stat().st_size / 2**20} | found)
        path.unlink()
    table = pd.DataFrame(rows)
    figure_files.save(scaling(table), RUNS, "large-recordings", table)
    with capfd.disabled():
        print("\n" + table.to_string(index=False, float_format="{:.1f}".format))
    assert table["peak_mib"].max() < MOST_MIB
    for _, own in table.groupby("command"):
        small, large = own.iloc[1], own.iloc[2]
        # a quarter more for what is slower where caches are full
        assert large["seconds"] / small["seconds"] < 1.25 * large["questions"] / small["questions"]


def scaling(table: pd.DataFrame):
    """The picture of how time and memory grow with the number of questions."""
    from dynlab.plots import axes, captions, curves, style

    columns = {"seconds": "seconds of the processor", "peak_mib": "peak memory, MiB"}
    marks = {"compare": "o", "leaderboard": "s"}
    with style.style():
        figure, panels = axes.new_panels(1, 2, width=curves.TWO_COLUMNS, height=1.9)
        for ax, (column, label) in zip(panels, columns.items(), strict=True):
            for command, own in table.groupby("command"):
                how = {"marker": marks[command], "fillstyle": "none", "label": command}
                ax.plot(own["questions"], own[column], color="black", clip_on=False, **how)
            ax.set(xlabel="questions (× 64 samples)", ylabel=label, xscale="log", ylim=(0, None))
        panels[0].set(yscale="log", ylim=(1, None))
        panels[1].set(ylim=(0, 1.1 * MOST_MIB))
        panels[1].axhline(MOST_MIB, color="0.6", linestyle=":", linewidth=0.8)
        panels[0].legend(loc="upper left", frameon=False)
        captions.add_caption(
            figure,
            "One run of each command with three policies in two replications, texts on disk: no"
            " intervals. Dotted: 4 GiB.",
        )
    return figure
