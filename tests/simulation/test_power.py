"""Power: known at its ends, honest about how many experiments it is from."""

import numpy as np
import pandas as pd
import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.cli.parser import main
from dynlab.plots.simulation import plot_agreement, plot_power, plot_saving_agreement
from dynlab.reports.simulation import of_agreement, of_power
from dynlab.simulation.chances import BetaChance
from dynlab.simulation.experiments import POWER, wilson
from dynlab.simulation.goodness_of_fit import AGREEMENT, agreement
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.wrong_answers import WrongAnswers

MODEL = RecordingModel("made up", BetaChance(1.2, 1.0), WrongAnswers(1.0, 0.25))
SMALL = {"questions": [20], "samples": [8], "at": 4, "simulations": 20}


@pytest.mark.slow
def test_nothing_is_seen_where_nothing_is_saved():
    row = dynlab.power(MODEL, "uniform", "uniform", **SMALL).iloc[0]
    # a curve that dips may reach its own end a little earlier
    assert 0 <= row["saving"] < 0.1 and row["power"] == row["low"] == 0
    assert row["high"] == pytest.approx(wilson(0, 20)[1]) and 0.1 < row["high"] < 0.2


@pytest.mark.slow
def test_a_saving_that_is_always_found_alike_is_always_seen():
    # uniform against itself hardly spreads: moved to 30 %, each experiment finds about that
    row = dynlab.power(MODEL, "uniform", "uniform", saving=0.3, **SMALL).iloc[0]
    assert row["power"] == 1 and row["low"] == pytest.approx(wilson(20, 20)[0])


def test_wilson_s_interval_covers_as_it_says():
    rng = np.random.default_rng(0)
    for chance in (0.02, 0.3, 0.8):
        ends = [wilson(int(events), 60) for events in rng.binomial(60, chance, 1500)]
        assert 0.92 < np.mean([low <= chance <= high for low, high in ends]) < 0.985


@pytest.mark.slow
def test_more_questions_see_more_and_figures_and_words_say_simulated():
    found = dynlab.power(MODEL, questions=[10, 160], samples=[8], at=4, simulations=24)
    assert list(found.columns) == POWER
    few, many = found["power"]
    assert few < many and found["total_samples"].tolist() == [80, 1280]
    assert found["effect"].nunique() == 1 and 0 < found["effect"].iloc[0] < 1
    ax = plot_power(found)
    assert "simulated" in ax.get_ylabel() and ax.get_title("left") == "simulated · made up"
    words = of_power(found)
    assert "simulated · made up" in words and "8 samples of each" in words
    best = found.assign(low=[0.1, 0.85], high=[0.5, 0.95])
    assert "160 questions" in of_power(best) and "10 questions" in of_power(best)
    assert "are enough" in of_power(best) and "are too few" in of_power(best)


@pytest.mark.slow
def test_experiments_on_several_cores_are_those_of_one(monkeypatch):
    one = dynlab.power(MODEL, **SMALL)
    monkeypatch.setattr("dynlab.simulation.experiments.num_workers", lambda steps, longest: 2)
    pd.testing.assert_frame_equal(one, dynlab.power(MODEL, **SMALL))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"saving": 30}, "saving is 30: give a share above 0"),
        ({"at": 1}, "below the warm-up"),
        ({"questions": [1]}, "questions must be whole numbers from 2 on"),
        ({"samples": [2]}, "samples must be whole numbers from 8 on"),
        ({"simulations": 5}, "simulations must be a whole number from 20 on"),
        ({"unit": "tokens", **SMALL}, "budgets in tokens need"),
        ({"unit": "euro"}, "unknown unit"),
    ],
)
def test_what_cannot_be_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        dynlab.power(MODEL, **settings)


@pytest.mark.slow
def test_a_model_agrees_with_samples_of_itself_and_the_gap_is_simulated_less_recorded():
    drawn = dynlab.simulate(MODEL, num_questions=300, num_samples=16, seed=2)
    rows = agreement(drawn, budgets=[2, 4, 8], replications=4)
    assert list(rows.columns) == AGREEMENT
    assert np.allclose(rows["gap"], rows["simulated"] - rows["recorded"])
    accuracies = rows[rows["value"] == "accuracy"]
    assert ((accuracies["gap_low"] < 0) & (accuracies["gap_high"] > 0)).all()
    assert accuracies["gap"].abs().max() < 0.06
    figure = plot_agreement(rows)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels == ["uniform", "uniform, simulated", "UCB", "UCB, simulated"]
    assert "0 of 6 cells" in of_agreement(accuracies)
    saved = rows[rows["value"] == "saving"]
    assert saved["budget"].tolist() == [4, 8] and set(saved["allocator"]) == {"ucb"}
    ax = plot_saving_agreement(rows)
    assert ax.get_legend_handles_labels()[1] == ["recorded", "simulated"]
    assert [label.get_text()[-5:] for label in ax.get_yticklabels()] == ["B = 4", "B = 8"]
    assert ax.xaxis.get_major_formatter().format_pct(0.5, 1) == "50 %"


@pytest.mark.slow
def test_a_model_of_the_wrong_form_is_told_by_its_gap():
    # half of the questions have one wrong answer, the others never the same one twice: one spread
    # for all lets too many votes be right
    rows = [
        {"question_id": f"q{q}", "sample_index": i, "target": "r", "answer": answer}
        for q in range(200)
        for i in range(12)
        for answer in ["r" if i % 12 < 5 else "w" if q % 2 else f"w{i}"]
    ]
    found = agreement(rows, "uniform", [12], replications=4).iloc[0]
    assert found["recorded"] == pytest.approx(0.5) and found["gap_low"] > 0


@pytest.mark.slow
def test_commands_simulate_and_power(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = "capitals--smollm2-135m"
    words = f"simulate {source} --questions 12 --samples 6 --out made.parquet --model-out m.json"
    assert main(words.split()) == main(words.split()) == 0
    assert f"model of {source}" in capsys.readouterr().out
    assert dynlab.load("made.parquet").frame.shape[0] == 72
    assert RecordingModel.from_json((tmp_path / "m.json").read_text()).source == source
    sizes = "--at 4 --questions 12 --samples 8 --simulations 20 --out p"
    assert main(f"power made.parquet --saving 30% {sizes}".split()) == 0
    assert "power" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "p").iterdir()} >= {"power.csv", "power.svg"}
    (tmp_path / "real.parquet").write_bytes(b"")
    for wrong, said in (
        (f"simulate {source} --out x.csv", "--out must be the path of a .parquet file"),
        ("simulate made.parquet --out made.parquet", "made.parquet is what is read"),
        ("power made.parquet --saving 130%", "--saving must be a share such as 30%"),
        ("simulate nothing --out x.parquet", "unknown recording 'nothing'"),
    ):
        assert main(wrong.split()) == 2
        assert said in capsys.readouterr().err
