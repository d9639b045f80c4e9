"""The real reasoner's recordings, drawn from a model of a few lines in this process."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
from contextlib import contextmanager

import pytest
from helpers.scripted_model import ScriptedModel
from helpers.scripted_server import Reply
from recipe import choosing, live, reasoners

from dynlab._util import shipped_files
from dynlab.analysis.live_runs import live_differences, live_run
from dynlab.recordings.recording import load, write
from dynlab.sampling.verification import verify
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.reasoning_families import FAMILIES
from dynlab.tasks.task import load_task

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed"
)


def answers(call):
    """A number by the request's seed."""
    logprobs = {"content": [{"token": "a", "logprob": -0.5}] * 10}
    text = f" I think so. Answer: {random.Random(call.body['seed']).randint(1, 3)}"
    return Reply(text, usage={"prompt_tokens": 20, "completion_tokens": 10}, logprobs=logprobs)


@pytest.fixture
def model(monkeypatch):
    """Stands where a model of this machine would be."""
    made = ScriptedModel(answers)

    @contextmanager
    def resolve(name, **_):
        yield made.endpoint(model=name, server="fake")

    for module in (reasoners, choosing, live):
        monkeypatch.setattr(module, "resolve", resolve)
    return made


@pytest.mark.slow
def test_a_family_is_recorded_in_every_strategy_with_placebos_and_never_again(
    model, tmp_path, monkeypatch
):
    stages = ("parallel", 2), ("integrated", 5), ("placebo", 2), ("parallel", 3)
    later = ("integrated", 6, 2), ("sequential", 6)
    monkeypatch.setattr(reasoners, "STAGES", tuple(reasoners.Stage(*s) for s in (*stages, *later)))
    monkeypatch.setattr(reasoners, "MORE", (reasoners.Stage("parallel", 4),))
    one = reasoners.Recorded("gsm_symbolic", "fake", 3)
    monkeypatch.setattr(reasoners, "recorded", lambda: (one,))
    monkeypatch.setattr(reasoners, "chosen", lambda: choosing.Choice(Integrated(finals_only=True)))
    (path,) = reasoners.reasoners(tmp_path)
    frame = load(path).frame
    counts = frame.groupby("strategy").size().to_dict()
    assert counts == {"greedy": 3, "parallel": 12, "integrated": 36, "sequential": 18}
    assert frame["text"].notna().all() and frame["lowest_logprob"].eq(-0.5).all()
    control = load(tmp_path / "controls" / f"{one.name}.placebo.parquet").frame
    assert len(control) == 6 and set(control["question_id"]) == set(frame["question_id"])
    assert control["question"].str.contains(r"Earlier attempts: \(1\) Answer: ").all()
    found = verify(path)
    assert found.problems == () and "are whole" in found.summary
    wrong = frame.assign(answer=["9", *frame["answer"][1:]])
    (problem,) = verify(write(wrong, load(path).card, tmp_path / "wrong.parquet")).problems
    assert "has the answer '9', its text gives" in problem
    assert all(call.words.endswith("\nSolution:") for call in model.calls)
    assert all(call.words.startswith("Question: ") for call in model.calls)
    before = len(model.calls)
    reasoners.reasoners(tmp_path)
    (again,) = reasoners.reasoners(tmp_path / "again", earlier=tmp_path)
    assert len(model.calls) == before
    assert load(again).card["digest"] == load(path).card["digest"]
    monkeypatch.setattr(reasoners, "MORE", (reasoners.Stage("parallel", 5),))
    reasoners.reasoners(tmp_path / "more", ["gsm_symbolic"], earlier=tmp_path)
    assert len(model.calls) == before + 3  # a sample more of each question


