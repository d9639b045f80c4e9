"""Tables of the guide to the model that reasons."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pandas as pd

from dynlab._util.durations import took
from dynlab.analysis.chained_samples import with_estimates
from dynlab.analysis.live_runs import live_runs, live_totals, run_files
from dynlab.analysis.same_model import agreement
from dynlab.pipeline.inputs import REASONING
from dynlab.recordings.recording import load
from helpers.markdown_tables import (
    ROOT,
    mean_at,
    numbers,
    of_recording,
    percent,
    signed,
    table_of,
)

WORD_PROBLEMS = "gsm_symbolic--qwen2.5-coder-1.5b"
PLACEBO = ROOT / "data" / "recordings" / "controls" / f"{WORD_PROBLEMS}.placebo.parquet"


def word_problems() -> str:
    """What votes and the bandit are worth to the model that reasons, a row a budget."""
    curves, gains, saved, greedy = (
        of_recording(numbers(name), WORD_PROBLEMS)
        for name in ("01-allocators-samples", "03-differences", "03-savings", "01-greedy")
    )
    uniform = curves[curves["allocator"] == "uniform"].set_index("budget")
    gains = gains[gains["unit"] == "samples"].set_index("at")
    rows = []
    for at in (4, 8, 16):
        own = uniform.loc[at]
        cells = [_level(own)]
        known = gains.loc[gains.index == at, ["difference", "low", "high"]]
        cells.append(signed(tuple(known.iloc[0])) if len(known) else "")
        for unit in ("samples", "tokens"):
            told = saved[(saved["unit"] == unit) & (saved["at"] == at)].dropna(subset="saving")
            cells.append(
                percent(tuple(told.iloc[0][["saving", "low", "high"]])) if len(told) else ""
            )
        rows.append([f"{at} samples", *cells])
    (one,) = greedy.to_dict("records")
    gap = signed((one["difference"], one["low"], one["high"]))
    head = ["", "uniform's accuracy", "UCB − uniform", "UCB saves samples", "tokens"]
    said = f"One greedy answer is right {one['greedy']:.2f} of the time; vote − greedy = {gap}."
    return f"{table_of(head, rows)}\n\n{said} {used_up()}"


def claims() -> str:
    """What the paper claims, on the model that reasons: a row a part of the method."""
    gains, saved, curves = (
        of_recording(numbers(f"04-{name}"), WORD_PROBLEMS)
        for name in ("differences", "savings", "curves")
    )
    thousandths = partial(signed, places=3)
    parts = {
        "UCB − equal allocation": (gains, "bandit only", "difference", thousandths),
        "what UCB saves": (saved, "bandit only", "saving", percent),
        "chains − independent samples": (gains, "integration only", "difference", thousandths),
        "chains under UCB − neither": (gains, "both", "difference", thousandths),
    }
    depth = curves[curves["method"] == "integration only"].set_index("budget")["depth"]
    budgets, rows = (4, 8, 16), []
    for name, (table, method, value, shown) in parts.items():
        own = table[table["method"] == method].set_index("at")[[value, "low", "high"]]
        told = [shown(tuple(own.loc[at])) if at in own.index else "not recorded" for at in budgets]
        if method == "integration only":
            told[0] = "none chained yet" if depth[4] == 1 else told[0]
        rows.append([name, *told])
    head = ["counted in tokens", *(f"at {at} samples" for at in budgets)]
    return table_of(head, rows)


def used_up() -> str:
    """How far the recorded samples go for the bandit."""
    curves = of_recording(numbers("04-curves"), WORD_PROBLEMS).set_index(["method", "budget"])
    spent = curves.loc[("bandit only", 16), "exhausted"]
    frame = load(WORD_PROBLEMS).frame
    num = frame.loc[frame["strategy"] == "parallel", "sample_index"].nunique()
    return _typeset(
        f"At the tokens of 16 samples UCB has drawn all {num} recorded samples of {spent:.0%} of"
        " the questions. A saving of -100% is one that cannot be told: in such resamples of the"
        f" questions {num} samples of each are not as good as 16 under equal allocation."
    )


def families() -> str:
    """What votes, the bandit and chains are worth by family of questions, a row each."""
    found, gains, votes = (numbers(f"13-{name}") for name in ("chained", "differences", "greedy"))
    rows = []
    for name in REASONING:
        chained = of_recording(found, name).set_index("measure")
        gain = of_recording(gains, name).set_index("at")[["difference", "low", "high"]]
        (vote,) = of_recording(votes, name).to_dict("records")
        frame = load(name).frame
        sample = frame.loc[frame["strategy"] == "parallel", "correct"].mean()
        rows.append(
            [
                _family(name),
                *(f"{each:.2f}" for each in (sample, vote["greedy"], vote["vote"])),
                signed((vote["difference"], vote["low"], vote["high"])),
                *(signed(tuple(gain.loc[at])) for at in (4, 8)),
                *(
                    signed(tuple(chained.loc[measure, ["value", "low", "high"]]))
                    if measure in chained.index
                    else "not recorded"
                    for measure in ("chained − sample", "chained − placebo")
                ),
            ]
        )
    levels = ["family, model", "one sample", "greedy", "vote of 16", "vote − greedy"]
    gained = ["UCB − uniform at 4", "at 8", "chained − sample", "chained − placebo"]
    return table_of(levels + gained, rows)


def live() -> str:
    """Two runs on the model itself, a row each, and what one gains at equal tokens."""
    runs, curves, gaps = live_runs(), numbers("13-live"), numbers("13-live-differences")
    at, rows = [4, 8], []
    for run in live_totals(runs).to_dict("records"):
        own = curves[curves["allocator"] == run["allocator"]].set_index("budget")
        levels = (_level(one) for _, one in own.loc[at].iterrows())
        spent = [f"{run['samples']:,}", f"{run['tokens'] / 1e6:.2f} million", took(run["wall_s"])]
        rows.append([f"`{run['allocator']}`", *spent, *levels])
    head = ["", "samples", "tokens", "time", *(f"accuracy at the tokens of {b}" for b in at)]
    gap = gaps.set_index("at")[["difference", "low", "high"]]
    told = " and ".join(f"{signed(tuple(gap.loc[b]))} at the tokens of {b}" for b in at)
    key = ["question_id", "sample_index"]
    one, other = (load(path).frame.set_index(key)["text"] for path in run_files())
    both = one.index.intersection(other.index)
    alike = (one[both] == other[both]).mean()
    said = f"{' − '.join(run.allocator for run in reversed(runs))} = {told} samples a question."
    greedy = load(WORD_PROBLEMS).greedy.set_index("question_id")["correct"].astype(float)
    cost = runs[0].cost(at[-1])
    votes = {run.allocator: pd.Series(run.right(cost), run.questions) for run in runs}
    found = with_estimates({name: own - greedy for name, own in votes.items()})
    each = found.set_index("measure")[["value", "low", "high"]]
    said += f" At the tokens of {at[-1]}, vote − greedy = " + " and ".join(
        f"{signed(tuple(each.loc[name]))} (`{name}`)" for name in votes
    )
    said += f". Of the {len(both)} samples that both drew, {alike:.0%} are alike word for word."
    return f"{table_of(head, rows)}\n\n{_typeset(said)}"


def chain_gains() -> str:
    """What chains gain over independent samples at equal tokens, a row a family, and the mean."""
    gains, budgets, rows = numbers("13-gains"), (8, 16), []
    for name in [*REASONING, None]:
        own, cells = gains if name is None else of_recording(gains, name), []
        for method in ("integrated", "sequential"):
            told = own[own["method"] == method]
            cells += [mean_at(told, at, "difference", signed) or "not recorded" for at in budgets]
        rows.append([_family(name) if name else "mean of those recorded", *cells])
    head = ["family, model", "integrated − independent at 8", "at 16"]
    return table_of([*head, "sequential − independent at 8", "at 16"], rows)


def in_sequence() -> str:
    """How samples fare that are shown all earlier ones of their stream, one line a family."""
    lines = []
    for name in REASONING:
        frame = load(name).frame.assign(correct=lambda rows: rows["correct"].astype(float))
        own = frame[frame["strategy"] == "sequential"]
        if own.empty:
            continue
        last = own[own["sample_index"] == own["sample_index"].max()]
        alone = frame[frame["strategy"] == "parallel"].groupby("question_id")["correct"].mean()
        shown = own[own["role"] == "chained"].groupby("question_id")["correct"].mean()
        gaps = {"one": shown - alone, "last": last.set_index("question_id")["correct"] - alone}
        found = with_estimates(gaps).set_index("measure")[["value", "low", "high"]]
        cut = [
            (each["finish_reason"] == "length").mean()
            for each in (last, frame[frame["strategy"] == "parallel"])
        ]
        lines.append(
            f"- `{name.partition('--')[0]}`: one sample in sequence − one independent sample"
            f" {signed(tuple(found.loc['one']))}, at the last of {last['sample_index'].iloc[0] + 1}"
            f" places {signed(tuple(found.loc['last']))}; {cut[0]:.0%} of the samples there end at"
            f" the token limit, of independent ones {cut[1]:.0%}."
        )
    return _typeset("\n".join(lines))


def _family(recording: str) -> str:
    """'countdown--qwen2.5-coder-1.5b' → '`countdown`, 1.5B'."""
    family, model = recording.split("--qwen2.5-coder-")
    return f"`{family}`, {model.upper()}"


def _level(row: pd.Series) -> str:
    """The accuracy of a curve's row, with its interval."""
    return f"{row['accuracy']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _typeset(text: str) -> str:
    """With true minus signs, and a space before percent."""
    return text.replace("%", " %").replace(" -", " −").replace("[-", "[−")


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


def engines() -> str:
    """The model that reasons by two engines, a row a measure."""
    beside = load(ROOT / f"data/recordings/controls/{WORD_PROBLEMS}.llama-cpp.parquet")
    table = agreement(load(WORD_PROBLEMS).frame, beside.frame)
    rows = [
        [row.measure, f"{row.one:.3f}", f"{row.other:.3f}", f"{row.p:.2f}", str(row.num_other)]
        for row in table.itertuples()
    ]
    return table_of(["right", "OpenVINO", "llama.cpp", "p", "questions"], rows)
