import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from weakref import WeakSet

import pytest

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Sample, Usage
from dynlab.models.prices import Price
from dynlab.sampling.budget import Spending
from dynlab.sampling.store import Store, store_path
from dynlab.sampling.store_rows import Totals

SETTINGS = {"model": "m", "temperature": 1.0, "stop": ("\n",)}
QUESTIONS = {"q1": "1 + 1?", "q2": "1 + 2?"}


def sample(question_id="q1", index=0, **values):
    return Sample(question_id, "parallel", 0, index, "2", "It is 2.", **values)


def add(store, *samples):
    async def all_at_once():
        await asyncio.gather(*(store.add(each) for each in samples))

    asyncio.run(all_at_once())


@pytest.fixture
def path(tmp_path):
    return store_path(tmp_path / "a.parquet")


def test_the_store_lies_beside_the_recording(tmp_path):
    assert store_path(tmp_path / "a.parquet") == tmp_path / "a.parquet.sqlite"


def test_samples_come_back_as_they_were_and_sorted_by_key(path):
    full = sample(
        "q1", 1, usage=Usage(7, 3, None, 2, 0.5), role="chained", parents=(0,), mean_logprob=-0.25
    )
    drawn = [sample("q2"), full, sample("q1", 0)]
    with Store(path, SETTINGS, QUESTIONS) as store:
        add(store, *drawn)
    with Store(path, SETTINGS, QUESTIONS) as store:
        assert store.samples() == [drawn[2], full, drawn[0]]
        assert store.keys() == {each.key for each in drawn}


def test_of_many_samples_that_are_stored_few_are_in_memory_at_once(path):
    alive = WeakSet()

    def many():
        for index in range(50):
            one = sample(index=index)
            alive.add(one)
            assert len(alive) < 5
            yield one

    with Store(path, SETTINGS, QUESTIONS) as store:
        store.load(many())
        assert len(store.keys()) == 50


def test_samples_that_cannot_all_be_read_are_not_stored(path):
    def broken():
        yield sample()
        raise InputError("the file ends early")

    with Store(path, SETTINGS, QUESTIONS) as store:
        with pytest.raises(InputError):
            store.load(broken())
        assert not store.keys()


def test_any_text_survives(path):
    strange = Sample("q1", "parallel", 0, 0, "", "a\x00b \ud800 \U0001f600 'quoted' \r\n")
    with Store(path, SETTINGS, QUESTIONS) as store:
        add(store, strange)
        assert store.samples() == [strange]


def test_a_sample_is_on_disk_when_add_returns(path):
    with Store(path, SETTINGS, QUESTIONS) as store:
        add(store, sample())
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as other:
            assert other.execute("SELECT count(*) FROM samples").fetchone() == (1,)
        other.close()


def test_many_samples_share_few_commits(path):
    with Store(path, SETTINGS, QUESTIONS) as store:
        commits = []
        store._journal._writer.set_trace_callback(
            lambda words: commits.append(words) if words == "COMMIT" else None
        )
        add(store, *(sample("q1", index) for index in range(200)))
        assert len(commits) <= 3
        assert len(store.keys()) == 200


def test_a_key_is_never_stored_twice(path):
    with Store(path, SETTINGS, QUESTIONS) as store:
        add(store, sample())
        with pytest.raises(DynlabError, match="does not take samples"):
            add(store, sample())
        assert store.samples() == [sample()]
        add(store, sample("q2"))  # and it still works
        assert len(store.keys()) == 2


@pytest.mark.parametrize(
    ("settings", "questions", "words"),
    [
        (SETTINGS | {"temperature": 0.5}, QUESTIONS, r"temperature = 1.0, given now is 0.5"),
        (SETTINGS | {"stop": ()}, QUESTIONS, r"stop = \[.*\], given now is \[\]"),
        (SETTINGS, {"q2": "1 + 3?"}, r"question 'q2' = 1 \+ 2\?, given now is 1 \+ 3\?"),
    ],
)
def test_other_settings_or_questions_are_refused_by_name(path, settings, questions, words):
    with Store(path, SETTINGS, QUESTIONS) as store:
        store.load([sample()])
    with pytest.raises(InputError, match=words):
        Store(path, settings, questions)
    Store(path, SETTINGS, QUESTIONS).close()


