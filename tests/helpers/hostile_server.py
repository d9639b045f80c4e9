"""A provider of its own process that does everything wrong that a provider can, and keeps the
books.

`python hostile_server.py FAULTS SEED LOG` prints its address; every request and every answer that
it handed over is a line of LOG. Faults depend on (seed, request's seed, how often it was asked), so
a run is as hostile as the next.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from aiohttp import web

PROMPT_TOKENS, COMPLETION_TOKENS = 12, 6
FAULTS = (
    "429",
    "429 later",
    "503",
    "500",
    "502",
    "timeout",
    "dropped",
    "half JSON",
    "half answer",
    "no choices",
    "filtered",
    "filtered 400",
    "no usage",
    "negative usage",
    "huge usage",
    "text usage",
    "away",
)
ANSWERED = ("", "no choices", "filtered", "no usage", "negative usage", "huge usage", "text usage")


def answer_of(seed: int) -> str:
    """The answer to a request, which depends on its seed alone."""
    return str(seed % 3)


class Hostile:
    def __init__(self, share: float, seed: int, log: Path):
        self.share, self.seed = share, seed
        self.log = log.open("a", buffering=1)
        self.asked: Counter[int] = Counter()
        self.away_until = 0.0

    def fault(self, seed: int) -> str:
        rng = random.Random(f"{self.seed} {seed} {self.asked[seed]}")
        return rng.choice(FAULTS) if rng.random() < self.share else ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        seed = body["seed"]
        fault = self.fault(seed)
        self.asked[seed] += 1
        if time.monotonic() < self.away_until:
            fault = "dropped"
        if fault == "away":
            self.away_until = time.monotonic() + 0.3
            fault = "dropped"
        self.log.write(f"asked {seed} {fault}\n")
        await asyncio.sleep(0.01)
        if fault in ("429", "429 later", "503", "500", "502"):
            headers = {"Retry-After": "0.2"} if fault == "429 later" else {}
            error = {"error": {"message": "not now", "type": "scripted"}}
            return web.json_response(error, status=int(fault.split()[0]), headers=headers)
        if fault == "filtered 400":
            return web.json_response(
                {"error": {"message": "no", "code": "content_filter"}}, status=400
            )
        assert request.transport is not None
        if fault == "dropped":
            request.transport.abort()
            return web.Response()
        if fault == "timeout":
            await asyncio.sleep(30)
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
        usage |= {
            "negative usage": {"completion_tokens": -5},
            "huge usage": {"completion_tokens": 10**9},
            "text usage": {"prompt_tokens": "twelve"},
        }.get(fault, {})
        choice = {"index": 0, "text": answer_of(seed), "finish_reason": "stop"}
        if fault == "filtered":
            choice["finish_reason"] = "content_filter"
        answer = {
            "id": "x",
            "object": "text_completion",
            "created": 1,
            "model": "m",
            "usage": usage,
        }
        answer["choices"] = [] if fault == "no choices" else [choice]
        if fault == "no usage":
            del answer["usage"]
        text = json.dumps(answer)
        if fault == "half JSON":
            text = text[: len(text) // 2]
        if fault == "half answer":
            half = web.StreamResponse(
                headers={"Content-Type": "application/json", "Content-Length": str(len(text))}
            )
            await half.prepare(request)
            await half.write(text[:20].encode())
            request.transport.abort()
            return half
        response = web.Response(text=text, content_type="application/json")
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionResetError:  # who asked was killed
            return response
        self.log.write(f"answered {seed} {fault}\n")
        return response


async def serve(share: float, seed: int, log: Path) -> None:
    app = web.Application()
    app.router.add_post("/v1/completions", Hostile(share, seed, log).handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
