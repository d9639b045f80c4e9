"""A scripted server that has files and batches, too: `/v1/files` and `/v1/batches`.

A batch's lines are answered by the script that answers live calls. Each look at a batch brings it
a step further; the second finds it over. What it forgets or turns down is up to a test.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from helpers.scripted_server import Call, Reply, ScriptedServer, payload

NUM_LOOKS = 2


@dataclass
class Batch:
    id: str
    body: dict[str, Any]
    lines: list[dict[str, Any]]
    looks: int = 0
    status: str = "validating"
    files: dict[str, str] = field(default_factory=dict)  # by kind: output, error
    errors: list[dict[str, Any]] | None = None


class BatchServer(ScriptedServer):
    """`with BatchServer(script) as server:` … `server.batches`, `server.requests`.

    `lose_creation(n)`: the nth creation is answered by 500 although it was made. `ending(batch)`:
    the status that a batch ends with. `fault(method, path)`: an HTTP status to answer with instead.
    """

    def __init__(self, script: Callable[[Call], str | Reply] = lambda call: "answer"):
        super().__init__(script)
        self.files: dict[str, bytes] = {}
        self.batches: list[Batch] = []
        self.requests: list[tuple[str, str]] = []
        self.refusal = {"code": "invalid_json_line", "message": "line 1 is no JSON"}
        self.ending: Callable[[Batch], str] = lambda batch: "completed"
        self.lose_creation: Callable[[int], bool] = lambda number: False
        self.fault: Callable[[str, str], int] = lambda method, path: 0
        self.looked: Callable[[Batch], object] = lambda batch: None

    def add_routes(self, router: web.UrlDispatcher) -> None:
        super().add_routes(router)
        for method, path, handler in (
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}/content", self._content),
            ("POST", "/v1/batches", self._create),
            ("GET", "/v1/batches", self._list),
            ("GET", "/v1/batches/{id}", self._look),
        ):
            router.add_route(method, path, self._guarded(handler))

    def _guarded(self, handler):
        async def guarded(request: web.Request) -> web.StreamResponse:
            self.requests.append((request.method, request.path))
            if status := self.fault(request.method, request.path):
                return _failure(status)
            return await handler(request)

        return guarded

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        id_ = f"file-{len(self.files)}"
        self.files[id_] = form["file"].file.read()
        return web.json_response(_file(id_, self.files[id_]))

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        text = self.files[body["input_file_id"]].decode()
        lines = [json.loads(line) for line in text.split("\n") if line]
        assert len({line["custom_id"] for line in lines}) == len(lines)
        assert {line["url"] for line in lines} == {body["endpoint"]}
        batch = Batch(f"batch-{len(self.batches)}", body, lines)
        self.batches.append(batch)
        if self.lose_creation(len(self.batches) - 1):
            return _failure(500)
        return web.json_response(_told(batch))

    async def _list(self, request: web.Request) -> web.Response:
        newest = [_told(batch) for batch in reversed(self.batches)]
        after, limit = request.query.get("after"), int(request.query.get("limit", 20))
        first = [each["id"] for each in newest].index(after) + 1 if after else 0
        more = len(newest) > first + limit
        data = newest[first : first + limit]
        return web.json_response({"object": "list", "data": data, "has_more": more})

    async def _look(self, request: web.Request) -> web.Response:
        found = [batch for batch in self.batches if batch.id == request.match_info["id"]]
        if not found:
            return _failure(404)
        (batch,) = found
        batch.looks += 1
        if batch.status == "validating":
            batch.status = "in_progress"
        if batch.looks == NUM_LOOKS:
            self._end(batch)
        self.looked(batch)
        return web.json_response(_told(batch))

    def _end(self, batch: Batch) -> None:
        batch.status = self.ending(batch)
        if batch.status == "failed":
            batch.errors = [self.refusal]
            return
        lines = list(batch.lines)
        if batch.status in ("expired", "cancelled"):  # before the second half was answered
            lines, left = lines[: len(lines) // 2], lines[len(lines) // 2 :]
        else:
            left = []
        output, errors = [], []
        for line in lines:
            call = Call(len(self.calls), line["url"], line["body"], {})
            self.calls.append(call)
            reply = self.script(call)
            reply = Reply(reply) if isinstance(reply, str) else reply
            if reply.status == 200:
                output.append(_line(line, 200, payload(call, reply)))
            else:
                error = {"error": {"message": reply.text or "scripted failure"}}
                errors.append(_line(line, reply.status, error))
        for line in left:
            code = f"batch_{batch.status}"
            errors.append({"custom_id": line["custom_id"], "error": {"code": code, "message": ""}})
        for kind, found in (("output", output), ("error", errors)):
            random.Random(len(self.batches)).shuffle(found)  # they come in any order
            if found:
                batch.files[kind] = id_ = f"file-{len(self.files)}"
                self.files[id_] = "".join(json.dumps(each) + "\n" for each in found).encode()


def _line(line: dict[str, Any], status: int, body: dict[str, Any]) -> dict[str, Any]:
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "l", "custom_id": line["custom_id"], "response": response, "error": None}


def _told(batch: Batch) -> dict[str, Any]:
    done = len(batch.lines) // (1 if batch.files else 2)
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.body["endpoint"],
        "input_file_id": batch.body["input_file_id"],
        "completion_window": batch.body["completion_window"],
        "status": batch.status,
        "created_at": 1,
        "metadata": batch.body.get("metadata"),
        "request_counts": {"total": len(batch.lines), "completed": done, "failed": 0},
        "output_file_id": batch.files.get("output"),
        "error_file_id": batch.files.get("error"),
        "errors": batch.errors and {"object": "list", "data": batch.errors},
    }


def _file(id_: str, content: bytes) -> dict[str, Any]:
    return {
        "id": id_,
        "object": "file",
        "bytes": len(content),
        "created_at": 1,
        "filename": "batch.jsonl",
        "purpose": "batch",
        "status": "processed",
    }


def _failure(status: int) -> web.Response:
    return web.json_response({"error": {"message": "scripted failure"}}, status=status)
