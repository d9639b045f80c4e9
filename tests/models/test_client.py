import asyncio
import json
import math
import socket
import ssl
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from helpers.scripted_server import Reply, ScriptedServer

from dynlab._util.errors import InputError
from dynlab._util.options import Sampling
from dynlab._util.redaction import scrubbed
from dynlab._util.values import Request, Usage
from dynlab.models.client import Client
from dynlab.models.litellm_import import imported
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.openai_access import trusted
from dynlab.models.price_list import list_price
from dynlab.models.prices import Price
from dynlab.models.provider_errors import ProviderError
from dynlab.sampling.retries import RetryPolicy

KEY = "sk-very-secret-0123456789"
PROVIDERS = ("openai", "text-completion-openai", "hosted_vllm")


def request(index=0, *, prompt="Question: 1 + 1?\nAnswer:", messages=None, **sampling):
    prompt = None if messages else prompt
    return Request(
        "q", "parallel", 0, index, Sampling(max_tokens=8, **sampling), 17 + index, prompt, messages
    )


CHAT = request(messages=({"role": "user", "content": "1 + 1?"},))


def asked_by(provider):
    """A request in the provider's form."""
    return request() if provider.startswith("text") else CHAT


def ask(server, sent, provider="text-completion-openai", **settings):
    """The reply to a request."""

    async def once():
        async with Client(
            Endpoint(f"{provider}/scripted", server.address, KEY), **settings
        ) as client:
            return await client(sent)

    return asyncio.run(once())


def only(reply):
    """The only choice of a reply."""
    (choice,) = reply.choices
    return choice


def test_a_text_completion_sends_the_prompt_and_the_settings_as_they_are():
    sent = request(temperature=0.7, top_p=0.9, top_k=40, stop=("\n",), extra_body={"min_p": 0.1})
    with ScriptedServer(lambda call: " 2") as server:
        response = only(ask(server, sent))
    assert response.text == " 2"
    assert server.calls[0].path == "/v1/completions"
    assert server.calls[0].body == {
        "model": "scripted",
        "prompt": sent.prompt,
        "max_tokens": 8,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["\n"],
        "seed": 17,
        "min_p": 0.1,
    }


def test_a_chat_sends_its_messages_and_keeps_reasoning_apart():
    with ScriptedServer(lambda call: Reply("2", reasoning="One and one.")) as server:
        response = only(ask(server, CHAT, provider="openai"))
    assert (response.text, response.reasoning) == ("2", "One and one.")
    assert server.calls[0].path == "/v1/chat/completions"
    assert server.calls[0].body["messages"] == [{"role": "user", "content": "1 + 1?"}]
    assert "top_k" not in server.calls[0].body and "logprobs" not in server.calls[0].body


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_usage_counts_the_full_prompt_and_tells_cached_and_reasoning_tokens_apart(provider):
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    with ScriptedServer(lambda call: Reply("2", usage=usage)) as server:
        reply = ask(server, asked_by(provider), provider)
    assert reply.usage == Usage(100, 30, 20, 80)
    assert json.loads(reply.reported) == usage


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "usage", [None, {}, {"completion_tokens": 5}, {"prompt_tokens": 5}, [1, 2], "many"], ids=repr
)
def test_what_the_provider_does_not_count_is_unknown(provider, usage):
    with ScriptedServer(lambda call: Reply("2", usage=usage)) as server:
        reply = ask(server, asked_by(provider), provider)
    assert (reply.usage, only(reply).text) == (Usage(), "2")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("strange", ["12", 5.5, True, None, [3], {"a": 1}], ids=repr)
def test_counts_that_are_no_whole_numbers_are_unknown_and_the_answer_is_kept(provider, strange):
    with ScriptedServer(
        lambda call: Reply("2", usage={"prompt_tokens": strange, "completion_tokens": 2})
    ) as server:
        reply = ask(server, asked_by(provider), provider)
    assert (reply.usage, only(reply).text, len(server.calls)) == (Usage(), "2", 1)


def test_the_mean_log_probability_leaves_out_the_empty_end_token():
    tokens = [("2", -0.5), (" ", -1.5), ("", -9.0)]
    content = [
        {"token": token, "logprob": value, "bytes": [], "top_logprobs": []}
        for token, value in tokens
    ]
    with ScriptedServer(lambda call: Reply("2 ", logprobs={"content": content})) as server:
        replies = [ask(server, request(logprobs=True)), ask(server, CHAT, provider="openai")]
    assert [only(reply).mean_logprob for reply in replies] == [pytest.approx(-1.0)] * 2


