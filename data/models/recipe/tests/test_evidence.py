"""What the reasoner's recordings show: tables against counts laid out by hand, and the words
of a made-up family.
"""

import numpy as np
import pandas as pd
import pytest
from recipe import evidence, reports

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording, write
from dynlab.reports.chained_samples import of_accuracies, of_gains


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


def test_verdicts_are_held_against_their_attempts():
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
    found = evidence.verdicts(Recording(pd.DataFrame(rows), {}, "sums--dynlab-reasoner"))
    assert found["was"].tolist() == [True, False, False]
    assert found["right"].tolist() == [True, True, False]


@pytest.mark.slow
def test_without_verdicts_there_is_no_gap():
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


@pytest.mark.slow
def test_means_are_of_the_families_differences():
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


@pytest.mark.slow
def test_chains_meet_the_best_baseline_of_a_budget():
    held = [made_up(), made_up("digits", 1)]
    table = evidence.together(held, replications=5)
    plain = {("parallel", name): name for name in evidence.BASELINES}
    curves = evidence.contrast(
        held, evidence.WHOLE, evidence.BASELINES, evidence.BUDGETS, names=plain, replications=5
    ).curves
    means = curves[curves["allocator"] != "greedy"].groupby(["budget", "method"])["accuracy"].mean()
    for at, rows in table.groupby("at"):
        assert set(rows["against"]) == {means[at].idxmax()}
        assert {"integrated, ucb", "integrated, priced"} <= set(rows["method"])


@pytest.mark.slow
def test_controls_lie_beside_the_recordings(tmp_path):
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


@pytest.mark.slow
def test_committed_numbers_are_of_shipped_recordings():
    committed = pd.read_csv(shipped_files.folder("figures") / "10-gains.csv")
    held = evidence.recordings()
    assert {*committed["family"]} == {*map(evidence.family_of, held), "mean"}
    digits = [each for each in held if evidence.family_of(each) == "digits"]
    fresh = evidence.attempts(digits).query("family == 'digits'")
    both = fresh.merge(
        committed, on=["family", "measure"], suffixes=("", " there"), validate="one_to_one"
    )
    assert len(both) == len(fresh) == (committed["family"] == "digits").sum()
    for column in ("value", "low", "high"):
        np.testing.assert_allclose(both[column], both[f"{column} there"], atol=1e-6, equal_nan=True)


@pytest.mark.slow
def test_gains_are_read_in_words():
    held = [made_up(), made_up("digits", 1)]
    attempts = evidence.attempts(held)
    gains = of_gains(attempts, "family")
    mean = attempts.set_index(["family", "measure"]).loc[("mean", "chained − sample"), "value"]
    assert f"**chained − sample**: {mean:+.3f} [" in gains
    assert "above zero in sums, digits, below zero in no family" in gains
    assert "placebo" not in gains
    assert of_accuracies(attempts, "family").count("\n") == 1
    assert "**sums, level 3**: attempts are judged rightly +0." in reports.of_gap(
        evidence.by_level(held)
    )


def test_missing_recordings_name_what_makes_them(tmp_path):
    with pytest.raises(InputError, match="draw them: make recordings"):
        evidence.recordings(tmp_path)
