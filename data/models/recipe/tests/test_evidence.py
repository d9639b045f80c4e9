"""What the reasoner's recordings show: tables against counts laid out by hand, and all pictures of
a made-up family.
"""

import numpy as np
import pandas as pd
import pytest
from recipe import evidence

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording, write


def samples(question, strategy, stream, answers, chained_from=None, texts=()):
    """Rows of one stream in which the right answer is '1'; samples from `chained_from` on are shown
    those before it.
    """
    for index, answer in enumerate(answers):
        chained = chained_from is not None and index >= chained_from
        yield {
            "question_id": question,
            "strategy": strategy,
            "stream": stream,
            "sample_index": index,
            "answer": answer,
            "target": "1",
            "correct": answer == "1",
            "role": "chained" if chained else "independent",
            "parents": list(range(chained_from)) if chained else [],
            "text": texts[index - chained_from] if chained and texts else f"Answer: {answer}",
            "prompt_tokens": 30 if chained else 10,
            "completion_tokens": 10,
        }


def made_up(family="sums", seed=0, num_questions=12):
    """A family in which half of the independent samples are right and nine of ten chained ones,
    which judge well.
    """
    rng = np.random.default_rng(seed)

    def drawn(count, share):
        return "".join(
            rng.choice(["1", "2", "3"], count, p=[share, 0.6 * (1 - share), 0.4 * (1 - share)])
        )

    rows = []
    for number in range(num_questions):
        question = f"{family}-{3 + number % 2}-{number:03}"
        rows += samples(question, "greedy", 0, drawn(1, 0.5))
        rows += samples(question, "parallel", 0, drawn(32, 0.5))
        for stream in range(2):
            shown, own = drawn(4, 0.5), drawn(12, 0.9)
            said = [
                " ".join(
                    f"({i}) 1+1=2 {'yes' if a == '1' else 'no'}." for i, a in enumerate(shown, 1)
                )
            ] * 12
            rows += samples(question, "integrated", stream, shown + own, 4, said)
            rows += samples(question, "sequential", stream, drawn(8, 0.6), 1, ["…"] * 7)
    return Recording(pd.DataFrame(rows), {}, f"{family}--dynlab-reasoner")


def test_verdicts_are_held_against_the_attempts_that_they_are_about():
    rows = [
        *samples(
            "sums-3-001",
            "integrated",
            0,
            "1211",
            2,
            ["(1) 1+2=3 yes. (2) 3+4=8 no.", "(2) 5 yes. (7) no"],
        )
    ]
    verdicts = evidence.judged(Recording(pd.DataFrame(rows), {}, "sums--dynlab-reasoner"))
    assert verdicts["was"].tolist() == [True, False, False]
    assert verdicts["right"].tolist() == [True, True, False]


def test_the_gap_is_nothing_where_no_attempt_is_judged_and_counted_where_all_are():
    own = made_up()
    levels = evidence.by_level([own]).set_index("level")
    assert levels["checked"].tolist() == [1, 1]
    assert levels["gap"].to_numpy() == pytest.approx(1 - levels["sample"].to_numpy())
    assert (
        (levels["gain"] > 0.2).all()
        and (levels["low"] < levels["gain"]).all()
        and levels["num_questions"].sum() == 12
    )
    blind = Recording(own.frame.assign(text="Answer: 1"), {}, own.name)
    assert evidence.by_level([blind])["gap"].tolist() == [0, 0]


def test_the_mean_over_families_is_that_of_their_differences():
    held = [made_up(), made_up("digits", 1)]
    table = evidence.attempts(held).set_index(["family", "measure"])["value"]
    for measure in (
        "vote − greedy",
        "chained − sample",
        "chained − shown",
        "4 + 4 − 8 independent",
    ):
        assert table["mean", measure] == pytest.approx(
            (table["sums", measure] + table["digits", measure]) / 2
        )
    right = held[0].frame.query("strategy == 'parallel'")["correct"].mean()
    assert table["sums", "sample"] == pytest.approx(right)


