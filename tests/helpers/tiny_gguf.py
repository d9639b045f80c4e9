"""A language model of 120 kB with random weights, written as a GGUF file: a real server can run it
anywhere, offline.

It babbles letters. The first channel of every embedding is one constant, which the output layer
turns into a bias towards letters, spaces and newlines and against raw bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

WIDTH, HIDDEN, HEADS = 32, 64, 2
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", "▁", "\n"]
VOCABULARY = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *LETTERS]
KINDS = [
    2,
    3,
    3,
    *[6] * 256,
    *[1] * len(LETTERS),
]  # unknown, control, control, bytes, normal tokens


class Letters:
    """A tokenizer of one token per byte, as the tiny network knows them."""

    def encode(self, text):
        return type("Encoded", (), {"ids": [3 + byte for byte in text.encode()]})()

    def decode(self, ids):
        return bytes(max(0, i - 3) % 256 for i in ids).decode("latin-1")


def write_tiny_gguf(path: Path, seed: int = 0) -> Path:
    """Writes the model and returns its path."""
    facts = {
        "general.architecture": "llama",
        "llama.block_count": 1,
        "llama.context_length": 2048,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": HIDDEN,
        "llama.attention.head_count": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": VOCABULARY,
        "tokenizer.ggml.scores": [0.0] * len(VOCABULARY),
        "tokenizer.ggml.token_type": KINDS,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    return _write(path, facts, _tensors(np.random.default_rng(seed)))


def write_tiny_adapter(path: Path, seed: int = 0, rank: int = 2) -> Path:
    """Writes a random low-rank adapter of the model, alpha twice its rank, and returns its path."""
    facts = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 2.0 * rank,
    }
    return _write(path, facts, tiny_adapter(seed, rank))


def tiny_adapter(seed: int = 0, rank: int = 2) -> dict[str, np.ndarray]:
    """Its arrays."""
    rng, arrays = np.random.default_rng([seed, rank]), {}
    for name, array in _tensors(np.random.default_rng(0)).items():
        if name.startswith("blk.0.") and array.ndim == 2:
            arrays[f"{name}.lora_a"] = rng.normal(0, 0.2, (rank, array.shape[1])).astype(np.float32)
            arrays[f"{name}.lora_b"] = rng.normal(0, 0.2, (array.shape[0], rank)).astype(np.float32)
    return arrays


def _write(path: Path, facts: dict[str, object], tensors: dict[str, np.ndarray]) -> Path:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts))
    head += b"".join(_string(key) + _value(value) for key, value in facts.items())
    offset = 0
    for name, array in tensors.items():
        dims = array.shape[::-1]  # GGUF lists the fastest axis first
        head += _string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, 0, offset)
        offset += _padded(array.nbytes)
    head += b"\0" * (_padded(len(head)) - len(head))
    body = b"".join(
        array.tobytes().ljust(_padded(array.nbytes), b"\0") for array in tensors.values()
    )
    path.write_bytes(head + body)
    return path


def _tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    def random(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    embedding, output = random(len(VOCABULARY), WIDTH), random(len(VOCABULARY), WIDTH)
    embedding[:, 0] = 4.0
    output[:, 0] = [-4.0 if kind != 1 else 4.0 for kind in KINDS]
    ones = np.ones(WIDTH, dtype=np.float32)
    block = {
        "attn_norm": ones,
        **{f"attn_{part}": random(WIDTH, WIDTH) / 10 for part in ("q", "k", "v", "output")},
        "ffn_norm": ones,
        "ffn_gate": random(HIDDEN, WIDTH) / 10,
        "ffn_up": random(HIDDEN, WIDTH) / 10,
        "ffn_down": random(WIDTH, HIDDEN) / 10,
    }
    return {
        "token_embd.weight": embedding,
        **{f"blk.0.{name}.weight": array for name, array in block.items()},
        "output_norm.weight": ones,
        "output.weight": output,
    }


def _padded(size: int) -> int:
    return -(-size // 32) * 32


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: object) -> bytes:
    """A metadata value with its type number: 4 = uint32, 6 = float32, 8 = string, 9 = array, 5 =
    int32 in arrays.
    """
    match value:
        case str():
            return struct.pack("<I", 8) + _string(value)
        case float():
            return struct.pack("<If", 6, value)
        case int():
            return struct.pack("<II", 4, value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
        case [float(), *_]:
            return struct.pack(f"<IIQ{len(value)}f", 9, 6, len(value), *value)
        case [int(), *_]:
            return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
    raise TypeError(f"no GGUF type for {value!r}")
