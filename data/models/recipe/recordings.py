"""Command: records what data/recordings holds again, with the models of this machine.

`python -m recipe.recordings FOLDER`. The small reasoner is asked the families of puzzles that it
was taught, in every strategy, and its control, which was never shown attempts, for independent
samples. Both may be served by a llama.cpp of one's own, on their merged weights
(`recipe.adapters`) or with the adapter beside the 4-bit ones (`--lora`):
`--reasoner http://127.0.0.1:8080 --control http://127.0.0.1:8081`. Each pair of task and plain
model was kept for its spread: one sample is right between 0.3 and 0.85 of the time, and at least a
quarter of the questions between 0.2 and 0.8. What is already recorded is not drawn again.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import RecordingOptions
from dynlab.models.llama_cpp import Endpoint, describe
from dynlab.models.weights import REASONER, UNTAUGHT
from dynlab.recordings.merging import merge, split
from dynlab.recordings.recording import load
from dynlab.sampling.recorder import record
from dynlab.strategies.integrated import Integrated
from dynlab.tasks.task import load_task
from recipe.evaluation import placebo
from recipe.families import PUZZLES

SHIPPED = (
    ("capitals", "smollm2-135m"),
    ("past-tense", "smollm2-135m"),
    ("french", "gemma3-270m"),
    ("past-tense", "gemma3-270m"),
    ("opposites", "smollm2-135m"),
    ("symbols", "smollm2-135m"),
)  # task, local model
NUM_SAMPLES = 64
CHAINS = {  # pairs with other strategies beside the pool: strategy → samples of a stream, streams
    ("capitals", "smollm2-135m"): {"integrated": (12, 4), "sequential": (8, 1)},
    ("french", "gemma3-270m"): {"integrated": (8, 2)},
}
NUM_REASONED = 64  # independent samples of the small reasoner
REASONED = {
    "integrated": (32, 4),
    "sequential": (16, 4),
}  # its chains on every question: samples of a stream, streams
WIDTHS = (1, 2, 8)  # of chains beside the default width, in the folder `widths`
NUM_STREAMS = 2
NUM_CHAINED = 60  # the first questions of a plain model's task, on which chains are drawn
KEPT_TEXTS = 8  # of a chain's stream, beside those that others are shown
NUM_CONTROL = (
    20  # independent samples of its control: more than four attempts and four chained samples cost
)
# the family that is recorded by the wheel of llama.cpp too, whatever recorded the others
BESIDE = "sums"
NUM_BESIDE = 12  # samples of its streams, one a question
NUM_PLACEBOS = 2  # samples of a question that are shown the attempts at another


def record_all(
    out: Path,
    num_samples: int = NUM_SAMPLES,
    reasoner: str | Endpoint = f"local/{REASONER}",
    control: str | Endpoint = f"local/{UNTAUGHT}",
) -> list[Path]:
    """Records all of it into a folder and returns the files; what is there already is kept."""
    return (
        plain(out, num_samples)
        + reasoned(out, reasoner)
        + controlled(out, control)
        + [beside_weights(out)]
    )


def plain(out: Path, num_samples: int = NUM_SAMPLES) -> list[Path]:
    """Records every shipped pair of a plain model, and chains of other widths."""
    pools = [_remade(out, task, model, num_samples) for task, model in SHIPPED]
    return pools + [_widened(out, task, model, width) for task, model in CHAINS for width in WIDTHS]


def reasoned(out: Path, reasoner: str | Endpoint = f"local/{REASONER}") -> list[Path]:
    """Records the small reasoner in all strategies, and its placebos: samples shown another
    question's attempts.
    """
    made = []
    for family in PUZZLES:
        name = f"{family}--{REASONER}"
        _take_apart(out, name)
        pool = out / "parts" / f"{name}.parallel.parquet"
        record(
            family,
            reasoner,
            num_samples=NUM_REASONED,
            out=pool,
            options=RecordingOptions(keep_text=KEPT_TEXTS),
        )
        whole = merge(
            [pool, *_chained(out, family, REASONER, REASONED, served=reasoner)],
            out / f"{name}.parquet",
        )
        beside, file = (
            placebo(load_task(family), load(whole).frame),
            out / "controls" / f"{name}.placebo.parquet",
        )
        made += [
            whole,
            record(
                beside,
                reasoner,
                num_samples=NUM_PLACEBOS,
                out=file,
                options=RecordingOptions(keep_text=0, greedy=False),
            ),
        ]
    return made


def controlled(out: Path, control: str | Endpoint = f"local/{UNTAUGHT}") -> list[Path]:
    """Records independent samples of the adapter that was never shown attempts, and its greedy
    answers.
    """
    files = {
        family: out / "controls" / f"{family}--{REASONER}.untaught.parquet" for family in PUZZLES
    }
    return [
        record(
            family,
            control,
            num_samples=NUM_CONTROL,
            out=file,
            options=RecordingOptions(keep_text=0),
        )
        for family, file in files.items()
    ]


def beside_weights(out: Path) -> Path:
    """Records an integrated stream of one family by the wheel of llama.cpp, as
    `local/dynlab-reasoner` runs.
    """
    return record(
        BESIDE,
        f"local/{REASONER}",
        strategy="integrated",
        num_samples=NUM_BESIDE,
        options=RecordingOptions(keep_text=KEPT_TEXTS, greedy=False),
        out=out / "controls" / f"{BESIDE}--{REASONER}.beside.parquet",
    )


def served_at(address: str, model: str = REASONER) -> Endpoint:
    """A model of `data/models` as a llama.cpp server has it: its merged weights, or the adapter
    beside the 4-bit ones.

    Raises:
        InputError: No such server answers there.
    """
    address = address.rstrip("/")
    try:
        with urllib.request.urlopen(f"{address}/props", timeout=10) as response:
            props = json.load(response)
        with urllib.request.urlopen(f"{address}/lora-adapters", timeout=10) as response:
            beside = json.load(response)
        slots, sampling = props["total_slots"], props["default_generation_settings"]["params"]
    except (OSError, ValueError, KeyError) as error:
        if getattr(error, "code", None) == 503:
            raise InputError(
                f"the server at {address} is still loading its model: wait a little"
            ) from None
        raise InputError(
            f"no llama.cpp server answers at {address} ({type(error).__name__}): start one there"
        ) from None
    known = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")
    card = describe(f"local/{model}") | {
        **({} if beside else {"adapter_merged": "into the dequantised weights, bfloat16"}),
        "server": "llama.cpp",
        "server_version": props.get("build_info", "unknown"),
        "server_settings": {"num_slots": slots},
        "server_sampling": {name: sampling[name] for name in known if name in sampling},
    }
    return Endpoint(f"text-completion-openai/{model}", f"{address}/v1", card=card)


def _remade(out: Path, task: str, model: str, num_samples: int) -> Path:
    """One pair's recording, merged of its strategies where there are several."""
    name, served = f"{task}--{model}", f"local/{model}"
    if (task, model) not in CHAINS:
        return record(task, served, num_samples=num_samples, out=out / f"{name}.parquet")
    _take_apart(out, name)
    pool = record(
        task, served, num_samples=num_samples, out=out / "parts" / f"{name}.parallel.parquet"
    )
    return merge(
        [pool, *_chained(out, task, model, CHAINS[task, model], NUM_CHAINED)],
        out / f"{name}.parquet",
    )


