"""Speed as ratios within one run: replay against faithful per-pull loops, and how it grows. `make
benchmarks`.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from dynlab.policies.policy import Policy
from dynlab.policies.ucb import UCB
from dynlab.recordings.recording import load
from dynlab.recordings.streams import Streams, streams_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import replay

pytestmark = pytest.mark.benchmarks
RUNS = Path(__file__).resolve().parents[2] / "runs"


def pulls_per_second(streams: Streams, replications: int, repeats: int = 3) -> float:
    """Replay's pulls per second of one core, UCB over the whole pool."""
    budgets = np.array([2.0, 8.0, float(streams.lengths.mean())])
    replay(
        streams, [Policy(UCB())], budgets, replications=2
    )  # compiles, or loads what was compiled
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        replay(streams, [Policy(UCB())], budgets, replications=replications)
        seconds.append(time.process_time() - start)
    return replications * int(streams.lengths.sum()) / min(seconds)


def adaptive_consistency(answers: list[list[int]], limit: int) -> int:
    """Aggarwal 2023 as released: after every sample of a question, the Beta posterior integrated
    numerically.
    """
    quad = pytest.importorskip(
        "scipy.integrate", reason="pip install scipy to compare with it"
    ).quad
    pulls = 0
    for drawn in answers:
        counts: dict[int, int] = {}
        for n, answer in enumerate(drawn[:40], start=1):
            counts[answer] = counts.get(answer, 0) + 1
            pulls += 1
            v1, v2 = sorted([*counts.values(), 0], reverse=True)[:2]
            above, below = (
                quad(lambda x, a=v1, b=v2: x**a * (1 - x) ** b, *ends)[0]
                for ends in ((0.5, 1), (0, 0.5))
            )
            if above / (above + below) >= 0.95 or n == 40:
                break
    return pulls


def pets(answers: list[list[int]], limit: int) -> int:
    """PETS' knowledge gradient as released: h by 500 draws of a Dirichlet, for the question pulled
    last alone.
    """
    rng = np.random.default_rng(0)

    def confident(counts: np.ndarray) -> float:
        return float((rng.dirichlet(counts + 1, 500).argmax(axis=1) == counts.argmax()).mean())

    def index(counts: np.ndarray) -> float:
        return max(confident(counts + more) for more in np.eye(len(counts), dtype=int)) - confident(
            counts
        )

    counts = np.zeros((len(answers), 1 + max(map(max, answers))), int)
    for question, drawn in enumerate(answers):
        counts[question, drawn[0]] = 1
    held = [1] * len(answers)
    indices = [index(each) for each in counts]
    for _ in range(limit):
        pick = max(range(len(answers)), key=indices.__getitem__)
        counts[pick, answers[pick][held[pick]]] += 1
        held[pick] += 1
        indices[pick] = index(counts[pick]) if held[pick] < len(answers[pick]) else -math.inf
    return limit + len(answers)


def mabwiser_ucb(answers: list[list[int]], limit: int) -> int:
    """mabwiser's UCB1 told one reward at a time: whether the sample disagreed with the question's
    leader.
    """
    from mabwiser.mab import MAB, LearningPolicy

    arms = list(range(len(answers)))
    bandit = MAB(arms=arms, learning_policy=LearningPolicy.UCB1(alpha=1.0), seed=0)
    bandit.fit(arms, [1.0] * len(arms))
    held = [1] * len(answers)
    for _ in range(limit):
        pick = bandit.predict()
        held[pick] = (held[pick] + 1) % len(answers[pick])
        bandit.partial_fit([pick], [float(answers[pick][held[pick]] != answers[pick][0])])
    return limit


