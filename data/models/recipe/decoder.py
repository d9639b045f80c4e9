"""A Llama-type network in torch, with a low-rank adapter (LoRA, Hu et al. 2021) in every layer.

Weights keep llama.cpp's layout: rows of the q and k projections lie in pairs that rotate together.
An adapter trained here needs no permutation to be loaded by llama.cpp; for transformers, which
rotates halves, `halves_of_pairs` gives it.

Axes: B examples of a batch, T tokens, D channels, H heads, V vocabulary.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynlab._util.errors import InputError

ROWS = 64  # of logits computed at a time
LAYERS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
Tensors = dict[str, Any]  # name → torch.Tensor; torch itself is imported where it is needed


@dataclass(frozen=True)
class Shape:
    """What a GGUF file says about its network."""

    num_blocks: int
    num_heads: int
    num_key_heads: int
    head_width: int
    epsilon: float
    rotation_base: float


@dataclass(frozen=True)
class Base:
    """A dequantised network: its shape, and its tensors under llama.cpp's names."""

    shape: Shape
    tensors: Tensors

    def linear(self) -> list[str]:
        """The layers that an adapter adapts: 'blk.0.attn_q.weight', …"""
        return [
            f"blk.{block}.{layer}.weight"
            for block in range(self.shape.num_blocks)
            for layer in LAYERS
        ]


def load(path: Path, dtype: Any = None) -> Base:
    """A GGUF file's network, dequantised; `dtype` is torch's, float32 if None.

    Raises:
        InputError: The network is not of Llama's architecture, or torch or gguf are not installed.
    """
    gguf, torch = tools()
    reader = gguf.GGUFReader(path)

    def fact(name: str) -> Any:
        return reader.fields[name].contents()

    if (architecture := fact("general.architecture")) != "llama":
        raise InputError(
            f"{path.name} is a {architecture!r} network: only 'llama' networks are trained here"
        )
    num_heads = fact("llama.attention.head_count")
    keys = reader.fields.get("llama.attention.head_count_kv")
    base = reader.fields.get("llama.rope.freq_base")
    shape = Shape(
        num_blocks=fact("llama.block_count"),
        num_heads=num_heads,
        num_key_heads=keys.contents() if keys else num_heads,
        head_width=fact("llama.embedding_length") // num_heads,
        epsilon=fact("llama.attention.layer_norm_rms_epsilon"),
        rotation_base=base.contents() if base else 10000.0,
    )
    tensors = {
        tensor.name: (
            torch.from_numpy(np.array(gguf.dequantize(tensor.data, tensor.tensor_type))).to(dtype)
        )
        for tensor in reader.tensors
    }
    return Base(shape, tensors)


def tools() -> tuple[Any, Any]:
    """The modules gguf and torch.

    Raises:
        InputError: One of them is not installed.
    """
    return needed("gguf"), needed("torch")


def needed(name: str) -> Any:
    """A module that only training needs.

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(
            f"training needs {name}, which is not installed: pip install 'dynlab[train]'"
        ) from None


def fresh_adapter(base: Base, rank: int, seed: int) -> Tensors:
    """An adapter that changes nothing yet: A random, B zero; float32, under llama.cpp's names."""
    _, torch = tools()
    generator = torch.Generator().manual_seed(seed)
    adapter: Tensors = {}
    for name in base.linear():
        num_out, num_in = base.tensors[name].shape
        adapter[f"{name}.lora_a"] = torch.randn(rank, num_in, generator=generator) / num_in**0.5
        adapter[f"{name}.lora_b"] = torch.zeros(num_out, rank)
    return adapter


def hidden(
    base: Base,
    adapter: Mapping[str, Any],
    tokens: Any,
    scale: float = 1.0,
    *,
    cache: dict[str, Any] | None = None,
    padding: Any = None,
) -> Any:
    """The last layer's normalised output [B, T, D] for tokens [B, T].

    A layer W with its adapter computes x·Wᵀ + scale·(x·Aᵀ)·Bᵀ. Positions count relative to one
    another only, so rows may be padded at either side; padding at the right is never looked at.

    Args:
        base: The network.
        adapter: Beside it; {} for none.
        tokens: [B, T].
        scale: Of the adapter.
        cache: Keys and values of the tokens before these; those of these are added.
        padding: [B] tokens at the left of each row that are not to be looked at; None for none.
    """
    _, torch = tools()
    functional, shape, dtype = (
        torch.nn.functional,
        base.shape,
        base.tensors["token_embd.weight"].dtype,
    )
    matrices = {name: tensor.to(dtype) for name, tensor in adapter.items()}

    def linear(x: Any, name: str) -> Any:
        y = functional.linear(x, base.tensors[name])
        if f"{name}.lora_a" not in matrices:
            return y
        inner = functional.linear(x, matrices[f"{name}.lora_a"]).flatten(0, 1)
        return torch.addmm(y.flatten(0, 1), inner, matrices[f"{name}.lora_b"].T, alpha=scale).view(
            y.shape
        )

    def norm(x: Any, name: str) -> Any:
        return functional.rms_norm(x, x.shape[-1:], base.tensors[name], shape.epsilon)

    def heads(x: Any, num_heads: int) -> Any:
        return x.unflatten(-1, (num_heads, shape.head_width)).transpose(1, 2)  # [B, H, T, D/H]

    def remembered(new: Any, name: str) -> Any:
        if cache is None:
            return new
        cache[name] = torch.cat((cache[name], new), dim=2) if name in cache else new
        return cache[name]

    past = next(iter(cache.values())).shape[2] if cache else 0
    cos, sin = (part[past:] for part in _rotation(past + tokens.shape[1], shape, dtype))
    later = torch.ones(tokens.shape[1], past + tokens.shape[1], dtype=torch.bool).triu(1 + past)
    if padding is not None:
        later = later | (torch.arange(later.shape[1]) < padding[:, None])[:, None, None]
    x = functional.embedding(tokens, base.tensors["token_embd.weight"])
    for block in (f"blk.{i}." for i in range(shape.num_blocks)):
        y = norm(x, f"{block}attn_norm.weight")
        q = _rotated(heads(linear(y, f"{block}attn_q.weight"), shape.num_heads), cos, sin)
        k = _rotated(heads(linear(y, f"{block}attn_k.weight"), shape.num_key_heads), cos, sin)
        v = heads(linear(y, f"{block}attn_v.weight"), shape.num_key_heads)
        k, v = remembered(k, f"{block}k"), remembered(v, f"{block}v")
        shared = shape.num_heads // shape.num_key_heads
        k, v = k.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
        scores = (q @ k.transpose(-1, -2) / shape.head_width**0.5).masked_fill(
            later, torch.finfo(dtype).min
        )
        y = scores.softmax(-1) @ v
        x = x + linear(y.transpose(1, 2).flatten(2), f"{block}attn_output.weight")
        y = norm(x, f"{block}ffn_norm.weight")
        gate = functional.silu(linear(y, f"{block}ffn_gate.weight"))
        x = x + linear(gate * linear(y, f"{block}ffn_up.weight"), f"{block}ffn_down.weight")
    return norm(x, "output_norm.weight")