def test_chains_under_a_bandit_are_held_against_the_most_accurate_baseline_of_each_budget():
    held = [made_up(), made_up("digits", 1)]
    table = evidence.together(held, replications=5)
    plain = {("parallel", name): name for name in evidence.BASELINES}
    curves = evidence.contrasts.contrast(
        held,
        strategies=evidence.WHOLE,
        allocators=evidence.BASELINES,
        budgets=evidence.BUDGETS,
        names=plain,
        unit="tokens",
        replications=5,
    )
    means = curves[curves["allocator"] != "greedy"].groupby(["budget", "method"])["accuracy"].mean()
    for at, rows in table.groupby("at"):
        assert set(rows["against"]) == {means[at].idxmax()}
        assert {"integrated, ucb", "integrated, priced"} <= set(rows["method"])


def test_one_command_writes_every_table_and_picture(tmp_path, monkeypatch, capsys):
    held = [made_up(), made_up("digits", 1)]
    monkeypatch.setattr(evidence, "recordings", lambda folder: held)
    assert evidence.main(["--out", str(tmp_path), "--replications", "5"]) == 0
    pictures = {path.stem for path in tmp_path.glob("*.svg")}
    names = ("levels", "gains", "cases", "gap", "depths", "savings", "together")
    assert pictures == {f"reasoner-{name}" for name in names}
    table = pd.read_csv(tmp_path / "reasoner.csv")
    assert set(table["claim"]) == {"a, b", "d", "e"} and set(table["family"]) == {
        "sums",
        "digits",
        "mean",
    }
    assert "chained − sample" in capsys.readouterr().out


def test_controls_are_read_from_beside_the_recordings(tmp_path):
    own = made_up()
    write(own.frame, {}, tmp_path / f"{own.name}.parquet")
    plain = own.frame[own.frame["strategy"] == "parallel"]
    write(plain.assign(correct=False), {}, tmp_path / "controls" / f"{own.name}.placebo.parquet")
    (held,) = evidence.recordings(tmp_path)
    table = evidence.attempts([held]).set_index(["family", "measure"])["value"]
    assert (
        table["sums", "placebo"] == 0
        and table["sums", "chained − placebo"] == table["sums", "chained"]
    )
    assert ("sums", "untaught") not in table.index
    write(
        plain.assign(correct=True, answer="1"),
        {},
        tmp_path / "controls" / f"{own.name}.untaught.parquet",
    )
    table = evidence.attempts([held]).set_index(["family", "measure"])["value"]
    assert table["sums", "untaught"] == table["sums", "untaught, equal tokens"] == 1
    assert table["sums", "chained − untaught"] == pytest.approx(table["sums", "chained"] - 1)
    assert table["sums", "4 + 4 − untaught, equal tokens"] == pytest.approx(
        table["sums", "4 + 4"] - 1
    )


def test_the_committed_numbers_are_those_that_the_shipped_recordings_give():
    committed = (
        pd.read_csv(shipped_files.folder("figures") / "reasoner.csv")
        .query("claim == 'a, b'")
        .drop(columns="claim")
    )
    fresh = evidence.attempts(evidence.recordings())
    assert set(fresh["family"]) == {*evidence.PUZZLES, "mean"}
    both = fresh.merge(
        committed, on=["family", "measure"], suffixes=("", " there"), validate="one_to_one"
    )
    assert len(both) == len(fresh) == len(committed)
    for column in ("value", "low", "high"):
        np.testing.assert_allclose(both[column], both[f"{column} there"], atol=1e-6, equal_nan=True)


def test_without_recordings_it_says_what_makes_them(tmp_path, capsys):
    with pytest.raises(InputError, match="make recordings"):
        evidence.recordings(tmp_path)
    assert evidence.main(["--recordings", str(tmp_path)]) == 2
    assert "make recordings" in capsys.readouterr().err