@pytest.mark.parametrize(
    "rival", [adaptive_consistency, pets, mabwiser_ucb], ids=lambda rival: rival.__name__
)
def test_replay_is_a_hundred_times_a_faithful_loop(rival, pool, capsys):
    if rival is mabwiser_ucb:
        pytest.importorskip(
            "mabwiser.mab", exc_type=ImportError, reason="pip install mabwiser to compare with it"
        )
    streams = streams_of(load(pool()))
    ours = pulls_per_second(streams, replications=200)
    codes = next(draws_of(streams, 1, 0, "samples")).tally.codes[:, 0]
    answers = codes.T.tolist()
    start = time.process_time()
    pulls = rival(answers, 300)
    theirs = pulls / (time.process_time() - start)
    with capsys.disabled():
        print(
            f"\n{rival.__name__}: {theirs:,.0f} pulls/s; replay: {ours:,.0f} pulls/s; ratio"
            f" {ours / theirs:,.0f}"
        )
    assert ours / theirs >= 100


def test_time_a_pull_hardly_grows_with_questions(capsys):
    """To 10,000 questions × 64 samples × 100 replications (minutes); writes
    runs/engine-scaling.{csv,svg,png}.
    """
    import resource

    import pandas as pd

    from dynlab.plots import figure_files

    replay(
        made_up(10, 8), [Policy(UCB())], np.array([2.0]), replications=2
    )  # compiles, or loads what was compiled
    rows = []
    for num_questions in (100, 300, 1000, 3000, 10000):
        streams = made_up(num_questions, 64)
        start = time.process_time()
        replay(streams, [Policy(UCB())], np.array([2.0, 8.0, 64.0]), replications=100)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pulls = num_questions * 6400
        rows.append(
            {
                "questions": num_questions,
                "samples": 64,
                "replications": 100,
                "pulls": pulls,
                "seconds": seconds,
            }
            | {"microseconds_a_pull": 1e6 * seconds / pulls, "peak_mib": peak}
        )
    table = pd.DataFrame(rows)
    figure_files.save(scaling(table), RUNS, "engine-scaling", table)
    with capsys.disabled():
        print("\n" + table.to_string(index=False, float_format="{:.2f}".format))
    per_pull = table["microseconds_a_pull"]
    assert (
        per_pull.iloc[-1] / per_pull.iloc[0] < 10
    )  # a scan of all questions would cost 100 times as much


def scaling(table):
    """The picture of how time and memory grow with the number of questions."""
    from dynlab.plots import axes, captions, curves, style

    columns = {"microseconds_a_pull": "µs of one core\na pull", "peak_mib": "peak memory, MiB"}
    with style.style():
        figure, panels = axes.new_panels(1, 2, width=curves.TWO_COLUMNS, height=1.9)
        for ax, (column, label) in zip(panels, columns.items(), strict=True):
            ax.plot(table["questions"], table[column], marker="o", color="black", clip_on=False)
            ax.set(
                xlabel="questions\n(× 64 samples × 100 replications)",
                ylabel=label,
                xscale="log",
                ylim=(0, None),
            )
        captions.add_caption(figure, "One run of UCB on one core: no intervals.")
    return figure


def made_up(num_questions: int, num_samples: int) -> Streams:
    """Streams of made-up answers of all difficulties."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(5, 0.6), num_questions).cumsum(axis=1)
    codes = (
        (rng.random((num_questions, num_samples, 1)) > shares[:, None, :])
        .sum(axis=2)[:, None, :]
        .clip(0, 4)
    )
    unknown = np.full(codes.shape, np.nan)
    fields = dict.fromkeys(Streams.__dataclass_fields__, unknown)
    return Streams(
        **fields
        | {
            "name": "made-up",
            "strategy": "parallel",
            "question_ids": tuple(map(str, range(num_questions))),
            "answers": (tuple("abcde"),) * num_questions,
            "codes": codes.astype(np.int32),
            "path": np.broadcast_to(np.int32(1), (num_samples, num_samples)),
            "right": np.tile(np.arange(5) == 0, (num_questions, 1)),
            "exchangeable": True,
            "has_target": True,
            "tokens_kind": "unknown",
            "imputed": 0.0,
        }
    )
