"""Attempts that an adapter makes at puzzles while it is trained: what it later learns to look at.

They are drawn in torch, many at a time, which on a busy CPU is several times faster than a server;
the sampler is llama.cpp's default at temperature 1, so that they are what a recording would hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recipe.decoder import Base, hidden, logits, tools
from recipe.lessons import END

MAX_TOKENS = 128
TOP_K, TOP_P, MIN_P = 40, 0.95, 0.05  # llama.cpp's defaults


def draft(
    base: Base,
    adapter: Mapping[str, Any],
    tokenizer: Any,
    prompts: Sequence[str],
    *,
    num_attempts: int,
    scale: float,
    seed: int = 0,
    temperature: float = 1.0,
    most: int = 128,
    say: Callable[[str], None] = lambda line: None,
) -> list[list[str]]:
    """`num_attempts` completions of each prompt, each up to the end of its line.

    Args:
        base: The network.
        adapter: Beside it.
        tokenizer: Of the base.
        prompts: Texts to go on from.
        num_attempts: Completions of each.
        scale: Of the adapter.
        seed: Of all draws together.
        temperature: Of sampling; 0 is greedy.
        most: Completions drawn at a time, from prompts of like length.
        say: Takes a line of progress after each of these batches.
    """
    _, torch = tools()
    generator = torch.Generator().manual_seed(seed)
    tokens = [tokenizer.encode(prompt).ids for prompt in prompts]
    wanted = sorted(
        (i for i in range(len(prompts)) for _ in range(num_attempts)), key=lambda i: len(tokens[i])
    )
    texts: list[list[str]] = [[] for _ in prompts]
    for first in range(0, len(wanted), most):
        part = wanted[first : first + most]
        drawn = _continued(
            base, adapter, tokenizer, [tokens[i] for i in part], scale, temperature, generator
        )
        for i, text in zip(part, drawn, strict=True):
            texts[i].append(text)
        say(f"{first + len(part)} of {len(wanted)} attempts")
    return texts


def _continued(
    base: Base,
    adapter: Mapping[str, Any],
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    scale: float,
    temperature: float,
    generator: Any,
) -> list[str]:
    """One completion of each prompt's tokens."""
    _, torch = tools()
    (end,) = tokenizer.encode(END).ids
    longest = max(map(len, prompts))
    padding = torch.tensor([longest - len(prompt) for prompt in prompts])
    tokens = torch.tensor([[end] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    cache: dict[str, Any] = {}
    drawn: list[Any] = []
    open_ = torch.ones(len(prompts), dtype=torch.bool)
    with torch.inference_mode():
        while bool(open_.any()) and len(drawn) < MAX_TOKENS:
            states = hidden(base, adapter, tokens, scale, cache=cache, padding=padding)[:, -1]
            tokens = pick(logits(base, states).float(), temperature, generator)[:, None]
            drawn.append(tokens)
            open_ &= tokens[:, 0] != end
    rows = torch.cat(drawn, dim=1).tolist()
    return [tokenizer.decode(row[: row.index(end)] if end in row else row).strip() for row in rows]


def pick(scores: Any, temperature: float, generator: Any) -> Any:
    """A token [B] from logits [B, V]: the likeliest 40, up to a mass of 0.95, none below 0.05 of
    the likeliest.
    """
    _, torch = tools()
    best, tokens = scores.topk(min(TOP_K, scores.shape[-1]), dim=-1)
    if temperature == 0:
        return tokens[:, 0]
    p = best.softmax(-1)
    kept = (p.cumsum(-1) - p < TOP_P) & (p >= MIN_P * p[:, :1])
    p = (best / temperature).masked_fill(~kept, float("-inf")).softmax(-1)
    return tokens.gather(1, torch.multinomial(p, 1, generator=generator))[:, 0]
