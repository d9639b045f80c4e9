"""What can go wrong with a call, and what follows: tried again, stored as a failed sample, or the
end of the run.

| error | may the provider bill it? | what follows |
|---|---|---|
| 429 | no | tried again, more slowly, for as long as others are answered |
| 503, or no connection | no | tried again |
| 200 with a web page | yes | tried again |
| 408, other 5xx, timeout, dropped connection, half a JSON | yes | tried again |
| 400, 413, 422, other 4xx (a content filter, a prompt that is too long) | no | a failed sample |
| 401, 402, 403, 404 | no | the run ends |

A question that keeps failing while others are answered becomes a failed sample; when nothing is
answered for long the run ends, and after a few tries where no connection was ever made or web pages
came. Whatever may be billed stays reserved.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Literal

from dynlab._util.errors import DynlabError

Kind = Literal["throttled", "passing", "refused", "fatal"]


class ProviderError(DynlabError):
    """A call that brought no answer.

    Args:
        reason: What the provider said, in one line without secrets.
        status: The HTTP status of the answer; None where none came.
        asked_wait_s: Seconds after which the provider wants to be asked again.
        about_content: It is what is asked that the provider turns down: by a content filter, as too
            long.
        timed_out: The provider was too slow; it may have been asked too much at a time.
        unreached: There was no connection, since nothing listens at the address, or a web page
            came from there.
    """

    def __init__(
        self,
        reason: str,
        status: int | None = None,
        asked_wait_s: float = 0.0,
        about_content: bool = False,
        timed_out: bool = False,
        unreached: bool = False,
    ):
        super().__init__(reason)
        self.status, self.asked_wait_s, self.about_content = status, asked_wait_s, about_content
        self.timed_out, self.unreached = timed_out, unreached

    @property
    def kind(self) -> Kind:
        """What follows: 'throttled' and 'passing' are tried again, 'refused' is stored, 'fatal'
        ends the run.
        """
        if self.status == 429:
            return "throttled"
        if (
            self.status is None
            or self.status in (408, 409, 425)
            or self.status >= 500
            or self.status < 400
        ):
            return "passing"
        return "fatal" if self.status in (401, 402, 403, 404) else "refused"

    @property
    def free(self) -> bool:
        """Whether the call was turned down before any work, so that nothing can be billed."""
        if self.status is None:
            return self.unreached
        return self.status == 503 or (400 <= self.status < 500 and self.status != 408)


def no_connection(error: BaseException) -> str | None:
    """Why no connection was made, in one line; None where there was one, or nothing is known of it.

    LiteLLM and OpenAI's client call it a timeout, or the server's fault; what the system said is
    the first of the errors behind.
    """
    first: BaseException = error
    address = ""
    while behind := first.__cause__ or first.__context__:
        first = behind
        if isinstance(getattr(first, "host", None), str):
            address = f" to {first.host}:{getattr(first, 'port', '?')}"  # type: ignore[attr-defined]
    if not isinstance(first, ConnectionRefusedError | socket.gaierror):
        return None
    why = "refused" if isinstance(first, ConnectionRefusedError) else "no such host"
    return f"no connection{address} ({why}): does the server run, is its address right?"


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """Seconds after which a provider wants to be asked again, by its answer's headers; 0: at once.

    `retry-after-ms` counts before `retry-after`, which is a number of seconds or a date.

    >>> asked_wait_s({"retry-after": "2"}), asked_wait_s({"retry-after-ms": "1500"})
    (2.0, 1.5)
    >>> asked_wait_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}), asked_wait_s({})
    (0.0, 0.0)
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            return max(0.0, float(headers[name]) * unit)
    with suppress(KeyError, ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return 0.0
