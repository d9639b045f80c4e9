"""OpenVINO GenAI in this process: a GGUF file that answers chats and completions on a CPU.

Each request has a generation config of its own, and so a seed. Keep about twice as many requests in
flight as are generated at a time: callers are served between two steps of the engine, and so it
never waits for them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab.models.batching import Batcher
from dynlab.models.gguf_header import header
from dynlab.models.gguf_widening import Q5_0, Q8_0, widened

_ARCHITECTURES = ("llama", "qwen2", "qwen3")
# F32, F16, Q4_0, Q8_0, Q4_K, Q6_K, by ggml's numbers, and Q5_0 (6), which is widened to Q8_0.
# Q4_1 (3) is loaded too, but as another model: of SmolLM2-135M's greedy answers to `capitals`
# 42 % are right, of llama.cpp's by that file 62 %. Of Qwen2.5-Coder-1.5B's (Q4_K and Q6_K) on 60
# word problems 28 are, and 25 of llama.cpp's.
_TENSOR_TYPES = frozenset({0, 1, 2, 12, 14, Q5_0, Q8_0})
_ENDS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
)  # tokens that end a response, where they exist


@dataclass(frozen=True)
class EngineSettings:
    """How the engine runs.

    `num_sequences` answers are generated at a time; the cache of keys and values takes up to
    `cache_gib` GiB; a step
    reads up to `batched_tokens` tokens of prompts. `threads` None: one per core.
    """

    num_sequences: int = 32
    cache_gib: int = 4
    batched_tokens: int = 512
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("num_sequences", "cache_gib", "batched_tokens", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be 1 or more, not {value}")


def installed() -> bool:
    """Whether OpenVINO GenAI is there; it is not imported."""
    return importlib.util.find_spec("openvino_genai") is not None


def reads(path: Path) -> bool:
    """Whether OpenVINO GenAI runs a GGUF file faithfully, by architecture and tensors' types."""
    found = header(path)
    types = found.tensor_types
    return found.architecture in _ARCHITECTURES and types <= _TENSOR_TYPES and types != {0}


def version() -> str:
    """The installed version.

    Raises:
        InputError: It is not installed.
    """
    if not installed():
        raise InputError("the engine 'openvino' is not installed: pip install 'dynlab[openvino]'")
    return importlib.metadata.version("openvino-genai")


class Engine:
    """A loaded model: `answer = await engine(messages, options)`, as in OpenAI's chat protocol.

    Args:
        path: A GGUF file.
        form: 'text' continues the last message as it is; 'chat' applies the model's template.
        settings: How it runs.

    Raises:
        InputError: OpenVINO GenAI is not installed, or cannot read the file.
    """

    def __init__(self, path: Path, form: str = "text", settings: EngineSettings | None = None):
        version()
        import openvino_genai as genai

        self.form, self.settings, self._genai = form, settings or EngineSettings(), genai
        plan = genai.SchedulerConfig()
        plan.max_num_seqs, plan.cache_size = self.settings.num_sequences, self.settings.cache_gib
        plan.max_num_batched_tokens, plan.enable_prefix_caching = self.settings.batched_tokens, True
        threads = {"INFERENCE_NUM_THREADS": self.settings.threads} if self.settings.threads else {}
        try:
            self._pipe = genai.ContinuousBatchingPipeline(str(widened(path)), plan, "CPU", threads)
        except (RuntimeError, IndexError) as error:  # whichever its C++ raises
            reason = [line for line in str(error).splitlines() if line.strip()][-1]
            raise InputError(
                f"OpenVINO cannot run {path.name} ({reason}): "
                "give engine='llama.cpp', which reads every GGUF file"
            ) from None
        self._tokenizer = self._pipe.get_tokenizer()
        known = [
            self._tokenizer.encode(end, add_special_tokens=False).input_ids.data[0] for end in _ENDS
        ]
        self._ends = {int(ids[0]) for ids in known if len(ids) == 1} | set(
            self._pipe.get_config().stop_token_ids
        )
        self._words: dict[int, str] = {}
        self._batcher = Batcher(self._pipe)

    async def __call__(
        self, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One answer, with log-probabilities where `options` ask for them.

        Raises:
            InputError: an option is unknown, or the prompt does not fit into the cache.
        """
        prompt, config = self._prompt(messages), self._config(options)
        ids = self._tokenizer.encode(prompt, add_special_tokens=self.form == "text").input_ids
        output = await self._batcher(prompt, ids, config)
        return self._answered(output, int(ids.shape[1]), logprobs=bool(config.logprobs))

    def close(self) -> None:
        """Ends what is under way and lets go of the model."""
        self._batcher.close()
        self._pipe = self._tokenizer = None

    def _prompt(self, messages: Sequence[Mapping[str, Any]]) -> str:
        if self.form == "text":
            return str(messages[-1]["content"])
        given = [{"role": message["role"], "content": message["content"]} for message in messages]
        begun = given.pop()["content"] if given[-1]["role"] == "assistant" else ""
        return str(self._tokenizer.apply_chat_template(given, True)) + str(begun)

    def _config(self, options: Mapping[str, Any]) -> Any:
        """The engine's settings for one request, of OpenAI's names for them."""
        config = self._genai.GenerationConfig()
        config.apply_chat_template = False
        config.stop_token_ids = self._ends
        config.max_new_tokens = int(options.get("max_tokens") or 256)
        config.stop_strings = set(options.get("stop") or ())
        config.logprobs = int(bool(options.get("logprobs")))
        config.rng_seed = int(options.get("seed") or 0)
        if (temperature := options.get("temperature", 1.0)) > 0:
            config.do_sample, config.temperature = True, temperature
            config.top_p = options.get("top_p", 1.0)
            config.top_k = options.get("top_k", config.top_k)
        for name, value in (options.get("extra_body") or {}).items():
            if not hasattr(config, name):
                raise InputError(
                    f"OpenVINO GenAI knows no setting {name!r}: see its GenerationConfig"
                )
            setattr(config, name, value)
        return config

    def _answered(self, output: Any, num_prompt: int, *, logprobs: bool) -> dict[str, Any]:
        ids = list(output.generated_ids) if output else []  # it may end before its first token
        reason = output.finish_reason.name.lower() if output else "stop"
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": reason if reason == "length" else "stop",
            "message": {
                "role": "assistant",
                "content": self._tokenizer.decode(ids, skip_special_tokens=True),
            },
        }
        if logprobs:
            pairs = zip(ids, output.generated_log_probs if output else (), strict=False)
            choice["logprobs"] = {
                "content": [{"token": self._word(i), "logprob": p} for i, p in pairs]
            }
        usage = {"prompt_tokens": num_prompt, "completion_tokens": len(ids)}
        return {"choices": [choice], "usage": usage | {"total_tokens": sum(usage.values())}}

    def _word(self, token: int) -> str:
        """A token's text, '' for one that ends a response."""
        if token not in self._words:
            self._words[token] = "" if token in self._ends else self._tokenizer.decode([token])
        return self._words[token]
