"""Tables of the guide to the model that reasons."""

from __future__ import annotations

from functools import partial

import pandas as pd

from dynlab._util.durations import took
from dynlab.analysis.chained_samples import with_estimates
from dynlab.analysis.live_runs import live_runs, live_totals, run_files
from dynlab.analysis.same_model import agreement
from dynlab.pipeline.inputs import REASONING
from dynlab.recordings.recording import load
from helpers.markdown_tables import ROOT, numbers, of_recording, percent, signed, table_of

WORD_PROBLEMS = "gsm_symbolic--qwen2.5-coder-1.5b"


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
    gains, saved = (
        of_recording(numbers(f"04-{name}"), WORD_PROBLEMS) for name in ("differences", "savings")
    )
    thousandths = partial(signed, places=3)
    parts = {
        "UCB − equal allocation": (gains, "bandit only", "difference", thousandths),
        "what UCB saves": (saved, "bandit only", "saving", percent),
        "chains − independent samples": (gains, "integration only", "difference", thousandths),
        "chains under UCB − neither": (gains, "both", "difference", thousandths),
    }
    budgets, rows = (4, 8, 16), []
    for name, (table, method, value, shown) in parts.items():
        own = table[table["method"] == method].set_index("at")
        told = {at: shown(tuple(cell)) for at, cell in own[[value, "low", "high"]].iterrows()}
        if "unchained" in own:
            told |= dict.fromkeys(own.index[own["unchained"]], "none chained yet")
        rows.append([name, *(told.get(at, "not recorded") for at in budgets)])
    head = ["counted in tokens", *(f"at {at} samples" for at in budgets)]
    return table_of(head, rows)


def used_up() -> str:
    """How far the recorded samples go for the bandit."""
    curves = of_recording(numbers("04-curves"), WORD_PROBLEMS).set_index(["method", "budget"])
    spent = curves.loc[("bandit only", 16), "exhausted"]
    frame = load(WORD_PROBLEMS).frame
    num = frame.loc[frame["strategy"] == "parallel", "sample_index"].nunique()
    which = f"{spent:.0%} of the questions" if spent else "no question"
    return typeset(
        f"At the tokens of 16 samples UCB has drawn all {num} recorded samples of {which}."
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
                family_and_model(name),
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
    return f"{table_of(head, rows)}\n\n{typeset(said)}"


def family_and_model(recording: str) -> str:
    """'countdown--qwen2.5-coder-1.5b' → '`countdown`, 1.5B'."""
    family, model = recording.split("--qwen2.5-coder-")
    return f"`{family}`, {model.upper()}"


def _level(row: pd.Series) -> str:
    """The accuracy of a curve's row, with its interval."""
    return f"{row['accuracy']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def typeset(text: str) -> str:
    """With true minus signs, and a space before percent."""
    return text.replace("%", " %").replace(" -", " −").replace("[-", "[−")


def engines() -> str:
    """The model that reasons by two engines, a row a measure."""
    beside = load(ROOT / f"data/recordings/controls/{WORD_PROBLEMS}.llama-cpp.parquet")
    table = agreement(load(WORD_PROBLEMS).frame, beside.frame)
    rows = [
        [row.measure, f"{row.one:.3f}", f"{row.other:.3f}", f"{row.p:.2f}", str(row.num_other)]
        for row in table.itertuples()
    ]
    return table_of(["right", "OpenVINO", "llama.cpp", "p", "questions"], rows)
