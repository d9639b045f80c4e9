"""Questions of reasoning-gym's generators: `reasoning-gym:gsm_symbolic?size=100&seed=7` is a task.

A question belongs to development or to evaluation by its template, where the generator tells it,
else by its text: so the two share no template and no text, whatever the seeds. Settings are chosen
on `split=dev`; a name without a split means `split=eval`. Any other field of the name is a setting
of the generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from dynlab._util.errors import InputError, one_of
from dynlab._util.values import Question
from dynlab.tasks.answers import NO_ANSWER, extract
from dynlab.tasks.graders import Grader
from dynlab.tasks.reasoning_families import FAMILIES, demos
from dynlab.tasks.task import Task
from dynlab.tasks.task_names import GENERATED

SPLITS = ("dev", "eval")
_DRAWN = 20_000  # as many as a generator is told to make: a longer task begins like a shorter one
_NUM_DEV = 4  # one template in so many, or one text, is for development

Split = Literal["dev", "eval"]


@dataclass(frozen=True)
class ScorerGrader(Grader):
    """A family's own scorer: the family's key votes, and what the scorer says of a key is right.

    Args:
        family: The generator's name.
        entries: What it made, by the questions' ids.
        scorer: Its data set.
    """

    family: str
    entries: Mapping[str, Mapping[str, Any]] = field(repr=False, compare=False)
    scorer: Any = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """'reasoning-gym:gsm_symbolic'."""
        return f"{GENERATED}{self.family}"

    def key(self, response: str, question: Question) -> str:
        """The family's key of what stands after the last `Answer:`; '' if nothing does."""
        return FAMILIES[self.family].key(self.wording(response, question))

    def wording(self, response: str, question: Question) -> str:
        """What stands after the last `Answer:`."""
        return extract(response, "text", reasoned=True)

    def is_right(self, answer: str, question: Question) -> bool | None:
        """Whether the family's scorer takes an answer's key for right."""
        if answer == NO_ANSWER:
            return False
        score = self.scorer.score_answer(answer, self.entries[question.id])
        return bool(score >= FAMILIES[self.family].threshold)


def generated(name: str, limit: int | None = None, form: str | None = None) -> Task:
    """The task of a name such as 'reasoning-gym:gsm_symbolic?size=100&seed=7&split=dev'.

    `limit` keeps the first questions of it; its worked examples stand before a question in any
    form.

    Raises:
        InputError: reasoning-gym is not installed; the family, split, size or a setting is unknown.
    """
    chosen, _, query = name.removeprefix(GENERATED).partition("?")
    if chosen not in FAMILIES:
        raise one_of("family of reasoning-gym", chosen, FAMILIES)
    given = dict(parse_qsl(query))
    split = given.pop("split", "eval")
    if split not in SPLITS:
        raise one_of(f"split in {name}:", split, SPLITS)
    size, seed = (_count(name, field, given.pop(field, None)) for field in ("size", "seed"))
    family = FAMILIES[chosen]
    scorer = _dataset(
        name, chosen, seed, dict(family.config) | {key: _plain(text) for key, text in given.items()}
    )
    drawn: dict[str, tuple[int, Mapping[str, Any]]] = {}
    worked = {question for question, _ in demos(chosen)}  # these are shown, never asked
    for index, entry in _entries(scorer, chosen, split):
        if entry["question"].strip() in worked:
            continue
        drawn.setdefault(entry["question"], (index, entry))
        if len(drawn) == size:
            break
    else:
        raise InputError(
            f"{name}: the generator makes {len(drawn)} such questions, not {size}: ask for fewer"
        )
    entries = {f"{chosen}-{seed}-{index:04}": entry for index, entry in drawn.values()}
    questions = tuple(
        Question(
            id_,
            str(entry["question"]).strip(),
            family.key(str(entry["answer"])) or str(entry["answer"]),
        )
        for id_, entry in entries.items()
    )
    knobs = "".join(f"&{key}={text}" for key, text in sorted(given.items()))
    return Task(
        name=f"{GENERATED}{chosen}?size={size}&seed={seed}&split={split}{knobs}",
        questions=questions[:limit],
        form="completion",
        answer=ScorerGrader(chosen, entries, scorer),
        demos=demos(chosen),
        max_tokens=family.max_tokens,
        stop=("\n",),
    )


def template_of(scorer: Any, index: int, entry: Mapping[str, Any]) -> str:
    """What decides a question's split: its template where the generator tells it, else its text."""
    numbers = getattr(scorer, "task_indices", None)
    return str(entry["question"]) if numbers is None else f"template {numbers[index]}"


def _entries(scorer: Any, family: str, split: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index in range(_DRAWN):
        entry = scorer[index]
        lot = hashlib.blake2b(
            f"{family} {template_of(scorer, index, entry)}".encode(), digest_size=4
        ).digest()
        if (int.from_bytes(lot, "big") % _NUM_DEV == 0) == (split == "dev"):
            yield index, entry


def _dataset(name: str, family: str, seed: int, config: Mapping[str, Any]) -> Any:
    try:
        import reasoning_gym
    except ImportError:
        raise InputError(
            "generated questions need reasoning-gym: pip install 'dynlab[reasoning]'"
        ) from None
    try:
        return reasoning_gym.create_dataset(family, size=_DRAWN, seed=seed, **config)
    except (TypeError, AssertionError, ValueError) as error:
        raise InputError(f"{name}: the generator refuses its settings ({error})") from None


def _count(name: str, field: str, text: str | None) -> int:
    if (
        text is None
        or not text.isascii()
        or not text.isdigit()
        or (field == "size" and int(text) < 1)
    ):
        given = f"not {text!r}" if text is not None else "which is missing"
        raise InputError(
            f"{name}: {field} must be a whole number, {given}: give NAME?size=100&seed=7"
        )
    return int(text)


def _plain(text: str) -> int | float | bool | str:
    """A setting of the generator: a number or a truth value where it is one."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