def _take_apart(out: Path, name: str) -> None:
    """Gives back the parts of a recording that lies there merged alone, as in a clone, to go on
    from them.
    """
    if (out / f"{name}.parquet").exists() and not any((out / "parts").glob(f"{name}.*")):
        split(out / f"{name}.parquet", out / "parts")


def _chained(
    out: Path,
    task: str,
    model: str,
    planned: Mapping[str, tuple[int, int]],
    limit: int | None = None,
    served: str | Endpoint | None = None,
) -> list[Path]:
    """A pair's chains, a file for each strategy of `planned`: samples of a stream, streams."""
    served = served or f"local/{model}"
    return [
        record(
            task,
            served,
            strategy=strategy,
            num_samples=length,
            options=RecordingOptions(streams, False, limit, KEPT_TEXTS),
            out=out / "parts" / f"{task}--{model}.{strategy}.parquet",
        )
        for strategy, (length, streams) in planned.items()
    ]


def _widened(out: Path, task: str, model: str, width: int) -> Path:
    """Chains that are shown `width` attempts, on the questions of that pair's other chains, and as
    many chained.
    """
    num_chained = CHAINS[task, model]["integrated"][0] - Integrated().width
    return record(
        task,
        f"local/{model}",
        strategy=Integrated(width),
        num_samples=width + num_chained,
        options=RecordingOptions(NUM_STREAMS, False, NUM_CHAINED, KEPT_TEXTS),
        out=out / "widths" / f"{task}--{model}.width-{width}.parquet",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Records as told on the command line and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.recordings", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("out", type=Path, help="folder of the recordings")
    parser.add_argument(
        "--reasoner",
        metavar="URL",
        help="a llama.cpp server of one's own that runs the small reasoner",
    )
    parser.add_argument("--control", metavar="URL", help="a server like that for its control")
    parser.add_argument(
        "--only", choices=("plain", "reasoner", "control", "beside"), help="leave all others out"
    )
    given = parser.parse_args(arguments)
    try:
        reasoner = served_at(given.reasoner) if given.reasoner else f"local/{REASONER}"
        control = served_at(given.control, UNTAUGHT) if given.control else f"local/{UNTAUGHT}"
        parts: dict[str, Callable[[], list[Path]]] = {
            "plain": lambda: plain(given.out),
            "reasoner": lambda: reasoned(given.out, reasoner),
            "control": lambda: controlled(given.out, control),
            "beside": lambda: [beside_weights(given.out)],
        }
        for part in [parts[given.only]] if given.only else parts.values():
            for path in part():
                print(f"recorded {path}")
    except DynlabError as error:
        print(f"recipe.recordings: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
