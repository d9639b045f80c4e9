"""Tables of the guide to models that reason, on chains."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from dynlab.pipeline.inputs import REASONING
from dynlab.recordings.recording import load
from dynlab.reports.wording import pooled
from helpers.markdown_tables import ROOT, numbers, of_recording, signed, table_of
from helpers.word_problems import WORD_PROBLEMS, family_and_model, typeset

PLACEBO = ROOT / "data" / "recordings" / "controls" / f"{WORD_PROBLEMS}.placebo.parquet"


def chain_choice() -> str:
    """What chained samples were worth on development questions, a row a way of showing attempts."""
    found = json.loads((ROOT / "data/tasks/reasoning-choices.json").read_text(encoding="utf-8"))
    chain, ways = (
        found["chain"],
        {
            "finals": "their final answers only",
            "distinct": "those that disagree, listed",
            "listed": "all four, listed",
            "prefill": "all four, as if written before",
            "two": "two of them, listed",
            "leader-last": "all four, listed, the leading answer last",
        },
    )
    rows = [
        [
            f"**{label}** (chosen)" if name == chain["chosen"] else label,
            *(f"{chain['tried'][name][key]:.2f}" for key in ("chained", "shown", "vote_of_shown")),
            f"{chain['tried'][name]['tokens']:.0f}",
        ]
        for name, label in ways.items()
    ]
    head = [
        "shown",
        "chained sample",
        "sample shown",
        "vote of the shown",
        "tokens of a chained call",
    ]
    return table_of(head, rows)


def reasoner_chains() -> str:
    """What one chained sample of the model that reasons is worth, a row a difference."""
    own = of_recording(numbers("02-chained"), WORD_PROBLEMS).set_index("measure")
    labels = {
        "chained − sample": "one chained − one independent sample",
        "chained − placebo": "one chained sample − one that was shown attempts at another question",
        "chained − shown": "one chained sample − the vote of the four that it was shown",
        "4 + 4 − 8 independent": "vote of 4 and 4 chained − vote of 8 independent",
        "4 + 4 − independent, equal tokens": "the same − independent ones for as many tokens",
    }
    labels |= {
        f"chained − sample, right answer {case}": f"chained − independent, right answer {case}"
        for case in ("absent", "present", "leading")
    }
    rows = [
        [
            label,
            signed(tuple(own.loc[name, ["value", "low", "high"]])),
            f"{own.loc[name, 'num_questions']:.0f}",
        ]
        for name, label in labels.items()
        if name in own.index
    ]
    table = table_of(["accuracy", "difference", "questions"], rows)
    value = of_recording(numbers("02-repeated"), WORD_PROBLEMS).set_index("measure")["value"]
    said = f"{value['chained']:.0%} of the chained samples repeat the answer of an attempt that"
    said += f" they were shown; of independent samples {value['sample']:.0%} give one of these"
    said += f" answers, unseen. {_copied(load(WORD_PROBLEMS).frame):.0%} of the chained samples are"
    said += " such an attempt word for word"
    misled = load(PLACEBO).frame
    seen = zip(misled["text"].str.strip(), misled["question"], strict=True)
    of_another = [text in asked for text, asked in seen]
    said += f", and so are {np.mean(of_another):.0%} of those shown attempts at another question."
    cost = own.loc["samples that 4 + 4 cost", "value"]
    said += f" Four samples and four chained ones cost the tokens of {cost:.1f} independent ones."
    return f"{table}\n\n{said.replace('%', ' %')}"


def chain_gains() -> str:
    """What chains gain over independent samples at equal tokens, a row a family, and the mean."""
    gains, gain = numbers("13-gains"), ["difference", "low", "high"]
    cells = [
        gains[(gains["method"] == method) & (gains["at"] == at)]
        for method in ("integrated", "sequential")
        for at in (8, 16)
    ]
    rows = [
        [
            family_and_model(name),
            *(
                signed(tuple(own.iloc[0]))
                if len(own := of_recording(cell, name)[gain])
                else "not recorded"
                for cell in cells
            ),
        ]
        for name in REASONING
    ]
    means = [f"{signed(pooled(cell, 'difference'))} of {len(cell)}" for cell in cells]
    rows.append(["mean", *means])
    head = ["family, model", "integrated − independent at 8", "at 16"]
    return table_of([*head, "sequential − independent at 8", "at 16"], rows)


def in_sequence() -> str:
    """Samples that are shown all earlier ones of their stream, against independent ones."""
    table = numbers("13-places")
    groups = list(dict.fromkeys(table["places"]))
    rows = []
    for name in dict.fromkeys(table["recording"]):
        own = of_recording(table, name).set_index("places")
        gaps = [signed(tuple(own.loc[each, ["difference", "low", "high"]])) for each in groups]
        ends = [
            "{:.0%} ({:.0%})".format(*own.loc[groups[-1], [share, f"{share}_alone"]])
            for share in ("cut", "no_answer")
        ]
        rows.append([family_and_model(name), *gaps, *ends])
    head = ["family, model", f"place {groups[0]}", *groups[1:]]
    return typeset(table_of([*head, "of these at the token limit", "without an answer"], rows))


def _copied(frame: pd.DataFrame) -> float:
    """The share of chained samples whose text is that of a sample shown."""
    own = frame[frame["strategy"] == "integrated"]
    keys = own[["question_id", "stream", "sample_index"]].itertuples(index=False, name=None)
    seen = dict(zip(keys, own["text"].str.strip(), strict=True))
    found = [
        row.text.strip() in {seen[row.question_id, row.stream, index] for index in row.parents}
        for row in own[own["role"] == "chained"].itertuples()
    ]
    return float(np.mean(found))
