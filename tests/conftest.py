"""Fixtures of all tests; they are written in `helpers/fixtures.py`."""

import gc
import sys

import pytest
from helpers.fixtures import (  # noqa: F401
    chrome,
    figures_closed,
    first_runs,
    interruptible,
    lab,
    make_pool,
    pool,
    random_pool,
    solve,
    solve_by_http,
    solved,
    sums_model,
    sums_server,
)

# The collector looks through all that LiteLLM and matplotlib hold, a twentieth of the tests' time:
# it does so once a file.
gc.disable()

# as in dynlab.pipeline.execute: jsonschema's grammars take longer to build than all of papermill
sys.modules.setdefault("rfc3987_syntax", None)

# files whose tests take longest: begun last, one would keep all others waiting
LONG = """
test_odd_recordings test_hostile test_solver test_progress test_chains test_explorer_in_browser
test_interrupting test_recorder test_documented_code test_reproduction test_online_policy test_cache
test_openvino test_widget test_provider_batch test_shards test_verification test_reasoners test_job
test_weights test_same_model test_run_audit test_sampler test_evidence test_leaderboards test_curves
test_recording test_client
""".split()

# files whose tests share a process, as those of one file do: one starts what all of them use
TOGETHER = {
    f"tests/{name}.py": what
    for what, names in {
        "a process with LiteLLM, to fork runs from": (
            "integration/test_hostile integration/test_interrupting models/test_openvino"
            " sampling/test_recorder sampling/test_shards"
        ),
        "a browser, JupyterLab": (
            "integration/test_explorer_in_browser integration/test_viewer_in_browser"
            " online/test_progress"
        ),
    }.items()
    for name in names.split()
}

SLOW_S = 1.0  # what takes longer, even on a busy machine, is to be marked `slow`, for `make quick`


def pytest_collection_modifyitems(items):
    """Long files come first; within a file all stays as it is."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """By file, as asked for, but for some files whose tests go to one process together."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = super()._split_scope(nodeid)
            return TOGETHER.get(path, path)

    return Scheduling(config, log)


def pytest_collection_finish():
    """What was imported and collected stays to the end: the collector need not look through it."""
    gc.freeze()


def pytest_runtest_teardown(item, nextitem):
    """Frees what the tests of a file left."""
    if nextitem is not None and nextitem.path != item.path:
        gc.collect(0)  # all that is new since the last time


def pytest_terminal_summary(terminalreporter):
    """Lists the tests that took longer than that and have no mark."""
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])
    ]
    calls = [report for report in reports if report.when == "call"]
    unmarked = [
        f"{report.duration:6.1f} s  {report.nodeid}"
        for report in sorted(calls, key=lambda report: -report.duration)
        if report.duration > SLOW_S and not {"slow", "benchmarks"} & {*report.keywords}
    ]
    if unmarked:
        terminalreporter.section("to be marked slow, if the machine was idle")
        for line in unmarked:
            terminalreporter.line(line)
