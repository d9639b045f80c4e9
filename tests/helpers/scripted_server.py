"""A small OpenAI-compatible server on loopback that answers from a script and remembers every call.

The script is a function of the call (its number, path and body); it returns the text of the answer
or a `Reply`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Call:
    number: int
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        """All that the model is shown."""
        if "prompt" in self.body:
            return str(self.body["prompt"])
        return "\n".join(message["content"] for message in self.body["messages"])


@dataclass(frozen=True)
class Reply:
    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    delay_s: float = 0.0
    usage: Any = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5})
    logprobs: Any = None
    reasoning: str | None = None
    body: str | None = None  # in place of an answer, as it is
    cut: bool = False  # the connection ends before the answer does
    finish_reason: str = "stop"
    num_choices: int | None = None  # default: as many as were asked for


@contextmanager
def serving(program: str, *arguments: object):
    """The address that a program beside this one prints first, for as long as it runs in a process
    of its own.
    """
    command = [sys.executable, str(Path(__file__).with_name(program)), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


Script = Callable[[Call], "str | Reply"]


class ScriptedServer:
    """`with ScriptedServer(script) as server:` … `server.address`, `server.calls`,
    `server.answered`.
    """

    def __init__(self, script: Script = lambda call: "answer"):
        self.script = script
        self.calls: list[Call] = []  # every call that arrived
        self.answered: list[
            Call
        ] = []  # those whose answer was handed to a connection that still stood
        self.in_flight = 0
        self.most_in_flight = 0
        self._port = 0  # any; one that was stopped comes back at its address

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """What it answers."""
        router.add_post("/v1/completions", self._handle)
        router.add_post("/v1/chat/completions", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        call = Call(len(self.calls), request.path, body, dict(request.headers))
        self.calls.append(call)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self.script(call)
            reply = Reply(reply) if isinstance(reply, str) else reply
            if reply.delay_s:
                await asyncio.sleep(reply.delay_s)
            if reply.drop:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            if reply.body is not None:
                if reply.cut:
                    half = web.StreamResponse(
                        headers={"Content-Type": "application/json", "Content-Length": "9999"}
                    )
                    await half.prepare(request)
                    await half.write(reply.body.encode())
                    assert request.transport is not None
                    request.transport.close()
                    return half
                kind = "application/json"
                return web.Response(
                    text=reply.body, status=reply.status, headers=reply.headers, content_type=kind
                )
            if reply.status != 200:
                error = {"error": {"message": reply.text or "scripted failure", "type": "scripted"}}
                return web.json_response(error, status=reply.status, headers=reply.headers)
            self.answered.append(call)
            return web.json_response(payload(call, reply), headers=reply.headers)
        finally:
            self.in_flight -= 1

    def __enter__(self) -> ScriptedServer:
        ready = threading.Event()

        def serve() -> None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
            app = web.Application()
            self.add_routes(app.router)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
            self._loop.run_until_complete(runner.setup())
            site = web.TCPSite(runner, "127.0.0.1", self._port)
            self._loop.run_until_complete(site.start())
            self._port = runner.addresses[0][1]
            self.address = f"http://127.0.0.1:{self._port}/v1"
            ready.set()
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)  # replies that nobody waits for any more
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


def payload(call: Call, reply: Reply) -> dict[str, Any]:
    head = {"id": f"call-{call.number}", "created": int(time.time()), "model": call.body["model"]}
    usage = {} if reply.usage is None else {"usage": reply.usage}
    num = call.body.get("n", 1) if reply.num_choices is None else reply.num_choices
    choices = [_choice(call, reply, index) for index in range(num)]
    kind = "chat.completion" if call.path.endswith("/chat/completions") else "text_completion"
    return {**head, "object": kind, "choices": choices, **usage}


def _choice(call: Call, reply: Reply, index: int) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": reply.finish_reason}
    if reply.logprobs is not None:
        choice["logprobs"] = reply.logprobs
    if not call.path.endswith("/chat/completions"):
        return {**choice, "text": reply.text}
    message = {"role": "assistant", "content": reply.text}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    return {**choice, "message": message}


if (
    __name__ == "__main__"
):  # a server of its own process, for measurements; its answers take so many seconds
    with ScriptedServer(
        lambda call, latency_s=float(sys.argv[1]): Reply("Answer: 2", delay_s=latency_s)
    ) as server:
        print(server.address, flush=True)
        threading.Event().wait()
