"""The training loop: an adapter learns completions of lessons, with checkpoints to resume from.

A run is a folder with `loss.csv`, `checkpoint.pt` and `adapter.gguf`, all written again every few
minutes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from recipe import adapters, decoder
from recipe.decoder import Base, Tensors
from recipe.lessons import Lesson

WINDOW = 8  # batches whose lessons are sorted by length together
IGNORED = -100


@dataclass(frozen=True)
class Settings:
    """How an adapter is trained; `num_lessons` are taken in order, `batch` at a time.

    The learning rate rises over `warmup` steps, stays, and falls to zero over the last `decay`
    share of the steps.
    """

    num_lessons: int
    batch: int = 16
    rank: int = 16
    scale: float = 2.0
    rate: float = 1e-3
    warmup: int = 50
    decay: float = 0.2
    clip: float = 1.0
    seed: int = 0

    @property
    def num_steps(self) -> int:
        """Updates of the adapter."""
        return -(-self.num_lessons // self.batch)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        left = self.num_steps - step
        return self.rate * min(
            1.0, (step + 1) / self.warmup, left / max(1.0, self.decay * self.num_steps)
        )


def encode(lessons: Sequence[Lesson], tokenizer: Any) -> tuple[Any, Any]:
    """Tokens and labels [B, T] of a batch, padded at the right; only completions have labels.

    Prompt and completion are split apart, as they are when a server continues a prompt. The label
    at a position is the token that follows it.
    """
    _, torch = decoder.tools()
    pairs = [
        (tokenizer.encode(one.prompt).ids, tokenizer.encode(one.completion).ids) for one in lessons
    ]
    longest = max(len(prompt) + len(completion) for prompt, completion in pairs) - 1
    tokens = torch.zeros(len(pairs), longest, dtype=torch.long)
    labels = torch.full((len(pairs), longest), IGNORED)
    for row, (prompt, completion) in enumerate(pairs):
        whole = torch.tensor(prompt + completion)
        tokens[row, : len(whole) - 1] = whole[:-1]
        labels[row, len(prompt) - 1 : len(whole) - 1] = whole[len(prompt) :]
    return tokens, labels


def loss(base: Base, adapter: Tensors, tokens: Any, labels: Any, scale: float) -> Any:
    """Mean negative log-likelihood of the labels, in nats per token."""
    counted = labels != IGNORED
    states = decoder.hidden(base, adapter, tokens, scale)[counted]
    return decoder.surprise(base, states, labels[counted])


def batches(
    settings: Settings, lesson: Callable[[int], Lesson], start: int
) -> Iterator[list[Lesson]]:
    """Batches from step `start` on: within a window, lessons of like length stand together, in
    shuffled batches.
    """
    size = WINDOW * settings.batch
    for first in range(start // WINDOW * size, settings.num_lessons, size):
        window = [
            lesson(number) for number in range(first, min(first + size, settings.num_lessons))
        ]
        window.sort(key=lambda one: len(one.prompt) + len(one.completion))
        parts = [window[i : i + settings.batch] for i in range(0, len(window), settings.batch)]
        random.Random(f"order {settings.seed} {first}").shuffle(parts)
        for offset, part in enumerate(parts):
            if first // settings.batch + offset >= start:
                yield part


def train(
    folder: Path,
    base: Base,
    tokenizer: Any,
    lesson: Callable[[int], Lesson],
    settings: Settings,
    *,
    start_from: Tensors | None = None,
    resume: bool = False,
    every_s: float = 600.0,
    say: Callable[[str], None] = print,
) -> Tensors:
    """Train an adapter and leave it in `folder` as `adapter.gguf`.

    Args:
        folder: The run; made if it does not exist.
        base: The frozen network; its dtype is the one of all computations but the update.
        tokenizer: Of the base.
        lesson: Lesson of a number.
        settings: How.
        start_from: An adapter to begin with, in place of a fresh one.
        resume: Go on from the folder's checkpoint.
        every_s: Seconds between checkpoints.
        say: Takes one line of progress now and then.

    Raises:
        InputError: There is a run already and `resume` is not set; or none, and it is set; or it
            had other settings.
    """
    _, torch = decoder.tools()
    folder.mkdir(parents=True, exist_ok=True)
    state = _checkpoint(folder, settings, resume)
    adapter = (
        state["adapter"]
        if state
        else start_from or decoder.fresh_adapter(base, settings.rank, settings.seed)
    )
    adapter = {name: tensor.detach().clone().requires_grad_() for name, tensor in adapter.items()}
    optimiser = torch.optim.AdamW(
        adapter.values(), lr=settings.rate, weight_decay=0.0, betas=(0.9, 0.99)
    )
    rows = ["step,lessons,tokens,labels,loss,rate,seconds"]
    step = tokens_seen = labels_seen = 0
    seconds = 0.0
    if state:
        optimiser.load_state_dict(state["optimiser"])
        step, tokens_seen, labels_seen, seconds, rows = (
            state[key] for key in ("step", "tokens", "labels", "seconds", "rows")
        )
    started, saved, said, first = time.monotonic() - seconds, time.monotonic(), 0.0, step
    recent: list[float] = []

    def save() -> None:
        nonlocal saved
        with replacing(folder / "checkpoint.pt") as partial:
            facts = {"step": step, "tokens": tokens_seen, "labels": labels_seen, "rows": rows}
            facts |= {"seconds": time.monotonic() - started, "settings": asdict(settings)}
            torch.save({"adapter": adapter, "optimiser": optimiser.state_dict(), **facts}, partial)
        with replacing(folder / "loss.csv") as partial:
            partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
        adapters.write(
            folder / "adapter.gguf", arrays(adapter), alpha=settings.scale * settings.rank
        )
        saved = time.monotonic()

    for batch in batches(settings, lesson, step):
        tokens, labels = encode(batch, tokenizer)
        value = loss(base, adapter, tokens, labels, settings.scale)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(adapter.values(), settings.clip)
        for group in optimiser.param_groups:
            group["lr"] = settings.rate_at(step)
        optimiser.step()
        step += 1
        tokens_seen += tokens.numel()
        labels_seen += int((labels != IGNORED).sum())
        now = time.monotonic()
        seen = min(step * settings.batch, settings.num_lessons)
        row = f"{step},{seen},{tokens_seen},{labels_seen},{value.item():.4f}"
        row += f",{settings.rate_at(step - 1):.2e}"
        rows.append(f"{row},{now - started:.0f}")
        recent = [*recent[-49:], value.item()]
        if now - said > 30:
            left = (now - started - seconds) / (step - first) * (settings.num_steps - step)
            speed = tokens_seen / (now - started)
            say(
                f"step {step} of {settings.num_steps}, loss {sum(recent) / len(recent):.3f}, "
                f"{speed:.0f} tokens/s, {left / 60:.0f} min left"
            )
            said = now
        if now - saved > every_s:
            save()
    save()
    return adapter


def arrays(adapter: Tensors) -> dict[str, Any]:
    """An adapter's tensors as numpy arrays."""
    return {name: tensor.detach().float().numpy() for name, tensor in adapter.items()}


def _checkpoint(folder: Path, settings: Settings, resume: bool) -> dict[str, Any] | None:
    _, torch = decoder.tools()
    path = folder / "checkpoint.pt"
    if path.exists() and not resume:
        raise InputError(
            f"{folder} holds a run already: give --resume to go on with it, or another folder"
        )
    if not resume:
        return None
    if not path.exists():
        raise InputError(f"{folder} holds no checkpoint to go on from: leave --resume out to begin")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["settings"] != asdict(settings):
        raise InputError(
            f"{folder} was begun with {state['settings']}: go on with the same settings"
        )
    return state
