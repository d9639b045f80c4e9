"""The explorer's widgets without a browser: a value is set, the panels are read."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import papermill.iorw
import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.explorer.compute import Workbench
from dynlab.explorer.controls import TIPS, recording_choices
from dynlab.explorer.page import AREAS
from dynlab.explorer.state import ControlValues
from dynlab.explorer.widget import Explorer
from dynlab.plots.style import LOOKS
from dynlab.policies.registry import names, stopping_rule
from dynlab.recordings.recording import Recording, load, write

EVIL = "<script>alert('x')</script> & \"quotes\""


@pytest.fixture
def pool(random_pool):
    frame = random_pool(num_samples=24)
    frame["question"], frame["text"] = EVIL, EVIL
    return replace(load(frame), name="pool")


@pytest.fixture
def explorer(pool):
    made = dynlab.explore(pool, budget=4, replications=25)
    made.view(120)
    return made


def shown(explorer, panel):
    return getattr(explorer.page, panel)


def status(explorer):
    return re.sub("<[^>]+>", "", shown(explorer, "status"))


@pytest.mark.slow
def test_it_opens_on_priced_and_ucb_beside_uniform(explorer):
    assert explorer.setting.policies == ("uniform", "ucb", "priced") and explorer.error == ""
    assert status(explorer) == "12 questions × 24 samples · 25 draw orders"
    for name in ("UCB", "priced"):
        assert f">{name}<" in shown(explorer, "curves") and name in shown(explorer, "savings")


@pytest.mark.slow
def test_the_numbers_in_large_type_are_those_of_savings(explorer, pool):
    saved = dynlab.savings(pool, ["ucb", "priced"], at=[4], replications=25)
    big = re.findall(r'class="dl-big"[^>]*>([^<]+)<', shown(explorer, "savings"))
    ranges = re.findall(r'class="dl-range">([^<]+)<', shown(explorer, "savings"))
    assert big == [f"{100 * value:.0f} %".replace("-", "−") for value in saved["saving"]]
    assert ranges == [
        f"[{100 * row.low:.0f} %, {100 * row.high:.0f} %]".replace("-", "−")
        for row in saved.itertuples()
    ]


@pytest.mark.slow
def test_a_moved_slider_changes_the_picture_coarse_first(explorer):
    before, seen = shown(explorer, "curves"), []
    explorer.page.observe(lambda change: seen.append("coarse: 20 of 25" in change["new"]), "curves")
    explorer.widgets["ucb.exploration"].value = 3.0
    view = explorer.view(120)
    assert seen == [True, False] and shown(explorer, "curves") != before
    assert "ucb(exploration=3)" in view.setting.policies and not view.coarse


@pytest.mark.slow
def test_a_moved_budget_moves_the_line_without_a_coarse_picture(explorer):
    seen = []
    explorer.page.observe(lambda change: seen.append(change["new"]), "curves")
    explorer.widgets["budget"].value = 7
    explorer.view(120)
    assert len(seen) == 1 and "B = 7" in seen[0]


@pytest.mark.slow
def test_pictures_are_small_valid_and_escaped(explorer):
    for panel in ("curves", "spending", "vote"):
        ElementTree.fromstring(shown(explorer, panel))
        assert len(shown(explorer, panel)) < 40_000
    for panel in ("spending", "words"):
        assert "&lt;script&gt;" in shown(explorer, panel)
    assert not any("<script" in shown(explorer, panel) for panel in AREAS)


@pytest.mark.slow
def test_hovering_tells_each_question_its_votes_and_texts(explorer):
    titles = [e.text for e in ElementTree.fromstring(shown(explorer, "spending")).iter("title")]
    assert len(titles) == 12 and len({title.split()[0] for title in titles}) == 12
    assert all(
        "votes: " in title and "samples at B: uniform 4.0, UCB" in title and EVIL[:8] in title
        for title in titles
    )


@pytest.mark.slow
def test_the_vote_of_the_chosen_question_is_shown(explorer):
    order = explorer.view().material.order("accuracy")
    for place in (0, 11):
        explorer.widgets["question"].value = place
        assert explorer.view().material.streams.question_ids[order[place]] in shown(
            explorer, "words"
        )
    explorer.widgets["by"].value = "disagreement"
    assert "easy → hard (disagreement)" in shown(explorer, "spending")
    hardest = explorer.view().material.order("disagreement")[-1]
    assert explorer.view().material.streams.question_ids[hardest] in shown(explorer, "words")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *(name for name in TIPS if name not in ("recording", "path", "strategy", "batch")),
        "ucb.exploration",
        "ucb.uncertainty",
        "esc.window",
    ],
)
def test_every_control_goes_to_both_ends(explorer, name):
    if name == "esc.window":
        explorer.widgets["stopping"].value = "esc"
    widget = explorer.widgets[name]
    options = [value for _, value in getattr(widget, "_options_full", ())]
    ends = (options[0], options[-1]) if options else (widget.min, min(widget.max, 99))
    for end in (*ends, ends[0]):
        widget.value = end
        if (name, end) == ("unit", "usd"):
            with pytest.raises(InputError, match="budgets in usd need the column cost_usd"):
                explorer.view(120)
            assert 'class="dl-status dl-error" role="alert"' in shown(explorer, "status")
        else:
            explorer.view(120)
            assert explorer.error == "" and "draw orders" in status(explorer)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*names("allocator"), *names("vote"), "oracle"])
def test_every_policy_can_be_ticked(explorer, name):
    box = explorer.widgets[name]
    box.value = not box.value
    view = explorer.view(120)
    assert (name in view.setting.policies) == box.value
    assert (LOOKS[name].label in shown(explorer, "curves")) == box.value


@pytest.mark.slow
@pytest.mark.parametrize("name", names("stopping rule"))
def test_every_stopping_rule_goes_from_cautious_to_eager(explorer, name):
    rule = stopping_rule(name)
    explorer.widgets["replications"].value = 20
    explorer.widgets["stopping"].value = name
    explorer.view(120)
    slider = explorer.widgets[f"{name}.{rule.swept}"]
    assert explorer._controls.groups[name].box in explorer._controls.shown.children
    assert tuple(value for _, value in slider.options) == rule.grid
    assert explorer.setting.policies[0] == f"uniform+{name}"  # at its paper's threshold
    for value in (rule.grid[0], rule.grid[-1]):
        slider.value = value
        assert explorer.view(120).setting.policies[0].startswith(f"uniform+{name}")
    assert f"stopping: {name}" in status(explorer)
    explorer.widgets["stopping"].value = ""
    assert explorer.view(120).setting.policies[0] == "uniform"
    assert explorer._controls.groups[name].box not in explorer._controls.shown.children


@pytest.mark.slow
def test_two_settings_of_one_allocator_stand_side_by_side(pool):
    texts = ["uniform", "ucb(exploration=0.3)", "ucb(exploration=2)", "priced(warmup=4)"]
    explorer = dynlab.explore(pool, texts, budget=4, replications=20)
    assert set(explorer.view(120).setting.policies) == set(texts)
    assert explorer.widgets["ucb.exploration"].value == 0.3
    for label in ("UCB", "UCB exploration=2", "priced"):
        assert f">{label}</text>" in shown(explorer, "curves")
    explorer.widgets["ucb.exploration"].value = 1.0
    view = explorer.view(120)
    assert {"ucb", "ucb(exploration=2)"} < set(view.setting.policies)
    explorer.widgets["ucb(exploration=2)"].value = False
    assert "ucb(exploration=2)" not in explorer.view(120).setting.policies


@pytest.mark.slow
def test_what_policies_agree_on_is_a_slider_of_all(pool):
    texts = ["uniform", "ucb(warmup=3, batch=4)", "priced(warmup=3, batch=4)"]
    explorer = dynlab.explore(pool, texts, budget=4, replications=20)
    assert [explorer.widgets[name].value for name in ("warmup", "batch")] == [3, 4]
    assert set(explorer.view(120).setting.policies) == set(texts)
    explorer.widgets["warmup"].value = 2
    assert "ucb(batch=4)" in explorer.view(120).setting.policies


@pytest.mark.slow
def test_settings_stand_there_while_their_policy_is_chosen(explorer):
    controls = explorer._controls
    assert controls.groups["ucb"].box in controls.shown.children
    explorer.widgets["ucb"].value = False
    assert controls.groups["ucb"].box not in controls.shown.children
    explorer.widgets["thompson"].value = True
    explorer.widgets["thompson.num_draws"].value = 32
    assert "thompson(num_draws=32)" in explorer.view(120).setting.policies


@pytest.mark.slow
def test_a_wrong_setting_is_red_and_leaves_no_numbers(explorer):
    explorer.widgets["cisc"].value = True
    explorer.widgets["cisc.temperature"].value = -1.0
    explorer._latest.wait(30)
    assert "temperature" in explorer.error and 'role="alert"' in shown(explorer, "status")
    assert shown(explorer, "curves") == "" and shown(explorer, "savings") == ""
    explorer.widgets["cisc"].value = False
    explorer.view(120)
    assert explorer.error == "" and "<svg" in shown(explorer, "curves")


@pytest.mark.slow
def test_an_invalid_recording_is_said_in_red_and_the_picture_stays(explorer, tmp_path):
    before, bad = shown(explorer, "curves"), tmp_path / "bad.csv"
    bad.write_text("question_id,answer\nq,a\n")
    for path, said in (
        (str(tmp_path / "no.parquet"), "no file"),
        (str(bad), "no column 'sample_index'"),
    ):
        explorer.widgets["path"].value = path
        assert said in explorer.error and said in status(explorer).replace("&#x27;", "'")
        assert explorer.setting.recording == "pool" and shown(explorer, "curves") == before
    explorer.widgets["ucb.exploration"].value = 2
    explorer.view(120)
    assert explorer.error == "" and "draw orders" in status(explorer)


@pytest.mark.slow
def test_a_typed_path_joins_the_choice(explorer, tmp_path, make_pool):
    path = write(
        make_pool({"q1": "aabaaa", "q2": "abbabb"}, target=None),
        {},
        tmp_path / "mine--tiny.parquet",
    )
    explorer.widgets["path"].value = f" {path} "
    view = explorer.view(120)
    assert view.setting.recording == str(path) and view.material.streams.num_questions == 2
    assert explorer.widgets["budget"].max == 6 and explorer.widgets["question"].max == 1
    assert ("mine · tiny", str(path)) in explorer.widgets["recording"].options
    assert "self-consistency rate" in shown(explorer, "curves") and "(disagreement)" in shown(
        explorer, "spending"
    )
    explorer.widgets["recording"].value = "pool"
    assert explorer.view(120).setting.recording == "pool" and explorer.widgets["budget"].max == 24
    explorer.widgets["path"]._handle_custom_msg({"event": "submit"}, [])  # Enter, nothing changed
    assert explorer.setting.recording == str(path)


@pytest.mark.slow
def test_a_path_that_failed_is_tried_again_by_enter(explorer, tmp_path, make_pool):
    late = tmp_path / "late.parquet"
    explorer.widgets["path"].value = str(late)
    assert "no file" in explorer.error
    write(make_pool({"q1": "aabaaa", "q2": "abbabb"}), {}, late)
    explorer.widgets["path"]._handle_custom_msg({"event": "submit"}, [])
    assert explorer.view(120).setting.recording == str(late) and explorer.error == ""
    explorer.widgets["path"].value = "nowhere.parquet"
    assert "no file" in explorer.error
    explorer.widgets["path"].value = str(late)  # back to what is shown
    assert explorer.view(120).setting.recording == str(late) and "draw orders" in status(explorer)


def test_recordings_are_called_by_their_titles():
    sources = ["gsm_symbolic--qwen2.5-coder-1.5b", "runs/mine--v1.5.csv.gz", "pool"]
    titles = [title for title, _ in recording_choices(sources)]
    assert titles == ["gsm_symbolic · qwen2.5-coder-1.5b", "mine · v1.5", "pool"]


@pytest.mark.slow
def test_a_recording_of_several_strategies_lets_one_choose(random_pool):
    frame = pd.concat(
        [
            random_pool(num_samples=6),
            random_pool(num_samples=6, seed=1).assign(strategy="sequential"),
        ]
    )
    explorer = dynlab.explore(frame, replications=20, budget=3)
    picker = explorer.widgets["strategy"]
    assert (
        explorer.view(120).material.streams.strategy == "parallel" and picker.layout.display is None
    )
    picker.value = "sequential"
    assert explorer.view(120).material.streams.strategy == "sequential"
    assert 'strategies="sequential"' in shown(explorer, "code").replace("&quot;", '"')


@pytest.mark.slow
def test_a_callback_that_raises_is_seen_by_the_user(explorer, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by <nothing>\nsecond line")

    monkeypatch.setattr(explorer._bench, "material", broken)
    explorer.widgets["ucb.exploration"].value = 0.5
    assert explorer.error == "ZeroDivisionError: by <nothing>"
    assert "ZeroDivisionError: by &lt;nothing&gt;" in shown(
        explorer, "status"
    ) and 'role="alert"' in shown(explorer, "status")


def test_computing_that_raises_is_seen_by_the_user(pool):
    def answers(setting, check):
        raise MemoryError("too much")
        yield

    explorer = Explorer(
        ["pool"],
        ControlValues("pool", budget=4, replications=20),
        Workbench({"pool": pool}),
        answers,
    )
    with pytest.raises(InputError, match="MemoryError: too much"):
        explorer.view(10)
    assert "MemoryError: too much" in status(explorer)


@pytest.mark.slow
def test_late_results_never_overwrite_newer_ones(pool):
    bench, late, started = Workbench({"pool": pool}), threading.Event(), threading.Event()

    def answers(setting, check):
        view = bench.view(replace(setting, replications=20))
        if "ucb(exploration=2)" in setting.policies:
            started.set()
            late.wait(20)
        yield view

    explorer = Explorer(["pool"], ControlValues("pool", budget=4, replications=20), bench, answers)
    explorer.view(120)
    explorer.widgets["ucb.exploration"].value = 2.0
    assert started.wait(20)
    explorer.widgets["ucb.exploration"].value = 3.0
    late.set()
    assert "ucb(exploration=3)" in explorer.view(120).setting.policies
    assert "ucb(exploration=3)" in shown(explorer, "code")


def test_an_error_is_not_overwritten_by_an_older_result(pool, tmp_path):
    bench, late, started = Workbench({"pool": pool}), threading.Event(), threading.Event()

    def answers(setting, check):
        started.set()
        late.wait(20)
        yield bench.view(setting)

    explorer = Explorer(["pool"], ControlValues("pool", budget=4, replications=20), bench, answers)
    assert started.wait(20)
    explorer.widgets["path"].value = str(tmp_path / "no.parquet")
    late.set()
    explorer._latest.wait(20)
    assert "no file" in status(explorer) and shown(explorer, "curves") == ""


def test_parameters_are_saved_and_their_path_is_shown(tmp_path, pool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(pool.frame, {}, tmp_path / "pool.parquet")
    explorer = dynlab.explore("pool.parquet", replications=20, budget=4)
    explorer.widgets["ucb.exploration"].value = 0.3
    explorer.view(120)
    explorer._save.click()
    saved = papermill.iorw.read_yaml_file(str(tmp_path / "explorer-pool.yaml"))
    assert "ucb(exploration=0.3)" in saved["policies"] and saved["recording"] == str(
        tmp_path / "pool.parquet"
    )
    assert str(tmp_path / "explorer-pool.yaml") in explorer._saved.value


@pytest.mark.slow
def test_a_recording_without_a_file_is_not_saved_as_parameters(explorer):
    explorer._save.click()
    assert "write it to one first" in explorer.error and explorer._saved.value == ""


@pytest.mark.slow
def test_the_code_of_a_recording_without_a_file_calls_it_recording(explorer):
    assert "dynlab.compare(\n    recording,\n" in shown(explorer, "code")


@pytest.mark.slow
def test_controls_are_labelled_and_tell_their_formula(explorer):
    for widget in explorer._controls.widgets.values():
        words = re.fullmatch(r'<span title="([^"]+)">([^<]+)</span>', widget.description)
        assert words and words[1] and words[2].strip()
    assert "u + c·√(ln t / n)" in explorer.widgets["ucb.exploration"].description
    boxes = explorer._controls.policies
    assert all(box.description == LOOKS[name].label for name, box in boxes.items())


def test_given_recordings_stand_before_shipped_ones(pool, random_pool):
    other = Recording(load(random_pool(seed=3)).frame, {}, "other--model")
    explorer = dynlab.explore([pool, other], replications=20, budget=4)
    values = [value for _, value in explorer.widgets["recording"].options]
    assert (
        values[:2] == ["pool", "other--model"]
        and values[2:] == dynlab.recordings.recording.shipped()
    )
    explorer.widgets["recording"].value = "other--model"
    assert explorer.view(120).material.streams.name == "other--model"


@pytest.mark.slow
def test_it_is_shown_as_a_widget_and_in_words_where_there_are_none(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].startswith("the explorer on pool")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"policies": ["prized"]}, "did you mean 'priced'"),
        ({"policies": ["ucb(uncertainty=entrop)"]}, "did you mean 'entropy'"),
        ({"policies": ["ucb+esk"]}, "did you mean 'esc'"),
        ({"policies": ["ucb(exploration=-1)"]}, "from 0 on"),
        ({"policies": []}, "no policy was given"),
        ({"unit": "token"}, "did you mean 'tokens'"),
        ({"budget": 1}, "below the warm-up"),
        ({"budget": "many"}, "must be numbers"),
        ({"replications": 0}, "replications must be"),
        ({"strategy": "sideways"}, "unknown strategy of pool"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_before_anything_is_shown(pool, setting, said):
    with pytest.raises(InputError, match=said):
        dynlab.explore(pool, **setting)
