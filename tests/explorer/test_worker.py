"""The newest request wins, whatever comes late."""

import threading
import time

from dynlab.explorer.worker import LatestWorker


class Slow:
    """Work that waits at a gate before each result: gates[request] lets it pass."""

    def __init__(self):
        self.gates, self.shown, self.failed, self.started = {}, [], [], threading.Event()
        self.latest = LatestWorker(self.answers, self.shown.append, self.failed.append)

    def answers(self, request, check):
        self.started.set()
        for step in ("coarse", "fine"):
            self.gates[request].wait(5)
            yield f"{request} {step}"

    def ask(self, request, open_gate=True):
        self.gates[request] = threading.Event()
        if open_gate:
            self.gates[request].set()
        self.latest.ask(request)


def test_results_come_in_order_from_another_thread():
    threads = []
    latest = LatestWorker(
        lambda asked, check: iter([asked, asked + 1]),
        lambda _: threads.append(threading.get_ident()),
        print,
    )
    latest.ask(1)
    assert latest.wait(5)
    assert len(threads) == 2 and threading.get_ident() not in threads


def test_a_late_result_never_comes_after_a_newer_request():
    slow = Slow()
    slow.ask("old", open_gate=False)
    assert slow.started.wait(5)
    slow.ask("new")
    time.sleep(0.05)
    assert slow.shown == []  # the old one still works
    slow.gates["old"].set()  # and is done now, too late
    assert slow.latest.wait(5)
    assert slow.shown == ["new coarse", "new fine"] and slow.failed == []


def test_of_many_requests_only_the_newest_is_answered():
    slow = Slow()
    slow.ask("first", open_gate=False)
    assert slow.started.wait(5)
    for request in ("second", "third", "fourth"):
        slow.ask(request)
    slow.gates["first"].set()
    assert slow.latest.wait(5)
    assert slow.shown == ["fourth coarse", "fourth fine"]


def test_work_that_checks_is_given_up_at_once():
    steps = []

    def answers(request, check):
        for step in range(1000):
            check("arguments of a progress callback are ignored")
            steps.append(request)
            time.sleep(0.002)
            if request == "new":
                yield step
                return

    shown = []
    latest = LatestWorker(answers, shown.append, shown.append)
    latest.ask("old")
    while not steps:
        time.sleep(0.001)
    latest.ask("new")
    assert latest.wait(1) and shown == [0] and steps.count("old") < 500


def test_what_was_dropped_is_not_shown():
    slow = Slow()
    slow.ask("old", open_gate=False)
    assert slow.started.wait(5)
    slow.latest.drop()
    slow.gates["old"].set()
    assert slow.latest.wait(5) and slow.shown == []


def test_what_is_raised_is_told_and_work_goes_on():
    def answers(request, check):
        yield 1 / request

    def show(result):
        if result > 1:
            raise TypeError("cannot be shown")
        shown.append(result)

    shown, failed = [], []
    latest = LatestWorker(answers, show, failed.append)
    for request, kind in ((0, ZeroDivisionError), (0.5, TypeError)):
        latest.ask(request)
        assert latest.wait(5) and isinstance(failed[-1], kind) and shown == []
    latest.ask(2)
    assert latest.wait(5) and shown == [0.5] and len(failed) == 2


def test_an_answer_to_an_outdated_request_may_fail_unheard():
    slow = Slow()
    failing = threading.Event()

    def answers(request, check):
        if request == "old":
            slow.started.set()
            failing.wait(5)
            raise ValueError("too late")
        yield request

    latest = LatestWorker(answers, slow.shown.append, slow.failed.append)
    latest.ask("old")
    assert slow.started.wait(5)
    latest.ask("new")
    failing.set()
    assert latest.wait(5) and slow.shown == ["new"] and slow.failed == []
