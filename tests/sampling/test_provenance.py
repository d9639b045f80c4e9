"""Samples become a recording block by block, the same as all at once, and go back into a store."""

from collections import Counter
from dataclasses import replace

import pytest

from dynlab import recordings
from dynlab._util.options import Sampling
from dynlab._util.values import GREEDY, Question, Sample, Usage
from dynlab.recordings import blocks
from dynlab.recordings.writing import counts_of, write_blocks
from dynlab.sampling import provenance
from dynlab.sampling.key_set import KeySet
from dynlab.sampling.plan import Plan
from dynlab.sampling.provenance import card_of, earlier_samples, frame_of, frames_of, settings_of
from dynlab.sampling.store import Store
from dynlab.strategies.sequential import Sequential
from dynlab.tasks.task import load_task

# the last two stand the other way round in UTF-16
IDS = ("é", "a", "\U0001f600", "\uffee")
TEXTS = ("so\u2028 \ud800 it", "", "\U0001f600 \x00")


@pytest.fixture
def plan():
    questions = tuple(Question(id_, f"{id_}?", "0") for id_ in IDS)
    task = replace(load_task("capitals"), questions=questions)
    return Plan(task, Sequential(), Sampling(), num_samples=3)


def drawn(plan):
    return [
        Sample(*key, f"{place % 2}", TEXTS[place % 3], Usage(9, place), latency_s=place / 7)
        for place, key in enumerate(plan.keys)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("keep_text", [None, 1])
def test_a_recording_made_in_blocks_is_that_of_all_samples_and_goes_back(
    monkeypatch, tmp_path, plan, keep_text
):
    for module in (provenance, blocks):
        monkeypatch.setattr(module, "BLOCK_ROWS", 2)
    settings = settings_of(plan, "openai/none")

    def card(counts):
        return card_of(plan, settings, {}, counts)

    with Store(tmp_path / "a.sqlite", settings, {}) as store:
        store.load(drawn(plan))
        frame = frame_of(store.samples(), plan, plan.task, "m", keep_text)
        recordings.write(frame, card(counts_of(frame)), tmp_path / "whole.parquet")
        parts = frames_of(store.iterate(), plan, plan.task, "m", keep_text)
        made = write_blocks(parts, card, tmp_path / "parts.parquet")
    assert made.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    kept = recordings.load(made).frame["text"].notna()
    assert kept.sum() == (16 if keep_text is None else 12)  # all but what nobody is shown

    earlier = earlier_samples(made, plan.task, settings)
    assert earlier.keys == set(plan.keys)
    with Store(tmp_path / "b.sqlite", settings, {}) as store:
        known = Sample(*plan.keys[0], "7", "drawn meanwhile")
        store.load([known])
        earlier.put_into(store, plan)
        assert store.sample(known.key) == known and store.keys() == earlier.keys
        again = recordings.digest(
            frame_of([s for s in store.iterate() if s != known], plan, plan.task, "m", keep_text)
        )
    others = frame[frame["question_id"] + frame["strategy"] != known.question_id + GREEDY]
    assert again == recordings.digest(others)


def test_what_a_plan_says_of_a_key_is_what_its_keys_say(plan):
    keys = set(plan.keys)
    shown = {parent for key in keys for parent in plan.parents(key)}
    asked = [
        (id_, strategy, stream, index)
        for id_ in (*IDS, "other")
        for strategy in (GREEDY, plan.strategy.name, "parallel")
        for stream in range(2)
        for index in range(4)
    ]
    assert [plan.holds(key) for key in asked] == [key in keys for key in asked]
    assert [plan.shows(key) for key in asked] == [key in shown for key in asked]
    assert plan.num_in(KeySet(shown)) == len(shown) and shown
    lacking = Counter(key[0] for key in keys - shown)
    assert plan.missing(KeySet(shown)) == {id_: lacking[id_] for id_ in plan.questions}
