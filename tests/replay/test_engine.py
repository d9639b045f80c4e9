"""The inner loop against a scan of all questions, on tables made to be awkward."""

from __future__ import annotations

import numpy as np
import pytest

from dynlab.replay.engine import Tables, pull


def made_up(kind: str, num_questions: int, depths: int = 9, replications: int = 6) -> Tables:
    rng = np.random.default_rng(num_questions)
    shape = (depths, replications, num_questions)
    value, width = rng.random(shape), rng.random(shape)
    draws, profile = np.zeros((0, 0), np.float32), np.zeros((0, 0, 0), np.int32)
    if kind == "no width":
        width = np.zeros((0, 0, 0))
    if kind == "ties":
        value, width = np.round(value * 4) / 4, np.round(width * 2) / 2
    if kind == "out for good":
        value[rng.random(shape) < 0.05] = -np.inf
    if kind == "warm-up":
        value[:2], width[:2] = 1e9 - np.arange(2)[:, None, None], 0.0
    if kind == "random":
        draws = rng.random((50, 16), np.float32)
        profile = rng.integers(50, size=shape, dtype=np.int32)
    value[-1] = -np.inf
    price = rng.random((depths - 1, replications, num_questions)) + 0.5
    offset = rng.integers(1000, size=(replications, num_questions))
    return Tables(value, width, draws, profile, offset, price, 0.7 * num_questions * (depths - 1))


def scanned(t: Tables, r: int) -> list[tuple[int, int]]:
    """The pulls of one replication, by an argmax over all questions at each."""
    _, _, num_questions = t.value.shape
    pulls, spent, log = np.zeros(num_questions, int), 0.0, []
    columns = np.arange(num_questions)
    while True:
        score = t.value[pulls, r, columns]
        if t.width.size:
            score = score + np.sqrt(np.log(max(len(log), 1))) * t.width[pulls, r, columns]
        if t.draws.size:
            place = (t.offset[r] + len(log)) % t.draws.shape[1]
            score = score + t.draws[t.profile[pulls, r, columns], place]
        pick = int(score.argmax())
        if score[pick] == -np.inf or spent + t.price[pulls[pick], r, pick] > t.limit:
            return log
        spent += t.price[pulls[pick], r, pick]
        log.append((pick, int(pulls[pick])))
        pulls[pick] += 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["no width", "growing", "ties", "out for good", "warm-up", "random"]
)
@pytest.mark.parametrize("num_questions", [1, 2, 3, 7, 50, 301])
def test_a_tournament_finds_the_question_that_a_scan_finds(kind, num_questions):
    tables = made_up(kind, num_questions)
    question, sample = pull(tables)
    assert (question >= 0).sum() > num_questions
    for r in range(len(question)):
        pulled = zip(question[r].tolist(), sample[r].tolist(), strict=True)
        assert [pull for pull in pulled if pull[0] >= 0] == scanned(tables, r)


@pytest.mark.slow
def test_a_line_that_grows_faster_takes_over_when_it_crosses():
    depths, crossing = 40, 20  # question 1 is chosen once √(ln t) reaches √(ln 20)
    value, width = np.zeros((depths, 1, 2)), np.zeros((depths, 1, 2))
    value[:, 0, 0], width[:, 0, 1] = np.sqrt(np.log(crossing)) - 1e-9, 1.0
    none = np.zeros((0, 0), np.float32)
    tables = Tables(
        value,
        width,
        none,
        np.zeros((0, 0, 0), np.int32),
        np.zeros((1, 2), int),
        np.ones((depths - 1, 1, 2)),
        30,
    )
    question, _ = pull(tables)
    assert question[0].tolist() == [0] * crossing + [1] * 10