def logits(base: Base, states: Any) -> Any:
    """Logits [..., V] of hidden states [..., D]; the output layer is the embedding where the file
    has no other.
    """
    _, torch = tools()
    return torch.nn.functional.linear(states, _output(base))


def _output(base: Base) -> Any:
    return base.tensors.get("output.weight", base.tensors["token_embd.weight"])


def surprise(base: Base, states: Any, labels: Any) -> Any:
    """Mean negative log-likelihood in nats of `labels` [N] after hidden states [N, D].

    As torch's cross-entropy of `logits`, but a few rows at a time, with the gradient beside the
    value: the logits of a batch would be 100 MB that are written and read five times over.
    """
    _, torch = tools()

    class CrossEntropy(torch.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, states: Any) -> Any:
            total, gradient = 0.0, torch.empty_like(states)
            for rows in torch.arange(len(states)).split(ROWS):
                shares = logits(base, states[rows]).float().log_softmax(-1)
                at = (torch.arange(len(rows)), labels[rows])
                total -= float(shares[at].sum())
                shares.exp_()[at] -= 1.0
                gradient[rows] = shares.to(states.dtype) @ _output(base)
            ctx.save_for_backward(gradient / len(states))
            return torch.tensor(total / len(states))

        @staticmethod
        def backward(ctx: Any, outer: Any) -> Any:
            return ctx.saved_tensors[0] * outer

    return CrossEntropy.apply(states)


def halves_of_pairs(matrix: Any, num_heads: int) -> Any:
    """Rows of a q or k projection, or of its adapter's B, in transformers' order: a head's even
    rows, then the odd.

    >>> halves_of_pairs(np.arange(8)[:, None], num_heads=2).ravel().tolist()
    [0, 2, 1, 3, 4, 6, 5, 7]
    """
    num_rows = len(matrix)
    return (
        matrix.reshape(num_heads, num_rows // num_heads // 2, 2, -1)
        .swapaxes(1, 2)
        .reshape(num_rows, -1)
    )


def _rotation(num_tokens: int, shape: Shape, dtype: Any) -> tuple[Any, Any]:
    """Cosine and sine [T, D/H/2] of each position's angles."""
    _, torch = tools()
    frequency = shape.rotation_base ** (-torch.arange(0, shape.head_width, 2) / shape.head_width)
    angle = torch.outer(torch.arange(num_tokens), frequency)
    return angle.cos().to(dtype), angle.sin().to(dtype)


def _rotated(x: Any, cos: Any, sin: Any) -> Any:
    """Neighbouring channels turned by their position's angle (RoPE, Su et al. 2021); x is [B, H, T,
    D/H].
    """
    _, torch = tools()
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def tokenizer(path: Path) -> Any:
    """The byte-pair tokenizer of a SmolLM2 file: digits one by one, spaces kept, no token added.

    Raises:
        InputError: The file splits text in another way.
    """
    gguf, _ = tools()
    tokenizers = needed("tokenizers")
    fields = gguf.GGUFReader(path).fields
    kind = fields["tokenizer.ggml.pre"].contents() if "tokenizer.ggml.pre" in fields else None
    if kind != "smollm":
        raise InputError(
            f"{path.name} splits text in the way {kind!r}: only 'smollm' is known here"
        )
    vocabulary = {token: i for i, token in enumerate(fields["tokenizer.ggml.tokens"].contents())}
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"].contents()]
    result = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    parts = tokenizers.pre_tokenizers
    digits, bytewise = parts.Digits(individual_digits=True), parts.ByteLevel(add_prefix_space=False)
    result.pre_tokenizer = parts.Sequence([digits, bytewise])
    result.decoder = tokenizers.decoders.ByteLevel()
    return result
