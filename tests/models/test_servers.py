"""Several servers of one model: the least busy is asked, and one that fails loses nothing."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
from helpers.scripted_server import Reply, ScriptedServer

from dynlab._util.errors import InputError
from dynlab._util.options import Limits, RecordingOptions, RequestOptions, Sampling
from dynlab._util.values import Question, Request
from dynlab.cli.parser import main
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.provider_errors import ProviderError
from dynlab.models.servers import REST_S, Servers, addressed, client_of
from dynlab.recordings.recording import load
from dynlab.sampling.recorder import dry_run, record
from dynlab.tasks.task import Task

ASKED = Request("q", "parallel", 0, 0, Sampling(max_tokens=8), 1, "2 + 2?", None)
TASK = Task(
    "sums", tuple(Question(f"q{i}", f"{i} + 1?", str(i + 1)) for i in range(4)), answer="integer"
)


class Fake:
    """A client that waits until it is let go, or fails."""

    def __init__(self, name, failure=None):
        self.name, self.failure, self.calls = name, failure, 0
        self.go = asyncio.Event()

    async def __call__(self, request, num_samples):
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        await self.go.wait()
        return self.name


def servers(*clients, clock=lambda: 0.0):
    return Servers(Endpoint("openai/m", "http://x"), list(clients), clock)


def test_each_call_goes_to_the_least_busy_server():
    async def body():
        one, other = Fake("one"), Fake("other")
        both = servers(one, other)
        calls = [asyncio.create_task(both(ASKED)) for _ in range(5)]
        await asyncio.sleep(0)
        assert (one.calls, other.calls) == (3, 2)
        one.go.set()
        await asyncio.wait(calls, timeout=0.05)
        calls += [asyncio.create_task(both(ASKED)) for _ in range(2)]
        await asyncio.sleep(0)
        assert (one.calls, other.calls) == (5, 2)  # one's answers have come, other's have not
        other.go.set()
        assert sorted(await asyncio.gather(*calls)) == ["one"] * 5 + ["other"] * 2

    asyncio.run(body())


def test_a_call_that_reached_nobody_goes_to_another_at_once():
    async def body():
        gone = Fake("gone", ProviderError("refused", unreached=True))
        there = Fake("there")
        there.go.set()
        now = SimpleNamespace(s=0.0)
        both = servers(gone, there, clock=lambda: now.s)
        assert [await both(ASKED) for _ in range(4)] == ["there"] * 4
        assert gone.calls == 1  # it rests
        now.s = REST_S
        await both(ASKED)
        assert gone.calls == 2
        with pytest.raises(ProviderError, match="refused"):
            await servers(gone, gone)(ASKED)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("failure", "rests"),
    [
        (ProviderError("busy", 429, asked_wait_s=60.0), 60.0),
        (ProviderError("broken", 500), REST_S),
        (ProviderError("a bad prompt", 400), 0.0),
    ],
)
def test_a_server_that_failed_rests_as_long_as_it_asks_for(failure, rests):
    """Who called hears of the failure, since the call may be billed."""

    async def body():
        bad, good = Fake("bad", failure), Fake("good")
        good.go.set()
        now = SimpleNamespace(s=0.0)
        both = servers(bad, good, clock=lambda: now.s)
        with pytest.raises(ProviderError, match=str(failure)):
            await both(ASKED)
        if rests:
            assert await both(ASKED) == "good"
            now.s = rests - 0.1
            assert await both(ASKED) == "good"
        now.s = rests
        with pytest.raises(ProviderError):
            await both(ASKED)

    asyncio.run(body())


def closed_address():
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.slow
def test_a_server_that_dies_midway_loses_nothing(tmp_path):
    def dying(call):
        return Reply(drop=True) if call.number >= 6 else "Answer: 3"

    with ScriptedServer(dying) as one, ScriptedServer(lambda call: "Answer: 3") as other:
        urls = ",".join([one.address, other.address, closed_address()])
        path = record(
            TASK,
            "openai/scripted",
            num_samples=8,
            out=tmp_path / "out.parquet",
            limits=Limits(calls=48),
            options=RecordingOptions(greedy=False),
            requests=RequestOptions(api_base=urls, concurrency=8, progress=False),
        )
        assert len(one.answered) == 6 and len(other.answered) == 26
    frame = load(path).frame
    assert len(frame) == 32 and (frame["answer"] == "3").all()
    card = load(path).card
    assert card["num_servers"] == 3 and "127.0.0.1" not in str(dict(card))


def test_addresses_are_taken_one_by_one():
    endpoint = addressed("openai/m", "http://one/v1, http://two/v1")
    assert [server.client.endpoint.api_base for server in client_of(endpoint)._servers] == [
        "http://one/v1",
        "http://two/v1",
    ]
    assert addressed("openai/m", None) == "openai/m"
    for model, api_base, said in [
        ("openai/m", "localhost:8000", "begin with http:// or https://"),
        ("openai/m", "http://one/v1,", None),
        ("openai/m", "http://one/v1,http://one/v1", "names a server twice"),
        ("openai/m", "", "begin with http:// or https://"),
        ("local/smollm2-135m", "http://one/v1", "local/smollm2-135m has its place already"),
        (Endpoint("openai/m", "http://one"), "http://one/v1", "has its place already"),
    ]:
        if said is None:
            assert addressed(model, api_base).api_base == "http://one/v1"
        else:
            with pytest.raises(InputError, match=said):
                addressed(model, api_base)


def test_more_servers_take_more_calls_at_once(tmp_path):
    from dynlab.sampling.recorder import num_in_flight_of

    one, three = (
        addressed("openai/m", ",".join(f"http://s{i}/v1" for i in range(n))) for n in (1, 3)
    )
    assert num_in_flight_of(three.card) == 3 * num_in_flight_of(one.card)
    requests = RequestOptions(api_base="http://s0/v1", price=(1.0, 2.0))
    found = dry_run(TASK, "openai/m", num_samples=2, out=tmp_path / "o.parquet", requests=requests)
    assert "openai/m" in str(found)


@pytest.mark.slow
def test_the_command_records_several_models_at_several_addresses(tmp_path, capsys):
    (tmp_path / "sums.jsonl").write_text(
        '{"id": 1, "question": "1 + 1?", "target": "2"}\n{"id": 2, "question": "2 + 1?"}\n'
    )
    command = ["record", "--task", str(tmp_path / "sums.jsonl"), "--samples", "2", "--no-greedy"]
    with ScriptedServer(lambda call: "Answer: 2") as one, ScriptedServer(lambda call: "2") as other:
        command += ["--api-base", f"{one.address},{other.address}", "--kind", "integer"]
        several = [*command, "--model", "openai/small,openai/large", "--out"]
        assert main([*several, str(tmp_path / "both.parquet")]) == 2
        assert "one file for 2 models: give a folder" in capsys.readouterr().err
        assert main([*several, str(tmp_path / "both")]) == 0
        asked = [call.body["model"] for call in one.answered + other.answered]
        capped = [*command, "--max-usd", "1", "--out", str(tmp_path / "capped"), "--model"]
        for dry in ([], ["--dry-run"]):
            assert main([*capped, "openai/small,gpt4o", "--price", "1,2", *dry]) == 2
            assert "does not know who serves 'gpt4o'" in capsys.readouterr().err
            assert main([*capped, "openai/small,openai/large", *dry]) == 2
            assert "the price of 'openai/small' is unknown" in capsys.readouterr().err
        assert len(one.calls) + len(other.calls) == len(asked)  # nothing was sent, nor kept
        assert not list((tmp_path / "capped").glob("*"))
    assert sorted(asked) == ["large"] * 4 + ["small"] * 4
    names = ["sums--openai-large", "sums--openai-small"]
    assert sorted(path.stem for path in (tmp_path / "both").glob("*.parquet")) == names
    command += ["--model", "openai/small", "--out", str(tmp_path / "x.parquet")]
    assert main([*command, "--api-base", "here"]) == 2
    assert "api_base holds 'here': give addresses" in capsys.readouterr().err
