"""The wording of a request, as data: few-shot text completion for small models, one chat message for capable ones.

Chat templates cost small models much of their accuracy; a task says which form it prefers. Attempts that a model is
shown are model text, so untrusted: they are cleaned, bounded, and cannot imitate the frame that they stand in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dynlab.answers import Kind, clean
from dynlab.tasks import Task
from dynlab.types import Message, Prompter, Question, Sample

NO_TEXT = "(no answer)"
_FRAME = re.compile(r"</?\s{0,8}attempt", re.IGNORECASE)
_FORMATS: dict[Kind, str] = {
    "text": "the answer alone",
    "choice": "the letter of the right choice",
    "integer": "one integer",
    "expression": "the expression in LaTeX",
}


@dataclass(frozen=True)
class Completion:
    """Few-shot text completion: worked questions, then the question, cut off where the model goes on.

    ```
    Question: What is the capital of France?
    Answer: Paris

    Question: What is the capital of Peru?
    Earlier attempts: (1) Quito (2) Lima
    Answer:
    ```

    Args:
        demos: Worked (question, response) pairs.
        reasoned: Responses are solutions in words that end with `Answer: …`: their label is `Solution:`.
        instruction: A text before everything, '' for none.
        longest_attempt: Characters that are kept of each attempt (its end, where the answer stands).
    """

    demos: tuple[tuple[str, str], ...] = ()
    reasoned: bool = False
    instruction: str = ""
    longest_attempt: int = 600

    def __call__(self, question: Question, attempts: Sequence[Sample] = ()) -> str:
        """The text that a completion model continues; `attempts` are earlier responses, oldest first."""
        label = "Solution:" if self.reasoned else "Answer:"
        parts = [self.instruction] if self.instruction else []
        parts += [f"Question: {asked}\n{label} {response}" for asked, response in self.demos]
        parts.append("\n".join([f"Question: {_stated(question)}", *self._shown(attempts), label]))
        return "\n\n".join(parts)

    def _shown(self, attempts: Sequence[Sample]) -> list[str]:
        """One line for all attempts; a text that goes on to invent a next question is cut off there."""
        texts = [" ".join(clean(attempt.text).partition("Question:")[0].split()) for attempt in attempts]
        listed = [f"({i}) {_end(text, self.longest_attempt)}" for i, text in enumerate(texts, start=1)]
        return [f"Earlier attempts: {' '.join(listed)}"] if listed else []


@dataclass(frozen=True)
class Chat:
    """One user message: instruction, question, lettered choices, earlier attempts, and the format of the answer.

    Args:
        answer: The kind of answer that is asked for.
        demos: Worked (question, response) pairs, shown as examples.
        reasoned: Ask for a solution in steps before the answer.
        instruction: A text before everything, '' for none.
        longest_attempt: Characters that are kept of each attempt (its end, where the answer stands).
    """

    answer: Kind = "text"
    demos: tuple[tuple[str, str], ...] = ()
    reasoned: bool = True
    instruction: str = ""
    longest_attempt: int = 8000

    def __call__(self, question: Question, attempts: Sequence[Sample] = ()) -> tuple[Message, ...]:
        """The messages that a chat model answers; `attempts` are earlier responses, oldest first."""
        steps = "Think step by step, then end" if self.reasoned else "Reply"
        parts = [self.instruction] if self.instruction else []
        parts += [f"Example question: {asked}\nExample response: {response}" for asked, response in self.demos]
        parts.append(f"Question: {_stated(question)}")
        if attempts:
            parts.append("Earlier attempts at this question, each of which may be right or wrong:")
            parts += [self._shown(attempt, number) for number, attempt in enumerate(attempts, start=1)]
            parts.append("Compare these attempts, find their mistakes, and solve the question again.")
        parts.append(f"{steps} with one line `Answer: …` that holds {_FORMATS[self.answer]}.")
        return ({"role": "user", "content": "\n\n".join(parts)},)

    def _shown(self, attempt: Sample, number: int) -> str:
        text = _FRAME.sub("(attempt", clean(attempt.text).strip())
        return f'<attempt number="{number}">\n{_end(text, self.longest_attempt)}\n</attempt>'


def prompter_for(task: Task) -> Prompter:
    """The wording that a task prefers.

    >>> prompter_for(Task("t", (), form="completion", reasoned=False))(Question("1", "1 + 1?"), ())
    'Question: 1 + 1?\\nAnswer:'
    """
    if task.form == "completion":
        return Completion(task.demos, task.reasoned, task.instruction)
    return Chat(task.answer, task.demos, task.reasoned, task.instruction)


def _stated(question: Question) -> str:
    """The question with its lettered choices."""
    listed = (f"{chr(ord('A') + index)}. {choice}" for index, choice in enumerate(question.choices))
    return "\n".join([question.question, *listed])


def _end(text: str, longest: int) -> str:
    """The last `longest` characters, marked where something was left out."""
    if not text:
        return NO_TEXT
    return text if len(text) <= longest else f"… {text[-longest:].lstrip()}"
