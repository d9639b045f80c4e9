"""Agreement of two recordings: against closed forms, a model that changed, and the shipped pair."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from recipe.evidence import FOLDER

from dynlab._util.errors import InputError
from dynlab._util.shipped_files import folder
from dynlab.analysis.same_model import agreement, main
from dynlab.recordings.recording import load

BESIDE = folder(FOLDER) / "controls" / "sums--dynlab-reasoner.beside.parquet"


def drawn(
    share,
    *,
    seed,
    prefix="q",
    num_questions=60,
    num_samples=8,
    role="independent",
    strategy="parallel",
):
    """Samples of questions whose chances spread about `share`."""
    rng = np.random.default_rng(seed)
    rows = []
    for q, chance in enumerate(rng.beta(4 * share, 4 * (1 - share), num_questions)):
        for index, right in enumerate(rng.random(num_samples) < chance):
            answer = "1" if right else str(rng.integers(2, 5))
            rows.append((f"{prefix}{q}", f"{prefix}{q}?", strategy, 0, index, role, answer, right))
    names = [
        "question_id",
        "question",
        "strategy",
        "stream",
        "sample_index",
        "role",
        "answer",
        "correct",
    ]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.slow
def test_the_same_questions_are_paired_and_others_are_two_groups():
    one, other = drawn(0.5, seed=1), drawn(0.5, seed=2)
    a, b = (frame.groupby("question_id")["correct"].mean() for frame in (one, other))
    row = agreement(one, other).set_index("measure").loc["sample"]
    z = (a - b).mean() / ((a - b).std() / math.sqrt(60))
    assert (row["z"], row["p"]) == (
        pytest.approx(z),
        pytest.approx(math.erfc(abs(z) / math.sqrt(2))),
    )
    moved = other.assign(question_id="x" + other["question_id"])
    row = agreement(one, moved).set_index("measure").loc["sample"]
    assert row["z"] == pytest.approx((a.mean() - b.mean()) / math.sqrt(a.var() / 60 + b.var() / 60))
    first = (
        agreement(one[one["question_id"].isin([f"q{q}" for q in range(20)])], other)
        .set_index("measure")
        .loc["sample"]
    )
    few = (a - b)[[f"q{q}" for q in range(20)]]
    assert first["z"] == pytest.approx(
        few.mean() / (few.std() / math.sqrt(20))
    )  # a part of the questions is paired too
    reworded = (
        agreement(one, other.assign(question=other["question"] + "!"))
        .set_index("measure")
        .loc["sample"]
    )
    assert reworded["z"] == pytest.approx(
        row["z"]
    )  # the same id does not make it the same question


@pytest.mark.slow
def test_shared_questions_are_paired_and_others_not():
    """Of one model z has a spread of 1; taken as groups of different questions it would have about
    0.75.
    """
    first, last = [f"q{q}" for q in range(40)], [f"q{q}" for q in range(20, 60)]
    zs = []
    for seed in range(90):
        rng = np.random.default_rng(seed)
        chances = np.repeat(rng.beta(1, 1, 60), 8)
        asked = drawn(0.5, seed=seed)
        one, other = (asked.assign(correct=rng.random(480) < chances) for _ in range(2))
        pair = one[one["question_id"].isin(first)], other[other["question_id"].isin(last)]
        zs.append(agreement(*pair).set_index("measure").loc["sample", "z"])
    assert 0.9 < np.std(zs) < 1.1 and abs(np.mean(zs)) < 0.2


@pytest.mark.slow
def test_p_is_uniform_for_one_model():
    """By chance one of a hundred fresh recordings would be refused at 0.01; a model that got worse
    by 0.2 is found.
    """
    shipped = [drawn(0.5, seed=seed) for seed in range(60)]
    fresh = [drawn(0.5, seed=1000 + seed, prefix="f", num_questions=40) for seed in range(60)]
    ps = np.array(
        [
            agreement(*pair).set_index("measure").loc["sample", "p"]
            for pair in zip(shipped, fresh, strict=True)
        ]
    )
    assert 0.4 < ps.mean() < 0.6 and (ps < 0.01).sum() <= 3
    worse = [drawn(0.3, seed=2000 + seed, prefix="f") for seed in range(20)]
    found = [
        agreement(*pair).set_index("measure").loc["sample", "p"]
        for pair in zip(shipped, worse, strict=False)
    ]
    assert np.mean(np.array(found) < 0.01) > 0.7


def test_votes_are_of_as_many_and_chains_as_deep():
    """A longer recording's votes and chains are cut to the shorter one's size, so that neither
    looks better.
    """
    one, other = drawn(0.5, seed=1, num_samples=12), drawn(0.5, seed=2, num_samples=5)
    assert "vote of 5" in set(agreement(one, other)["measure"])
    deep = drawn(0.5, seed=3, role="chained", strategy="integrated")
    late = deep.assign(sample_index=deep["sample_index"] + 8, correct=True)
    table = agreement(pd.concat([one, deep, late]), pd.concat([other, deep])).set_index("measure")
    row = table.loc["chained, integrated"]
    assert (row["one"], row["z"], row["p"]) == (row["other"], 0.0, 1.0)


def test_recordings_that_cannot_be_compared_are_refused(tmp_path, capsys):
    with pytest.raises(InputError, match="without targets"):
        agreement(drawn(0.5, seed=1), drawn(0.5, seed=1).assign(correct=pd.NA))
    chained = drawn(0.5, seed=1, role="chained", strategy="integrated")
    with pytest.raises(InputError, match="share no measure"):
        agreement(drawn(0.5, seed=1), chained)
    assert main([str(tmp_path / "none.parquet"), str(tmp_path / "none.parquet")]) == 2
    assert "dynlab.analysis.same_model: " in capsys.readouterr().err


@pytest.mark.slow
def test_the_adapter_beside_the_weights_is_the_same(tmp_path, capsys):
    """What the README says of it."""
    assert (
        load(BESIDE).card["server"] == "llama.cpp by xllamacpp"
        and "adapter_merged" not in load(BESIDE).card
    )
    assert main([str(BESIDE), "sums--dynlab-reasoner", "--out", str(tmp_path / "table.csv")]) == 0
    assert "chained, integrated" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "table.csv").set_index("measure")
    assert (table["p"] > 0.01).all()


@pytest.mark.slow
def test_the_recordings_page_tells_its_own_numbers():
    page = (folder(FOLDER) / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    space: dict = {}
    exec(compile(code, "README.md", "exec"), space)
    table = space["table"].set_index("measure")
    for strategy, digits in (("integrated", 2), ("sequential", 3)):
        row = table.loc[f"chained, {strategy}"]
        told = f"{strategy} {row['other']:.2f} against {row['one']:.2f}, p {row['p']:.{digits}f}"
        assert told in " ".join(page.split())
    for family in ("totals", "calendar", "digits"):
        exec(compile(code.replace("sums--", f"{family}--"), "README.md", "exec"), space)
        assert (space["table"]["p"] > 0.05).all()
