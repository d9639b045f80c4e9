"""What a notebook works on: recordings by name, or made first; units that all of them know."""

import pytest

from dynlab._util.errors import InputError
from dynlab.pipeline.inputs import chosen, known_units
from dynlab.recordings.recording import load, write


def test_a_unit_must_be_known_to_all_recordings(make_pool, random_pool):
    rich, poor = load(random_pool()), load(make_pool({"q1": "aab"}))
    assert known_units([rich], ["samples", "tokens"]) == ["samples", "tokens"]
    assert known_units([rich, poor], ["tokens", "samples"]) == ["samples"]
    with pytest.raises(InputError, match="unknown unit"):
        known_units([rich], ["token"])


def test_model_needs_task_and_names_must_differ(tmp_path, make_pool):
    with pytest.raises(InputError, match="give both"):
        chosen(model="local/x")
    for folder in ("a", "b"):
        write(make_pool({"q1": "aab"}), {}, tmp_path / folder / "same.parquet")
    with pytest.raises(InputError, match="two recordings are named 'same'"):
        chosen([tmp_path / "a" / "same.parquet", tmp_path / "b" / "same.parquet"])
    one = tmp_path / "a" / "same.parquet"
    for given in (one, str(one), [one]):
        assert [recording.name for recording in chosen(given)] == ["same"]
    other = write(make_pool({"q1": "ab"}), {}, tmp_path / "other.parquet")
    assert [recording.name for recording in chosen(f"{one}, {other}")] == ["same", "other"]


def test_a_model_is_recorded_first_and_drawn_then(tmp_path, monkeypatch, make_pool):
    calls = []

    def record(task, model, *, num_samples, out, strategy, limits):
        calls.append((task, model, num_samples, limits.usd, strategy))
        return write(make_pool({"q1": "aab"}), {}, out)

    monkeypatch.setattr("dynlab.sampling.recorder.record", record)
    (made,) = chosen(
        model="local/smollm2-135m", task="capitals", max_usd=0.5, num_samples=3, out=tmp_path
    )
    assert calls == [("capitals", "local/smollm2-135m", 3, 0.5, "parallel")]
    assert made.name == "capitals--smollm2-135m"
    assert (tmp_path / "recordings" / "capitals--smollm2-135m.parquet").is_file()


@pytest.mark.slow
def test_strategies_are_recorded_within_the_limit(tmp_path, monkeypatch, make_pool):
    calls = []

    def record(task, model, *, num_samples, out, strategy, limits, options):
        calls.append((strategy, options.num_streams, options.greedy, round(limits.usd, 9)))
        return write(make_pool({"q1": "aab"}, strategy=strategy, cost_usd=0.125), {}, out)

    monkeypatch.setattr("dynlab.sampling.recorder.record", record)
    given = {
        "strategies": ["parallel", "integrated", "rsa"],
        "max_usd": 0.5,
        "num_samples": 3,
        "out": tmp_path,
    }
    (made,) = chosen(model="local/smollm2-135m", task="capitals", **given)
    assert calls == [
        ("parallel", 1, True, 0.5),
        ("integrated", 4, False, 0.125),
        ("rsa", 4, False, 0.0),
    ]
    assert made.name == "capitals--smollm2-135m" and set(made.frame["strategy"]) == set(
        given["strategies"]
    )