def test_settings_with_which_nothing_was_drawn_may_change(path):
    Store(path, SETTINGS, QUESTIONS).close()
    Store(path, SETTINGS | {"model": "other"}, {"q1": "1 + 3?"}).close()


def test_more_questions_may_be_added_later(path):
    with Store(path, SETTINGS, {"q1": "1 + 1?"}) as store:
        store.load([sample()])
    Store(path, SETTINGS, QUESTIONS).close()
    with pytest.raises(InputError, match="q2"):
        Store(path, SETTINGS, {"q2": "other"})


@pytest.mark.slow
def test_a_second_process_is_told_who_holds_the_store(path):
    hold = f"store = Store({str(path)!r}, {{}}, {{}}); print(1, flush=True); sys.stdin.read()"
    code = f"import sys; from dynlab.sampling.store import Store; {hold}"
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(InputError, match=rf"another process \(pid {holder.pid}\)"):
            Store(path, {}, {})
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    Store(path, {}, {}).close()  # the lock ends with its process, however that ends


def test_closing_leaves_no_lock_behind(path):
    Store(path, SETTINGS, QUESTIONS).close()
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read as one" * 20, b"PAR1"]
)
def test_a_file_that_is_no_store_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be used as a store"):
        Store(path, SETTINGS, QUESTIONS)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="writable"):
        Store(tmp_path / "file" / "a.sqlite", SETTINGS, QUESTIONS)


def test_notes_keep_their_order_over_runs_and_are_written_with_what_follows(path):
    async def note(store, *values):
        await store.note("pick", *values)

    with Store(path, SETTINGS, QUESTIONS) as store:
        store.load([sample()])
        asyncio.run(note(store, {"question": "q1"}, 2))
    with Store(path, SETTINGS, QUESTIONS) as store:
        asyncio.run(note(store, "third"))
        assert store.notes("pick") == [{"question": "q1"}, 2, "third"]
        assert store.notes("other") == []


def test_calls_come_to_what_they_cost_or_may_have_cost(path):
    async def three_calls(store):
        for index, usage in enumerate([Usage(10, 5), Usage(), None]):
            call, reserved = store.reserve(("q1", "parallel", 0, index), 1, Usage(50, 8), 130)
            await reserved
            if usage is not None:
                await store.settle(call, [(sample("q1", index, usage=usage), "thought")], usage, 60)
            else:
                await store.mark(call, "released", "slow down")

    with Store(path, SETTINGS, QUESTIONS) as store:
        asyncio.run(three_calls(store))
    with Store(path, SETTINGS, QUESTIONS) as store:
        totals = store.totals()
        assert (totals.spent.calls, totals.spent.tokens, totals.spent.picousd) == (1, 15, 60)
        assert (totals.reserved.calls, totals.reserved.tokens, totals.reserved.picousd) == (
            1,
            58,
            130,
        )
        assert len(store.keys()) == 2


def test_what_a_recording_says_is_reserved_is_taken_over_once_with_its_samples(path):
    told = Spending(3, 96, 160)
    with Store(path, SETTINGS, QUESTIONS) as store:
        known, unknown = sample("q1", usage=Usage(10, 5, None, None, 6e-11)), sample("q2")
        store.load([known, unknown], told)
    for _ in range(2):  # a later run finds it there
        with Store(path, SETTINGS, QUESTIONS) as store:
            store.account(None)
            assert store.totals() == Totals(Spending(1, 15, 60), told)
    with Store(path.with_name("b.sqlite"), SETTINGS, QUESTIONS) as store:
        store.load([known], Spending(2, 96, None))
        store.account(Price(1.0, 5.0))
        assert store.totals().reserved == Spending(2, 96, 96 * 5_000_000)


def test_a_store_with_which_nothing_was_sent_leaves_no_file(tmp_path):
    with Store(tmp_path / "a.sqlite", {}, {}):
        assert (tmp_path / "a.sqlite").exists()
    assert not list(tmp_path.iterdir())


def test_folders_that_were_made_for_such_a_store_go_with_it(tmp_path):
    (tmp_path / "there").mkdir()
    with Store(tmp_path / "there" / "new" / "newer" / "a.sqlite", {}, {}):
        pass
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_folder_that_another_file_was_put_into_stays(tmp_path):
    with Store(tmp_path / "new" / "newer" / "a.sqlite", {}, {}):
        (tmp_path / "new" / "notes.txt").write_text("mine")
    assert os.listdir(tmp_path / "new") == ["notes.txt"]
