"""A hostile provider, kills at random moments, the same command again: nothing lost or paid for
twice, caps hold.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers.forks import forked
from helpers.hostile_server import ANSWERED, COMPLETION_TOKENS, PROMPT_TOKENS, answer_of
from helpers.killable_runs import KEY, record_hostile
from helpers.scripted_server import serving

from dynlab import recordings
from dynlab.sampling.plan import sampling_seed
from dynlab.sampling.verification import verify

TESTS = Path(__file__).parent
PRICE = (1.0, 10.0)
COST = (PROMPT_TOKENS * PRICE[0] + COMPLETION_TOKENS * PRICE[1]) / 1e6


def hostile(share: float, log: Path, seed: int = 0):
    """The address of a hostile server in a process of its own."""
    return serving("hostile_server.py", share, seed, log)


def start(
    address: str,
    out: Path,
    questions: int,
    samples: int,
    concurrency: int,
    cap: float | None = None,
):
    settings = (address, out, questions, samples, concurrency, cap)
    return forked(record_hostile, *settings, told=out.with_suffix(".told"))


def run_killed(
    address: str, out: Path, questions: int, samples: int, concurrency: int, kills: int
) -> int:
    """The same command again and again, killed at random moments once it has begun to draw; how
    often it was killed.
    """
    rng, killed = random.Random(1), 0
    while True:
        process = start(address, out, questions, samples, concurrency)
        before, pause_s = num_stored(out), 0.05 + rng.random()
        while process.is_alive() and killed < kills and num_stored(out) == before:
            time.sleep(0.01)
        process.join(pause_s if killed < kills else None)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
            process.join()
            continue
        assert process.exitcode == 0, out.with_suffix(".told").read_text()
        return killed


def num_stored(out: Path) -> int:
    store = Path(f"{out}.sqlite")
    if not store.exists():
        return 0
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        try:
            (count,) = database.execute("SELECT count(*) FROM samples").fetchone()
        except sqlite3.Error:
            count = 0
    database.close()
    return count


def books(log: Path) -> tuple[Counter, Counter]:
    """How often each seed was asked, and answered in full."""
    lines = [line.split(maxsplit=2) for line in log.read_text().splitlines()]
    asked = Counter(int(words[1]) for words in lines if words[0] == "asked")
    return asked, Counter(
        int(words[1])
        for words in lines
        if words[0] == "answered" and " ".join(words[2:]) in ANSWERED
    )


def check(
    out: Path, log: Path, questions: int, samples: int, concurrency: int, killed: int
) -> None:
    """Every sample is there once, as it was answered, and the books agree with the server's."""
    frame = recordings.load(out).frame
    keys = {(f"q{i}", "parallel", 0, j) for i in range(questions) for j in range(samples)}
    found = [
        *zip(
            frame["question_id"],
            frame["strategy"],
            frame["stream"],
            frame["sample_index"],
            strict=True,
        )
    ]
    assert len(found) == len(set(found)) and set(found) == keys
    seeds = {key: sampling_seed(0, key) for key in keys}
    for row in frame[frame["votes"]].itertuples():
        assert row.answer == answer_of(
            seeds[row.question_id, row.strategy, row.stream, row.sample_index]
        )
    _, answered = books(log)
    assert set(answered) <= set(seeds.values())
    again = {seed for seed, count in answered.items() if count > 1}
    assert len(again) <= killed * concurrency  # in flight at a kill: the answer never arrived
    with sqlite3.connect(f"{out}.sqlite") as database:
        states = dict(database.execute("SELECT state, count(*) FROM calls GROUP BY state"))
        settled, usd = database.execute(
            "SELECT count(*), sum(picousd) FROM calls WHERE state = 'settled'"
        ).fetchone()
    database.close()
    counted = frame["cost_usd"].notna() & (frame["cost_usd"] > 0)
    assert settled == counted.sum() and usd / 1e12 == pytest.approx(settled * COST, rel=1e-12)
    assert COST * sum(answered.values()) <= (usd / 1e12) + states.get("reserved", 0) * (
        1e-6 * 50 + 8e-5
    )
    assert verify(out).problems == verify(f"{out}.sqlite").problems == ()


@pytest.mark.slow
def test_kills_lose_nothing_and_pay_nothing_twice(tmp_path):
    out, log = tmp_path / "a.parquet", tmp_path / "server.log"
    with hostile(0.08, log) as address:
        killed = run_killed(address, out, questions=30, samples=8, concurrency=16, kills=2)
    check(out, log, 30, 8, 16, killed)
    assert killed >= 1
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()


@pytest.mark.slow
def test_a_cap_holds_by_the_server_s_own_count(tmp_path):
    out, log, cap = tmp_path / "a.parquet", tmp_path / "server.log", 0.02
    with hostile(0.08, log) as address:
        process = start(address, out, 50, 20, 64, cap)
        process.join(100)
        assert (
            process.exitcode == 1
            and "the next call may cost" in out.with_suffix(".told").read_text()
        )
        _, answered = books(log)
        assert 0.3 * cap < COST * sum(answered.values()) <= cap


@pytest.mark.slow
@pytest.mark.benchmarks
def test_ten_thousand_calls_and_twenty_five_kills(tmp_path, capsys):
    out, log = tmp_path / "a.parquet", tmp_path / "server.log"
    started = time.monotonic()
    with hostile(0.065, log) as address:
        killed = run_killed(address, out, questions=200, samples=50, concurrency=64, kills=25)
    check(out, log, 200, 50, 64, killed)
    asked, answered = books(log)
    with capsys.disabled():
        seconds = time.monotonic() - started
        print(f"\n10,000 samples, {killed} kills, {sum(asked.values())} calls, {seconds:.0f} s")
        print(f"{sum(count > 1 for count in answered.values())} seeds were answered more than once")
        print(verify(f"{out}.sqlite").summary)
