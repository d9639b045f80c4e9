"""A provider's batch endpoint through LiteLLM: many calls in one file, answered within a day.

The protocol is OpenAI's: a file of lines is uploaded, a batch is made of it, looked at now and
then, and its answers are fetched as files. This module talks to the endpoint, one attempt each;
what is sent, kept and waited for is decided in `dynlab.sampling`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynlab._util.redaction import scrubbed
from dynlab.models import openai_access
from dynlab.models.litellm_import import imported
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.provider_errors import ProviderError, asked_wait_s, no_connection

WINDOW_H = 24  # hours in which a provider answers a batch; what is not answered then is not billed
_TAG = "dynlab"  # the metadata that a batch is found again by
_TIMEOUT_S = 600.0
_PAGE = 100  # batches of a list that are fetched at a time
_NOT_PRICED = {"batch_ignore_default_logging": True}  # else it fetches all answers, to sum them up
_CLOSE = {"Connection": "close"}  # LiteLLM makes a client for each call, and closes none
_OVER = ("completed", "failed", "expired", "cancelled")
_FULL = ("token_limit_exceeded", "rate_limit_exceeded")  # too much is waiting there already
# what is said of lines that were never worked on; any other error may be billed
_UNBILLED = ("batch_expired", "batch_cancelled")


@dataclass(frozen=True)
class Batch:
    """How far a batch is.

    Args:
        id: The provider's name for it.
        state: The provider's word: 'in_progress', 'completed', 'expired', ….
        num_ended: Lines that are answered or have failed.
        files: Where the answers and the errors lie, once there are any.
        said: Why it failed, if it did.
        full: Whether it failed since too much is waiting at the provider.
    """

    id: str
    state: str
    num_ended: int = 0
    files: tuple[str, ...] = ()
    said: str = ""
    full: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in _OVER


@dataclass(frozen=True)
class Answer:
    """What a line brought, as a live call would have brought it: HTTP status and body."""

    status: int
    body: bytes


class BatchEndpoint:
    """The files and batches of a provider that speaks OpenAI's protocol.

    Every method raises a ProviderError where it fails.
    """

    def __init__(self, endpoint: Endpoint):
        self._base = endpoint.api_base or openai_access.base()
        self._key = endpoint.api_key or openai_access.key(imported()) or "none"

    async def upload(self, lines: Sequence[Mapping[str, Any]]) -> str:
        """Uploads a file of lines, `line` each; its name there. It costs nothing."""
        text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
        file = ("batch.jsonl", text.encode(), "application/jsonl")
        return str((await self._call("acreate_file", file=file, purpose="batch")).id)

    async def create(self, file: str, path: str, tag: str) -> Batch:
        """Makes a batch of an uploaded file; what follows may be billed.

        Args:
            file: Its name there.
            path: Of the calls: '/v1/chat/completions' or '/v1/completions'.
            tag: That `find` finds it by, where the answer to this call is lost.
        """
        found = await self._call(
            "acreate_batch",
            input_file_id=file,
            endpoint=path,
            completion_window=f"{WINDOW_H}h",
            metadata={_TAG: tag},
        )
        return _batch(found)

    async def find(self, tag: str) -> Batch | None:
        """The batch that was made with a tag; None where there is none."""
        import openai

        # not by LiteLLM, whose list of batches takes no headers, and leaves its connection open
        client = openai.AsyncOpenAI(
            base_url=self._base, api_key=self._key, timeout=_TIMEOUT_S, max_retries=0
        )
        try:
            async with client:
                async for each in client.batches.list(limit=_PAGE):  # newest first, page by page
                    if (each.metadata or {}).get(_TAG) == tag:
                        return _batch(each)
        except Exception as error:
            raise self._fault(error) from None
        return None

    async def look(self, batch: str) -> Batch:
        """How far a batch is."""
        return _batch(
            await self._call("aretrieve_batch", batch_id=batch, litellm_metadata=_NOT_PRICED)
        )

    async def answers(self, batch: Batch) -> dict[str, Answer]:
        """What the lines of a batch brought, by their names.

        Lines are left out that were never worked on, and those of a file that is there no more.
        """
        found: dict[str, Answer] = {}
        for file in batch.files:
            try:
                content: bytes = (await self._call("afile_content", file_id=file)).content
            except ProviderError as error:
                if error.status != 404:
                    raise
                continue
            for line in content.split(b"\n"):  # `splitlines` would split inside of texts
                name, answer = _answer(line)
                if answer is not None:
                    found.setdefault(name, answer)
        return found

    async def _call(self, name: str, **arguments: Any) -> Any:
        try:
            return await getattr(imported(), name)(
                **arguments,
                custom_llm_provider="openai",
                api_base=self._base,
                api_key=self._key,
                timeout=_TIMEOUT_S,
                max_retries=0,
                extra_headers=_CLOSE,
                **{"no-log": True},
            )
        except Exception as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> ProviderError:
        """The error of a call, be it LiteLLM's, OpenAI's or the network's."""
        if unmade := no_connection(error):
            return ProviderError(unmade, unreached=True)
        status = getattr(error, "status_code", None)
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        reason, wait_s = scrubbed(error, self._key), asked_wait_s(headers)
        return ProviderError(reason, status if isinstance(status, int) else None, wait_s)


def line(name: str, path: str, body: Any) -> dict[str, Any]:
    """A line of a batch's file: one call.

    >>> line("0", "/v1/completions", {"n": 2})["url"]
    '/v1/completions'
    """
    return {"custom_id": name, "method": "POST", "url": path, "body": body}


def _batch(found: Any) -> Batch:
    counts = found.request_counts
    errors = list(getattr(found.errors, "data", None) or ())
    return Batch(
        str(found.id),
        str(found.status),
        0 if counts is None else int(counts.completed or 0) + int(counts.failed or 0),
        tuple(file for file in (found.output_file_id, found.error_file_id) if file),
        scrubbed(Exception("; ".join(str(each.message or each.code) for each in errors[:3]))),
        any(each.code in _FULL for each in errors),
    )


def _answer(line: bytes) -> tuple[str, Answer | None]:
    """A line's name and what it brought, of a line of an output or error file.

    >>> _answer(b'{"custom_id": "3", "response": {"status_code": 200, "body": {"choices": []}}}')
    ('3', Answer(status=200, body=b'{"choices": []}'))
    >>> _answer(b'{"custom_id": "3", "error": {"code": "batch_expired"}}')
    ('3', None)
    """
    try:
        said = json.loads(line)
        name = said["custom_id"]
    except (ValueError, KeyError, TypeError, RecursionError):  # the last, empty, or a broken one
        return "", None
    response, error = said.get("response"), said.get("error")
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        return str(name), Answer(response["status_code"], _json(response.get("body")))
    if isinstance(error, dict) and error.get("code") in _UNBILLED:
        return str(name), None
    return str(name), Answer(500, _json({"error": error}))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()
