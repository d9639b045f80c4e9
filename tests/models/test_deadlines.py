"""A call that waits in a server's line is not given up while the server answers others."""

import asyncio
import time

import pytest
from helpers.scripted_server import Reply, ScriptedServer

from dynlab._util.options import TIMEOUT_S, Sampling
from dynlab._util.values import Request
from dynlab.models.client import Client
from dynlab.models.deadlines import Deadlines, deadlines_for
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.provider_errors import ProviderError

WARM = 1000  # the seed of a call that is answered at once
LOCAL = {"server_settings": {"num_slots": 2}}


def sent(number):
    return Request("q", "parallel", 0, number, Sampling(max_tokens=8), number, "Question: ?")


def asked_together(server, num_calls, timeout_s, card=None):
    """Replies, or errors, of calls that are sent at once."""

    async def all_at_once():
        endpoint = Endpoint("text-completion-openai/scripted", server.address, "none", card or {})
        async with Client(endpoint) as client:
            await client(sent(WARM))  # LiteLLM loads for seconds what its first call needs
        async with Client(endpoint, timeout_s=timeout_s) as client:
            calls = (client(sent(number)) for number in range(num_calls))
            return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(all_at_once())


def delayed(seconds_of):
    """A server that answers each call after the seconds of its place in the line."""

    def script(call):
        return Reply("2", delay_s=0 if call.body["seed"] == WARM else seconds_of(call.number - 1))

    return script


def in_line(slots, seconds):
    """A server of so many slots: the calls that do not fit wait for those before them."""
    return delayed(lambda place: (1 + place // slots) * seconds)


@pytest.mark.slow
@pytest.mark.slow
def test_calls_in_line_wait_while_others_are_answered():
    with ScriptedServer(in_line(2, 0.5)) as server:
        replies = asked_together(server, 14, timeout_s=2.5)  # the last wait for 3.5 s
    assert [reply.choices[0].text for reply in replies] == ["2"] * 14


@pytest.mark.slow
@pytest.mark.parametrize("card", [{}, LOCAL])
def test_where_nothing_is_answered_calls_are_given_up_and_told_what_to_change(card):
    with ScriptedServer(delayed(lambda place: 30)) as server:
        errors = asked_together(server, 2, timeout_s=0.2, card=card)
    for error in errors:
        assert isinstance(error, ProviderError) and error.timed_out and error.kind == "passing"
        assert "nothing was answered for 0.2 s: raise --timeout, or lower --concurr" in str(error)


@pytest.mark.slow
def test_a_lost_call_is_given_up_in_the_end_though_others_are_answered():
    async def lost():
        deadlines = Deadlines(0.1, bounded=True)
        async with deadlines.of_call():
            while True:
                await asyncio.sleep(0.01)
                deadlines.answered()  # others are, all the time

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(lost(), 60))
    assert 0.3 <= time.monotonic() - begun < 30  # three times its time, and not for ever


def test_a_model_of_this_machine_has_all_the_time_it_needs():
    ours, others = Endpoint("m", "http://x", card=LOCAL), Endpoint("m", "http://x")
    assert deadlines_for(ours, TIMEOUT_S).longest == float("inf")
    assert deadlines_for(ours, TIMEOUT_S).seconds == float("inf")
    assert deadlines_for(ours, 5).seconds == 5  # it was asked for
    assert deadlines_for(others, TIMEOUT_S).longest == 3 * TIMEOUT_S
