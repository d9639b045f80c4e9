"""Plans: the samples of a recording before any is drawn, what each is shown, and the call that
draws it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dynlab._util.options import Sampling
from dynlab._util.values import GREEDY, Question, Request, Sample
from dynlab.models.replies import Response
from dynlab.sampling.key_set import KeySet
from dynlab.sampling.store_rows import Key
from dynlab.strategies.base import Strategy
from dynlab.tasks.prompts import before_stop, finals, own, prompter_for
from dynlab.tasks.task import Task


@dataclass(frozen=True)
class Plan:
    """The samples of a recording, fixed before any is drawn: Q questions × S streams × N samples,
    and greedy answers.

    Args:
        task: The questions and how they are asked.
        strategy: What each sample is shown.
        sampling: Settings of every call; a greedy answer has temperature 0 instead.
        num_samples: N, per stream.
        num_streams: S, per question.
        greedy: Whether each question gets one answer at temperature 0, of the strategy 'greedy'.
        seed: Of the run.
        num_slots: Of llama.cpp's server, where the model is one of this machine. Each slot keeps
            its last prompt, so a stream gets a slot to itself until it is drawn, and what its
            prompts begin with is computed once.
        num_at_once: Streams of chains that are drawn at a time; 0: all. An engine in this process
            keeps what its prompts begin with only while it runs and while there is room.
    """

    task: Task
    strategy: Strategy
    sampling: Sampling
    num_samples: int
    num_streams: int = 1
    greedy: bool = True
    seed: int = 0
    num_slots: int = 0
    num_at_once: int = 0

    @cached_property
    def keys(self) -> list[Key]:
        """All keys in the order of drawing: sample by sample over the questions, so that any part
        is balanced.

        With slots it is so many streams at a time, and so are chains with `num_at_once`.
        """
        ids = [question.id for question in self.task.questions]
        greedy = [(id_, GREEDY, 0, 0) for id_ in ids] if self.greedy else []
        streams = self._streams
        size = self.num_slots or len(streams)
        if self.num_at_once and self.depth > 1:
            size = self.num_at_once
        blocks = [streams[first : first + size] for first in range(0, len(streams), size)]
        return greedy + [
            (*stream, i) for block in blocks for i in range(self.num_samples) for stream in block
        ]

    @cached_property
    def depth(self) -> int:
        """The longest path of samples of which each waits for the one before it."""
        depths: list[int] = []
        for index in range(self.num_samples):
            depths.append(1 + max((depths[i] for i in self.strategy.parents(index)), default=0))
        return max(depths)

    @cached_property
    def attempt_tokens(self) -> int:
        """The most tokens of attempts that a prompt holds."""
        waited = max(len(self.strategy.parents(index)) for index in range(self.num_samples))
        return min(waited, self.strategy.num_shown or waited) * self.sampling.num_tokens

    @cached_property
    def _streams(self) -> list[tuple[str, str, int]]:
        """The streams in the order of drawing."""
        return [
            (q.id, self.strategy.name, s)
            for s in range(self.num_streams)
            for q in self.task.questions
        ]

    @cached_property
    def _places(self) -> dict[tuple[str, str, int], int]:
        """Each stream's place in that order."""
        return {stream: place for place, stream in enumerate(self._streams)}

    def _sampling(self, key: Key) -> Sampling:
        """The settings of a call; the last streams, fewer than there are slots, take any slot that
        is free.
        """
        if key[1] == GREEDY:
            return replace(self.sampling, temperature=0.0)
        place = self._places[key[:3]]
        if not self.num_slots or place >= len(self._places) // self.num_slots * self.num_slots:
            return self.sampling
        own = {"id_slot": place % self.num_slots}
        return replace(self.sampling, extra_body={**own, **self.sampling.extra_body})

    def parents(self, key: Key) -> list[Key]:
        """The samples that must have arrived before a sample is drawn."""
        return (
            []
            if key[1] == GREEDY
            else [(*key[:3], index) for index in self.strategy.parents(key[3])]
        )

    def awaited(self, key: Key) -> list[Key]:
        """What is drawn before it in a whole run: its parents, and the stream that had its slot, to
        its last sample.

        A slot that two streams took in turns would compute a chain's prompt anew for each of its
        samples.
        """
        place = -1 if key[1] == GREEDY else self._places[key[:3]] - self.num_slots
        before = (
            [(*self._streams[place], self.num_samples - 1)] if self.num_slots and place >= 0 else []
        )
        return self.parents(key) + before

    def holds(self, key: Key) -> bool:
        """Whether a sample is planned."""
        question_id, strategy, stream, index = key
        if strategy == GREEDY:
            planned = self.greedy and stream == index == 0
        else:
            planned = (
                strategy == self.strategy.name
                and stream < self.num_streams
                and index < self.num_samples
            )
        return planned and question_id in self.questions

    def missing(self, there: KeySet) -> dict[str, int]:
        """How many samples of each question are not there yet."""
        planned = [(GREEDY, 0, 1)] if self.greedy else []
        planned += [(self.strategy.name, s, self.num_samples) for s in range(self.num_streams)]
        return {
            id_: sum(num - there.num_of((id_, name, stream), num) for name, stream, num in planned)
            for id_ in self.questions
        }

    def num_in(self, there: KeySet) -> int:
        """How many of its samples are there."""
        return len(self.keys) - sum(self.missing(there).values())

    def shows(self, key: Key) -> bool:
        """Whether a planned sample is shown this one."""
        return key[3] in self._shown and key[1] != GREEDY and self.holds(key)

    @cached_property
    def _shown(self) -> frozenset[int]:
        """The indices of a stream's samples that later ones are shown."""
        indices = range(self.num_samples)
        return frozenset(shown for index in indices for shown in self.strategy.parents(index))

    def request(self, key: Key, arrived: Sequence[Sample]) -> Request:
        """The call that draws a sample whose parents have arrived: given in order, those are shown
        that are chosen.
        """
        question, seed = self.questions[key[0]], sampling_seed(self.seed, key)
        attempts = self.strategy.chosen(arrived, seed) if arrived else ()
        words = finals(attempts, self.task, question) if self.strategy.finals_only else attempts
        asked = prompter_for(self.task, self.strategy.shown)(question, words)
        return Request(
            *key,
            sampling=self._sampling(key),
            seed=seed,
            prompt=asked if isinstance(asked, str) else None,
            messages=None if isinstance(asked, str) else asked,
            role="chained" if arrived else "independent",
            parents=tuple(attempt.sample_index for attempt in attempts),
        )

    def sample(self, request: Request, response: Response) -> Sample:
        """The response, as far as it is the model's own answer (`dynlab.tasks.prompts.own`) and
        stands before a stop string, with its final answer.
        """
        asked = request.messages or request.prompt or ""
        text = own(response.text, self.task, asked, len(request.parents))
        text = before_stop(text, request.sampling.stop or ())
        return Sample(
            *request.key,
            answer=self.task.final_answer(text, self.questions[request.question_id]),
            text=text,
            usage=response.usage,
            role=request.role,
            parents=request.parents,
            votes=request.strategy == GREEDY or self.strategy.votes(request.sample_index),
            finish_reason=response.finish_reason,
            mean_logprob=response.mean_logprob,
            lowest_logprob=response.lowest_logprob,
            first_logprob=response.first_logprob,
            last_logprob=response.last_logprob,
            latency_s=response.latency_s,
        )

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The questions by their ids."""
        return {question.id: question for question in self.task.questions}


def sampling_seed(seed: int, key: Key) -> int:
    """A sample's own seed, 31 bits that depend on the run's seed and on the sample's key alone.

    >>> sampling_seed(0, ("q1", "parallel", 0, 0)) == sampling_seed(0, ("q1", "parallel", 0, 1))
    False
    """
    digest = hashlib.blake2b(repr((int(seed), *key)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
