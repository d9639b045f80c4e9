"""The values that pass between packages: frozen, compared by content, free of ids and timestamps.

Array axes are letters, here and everywhere: R replications, Q questions, S streams, N samples,
K distinct answers, C checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dynlab._util.options import Sampling

GREEDY = "greedy"  # the strategy of answers at temperature 0: one a question, in no pool
# {"role": "user" | "assistant" | "system", "content": "..."}; "prefix": true to go on from it
Message = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """An item of a task; `target` is the right answer (None: unknown), `aliases` equally right."""

    id: str
    question: str
    target: str | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One call to a model: one of `prompt` (text completion) and `messages` (chat) is set."""

    question_id: str
    strategy: str
    stream: int
    sample_index: int
    sampling: Sampling
    seed: int
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    role: str = "independent"
    parents: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What makes a sample unique in a recording."""
        return (self.question_id, self.strategy, self.stream, self.sample_index)


@dataclass(frozen=True)
class Usage:
    """Tokens and money of one call or of many; adds up, and what is unknown (None) stays unknown.

    >>> (Usage(10, 5) + Usage(10, 7)).completion_tokens
    12
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    billed_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        def total(a: Any, b: Any) -> Any:
            return None if a is None or b is None else a + b

        return Usage(
            *(
                total(getattr(self, name), getattr(other, name))
                for name in self.__dataclass_fields__
            )
        )


@dataclass(frozen=True)
class Sample:
    """One drawn response; `answer` is its normalised final answer ('' = none, it never votes)."""

    question_id: str
    strategy: str
    stream: int
    sample_index: int
    answer: str
    text: str
    usage: Usage = Usage()
    role: str = "independent"
    parents: tuple[int, ...] = ()
    votes: bool = True
    finish_reason: str | None = None
    mean_logprob: float | None = None
    lowest_logprob: float | None = None  # mean over the least likely tenth of the tokens
    first_logprob: float | None = None  # over the first fifth
    last_logprob: float | None = None  # over the last fifth
    latency_s: float | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What makes a sample unique in a recording."""
        return (self.question_id, self.strategy, self.stream, self.sample_index)


class Prompter(Protocol):
    """Turns a question and the attempts it is shown into the words that are sent."""

    def __call__(self, question: Question, attempts: Sequence[Sample]) -> str | tuple[Message, ...]:
        """Text for a text-completion model, or messages for a chat model."""
        ...
