import asyncio
import socket
import time
from dataclasses import replace

import pytest
from scripted_server import Reply, ScriptedServer

from dynlab.errors import BudgetError, DynlabError, InputError
from dynlab.live import Client, list_price
from dynlab.local import Endpoint
from dynlab.pricing import Ledger, Price, most_prompt_tokens
from dynlab.redaction import scrubbed
from dynlab.types import Request, Sample, Sampling, Usage

KEY = "sk-very-secret-0123456789"


def request(index=0, *, prompt="Question: 1 + 1?\nAnswer:", messages=None, **sampling):
    prompt = None if messages else prompt
    return Request("q", "parallel", 0, index, Sampling(max_tokens=8, **sampling), 17 + index, prompt, messages)


CHAT = request(messages=({"role": "user", "content": "1 + 1?"},))


def ask(server, *requests, provider="text-completion-openai", **settings):
    """The responses to the requests, which are sent at once."""

    async def all_at_once():
        async with Client(Endpoint(f"{provider}/scripted", server.address, KEY), **settings) as client:
            return await asyncio.gather(*(client(each) for each in requests))

    return asyncio.run(all_at_once())


def test_a_text_completion_sends_the_prompt_and_the_settings_as_they_are():
    sent = request(temperature=0.7, top_p=0.9, top_k=40, stop=("\n",), extra_body={"min_p": 0.1})
    with ScriptedServer(lambda call: " 2") as server:
        (response,) = ask(server, sent)
    assert response.text == " 2"
    assert server.calls[0].path == "/v1/completions"
    assert server.calls[0].body == {
        "model": "scripted", "prompt": sent.prompt, "max_tokens": 8, "temperature": 0.7, "top_p": 0.9, "top_k": 40,
        "stop": ["\n"], "seed": 17, "min_p": 0.1,
    }  # fmt: skip


def test_a_chat_sends_its_messages_and_keeps_reasoning_apart():
    with ScriptedServer(lambda call: Reply("2", reasoning="One and one.")) as server:
        (response,) = ask(server, CHAT, provider="openai")
    assert (response.text, response.reasoning) == ("2", "One and one.")
    assert server.calls[0].path == "/v1/chat/completions"
    assert server.calls[0].body["messages"] == [{"role": "user", "content": "1 + 1?"}]
    assert "top_k" not in server.calls[0].body and "logprobs" not in server.calls[0].body


def test_usage_counts_the_full_prompt_and_tells_cached_and_reasoning_tokens_apart():
    usage = {
        "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 80}, "completion_tokens_details": {"reasoning_tokens": 20},
    }  # fmt: skip
    with ScriptedServer(lambda call: Reply("2", usage=usage)) as server:
        (response,) = ask(server, CHAT, provider="openai")
        assert response.usage == Usage(100, 30, 20, 80, None, None)
        (response,) = ask(server, CHAT, provider="openai", price=(2.0, 10.0))
        assert response.usage == Usage(
            100, 30, 20, 80, pytest.approx(0.0005), None
        )  # the price of cached ones: unknown


@pytest.mark.parametrize("provider", ["openai", "text-completion-openai"])
def test_what_the_provider_does_not_count_is_unknown(provider):
    with ScriptedServer(lambda call: Reply("2", usage=None)) as server:
        (response,) = ask(server, CHAT if provider == "openai" else request(), provider=provider, price=(2.0, 10.0))
    assert response.usage == Usage()


def test_the_mean_log_probability_leaves_out_the_empty_end_token():
    tokens = [("2", -0.5), (" ", -1.5), ("", -9.0)]
    content = [{"token": token, "logprob": value, "bytes": [], "top_logprobs": []} for token, value in tokens]
    with ScriptedServer(lambda call: Reply("2 ", logprobs={"content": content})) as server:
        (text,) = ask(server, request(logprobs=True))
        (chat,) = ask(server, CHAT, provider="openai")
    assert text.mean_logprob == chat.mean_logprob == pytest.approx(-1.0)


def test_no_log_probabilities_are_unknown():
    with ScriptedServer(lambda call: "2") as server:
        assert ask(server, request(logprobs=True))[0].mean_logprob is None


def test_a_setting_that_a_provider_does_not_take_is_left_out_where_it_changes_no_answer():
    client = Client(Endpoint("anthropic/some-model", "", ""))

    async def arguments():
        async with client:
            return client._arguments(replace(CHAT, sampling=Sampling(logprobs=True, top_k=3)))

    sent = asyncio.run(arguments())
    assert not {"seed", "logprobs", "top_logprobs"} & sent.keys()
    assert (sent["temperature"], sent["top_k"]) == (1.0, 3)


def test_a_model_that_nobody_serves_is_refused():
    with pytest.raises(InputError, match="give PROVIDER/MODEL"):
        Client(Endpoint("nonsense", "", ""))


@pytest.mark.parametrize("failure", [Reply(status=429), Reply(status=500), Reply(status=503), Reply(drop=True)])
@pytest.mark.parametrize("provider", ["openai", "text-completion-openai"])
def test_what_may_pass_is_tried_again(failure, provider):
    with ScriptedServer(lambda call: "2" if call.number else failure) as server:
        (response,) = ask(server, CHAT if provider == "openai" else request(), provider=provider)
    assert response.text == "2"
    assert len(server.calls) == 2
    assert server.calls[0].body == server.calls[1].body


