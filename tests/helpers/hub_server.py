"""A stand-in of the Hugging Face hub on loopback: repositories of files, gates, commits.

`with HubServer() as hub: hub.add("openai/gsm8k", {"main/test.parquet": rows}, commit=…)`; what it
was asked stands in `hub.asked`, the tokens that came along in `hub.tokens`.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "c0ffee" + "0" * 34  # of what `main` is, where no other is given


@dataclass(frozen=True)
class Repo:
    files: Mapping[str, bytes]
    commit: str
    gate: int | None  # the status that a gated one answers
    code: str = "GatedRepo"  # and how it calls that


class HubServer:
    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []

    def add(
        self,
        name: str,
        files: Mapping[str, bytes | Sequence[Mapping[str, Any]]],
        *,
        commit: str = COMMIT,
        gate: int | None = None,
        code: str = "GatedRepo",
        kind: str = "dataset",
    ) -> None:
        """A repository; rows become a file of the format that its name says."""
        packed = {
            file: content if isinstance(content, bytes) else as_file(content, file)
            for file, content in files.items()
        }
        self.repos[("datasets/" if kind == "dataset" else "") + name] = Repo(
            packed, commit, gate, code
        )

    def __enter__(self) -> HubServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving_hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that this process is pointed to, with an empty cache and a token."""
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(cache))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries of an outage
        yield server


def as_file(rows: Sequence[Mapping[str, Any]], name: str) -> bytes:
    if name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(rows)), sink)
        return sink.getvalue()
    if name.endswith(".csv"):
        import csv

        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        do_GET = do_HEAD

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            hub.asked.append(f"{self.command} {path}")
            if token := self.headers.get("Authorization"):
                hub.tokens.append(token)
            if path.startswith("api/"):
                name, _, revision = path.removeprefix("api/").partition("/revision/")
                self._about(name.removeprefix("models/"), revision or "main")
            else:
                name, _, rest = path.partition("/resolve/")
                revision, _, file = rest.partition("/")
                self._file(name, revision, file)

        def _repo(self, name: str, revision: str) -> Repo | None:
            repo = hub.repos.get(name)
            if repo is None:
                self._send(404, code="RepoNotFound")
            elif repo.gate is not None:
                self._send(repo.gate, code=repo.code)
            elif revision not in ("main", repo.commit):
                self._send(404, code="RevisionNotFound")
            else:
                return repo
            return None

        def _about(self, name: str, revision: str) -> None:
            if (repo := self._repo(name, revision)) is not None:
                named = name.removeprefix("datasets/")
                siblings = [{"rfilename": file} for file in repo.files]
                about = {"id": named, "sha": repo.commit, "siblings": siblings}
                self._send(200, json.dumps(about).encode(), kind="application/json")

        def _file(self, name: str, revision: str, file: str) -> None:
            if (repo := self._repo(name, revision)) is None:
                return
            if file not in repo.files:
                self._send(404, code="EntryNotFound", commit=repo.commit)
            else:
                self._send(200, repo.files[file], commit=repo.commit)

        def _send(
            self,
            status: int,
            content: bytes = b"",
            *,
            code: str = "",
            commit: str = "",
            kind: str = "application/octet-stream",
        ) -> None:
            headers = {"Content-Type": kind, "Content-Length": str(len(content))}
            if code:  # as the hub's own messages do, it repeats what it was sent
                headers["X-Error-Code"] = code
                headers["X-Error-Message"] = f"no: {self.headers.get('Authorization')}"
            if commit:
                headers["X-Repo-Commit"] = commit
            if status == 200 and commit:
                headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Handler