def test_no_log_probabilities_are_unknown():
    with ScriptedServer(lambda call: "2") as server:
        assert only(ask(server, request(logprobs=True))).mean_logprob is None


@pytest.mark.slow
def test_a_setting_that_a_provider_does_not_take_is_left_out_where_it_changes_no_answer():
    client = Client(Endpoint("anthropic/some-model", "", ""))

    async def arguments():
        async with client:
            return (
                client._arguments(replace(CHAT, sampling=Sampling(logprobs=True, top_k=3)), 1),
                client.left_out,
            )

    sent, left_out = asyncio.run(arguments())
    assert left_out == {"seed", "logprobs", "top_logprobs"} and not left_out & sent.keys()
    assert (sent["temperature"], sent["top_k"]) == (1.0, 3)


def test_a_model_that_nobody_serves_is_refused():
    with pytest.raises(InputError, match="give PROVIDER/MODEL"):
        Client(Endpoint("nonsense", "", ""))


PAYLOAD = (
    '{"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, '
)
FAULTS = {
    "429": (Reply(status=429), 429, "throttled", True),
    "500": (Reply(status=500), 500, "passing", False),
    "502": (Reply(status=502), 502, "passing", False),
    "503": (Reply(status=503), 503, "passing", True),
    "504": (Reply(status=504), 504, "passing", False),
    "529": (Reply(status=529), 529, "passing", False),
    "408": (Reply(status=408), 408, "passing", False),
    "dropped": (Reply(drop=True), None, "passing", False),
    "half a JSON": (Reply(body=PAYLOAD), 200, "passing", False),
    "half an answer": (Reply(body=PAYLOAD, cut=True), None, "passing", False),
    "a web page": (Reply(body="<html>gateway</html>"), 200, "passing", False),
    "nothing": (Reply(body=""), 200, "passing", False),
    "an empty object": (Reply(body="{}"), 200, "passing", False),
    "a list": (Reply(body="[]"), 200, "passing", False),
    "a JSON without end": (Reply(body='{"choices": ' + "[" * 100_000), 200, "passing", False),
    "an error in an answer": (
        Reply(body='{"error": {"message": "no", "code": 500}}'),
        200,
        "passing",
        False,
    ),
    "400": (Reply(status=400), 400, "refused", True),
    "413": (Reply(status=413), 413, "refused", True),
    "422": (Reply(status=422), 422, "refused", True),
    "401": (Reply(status=401), 401, "fatal", True),
    "403": (Reply(status=403), 403, "fatal", True),
    "404": (Reply(status=404), 404, "fatal", True),
}


