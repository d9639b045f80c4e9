"""The shipped recordings: what `make recordings` draws is what is there."""

import pytest

from dynlab import remake
from dynlab.recordings import load, shipped


def test_pairs_with_chains_are_recorded_a_strategy_at_a_time_and_merged(tmp_path, monkeypatch, make_pool):
    from dynlab.recordings import write

    calls = []

    def record(task, model, *, num_samples, out, strategy="parallel", **more):
        calls.append((task, strategy, num_samples, more))
        return write(make_pool({"q1": "ab"}, strategy=strategy), {"settings": {"strategy": strategy}}, out)

    monkeypatch.setattr(remake, "record", record)
    made = remake.remake(tmp_path)
    assert [path.stem for path in made] == [f"{task}--{model}" for task, model in remake.SHIPPED]
    for path, pair in zip(made, remake.SHIPPED, strict=True):
        held = {"parallel", *remake.CHAINS} if pair in remake.CHAINED else {"parallel"}
        assert set(load(path).frame["strategy"]) == held
    chains = [(strategy, length, more) for _, strategy, length, more in calls if strategy != "parallel"]
    settings = {"num_streams": 4, "limit": 60, "keep_text": 8, "greedy": False}
    assert chains == [("integrated", 12, settings), ("sequential", 8, settings)] * 2


@pytest.mark.skipif(not shipped(), reason="no recordings are committed")
def test_the_shipped_recordings_are_of_the_planned_size_in_every_strategy():
    assert set(shipped()) >= {f"{task}--{model}" for task, model in remake.SHIPPED}
    for task, model in remake.SHIPPED:
        frame = load(f"{task}--{model}").frame
        sizes = frame[frame["strategy"] != "greedy"].groupby(["strategy", "stream"])["sample_index"].nunique()
        planned = {("parallel", 0): remake.NUM_SAMPLES}
        if (task, model) in remake.CHAINED:
            planned |= {(name, s): n for name, n in remake.CHAINS.items() for s in range(remake.NUM_STREAMS)}
        assert sizes.to_dict() == planned