@pytest.mark.slow
def test_shards_that_are_kept_are_gone_on_from_and_make_the_recording_of_one_run(
    model, tmp_path, monkeypatch
):
    stages = reasoners.Stage("parallel", 1), reasoners.Stage("sequential", 4)
    monkeypatch.setattr(reasoners, "STAGES", stages)
    monkeypatch.setattr(reasoners, "MORE", ())
    monkeypatch.setattr(
        reasoners, "recorded", lambda: (reasoners.Recorded("countdown", "fake", 6),)
    )
    (undisturbed,) = reasoners.reasoners(tmp_path / "at-once")
    assert not (tmp_path / "at-once/shards").exists()
    monkeypatch.setattr(reasoners, "SHARD", 2)
    (sharded,) = reasoners.reasoners(tmp_path / "begun")
    assert drawn(sharded).equals(drawn(undisturbed))
    shards = sorted((tmp_path / "begun/shards").glob("*.parquet"))
    assert [len(load(path).frame) for path in shards] == [8, 8, 8]
    shards[1].unlink()
    sharded.unlink()
    before = len(model.calls)
    (rest,) = reasoners.reasoners(tmp_path / "rest", earlier=tmp_path / "begun")
    num_pool, num_greedy, num_lacking = 6, 6, 8  # samples of the shard that lacks
    assert len(model.calls) == before + num_pool + num_greedy + num_lacking
    assert drawn(rest).equals(drawn(undisturbed))
    begun = tmp_path / "stopped/parts/countdown--fake.sequential.parquet.sqlite"
    begun.parent.mkdir(parents=True)
    shutil.copyfile(tmp_path / f"at-once/parts/{begun.name}", begun)  # as a run without shards left
    before = len(model.calls)
    (rest,) = reasoners.reasoners(tmp_path / "stopped", earlier=tmp_path / "begun")
    assert len(model.calls) == before + 12 and drawn(rest).equals(drawn(undisturbed))


def drawn(path):
    """All that a recording holds of its samples but how long they took."""
    return load(path).frame.drop(columns=["latency_s"])


@pytest.mark.slow
def test_live_runs_draw_the_same_samples_where_both_go_and_are_never_run_again(
    model, tmp_path, monkeypatch, capsys
):
    one = reasoners.Recorded("gsm_symbolic", "fake", 6)
    monkeypatch.setattr(live, "recorded", lambda: (one,))
    assert live.main([str(tmp_path), "--budget", "5"]) == 0
    assert capsys.readouterr().out.count(" picks, votes, answers and spending: equal") == 2
    texts = []
    runs = []
    for allocator, num_samples in {"uniform": 30, "priced": 33}.items():
        path = tmp_path / "live" / f"{one.name}.{allocator}.parquet"
        frame = load(path).frame.set_index(["question_id", "sample_index"])
        assert len(frame) == num_samples and frame["correct"].notna().all()
        texts.append(frame["text"])
        runs.append(live_run(path, one.name))
    gaps = live_differences(runs, [2, 5])
    assert gaps["at"].tolist() == [2, 5] and gaps["recording"].unique().tolist() == [one.name]
    both = texts[0].index.intersection(texts[1].index)
    assert len(both) >= 12 and texts[0][both].equals(texts[1][both])
    before = len(model.calls)
    assert live.main([str(tmp_path), "--budget", "5"]) == 0 and len(model.calls) == before
    assert live.main([str(tmp_path), "--budget", "0"]) == 2
    assert "budget is 0.0: give" in capsys.readouterr().err


def test_what_cannot_be_gone_on_from_is_told_in_a_line(tmp_path, capsys):
    out = str(tmp_path / "out")
    assert reasoners.main([out, "--from", str(tmp_path / "gone")]) == 2
    assert capsys.readouterr().err.endswith("give that of recordings to go on from\n")
    with pytest.raises(SystemExit, match="2"):
        reasoners.main([out, "--only", "sylogism"])
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("way", choosing.WAYS)
def test_a_placebo_shows_another_question_s_attempts_as_chains_are_worded(way, make_pool):
    task = load_task("reasoning-gym:gsm_symbolic?size=3&seed=1&split=dev")
    strategy = choosing.WAYS[way]
    frame = make_pool({question.id: "123" for question in task.questions}, strategy="integrated")
    texts = [
        f"from {id_}. Answer: {a}" for id_, a in zip(frame.question_id, frame.answer, strict=True)
    ]
    frame = frame.assign(text=texts, role="independent", stream=0)
    beside = reasoners.placebo(task, frame, strategy)
    for asked, own, other in zip(
        beside.questions, task.questions, (*task.questions[1:], task.questions[0]), strict=True
    ):
        assert asked.question.startswith(own.question) and asked.target == own.target
        assert (f"from {other.id}" in asked.question) != strategy.finals_only
        assert f"from {own.id}" not in asked.question
        assert beside.is_right(own.target, asked)