def test_a_web_page_is_told_with_its_address():
    page = Reply(body="<html>\n<title>Welcome to nginx</title></html>")
    with ScriptedServer(lambda call: page) as server, pytest.raises(ProviderError) as error:
        ask(server, CHAT, "openai")
    expected = f"{server.address}/chat/completions answers with a web page"
    assert str(error.value).startswith(expected) and "nginx" in str(error.value)
    tries = RetryPolicy()
    key = ("q", "parallel", 0, 0)
    tries.begins(key)
    assert [tries.failed(key, error.value) for _ in range(3)] == ["again", "again", "run"]


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("failure", "status", "kind", "free"), FAULTS.values(), ids=FAULTS)
def test_a_call_is_made_once_and_its_fault_told_for_what_it_is(
    provider, failure, status, kind, free
):
    with ScriptedServer(lambda call: failure) as server, pytest.raises(ProviderError) as error:
        ask(server, asked_by(provider), provider)
    assert len(server.calls) == 1
    assert (error.value.status, error.value.kind, error.value.free) == (status, kind, free)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_that_takes_too_long_is_given_up(provider):
    with (
        ScriptedServer(lambda call: Reply("2", delay_s=30)) as server,
        pytest.raises(ProviderError) as error,
    ):
        ask(server, asked_by(provider), provider, timeout_s=0.2)
    assert (error.value.status, error.value.kind, error.value.free) == (None, "passing", False)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("said", "asked_wait_s"), [("7", 7.0), ("0.5", 0.5), ("soon", 0.0), ("-1", 0.0), ("nan", 0.0)]
)
def test_the_provider_says_when_to_come_back(provider, said, asked_wait_s):
    failure = Reply(status=429, headers={"Retry-After": said})
    with ScriptedServer(lambda call: failure) as server, pytest.raises(ProviderError) as error:
        ask(server, asked_by(provider), provider)
    assert error.value.asked_wait_s == asked_wait_s


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        (lambda: {"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5, 1.5),
        (lambda: {"Retry-After": formatdate(time.time() + 400, usegmt=True)}, 200, 400),
        (lambda: {"Retry-After": formatdate(time.time() - 400, usegmt=True)}, 0, 0),
        (lambda: {"Retry-After": "Wed, 99 Oct 2015 07:28:00 GMT"}, 0, 0),
    ],
)
def test_the_time_to_come_back_may_be_a_date_or_milliseconds(headers, least, most):
    failure = Reply(status=429, headers=headers())
    with ScriptedServer(lambda call: failure) as server, pytest.raises(ProviderError) as error:
        ask(server, request())
    assert least <= error.value.asked_wait_s <= most


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "Li"}, {"type": "text", "text": "ma"}],
        [{"type": "thinking", "thinking": "Quito?"}, {"type": "text", "text": "Lima"}],
    ],
)
def test_text_that_comes_in_parts_is_one(provider, content):
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = json.dumps(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        }
    )
    with ScriptedServer(lambda call: Reply(body=body)) as server:
        assert only(ask(server, CHAT, provider)).text == "Lima"


def test_content_that_is_nested_without_end_holds_no_text():
    deep = ["Quito"]
    for _ in range(600):
        deep = [deep]
    message = {"role": "assistant", "content": ["Lima", deep]}
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    with ScriptedServer(lambda call: Reply(body=json.dumps(body))) as server:
        assert only(ask(server, CHAT, "openai")).text == "Lima"


def test_a_log_probability_without_bound_is_left_out():
    values = [-1.0, -math.inf, -(10**400), -1.7e308, -1.7e308, -3.0]
    logprobs = {"content": [{"token": "Li", "logprob": value} for value in values]}
    with ScriptedServer(lambda call: Reply("Lima.", logprobs=logprobs)) as server:
        found = only(
            ask(server, replace(CHAT, sampling=Sampling(max_tokens=8, logprobs=True)), "openai")
        )
    assert (found.mean_logprob, found.lowest_logprob) == (-2.0, -3.0)


def test_certificates_are_those_of_openai_s_client_read_once(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    import certifi
    import openai

    own = openai.DefaultAioHttpClient()._transport.ssl_context
    assert trusted().cert_store_stats() == own.cert_store_stats()
    assert trusted().verify_mode == ssl.CERT_REQUIRED and trusted().check_hostname
    before = trusted()
    assert trusted() is before
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert trusted() is not before and trusted().cert_store_stats()["x509_ca"] > 0


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "gpt-4o-mini"])
def test_openai_itself_is_not_asked_without_a_key(model, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=f"{model} needs a key, and OPENAI_API_KEY is not set"):
        Client(Endpoint(model, "", ""))
    Client(Endpoint(model, "", KEY))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    Client(Endpoint(model, "", ""))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("choices", ["[]", "null"])
