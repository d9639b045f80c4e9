"""The wording of a request, as data: few-shot text completion for small models, one chat message
for capable ones.

Chat templates cost small models much of their accuracy; a task says which form it prefers. Attempts
that a model is shown are model text, so untrusted: they are cleaned, bounded, and in a chat cannot
imitate the frame that they stand in (in a completion, where an attempt is a number and a text,
numbers in it stay as they are). They are `listed` with the question, or stand as a `prefill` where
the response begins, as the model's own prior thinking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dynlab._util.values import Message, Prompter, Question, Sample
from dynlab.tasks.answers import Kind, clean
from dynlab.tasks.graders import Grader, KeyFunction, as_grader
from dynlab.tasks.task import Task

NO_TEXT = "(no answer)"
_FRAME = re.compile(r"<\s{0,8}/?\s{0,8}attempt", re.IGNORECASE)
_LISTED = re.compile(r"\s\(\d{1,3}\)")
_FIRST_LISTED = re.compile(r"^\s{0,8}\(\d{1,3}\)\s{0,8}")


@dataclass(frozen=True)
class Completion:
    """Few-shot text completion: worked questions, then the question, cut off where the model goes
    on.

    ```
    Question: What is the capital of France?
    Answer: Paris

    Question: What is the capital of Peru?
    Earlier attempts: (1) Quito (2) Lima
    Answer:
    ```

    Args:
        demos: Worked (question, response) pairs.
        reasoned: Responses are solutions in words that end with `Answer: …`: their label is
            `Solution:`.
        instruction: A text before everything, '' for none.
        longest_attempt: Characters that are kept of each attempt (its end, where the answer
            stands).
        shown: 'listed', or 'prefill': each attempt is a line with the response's label before the
            line to go on from.
    """

    demos: tuple[tuple[str, str], ...] = ()
    reasoned: bool = False
    instruction: str = ""
    longest_attempt: int = 600
    shown: str = "listed"

    def __call__(self, question: Question, attempts: Sequence[Sample] = ()) -> str:
        """The text that a completion model continues; `attempts` are earlier responses, oldest
        first.
        """
        label = "Solution:" if self.reasoned else "Answer:"
        parts = [self.instruction] if self.instruction else []
        parts += [f"Question: {asked}\n{label} {response}" for asked, response in self.demos]
        parts.append(
            "\n".join([f"Question: {_stated(question)}", *self._shown(attempts, label), label])
        )
        return "\n\n".join(parts)

    def _shown(self, attempts: Sequence[Sample], label: str) -> list[str]:
        """One line for each attempt, or for all; a text that goes on to invent a next question is
        cut off there.
        """
        texts = [
            _end(_up_to_next(clean(attempt.text)), self.longest_attempt) for attempt in attempts
        ]
        if self.shown == "prefill":
            return [f"{label} {text}" for text in texts]
        listed = [f"({i}) {text}" for i, text in enumerate(texts, start=1)]
        return [f"Earlier attempts: {' '.join(listed)}"] if listed else []


@dataclass(frozen=True)
class Chat:
    """One user message: instruction, question, lettered choices, earlier attempts, and the format
    of the answer.

    With 'prefill' the attempts stand in an assistant's message after it, which the model goes on
    from; `prefix` marks it for providers that want it marked.

    Args:
        answer: The kind of answer that is asked for, or the task's own grader.
        demos: Worked (question, response) pairs, shown as examples.
        reasoned: Ask for a solution in steps before the answer.
        instruction: A text before everything, '' for none.
        longest_attempt: Characters that are kept of each attempt (its end, where the answer
            stands).
        shown: 'listed' or 'prefill'.
    """

    answer: Kind | str | Grader | KeyFunction = "text"
    demos: tuple[tuple[str, str], ...] = ()
    reasoned: bool = True
    instruction: str = ""
    longest_attempt: int = 8000
    shown: str = "listed"

    def __call__(self, question: Question, attempts: Sequence[Sample] = ()) -> tuple[Message, ...]:
        """The messages for a chat model; `attempts` are earlier responses, oldest first."""
        steps = "Think step by step, then end" if self.reasoned else "Reply"
        parts = [self.instruction] if self.instruction else []
        parts += [
            f"Example question: {asked}\nExample response: {response}"
            for asked, response in self.demos
        ]
        parts.append(f"Question: {_stated(question)}")
        listed = [self._shown(attempt, number) for number, attempt in enumerate(attempts, start=1)]
        if listed and self.shown == "listed":
            parts.append("Earlier attempts at this question, each of which may be right or wrong:")
            parts += [
                *listed,
                "Compare these attempts, find their mistakes, and solve the question again.",
            ]
        parts.append(
            f"{steps} with one line `Answer: …` that holds {as_grader(self.answer).format}."
        )
        asked = {"role": "user", "content": "\n\n".join(parts)}
        if not listed or self.shown == "listed":
            return (asked,)
        again = (
            "Each of these attempts may be right or wrong. Let me compare them and solve the"
            " question again."
        )
        begun = "\n\n".join(["My earlier attempts at this question:", *listed, again])
        return asked, {"role": "assistant", "content": begun, "prefix": True}

    def _shown(self, attempt: Sample, number: int) -> str:
        text = _FRAME.sub("(attempt", clean(attempt.text).strip())
        return f'<attempt number="{number}">\n{_end(text, self.longest_attempt)}\n</attempt>'


def _up_to_next(text: str) -> str:
    """A completion in one line, up to where it invents a next question; it may begin with its own.

    >>> _up_to_next(" Lima\\n\\nQuestion: And of Chile?"), _up_to_next("Question: Of Peru? Lima")
    ('Lima', 'Question: Of Peru? Lima')
    """
    line = " ".join(text.split())
    end = line.find("Question:", 1)
    return line if end < 0 else line[:end].rstrip()


def prompter_for(task: Task, shown: str = "listed") -> Prompter:
    """The wording that a task prefers, with attempts shown as given.

    >>> prompter_for(Task("t", (), form="completion", reasoned=False))(Question("1", "1 + 1?"), ())
    'Question: 1 + 1?\\nAnswer:'
    """
    if task.form == "completion":
        return Completion(task.demos, task.reasoned, task.instruction, shown=shown)
    return Chat(task.answer, task.demos, task.reasoned, task.instruction, shown=shown)


def finals(attempts: Sequence[Sample], task: Task, question: Question) -> list[Sample]:
    """The attempts with nothing left of their texts but the final answers, as they word them."""

    def final(attempt: Sample) -> str:
        found = task.grader.wording(attempt.text, question)
        return f"Answer: {found}" if found and task.reasoned else found

    return [replace(attempt, text=final(attempt)) for attempt in attempts]


def own(text: str, task: Task, asked: str | Sequence[Message], attempts: int) -> str:
    """The part of a response that answers: without what it went on from, and without a list of
    attempts gone on with.

    A completion that was shown attempts (1) to (4) may well write its answer and then (5), (6), …
    of its own.

    >>> task = Task("t", (), form="completion", reasoned=False)
    >>> own(" Lima (5) Quito (6) Lima", task, "Question: …", attempts=4)
    ' Lima'
    """
    text = text.removeprefix(begun(asked))
    if not attempts or task.form == "chat" or task.reasoned:
        return text
    return _LISTED.split(_FIRST_LISTED.sub(" ", text, count=1), maxsplit=1)[0]


def before_stop(text: str, stops: Sequence[str]) -> str:
    """A response up to the first stop string: some servers hand that over with it, or take none.

    >>> before_stop(" Lima\\n\\nQuestion: and of Chile?", ("\\n",))
    ' Lima'
    """
    ends = [end for stop in stops if stop and (end := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def begun(asked: str | Sequence[Message]) -> str:
    """What of a prompt the response goes on from: the text of the assistant's last message, '' if
    there is none.
    """
    last = {} if isinstance(asked, str) or not asked else asked[-1]
    return str(last["content"]) if last.get("role") == "assistant" else ""


def _stated(question: Question) -> str:
    """The question with its lettered choices."""
    listed = (f"{chr(ord('A') + index)}. {choice}" for index, choice in enumerate(question.choices))
    return "\n".join([question.question, *listed])


def _end(text: str, longest: int) -> str:
    """The last `longest` characters, marked where something was left out."""
    if not text:
        return NO_TEXT
    return text if len(text) <= longest else f"… {text[-longest:].lstrip()}"
