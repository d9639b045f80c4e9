"""Fixtures of all tests; they are written in `helpers/fixtures.py`."""

import sys

from helpers.fixtures import (  # noqa: F401
    figures_closed,
    first_runs,
    interruptible,
    make_pool,
    pool,
    random_pool,
    solve,
    solved,
    sums_server,
)

# as in dynlab.pipeline.execute: jsonschema's grammars take longer to build than all of papermill
sys.modules.setdefault("rfc3987_syntax", None)

SLOW_S = 1.0  # what takes longer, even on a busy machine, is to be marked `slow`, for `make quick`


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