@pytest.mark.slow
def test_ways_of_showing_attempts_are_tried_on_the_same_attempts(model, tmp_path):
    tried = choosing.how_chains_are_shown(tmp_path)
    assert set(tried["tried"]) == set(choosing.WAYS) and tried["chosen"] in choosing.WAYS
    assert "split=dev" in load(tmp_path / "attempts.parquet").frame["dataset"].iloc[0]
    attempts = {
        tuple(
            load(tmp_path / f"way-{way}.parquet")
            .frame.query("sample_index < 2")
            .sort_values(["question_id", "sample_index"])["answer"]
        )
        for way in choosing.WAYS
    }
    assert len(attempts) == 1
    num_chained = choosing.NUM_CHAINED * choosing.NUM_AFTER * len(choosing.WAYS)
    assert len(model.calls) == 4 * choosing.NUM_CHAINED + num_chained


@pytest.mark.usefixtures("model")
def test_a_family_goes_to_the_smallest_model_that_does_neither_badly_nor_well(
    monkeypatch, tmp_path
):
    asked = []

    def spread(endpoint, folder, families):
        asked.append((endpoint.card["model"], [*families]))
        small = {"syllogism": 0.5, "countdown": 0.1, "calendar_arithmetic": 0.8}
        large = {"countdown": 0.3, "prime_factorization": 0.9}
        shares = small if len(asked) == 1 else large
        return {name: {"sample": shares.get(name, 0.0)} for name in asked[-1][1]}

    monkeypatch.setattr(choosing, "spread", spread)
    told = choosing.which_families(tmp_path)
    small, large = choosing.MODELS
    assert told["chosen"] == {"syllogism": small, "countdown": large, "calendar_arithmetic": small}
    assert [name for name, _ in asked] == [f"local/{name}" for name in choosing.MODELS]
    assert asked[1][1] == ["family_relationships", "countdown", "prime_factorization"]
    assert told["tried"][large]["prime_factorization"] == {"sample": 0.9}


@pytest.mark.slow
def test_the_spread_of_a_family_is_what_its_recording_holds(model, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "NUM_SPREAD", 4)
    with choosing.resolve("local/m") as endpoint:
        found = choosing.spread(endpoint, tmp_path, ["prime_factorization"])
    frame = load(tmp_path / "prime_factorization--m.parquet").frame
    assert "split=dev" in frame["dataset"].iloc[0]
    samples = frame[frame["strategy"] == "parallel"]
    assert len(samples) == 4 * choosing.NUM_DRAWN and len(frame) == len(samples) + 4
    share = round(float(samples["correct"].mean()), 4)
    assert found["prime_factorization"]["sample"] == share


def test_what_chained_samples_are_worth_worked_by_hand(make_pool):
    answers = {"q1": "aabb", "q2": "baaa"}
    frame = make_pool(answers, strategy="integrated").assign(
        stream=0, target="a", prompt_tokens=10, completion_tokens=5
    )
    frame["correct"] = frame["answer"] == "a"
    frame["role"] = ["chained" if index >= 2 else "independent" for index in frame["sample_index"]]
    assert choosing.worth(frame) == {
        "chained": 0.5,  # of q1 none of two, of q2 both
        "shown": 0.75,
        "vote_of_shown": 0.75,  # q1 is right, q2 tied
        "vote_of_all": 0.75,  # q1 tied, q2 right
        "without_answer": 0.0,
        "tokens": 15.0,
        "chained_samples": 4,
    }


def test_the_choice_that_is_shipped_was_made_on_development_questions():
    path = shipped_files.folder("data/tasks") / choosing.CHOICES
    if not path.exists():
        pytest.skip("nothing is chosen yet")
    told = json.loads(path.read_text(encoding="utf-8"))
    for part in told.values():
        assert part["questions"]["split"] == "dev" and part["date"]
    tried = told["chain"]["tried"]
    best = max(tried, key=lambda name: (tried[name]["chained"], -tried[name]["tokens"]))
    assert told["chain"]["chosen"] == best
    assert set(choosing.chosen().families) <= set(FAMILIES)
    assert set(choosing.chosen().families.values()) <= set(choosing.MODELS)