@pytest.mark.parametrize("provider", ["openai", "text-completion-openai"])
def test_the_provider_says_when_to_come_back(provider):
    times = []

    def script(call):
        times.append(time.monotonic())
        return "2" if call.number else Reply(status=429, headers={"Retry-After": "1"})

    with ScriptedServer(script) as server:
        ask(server, CHAT if provider == "openai" else request(), provider=provider)
    assert times[1] - times[0] >= 1.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_cannot_pass_fails_at_once_in_one_line(status):
    with (
        ScriptedServer(lambda call: Reply("no,\nnot so", status=status)) as server,
        pytest.raises(DynlabError, match=r"text-completion-openai/scripted failed: .*not so") as error,
    ):
        ask(server, request())
    assert len(server.calls) == 1
    assert "\n" not in str(error.value)


def test_attempts_are_bounded():
    with ScriptedServer(lambda call: Reply(status=500)) as server, pytest.raises(DynlabError, match="failed 3 times"):
        ask(server, request(), num_attempts=3)
    assert len(server.calls) == 3


def test_a_server_that_is_not_there_fails_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    server = ScriptedServer()
    server.address = address
    with pytest.raises(DynlabError, match="failed 2 times") as error:
        ask(server, request(), num_attempts=2)
    assert "\n" not in str(error.value)


def test_no_key_ever_stands_in_an_error(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "plainwords")
    said = f"key {KEY} is wrong, so are plainwords and Bearer abcdef"
    with ScriptedServer(lambda call: Reply(said, status=401)) as server, pytest.raises(DynlabError) as error:
        ask(server, request())
    assert "is wrong" in str(error.value)
    for secret in (KEY, "plainwords", "abcdef"):
        assert secret not in str(error.value)
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_long_error_is_cut():
    assert len(scrubbed(ValueError("word " * 1000))) < 320


def test_prices_are_those_of_the_list_or_given_and_otherwise_unknown():
    listed = list_price(Endpoint("gpt-4o-mini", "", ""))
    assert listed is not None
    assert (listed.prompt, listed.completion) == (pytest.approx(0.15), pytest.approx(0.6))
    assert listed.cached is not None
    assert listed.billed_usd(Usage(1000, 10, None, 500)) < listed.cost_usd(Usage(1000, 10, None, 500))
    assert list_price(Endpoint("openai/nobody-knows-this", "", "")) is None
    assert list_price(Endpoint("gpt-4o-mini", "http://127.0.0.1:1/v1")) is None
    assert list_price(Endpoint("gpt-4o-mini", "", ""), (1.0, 2.0)) == Price(1.0, 2.0)


def test_unknown_tokens_have_an_unknown_price():
    assert Price(1.0, 2.0).cost_usd(Usage(None, 5)) is None
    assert Price(1.0, 2.0).billed_usd(Usage(5, None)) is None


def test_a_limit_in_usd_needs_a_price():
    with pytest.raises(InputError, match=r"give --price IN,OUT"):
        Client(Endpoint("openai/nobody-knows-this", "", ""), ledger=Ledger(1.0))


def test_earlier_samples_count_as_spent_and_unknown_ones_are_refused():
    client = Client(Endpoint("openai/x", "http://127.0.0.1:1/v1"), price=(1.0, 2.0), ledger=Ledger(1.0))
    known = [Usage(cost_usd=0.25), Usage(100_000, 200_000)]
    client.book(Sample("q", "parallel", 0, i, "", "", usage) for i, usage in enumerate(known))
    assert client.ledger.spent_usd == pytest.approx(0.25 + 0.5)
    with pytest.raises(InputError, match="unknown costs"):
        client.book([Sample("q", "parallel", 0, 0, "", "")])


def worst_usd(price=(1.0, 10.0)):
    return Price(*price).cost_usd(Usage(most_prompt_tokens(request()), 8))


def test_the_limit_on_spending_is_never_exceeded_and_is_used_up():
    usage = {"prompt_tokens": 12, "completion_tokens": 2}
    cost = Price(1.0, 10.0).cost_usd(Usage(12, 2))
    ledger = Ledger(worst_usd() * 3)
    with ScriptedServer(lambda call: Reply("2", usage=usage, delay_s=0.02)) as server:

        async def many():
            async with Client(Endpoint("text-completion-openai/x", server.address), (1.0, 10.0), ledger) as client:
                return await asyncio.gather(*(client(request(i)) for i in range(60)), return_exceptions=True)

        outcomes = asyncio.run(many())
    assert server.most_in_flight <= 3
    refused = [each for each in outcomes if isinstance(each, BudgetError)]
    assert refused and len(refused) + len(server.answered) == 60
    assert ledger.spent_usd == pytest.approx(cost * len(server.answered))
    assert ledger.max_usd - worst_usd() < ledger.spent_usd <= ledger.max_usd


@pytest.mark.parametrize(
    ("failure", "counts"), [(Reply(drop=True), True), (Reply(status=429), False), (Reply("2", usage=None), True)]
)
def test_a_call_whose_cost_is_not_known_counts_with_its_worst_case(failure, counts):
    usage = {"prompt_tokens": 1, "completion_tokens": 0}
    ledger = Ledger(1.0)
    with ScriptedServer(lambda call: Reply("2", usage=usage) if call.number else failure) as server:
        ask(server, request(), price=(1.0, 10.0), ledger=ledger)
    assert ledger.spent_usd == pytest.approx(worst_usd() * counts + 1e-6 * (failure.usage is not None))


def test_the_bound_on_prompt_tokens_covers_every_byte():
    assert most_prompt_tokens(request(prompt="né" * 50)) >= 150
    assert most_prompt_tokens(CHAT) >= len("1 + 1?")
