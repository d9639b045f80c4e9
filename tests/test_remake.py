"""The shipped recordings: what `make recordings` draws is what is there."""

from dataclasses import replace

import pytest

from dynlab import remake
from dynlab.families import PUZZLES
from dynlab.recordings import load, shipped


def test_pairs_with_chains_are_recorded_a_strategy_at_a_time_and_merged(tmp_path, monkeypatch, make_pool):
    from dynlab.recordings import write

    calls = []

    def record(task, model, *, num_samples, out, strategy="parallel", **more):
        calls.append((task, strategy, num_samples, more))
        return write(make_pool({"q1": "ab"}, strategy=strategy), {"settings": {"strategy": strategy}}, out)

    monkeypatch.setattr(remake, "record", record)
    monkeypatch.setattr(remake, "placebo", lambda task, frame: replace(task, name=f"{task.name}, placebo"))
    paths = remake.remake(tmp_path)
    made, reasoned = paths[: len(remake.SHIPPED)], paths[len(remake.SHIPPED) + 6 :]
    assert [path.stem for path in made] == [f"{task}--{model}" for task, model in remake.SHIPPED]
    assert [str(path.relative_to(tmp_path / "reasoner")) for path in reasoned] == [
        f"{folder}{family}--dynlab-reasoner{kind}.parquet"
        for family in PUZZLES
        for folder, kind in (("", ""), ("controls/", ".placebo"))
    ]
    own = [call for call in calls if call[3].get("keep_text") is not None and call[3].get("limit") is None]
    assert len(own) == 3 * len(PUZZLES)
    calls = [call for call in calls if call not in own]
    for path, pair in zip(made, remake.SHIPPED, strict=True):
        assert set(load(path).frame["strategy"]) == {"parallel", *remake.CHAINS.get(pair, {})}
    widened = [call for call in calls if "width" in call[3]]
    chains = [call for call in calls if call[1] != "parallel" and call not in widened]
    settings = {"limit": 60, "keep_text": 8, "greedy": False}
    assert chains == [
        (task, strategy, length, settings | {"num_streams": streams})
        for (task, _), planned in remake.CHAINS.items()
        for strategy, (length, streams) in planned.items()
    ]
    assert widened == [
        (task, "integrated", width + chained, settings | {"num_streams": 2, "width": width})
        for task, chained in {"capitals": 8, "french": 4}.items()
        for width in remake.WIDTHS
    ]


@pytest.mark.skipif(not shipped(), reason="no recordings are committed")
def test_the_shipped_recordings_are_of_the_planned_size_in_every_strategy():
    assert set(shipped()) >= {f"{task}--{model}" for task, model in remake.SHIPPED}
    for task, model in remake.SHIPPED:
        frame = load(f"{task}--{model}").frame
        sizes = frame[frame["strategy"] != "greedy"].groupby(["strategy", "stream"])["sample_index"].nunique()
        planned = {("parallel", 0): remake.NUM_SAMPLES}
        for strategy, (length, streams) in remake.CHAINS.get((task, model), {}).items():
            planned |= {(strategy, stream): length for stream in range(streams)}
        assert sizes.to_dict() == planned
