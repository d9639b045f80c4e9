"""Time and memory of commands on recordings of 64 samples a question with texts, to 100,000
questions: those that read no texts, and those that write them. `make benchmarks`.
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
from helpers.large_recording import CARD, large_recording
from helpers.large_store import MODEL, large_store
from helpers.scripted_server import ScriptedServer

from dynlab.policies.registry import names
from dynlab.recordings.exports import inspect_log
from dynlab.recordings.parquet_files import frames_in
from dynlab.recordings.recording import write
from dynlab.recordings.writing import BLOCK_ROWS, write_blocks

pytestmark = pytest.mark.benchmarks
RUNS = Path(__file__).resolve().parents[2] / "runs"
QUESTIONS = (1000, 10_000, 100_000)
# their random indices are looked through at every pull: time grows with the square of questions
RANDOM = ("thompson", "okg-pets")
ALL = ",".join(name for name in (*names("allocator"), *names("vote")) if name not in RANDOM)
COMMANDS = {
    "compare": "--allocators uniform,ucb,priced --budgets 4,8",
    "leaderboard": f"--allocators {ALL} --at 4,8",  # and all stopping rules
}
COMMON = "--unit tokens --replications 2"
MOST_MIB = 4096
READING = (
    "One run of each command in two replications, texts on disk; compare: three policies;"
    f" leaderboard: all but {' and '.join(RANDOM)}"
)
WRITING = "One run of each command; record finds a store that lacks the last question's samples"


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
    """To 6.4 million samples, a log of Inspect to what it holds (an hour); writes
    runs/large-recordings-written.{csv,svg,png} after each command.
    """
    rows: list[dict[str, object]] = []
    for num_questions in QUESTIONS:
        record_store(tmp_path / f"store-{num_questions}", num_questions, rows)
    for num_questions in QUESTIONS:
        merge_and_export(tmp_path / str(num_questions), num_questions, rows)
    table = pd.DataFrame(rows)
    with capfd.disabled():
        print("\n" + table.to_string(index=False, float_format="{:.1f}".format))
    assert table["peak_mib"].max() < MOST_MIB
    for _, own in table.groupby("command"):
        small, large = own.iloc[-2], own.iloc[-1]
        assert large["seconds"] / small["seconds"] < 1.25 * large["questions"] / small["questions"]


def record_store(folder: Path, num_questions: int, rows: list[dict[str, object]]) -> None:
    """`record` finds a store that lacks the last question's samples, draws these and writes all:
    how drawing itself grows is not measured.
    """
    with ScriptedServer(lambda call: "Answer: 0") as server:
        path = apart(large_store, folder, num_questions, server.address)
        asked = ["--task", folder / "task.jsonl", "--samples", 64, "--api-base", server.address]
        measure(rows, path, num_questions, "record --model", MODEL, *asked, "--out", path)
    shutil.rmtree(folder)


def merge_and_export(folder: Path, num_questions: int, rows: list[dict[str, object]]) -> None:
    """A large recording is merged with a small one of another strategy, and exported."""
    folder.mkdir()
    path, small = apart(to_be_merged, folder, num_questions)
    measure(rows, path, num_questions, "merge", path, small, "--out", folder / "both.parquet")
    for to, out in {"hub": "hub", "lm-eval": "a.jsonl", "inspect": "a.eval"}.items():
        if to != "inspect" or num_questions * 64 <= inspect_log.MOST:
            measure(rows, path, num_questions, f"export --to {to}", path, "--out", folder / out)
    shutil.rmtree(folder)


def measure(
    rows: list[dict[str, object]], path: Path, num_questions: int, command: str, *arguments: object
) -> None:
    """Adds what a command took by the size of its recording, and writes the figure."""
    from dynlab.plots import figure_files

    of = [] if command.startswith("record") else ["recordings"]
    found = measured(*of, *command.split(), *map(str, arguments))
    name = command.removesuffix(" --model")
    size = {"command": name, "questions": num_questions, "samples": 64}
    rows.append(size | {"file_mib": path.stat().st_size / 2**20} | found)
    table = pd.DataFrame(rows)
    figure_files.save(scaling(table, WRITING), RUNS, "large-recordings-written", table)


def apart(function, *arguments):
    """What a function returns, called in a process of its own: a process that is begun by one that
    holds much memory is told to have held as much.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def to_be_merged(folder: Path, num_questions: int) -> tuple[Path, Path]:
    """A large recording as dynlab writes it, and a small one of another strategy."""
    drawn = large_recording(folder / "drawn.parquet", num_questions)
    frames = frames_in(drawn, BLOCK_ROWS)
    path = write_blocks(frames, lambda _: CARD, folder / "large.parquet")
    own = next(frames_in(drawn, BLOCK_ROWS)).assign(strategy="sequential")
    drawn.unlink()
    return path, write(own, CARD, folder / "small.parquet")


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
        panels[0].legend(loc="lower right", frameon=False)
        captions.add_caption(
            figure,
            f"{told}: no intervals. Dotted: 4 GiB.",
        )
    return figure
