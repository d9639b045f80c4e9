"""The forecast of a run: it learns the machine's pace, and what is shown does not jump."""

from itertools import pairwise

import pytest

from dynlab.pipeline.progress import Forecast, Progress, seconds_expected


def test_work_is_spread_over_the_workers():
    forecast = Forecast({"a": 60, "b": 30, "c": 30}, workers=2)
    assert forecast.remaining(0) == 60
    assert Forecast({"a": 90, "b": 10}, workers=2).remaining(0) == 90  # no faster than its longest


def test_a_job_that_runs_has_less_to_go():
    forecast = Forecast({"a": 100, "b": 40}, workers=2)
    forecast.begin("a", now=1000)
    assert forecast.remaining(1030) == 70


def test_the_forecast_learns_how_fast_the_machine_is():
    forecast = Forecast({"a": 30, "b": 100}, workers=1)
    forecast.begin("a", now=0)
    assert forecast.end("a", now=90) == 90  # three times as long as expected
    assert forecast.pace(90) == pytest.approx((30 + 90) / (30 + 30))
    assert forecast.remaining(90) == pytest.approx(200)


def test_the_shown_estimate_never_jumps_up(capsys):
    now = [0.0]
    progress = Progress({"a": 60, "b": 60}, workers=1, shown=False, clock=lambda: now[0])
    shown = []
    progress.begin("a")
    for second in range(1, 300):
        now[0] = second
        if second == 180:  # three times as late as was expected
            progress.end("a")
            progress.begin("b")
        progress.tick()
        shown.append(progress._estimate)
    assert max(later - earlier for earlier, later in pairwise(shown)) < 2
    assert capsys.readouterr().err == ""


def test_each_notebook_is_told_in_a_line(capsys):
    now = [0.0]
    with Progress({"a": 60, "b": 240}, workers=1, clock=lambda: now[0]) as progress:
        for name in "ab":
            progress.begin(name)
            now[0] += 60
            progress.end(name, failed=name == "b")
    lines = capsys.readouterr().err.splitlines()
    begun = "2 notebooks to run: about 5 min"
    assert lines == [
        begun,
        "a: 1 min 0 s (1 of 2 done, about 5 min to go)",
        "b: failed after 1 min 0 s",
    ]


def test_a_quick_run_is_expected_to_be_quicker():
    full = seconds_expected("05-sensitivity", quick=False)
    assert seconds_expected("05-sensitivity", quick=True) < 0.3 * full
    assert seconds_expected("my-idea", quick=False) > 0
