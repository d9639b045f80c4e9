"""Time and memory of `compare` and `leaderboard` on recordings of 64 samples a question with texts,
to 100,000 questions. `make benchmarks`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest
from helpers.large_recording import large_recording
from helpers.large_store import MODEL, large_store
from helpers.scripted_server import ScriptedServer

from dynlab.recordings.blocks import blocks_of
from dynlab.recordings.exports import inspect_log
from dynlab.recordings.recording import write

pytestmark = pytest.mark.benchmarks
RUNS = Path(__file__).resolve().parents[2] / "runs"
QUESTIONS = (1000, 10_000, 100_000)
COMMANDS = {
    "compare": "--allocators uniform,ucb,priced --budgets 4,8",
    "leaderboard": "--allocators ucb,priced --stopping esc --at 4,8",
}
COMMON = "--unit tokens --replications 2"
MOST_MIB = 4096
READING = "One run of each command with three policies in two replications, texts on disk"
WRITTEN = (10_000, 100_000)
WRITING = "One run of each command; record writes a store that was full but for the last question"
GROWING = ("seconds", "questions")


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


def test_what_writes_texts_keeps_few_of_them_in_memory(tmp_path, capfd):
    """To 6.4 million samples, a log of Inspect to what it holds; writes
    runs/large-recordings-written.{csv,svg,png} anew after each command.

    `record` finds a store that lacks the last question's samples: calls are not measured.
    """
    from dynlab.plots import figure_files

    rows = []
    for num_questions in WRITTEN:
        folder = tmp_path / str(num_questions)
        with ScriptedServer(lambda call: "Answer: 0") as server:
            whole = apart(large_store, folder, num_questions, server.address)
            asked = ["--task", folder / "task.jsonl", "--samples", 64, "--api-base", server.address]
            command = ["record", "--model", MODEL, *asked, "--out", whole]
            rows.append(size_of(whole, num_questions, "record", command))
        Path(f"{whole}.sqlite").unlink()
        small = apart(chains, whole)
        commands = {
            "merge": ["merge", whole, small, "--out", folder / "both.parquet"],
            "export --to lm-eval": [
                "export",
                whole,
                "--to",
                "lm-eval",
                "--out",
                folder / "a.jsonl",
            ],
            "export --to hub": ["export", whole, "--to", "hub", "--out", folder / "hub"],
            "export --to inspect": ["export", whole, "--to", "inspect", "--out", folder / "a.eval"],
        }
        for name, arguments in commands.items():
            if "inspect" not in name or num_questions * 65 <= inspect_log.MOST:
                rows.append(size_of(whole, num_questions, name, ["recordings", *arguments]))
            table = pd.DataFrame(rows)
            figure_files.save(scaling(table, WRITING), RUNS, "large-recordings-written", table)
        shutil.rmtree(folder)
    with capfd.disabled():
        print("\n" + table.to_string(index=False, float_format="{:.1f}".format))
    assert table["peak_mib"].max() < MOST_MIB
    for _, own in table.groupby("command"):
        seconds, questions = (own[name].iloc[-1] / own[name].iloc[0] for name in GROWING)
        assert seconds <= 1.25 * questions


def apart(function, *arguments):
    """What a function returns, called in a process of its own: a process that is begun by one that
    holds much memory is told to have held as much.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def chains(path: Path) -> Path:
    """A small recording of another strategy, to be merged with a large one."""
    known = blocks_of(path)
    own = next(iter(known)).query("strategy == 'parallel'").assign(strategy="sequential")
    return write(own, dict(known.overview.card), path.with_name("chains.parquet"))


def size_of(path: Path, num_questions: int, name: str, arguments) -> dict[str, object]:
    """A row of the table: what a command took, by the size of the recording."""
    found = measured(*map(str, arguments))
    size = {"command": name, "questions": num_questions, "samples": 64}
    return size | {"file_mib": path.stat().st_size / 2**20} | found


def scaling(table: pd.DataFrame, told: str = READING):
    """The picture of how time and memory grow with the number of questions."""
    from dynlab.plots import axes, captions, curves, style

    columns = {"seconds": "seconds of the processor", "peak_mib": "peak memory, MiB"}
    marks = dict(zip(table["command"].unique(), "os^Dv", strict=False))
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
            f"{told}: no intervals. Dotted: 4 GiB.",
        )
    return figure