def test_an_answer_without_choices_has_arrived(provider, choices):
    body = f'{{"choices": {choices}, "usage": {{"prompt_tokens": 3, "completion_tokens": 0}}}}'
    with ScriptedServer(lambda call: Reply(body=body)) as server:
        reply = ask(server, asked_by(provider), provider)
    assert (reply.choices, reply.usage) == ((), Usage(3, 0))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_content_filter_is_told_as_such_and_is_about_what_was_asked(provider):
    body = '{"error": {"message": "no", "code": "content_filter"}}'
    with (
        ScriptedServer(lambda call: Reply(status=400, body=body)) as server,
        pytest.raises(ProviderError) as error,
    ):
        ask(server, asked_by(provider), provider)
    assert (str(error.value), error.value.about_content, error.value.kind) == (
        "content filter",
        True,
        "refused",
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_several_samples_in_one_call(provider):
    with ScriptedServer(lambda call: Reply("2")) as server:

        async def three():
            async with Client(Endpoint(f"{provider}/scripted", server.address, KEY)) as client:
                return await client(asked_by(provider), 3)

        reply = asyncio.run(three())
    assert [choice.text for choice in reply.choices] == ["2"] * 3
    assert server.calls[0].body["n"] == 3


def test_what_a_reasoning_model_does_not_take_is_left_out_and_told():
    async def told():
        async with Client(
            Endpoint("gpt-5-mini", "http://127.0.0.1:1/v1", KEY), timeout_s=1.0
        ) as client:
            with pytest.raises(ProviderError):
                await client(replace(CHAT, sampling=Sampling(temperature=0.7)))
            return client.left_out

    assert {"temperature", "logprobs"} <= asyncio.run(told())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_is_not_there_is_a_passing_fault_that_costs_nothing(provider):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = ScriptedServer()
    server.address = f"http://127.0.0.1:{port}/v1"
    with pytest.raises(ProviderError) as error:
        ask(server, asked_by(provider), provider)
    assert error.value.kind == "passing" and error.value.free and not error.value.timed_out
    assert str(error.value).startswith(f"no connection to 127.0.0.1:{port} (refused): ")


def test_no_key_ever_stands_in_an_error(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "plainwords")
    said = f"key {KEY} is wrong, so are plainwords and Bearer abcdef"
    with (
        ScriptedServer(lambda call: Reply(said, status=401)) as server,
        pytest.raises(ProviderError) as error,
    ):
        ask(server, request())
    assert "is wrong" in str(error.value)
    for secret in (KEY, "plainwords", "abcdef"):
        assert secret not in str(error.value)
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"


def test_no_escape_sequence_of_a_provider_reaches_a_terminal():
    said = "\x1b[2J\x1b]0;title\x07 no \x9b31m"
    with (
        ScriptedServer(lambda call: Reply(said, status=401)) as server,
        pytest.raises(ProviderError) as error,
    ):
        ask(server, request())
    assert str(error.value).isprintable() and " no " in str(error.value)


def test_a_long_error_is_cut():
    assert len(scrubbed(ValueError("word " * 1000))) < 320


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_given_price_is_neither_sent_nor_taken_for_one_of_the_list(provider):
    with ScriptedServer(lambda call: "2") as server:
        for price in (None, (1.0, 2.0)):
            ask(server, asked_by(provider), provider, price=price)
    without, priced = (call.body for call in server.calls)
    assert without == priced
    assert Client(Endpoint(f"{provider}/scripted", "", KEY)).price is None


def test_prices_are_those_of_the_list_or_given_and_otherwise_unknown():
    listed = list_price(Endpoint("gpt-4o-mini", "", ""))
    assert listed is not None
    assert (listed.prompt, listed.completion) == (pytest.approx(0.15), pytest.approx(0.6))
    assert listed.cached is not None
    assert listed.billed_usd(Usage(1000, 10, None, 500)) < listed.cost_usd(
        Usage(1000, 10, None, 500)
    )
    assert list_price(Endpoint("openai/nobody-knows-this", "", "")) is None
    assert list_price(Endpoint("gpt-4o-mini", "http://127.0.0.1:1/v1")) is None
    assert list_price(Endpoint("gpt-4o-mini", "", ""), (1.0, 2.0)) == Price(1.0, 2.0)


@pytest.mark.parametrize("thought", [None, 0, 70, 100])
def test_reasoning_that_is_dearer_costs_what_litellm_says(thought):
    model, litellm = "dashscope/qwen-turbo", imported()
    price = list_price(Endpoint(model, "", ""))
    assert price is not None and price.reasoning is not None
    counted = litellm.Usage(
        prompt_tokens=40, completion_tokens=100, total_tokens=140, reasoning_tokens=thought
    )
    cost = litellm.completion_cost(litellm.ModelResponse(model=model, usage=counted), model=model)
    assert price.cost_usd(Usage(40, 100, thought)) == pytest.approx(cost, rel=1e-9)


def test_a_server_without_log_probabilities_is_asked_without_them():
    def answers(call):
        if "logprobs" in call.body:
            return Reply("this model does not support logprobs", status=400)
        return "2"

    with ScriptedServer(answers) as server:
        asked = replace(CHAT, sampling=Sampling(max_tokens=8, logprobs=True))
        assert only(ask(server, asked, "openai")).text == "2" and len(server.calls) == 2
