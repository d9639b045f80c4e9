"""Continuous batching against an engine of a few lines: one token a step for whoever is in it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from dynlab._util.errors import InputError
from dynlab.models.batching import Batcher

DEMOS = "x" * 300  # longer than the piece of a prompt that is compared


class Handle:
    """A request that is done after `length` steps; its first token can be read after the first."""

    def __init__(self, length: int):
        self.left, self.length, self.cancelled = length, length, False

    def get_status(self):
        done = "CANCEL" if self.cancelled else "IGNORED" if self.length == 0 else "FINISHED"
        running = self.left > 0 and not self.cancelled
        return SimpleNamespace(name="RUNNING" if running else done)

    def can_read(self):
        return self.left < self.length

    def read_all(self):
        return [f"{self.length} tokens"]

    def cancel(self):
        self.cancelled = True


class Engine:
    def __init__(self):
        self.handles, self.sizes, self.entered = [], [], []

    def add_request(self, number, ids, config):
        self.handles.append(Handle(config))
        self.entered.append((len(self.sizes), ids))
        return self.handles[-1]

    def step(self):
        running = [one for one in self.handles if one.left and not one.cancelled]
        self.sizes.append(len(running))
        for one in running:
            one.left -= 1


@pytest.fixture
def engine():
    return Engine()


def answers(engine, *asked):
    """What requests of (prompt, length) bring when they are sent together."""

    async def all_of_them():
        batcher = Batcher(engine)
        try:
            given = [batcher(prompt, prompt, length) for prompt, length in asked]
            return await asyncio.gather(*given, return_exceptions=True)
        finally:
            batcher.close()

    return asyncio.run(all_of_them())


def test_requests_share_the_steps_and_each_gets_its_own_answer(engine):
    assert answers(engine, ("a", 2), ("b", 3), ("c", 2)) == ["2 tokens", "3 tokens", "2 tokens"]
    assert len(engine.sizes) <= 5 and max(engine.sizes) >= 2


def test_a_beginning_is_read_once_and_those_who_share_it_wait_for_that(engine):
    answers(engine, (f"{DEMOS} a", 4), (f"{DEMOS} b", 4), (f"{DEMOS} c", 4), ("other", 4))
    at = {ids[-1]: step for step, ids in engine.entered}
    assert at["b"] == at["c"] > at["a"]
    assert at["r"] < at["b"]


def test_a_prompt_that_does_not_fit_is_told_and_others_go_on(engine):
    refused, fine = answers(engine, ("too long", 0), ("fits", 1))
    assert isinstance(refused, InputError) and "does not fit" in str(refused)
    assert fine == "1 tokens"


def test_a_request_that_ends_before_its_first_token_is_answered_and_others_go_on(engine):
    add = engine.add_request

    def silent_for_a(number, ids, config):
        handle = add(number, ids, config)
        if ids == "a":
            handle.read_all = list
        return handle

    engine.add_request = silent_for_a
    assert answers(engine, ("a", 1), ("b", 3), ("c", 1)) == [None, "3 tokens", "1 tokens"]


def test_an_engine_whose_output_cannot_be_read_leaves_nobody_waiting(engine):
    def broken(number, ids, config):
        handle = Handle(config)
        handle.read_all = lambda: 1 // 0
        engine.handles.append(handle)
        return handle

    engine.add_request = broken
    found = answers(engine, ("a", 1), ("b", 3), ("c", 1))
    assert all(isinstance(one, RuntimeError) for one in found)


def test_an_engine_that_takes_no_request_leaves_nobody_waiting(engine):
    def refusing(number, ids, config):
        raise ValueError("out of memory")

    engine.add_request = refusing
    found = answers(engine, ("a", 1), ("b", 3))
    assert all("out of memory" in str(one) for one in found)


def test_an_engine_that_fails_tells_whoever_waits_and_serves_the_next(engine):
    step, failures = engine.step, [ValueError("out of memory")]

    def failing():
        if failures:
            raise failures.pop()
        step()

    engine.step = failing

    async def in_turn():
        batcher = Batcher(engine)
        with pytest.raises(RuntimeError, match="the engine failed: out of memory"):
            await batcher("a", "a", 1)
        found = await batcher("b", "b", 1)
        batcher.close()
        return found

    assert asyncio.run(in_turn()) == "1 tokens"


def test_a_caller_who_leaves_frees_his_place(engine):
    async def leave():
        batcher = Batcher(engine)
        endless = asyncio.create_task(batcher("endless", "endless", 10**9))
        while not engine.sizes:
            await asyncio.sleep(0.001)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        found = await batcher("next", "next", 1)
        batcher.close()
        return found

    assert asyncio.run(leave()) == "1 tokens"
    assert engine.handles[0].cancelled


def test_closing_tells_whoever_waits(engine):
    async def close():
        batcher = Batcher(engine)
        waiting = asyncio.create_task(batcher("endless", "endless", 10**9))
        while not engine.sizes:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(batcher.close)
        with pytest.raises(RuntimeError, match="closed"):
            await waiting

    asyncio.run(close())
    assert engine.handles[0].cancelled
