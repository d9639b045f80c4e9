"""The README and the guides: tables of the committed figures, claims that hold."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from helpers.readme_tables import PAGES, REGIONS, numbers, written_again
from recipe.families import PUZZLES

from dynlab.analysis.live_runs import live_runs
from dynlab.pipeline.inputs import REASONING
from dynlab.recordings.recording import load
from dynlab.reports.wording import pooled

TEXTS = [page.read_text(encoding="utf-8") for page in PAGES]


@pytest.mark.slow
def test_tables_are_those_of_the_figures():
    """`make readme` writes them again."""
    assert all(any(f"<!-- {name} -->" in text for text in TEXTS) for name in REGIONS)
    assert [written_again(text, but="compare") for text in TEXTS] == TEXTS


@pytest.mark.slow
def test_the_quickstart_shows_what_its_command_prints():
    (text,) = (text for text in TEXTS if "<!-- compare -->" in text)
    assert written_again(text) == text


def family(table: pd.DataFrame) -> pd.Series:
    """'sums' of 'sums--dynlab-reasoner', of every row."""
    return table["recording"].str.replace(r"--.*", "", regex=True)


def test_claims_on_allocation_hold_in_the_figures():
    differences, savings, greedy = map(numbers, ("03-differences", "03-savings", "01-greedy"))
    early = differences[differences["at"].isin([4, 8])]
    assert (early["low"] > 0).all() and early["recording"].nunique() == 6
    assert (differences["high"] > 0).all()
    late = differences[differences["at"] == 16].assign(family=family).set_index("family")["low"]
    assert (late[["totals", "calendar"]] > 0.004).all()
    assert (late[["gsm_symbolic", "digits"]].abs() < 0.002).all()  # at the edge
    assert (late[["capitals", "french"]] < -0.004).all() and late.index.nunique() == 6
    for _, rows in savings.groupby("unit"):
        means = {at: pooled(own, "saving") for at, own in rows.groupby("at")}
        assert means[4][1] > 0 and means[4][2] < 0.3 < min(means[8][1], means[16][1])
    told = savings[savings["at"].isin([8, 16])]
    less = told[told["saving"] < 0.3]
    assert {*zip(family(less), less["unit"], strict=True)} == {
        ("digits", "samples"),
        ("digits", "tokens"),
    }
    lost = told[told["low"] < 0]
    assert {*zip(family(lost), lost["unit"], lost["at"], strict=True)} == {
        ("french", unit, 16) for unit in ("samples", "tokens")
    }
    (least,) = told.loc[
        (family(told) == "gsm_symbolic") & (told["unit"] == "tokens") & (told["at"] == 16), "low"
    ]
    assert round(least, 2) == 0.26  # a quarter
    assert set(family(greedy[greedy["low"] > 0])) == {"gsm_symbolic", "totals", "digits"}
    assert set(family(greedy[greedy["high"] < 0])) == {"french"}


def test_claims_on_chains_hold_in_the_figures():
    chains, parts = numbers("02-differences"), numbers("04-differences")
    for table in (chains, parts):
        asked = table["questions"].groupby(family(table)).unique()
        expected = dict.fromkeys(["gsm_symbolic", "totals", "digits", "calendar"], 100)
        expected |= {"capitals": 60, "french": 60}
        assert {name: set(counts) for name, counts in asked.items()} == {
            name: {count} for name, count in expected.items()
        }
    chained = chains[chains["method"] == "integrated"]
    pays = (family(chained) == "digits") & (chained["at"] >= 6)
    assert ((chained["low"] > 0) == pays).all()
    for table in (chained, parts[parts["method"] == "integration only"]):
        others = table[~family(table).isin(["digits", "gsm_symbolic"])]
        assert (others["high"] < 0).mean() > 0.5
    reasons = chained[(family(chained) == "gsm_symbolic") & ~chained["unchained"]]
    assert (reasons["high"] < 0).all() and set(reasons["at"]) == {6, 8, 12, 16}
    both = parts[parts["method"] == "both"]
    assert ((both["low"] > 0) == (family(both) == "digits")).all()
    sequential = chains[chains["method"] == "sequential"]
    assert set(family(sequential[sequential["low"] > 0])) == {"digits"}
    assert (sequential.loc[family(sequential) == "gsm_symbolic", "high"] < 0).all()
    one = numbers("02-chained")
    one = one[family(one) == "gsm_symbolic"].set_index("measure")
    assert abs(one.loc["chained − sample", "high"]) < 0.005  # at the edge
    assert one.loc["chained, right answer absent", "value"] < 0.01


def test_claims_on_other_families_hold():
    gaps, votes, one = (numbers(f"13-{name}") for name in ("differences", "greedy", "chained"))
    assert not (gaps["high"] < 0).any() and gaps["recording"].nunique() == 5
    risen = {"gsm_symbolic", "countdown", "prime_factorization"}
    for at, rows in gaps.groupby("at"):
        ahead = rows[rows["low"] > (0.001 if at == 16 else 0)]  # the word problems: at the edge
        assert set(family(ahead)) == (risen if at < 16 else set())
    edge = gaps.loc[(gaps["at"] == 16) & (family(gaps) == "gsm_symbolic"), "low"]
    assert (edge.abs() < 0.002).all() and set(gaps["at"]) == {4, 8, 16}
    curves = numbers("13-curves")
    level = curves[curves["allocator"] == "uniform"].assign(family=family)
    level = level.pivot(index="family", columns="budget", values="accuracy")
    assert set(level.index[level[16] - level[2] > 0.05]) == risen
    assert set(level.index[level[16] - level[2] < 0.0]) == set(level.index) - risen
    assert set(family(votes[votes["low"] > 0])) == {"gsm_symbolic", "countdown"}
    assert not (votes["high"] < 0).any()
    chained = one[(one["measure"] == "chained − sample") & (family(one) != "gsm_symbolic")]
    assert ((chained["low"] < 0) & (chained["high"] > 0)).all() and len(chained) == 4
    misled = one[one["measure"] == "chained − placebo"]
    assert set(family(misled[misled["low"] > 0])) == {*risen, "family_relationships"}
    right = one[one["measure"] == "placebo"].set_index(family(one[one["measure"] == "placebo"]))
    assert (right.loc[["prime_factorization", "countdown"], "value"] == 0).all()
    gained = numbers("13-gains")
    assert not (gained["low"] > 0).any()
    unchained = gained[gained["unchained"]]
    assert set(unchained["at"]) == {4} and set(unchained["method"]) == {"integrated"}
    assert (unchained["high"] > 0).all() and len(unchained) == 5
    behind = gained[(gained["high"] < 0) & ~gained["unchained"]]
    assert set(zip(behind["method"], behind["at"], family(behind), strict=True)) == {
        ("integrated", 8, "gsm_symbolic"),
        ("integrated", 16, "gsm_symbolic"),
        ("integrated", 16, "prime_factorization"),
        ("sequential", 4, "gsm_symbolic"),
        ("sequential", 8, "gsm_symbolic"),
        ("sequential", 16, "gsm_symbolic"),
        ("sequential", 8, "prime_factorization"),
        ("sequential", 16, "prime_factorization"),
    }
    in_sequence = gained[gained["method"] == "sequential"]
    two = ["gsm_symbolic", "prime_factorization"]
    for at, lead in {8: False, 16: True}.items():
        five = in_sequence[in_sequence["at"] == at]
        assert len(five) == 5 and pooled(five, "difference")[2] < 0
        for each in two:
            assert pooled(five[family(five) != each], "difference")[2] < 0
        assert (pooled(five[~family(five).isin(two)], "difference")[2] < 0) == lead
    assert gained["recording"].nunique() == 5
    for at in (8, 16):
        five = gained[(gained["method"] == "integrated") & (gained["at"] == at)]
        others = five[family(five) != "gsm_symbolic"]
        assert len(five) == 5 and pooled(others, "difference")[2] > 0
        high = pooled(five, "difference")[2]
        assert abs(high) < 0.005 if at == 8 else high < -0.01  # at 8: the edge


def test_streams_are_as_the_guide_says():
    for name in REASONING:
        frame = load(name).frame
        in_sequence = frame[frame["strategy"] == "sequential"]
        lengths = in_sequence.groupby(["question_id", "stream"]).size()
        num = frame["question_id"].nunique()
        assert len(lengths) == in_sequence["question_id"].nunique() == num
        assert (lengths == 16).all()
        assert in_sequence["parents"].map(len).eq(in_sequence["sample_index"]).all()
        own = frame[frame["strategy"] == "integrated"]
        streams = own.groupby(["question_id", "stream"])
        assert own["stream"].nunique() == 2 and (streams.size() == 16).all()
        assert len(streams) == 2 * frame["question_id"].nunique()
        shown = own.loc[own["role"] == "chained", "parents"]
        assert {tuple(each) for each in shown} == {(0, 1, 2, 3)}
        assert (own["role"] == "chained").eq(own["sample_index"] >= 4).all()


def test_claims_on_places_in_a_stream_hold():
    places = numbers("13-places").assign(family=family).set_index(["last", "family"])
    late = places.loc[16]
    assert set(late.index) == {name.partition("--")[0] for name in REASONING}
    four = late.index.difference(["family_relationships"])
    assert (late.loc[four, "high"] < -0.03).all()
    three = four.difference(["gsm_symbolic"])
    assert abs(late.loc["family_relationships", "high"]) < 0.01  # at the edge
    falling = [places.loc[last, "difference"].loc[three] for last in (1, 2, 4, 8, 16)]
    assert all((after <= before).all() for before, after in pairwise(falling))
    assert set(late.index[late["cut"] > 0.5]) == {"countdown", "syllogism"}
    assert set(late.index[late["no_answer"] > 0.5]) == {"countdown"}
    assert late.loc[["syllogism", "gsm_symbolic"], "no_answer"].between(0.25, 0.3).all()
    assert 0.45 < late.loc["gsm_symbolic", "cut"] < 0.5
    assert late.loc["prime_factorization", "no_answer"] < 0.02
    (countdown,) = (load(name).frame for name in REASONING if name.startswith("countdown"))
    limited = countdown.loc[countdown["finish_reason"] == "length", "completion_tokens"]
    assert set(limited) == {120} and countdown["completion_tokens"].max() == 120
    curves = numbers("13-strategies")
    at_4 = curves[(curves["method"] == "integrated") & (curves["budget"] == 4)]
    assert (at_4["depth"] == 1).all() and len(at_4) == 5


def test_claims_on_live_runs_hold():
    gaps, curves = numbers("13-live-differences").set_index("at"), numbers("13-live")
    assert (gaps["low"] > 0).to_dict() == {2: False, 3: False, 4: True, 6: True, 8: False}
    assert set(gaps["allocator"]) == {"priced"} and (gaps["high"] > 0).all()
    (greedy,) = curves.loc[curves["allocator"] == "greedy", "accuracy"]
    assert ((curves["low"] < greedy) & (greedy < curves["high"])).all()
    speed = {run.allocator: len(run.picks) / run.wall_s * 60 for run in live_runs()}
    assert {name: round(each) for name, each in speed.items()} == {"uniform": 18, "priced": 16}
    first, second = live_runs()
    drawn = [run.within(first.cost(2))["question_id"].value_counts() for run in (first, second)]
    assert all((each == 2).all() and len(each) == 100 for each in drawn)  # the warm-up


def test_claims_on_the_small_reasoner_hold():
    table = numbers("10-accuracies").set_index(["measure", "family"])
    value, low, high = (table[name] for name in ("value", "low", "high"))

    def above(measure):
        return {name for name in PUZZLES if low[measure, name] > 0}

    def below(measure):
        return {name for name in PUZZLES if high[measure, name] < 0}

    assert above("chained − untaught") == {"sums"}
    assert below("chained − untaught") == {"totals", "calendar", "digits"}
    assert "sums" not in above("4 + 4 − untaught, equal tokens")
    assert "sums" not in below("4 + 4 − untaught, equal tokens")
    assert above("vote − greedy") == {"totals", "digits"}
    assert above("chained − sample, right answer absent") == {"digits"}
    for control in ("sample", "placebo", "shown"):
        assert above(f"chained − {control}") >= {"digits", "sums"}
    assert above("4 + 4 − independent, equal tokens") == {"digits", "sums"}
    assert {name for name in PUZZLES if 0.35 <= value["sample", name] <= 0.75} == {
        *("totals", "calendar", "sums")
    }


def test_claims_on_the_small_reasoner_in_sequence_hold():
    places = numbers("10-places").assign(family=family).set_index(["family", "last"])
    told = places.drop(index=1, level="last")  # the first has been shown nothing
    assert set(family(numbers("10-places"))) == set(PUZZLES)
    assert (told.loc[["digits", "sums"], "low"] > 0).all()
    assert (told.loc["calendar", "high"] < 0).all()
    apart = (places["low"] > 0) | (places["high"] < 0)
    assert not apart.loc["totals"].any() and not apart.xs(1, level="last").any()
    assert 0.37 < places.loc[("calendar", 16), "cut"] < 0.43


@pytest.mark.slow
def test_claims_on_rivals_hold_in_the_figures():
    table = numbers("public-pools").set_index("policy")
    rivals = table[table["kind"].isin(["allocator", "stopping"])].drop(index="priced")
    early = ["saving_8", "saving_16"]
    assert (rivals[early] < table.loc["priced", early]).all(axis=None)
    assert table.loc["oracle", "saving_8"] > 0.9
    steep = ~numbers("public-headroom").groupby("recording")["flat"].all()
    assert len(steep) == 8 and steep.sum() == 7 and set(table["tokens_kind"]) == {"completion"}
    shipped = numbers("08-savings-tokens").set_index("policy")
    saved = ["saving_4", *early]
    lead = shipped.loc[["cisc", "deepconf"], saved] - shipped.loc["priced", saved]
    assert (lead["saving_4"] > 0).all() and (lead[early] < 0).all(axis=None)
