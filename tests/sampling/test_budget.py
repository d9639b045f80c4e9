import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab._util.errors import BudgetError, InputError
from dynlab._util.options import Limits, Sampling
from dynlab._util.values import Request, Usage
from dynlab.models.prices import Price, believed, billable, shared_out, worst_case
from dynlab.sampling.budget import Ledger, Spending, cost, excess

AMOUNTS = st.integers(0, 10**6)
SPENDINGS = st.builds(Spending, st.just(1), AMOUNTS, AMOUNTS)


def test_unknown_amounts_stay_unknown_and_exceed_every_cap():
    unknown = Spending(1, None, None)
    assert (Spending(1, 2, 3) + unknown) == Spending(2, None, None)
    assert excess(Limits(tokens=10**9), unknown) and excess(Limits(usd=1e9), unknown)
    assert not excess(Limits(calls=1), unknown)
    with pytest.raises(InputError, match="give --price IN,OUT"):
        Ledger(Limits(usd=1.0), spent=Spending(1, 2, None))
    for limits in (Limits(usd=1.0), Limits(tokens=9)):  # where no price helps
        with pytest.raises(InputError, match="only a limit of calls can be kept"):
            Ledger(limits, spent=unknown)


@pytest.mark.parametrize("most", [-1, math.nan, math.inf, 1e300, 10**30])
@pytest.mark.parametrize("name", ["usd", "tokens", "calls"])
def test_caps_that_cannot_be_kept_are_refused(name, most):
    with pytest.raises(
        InputError, match=rf"the limit of {name} is {re.escape(str(most))}: .* from 0 to 1e\+15"
    ):
        Limits(**{name: most})


def test_ten_calls_of_ten_cents_fit_one_dollar_exactly():
    ledger, call = Ledger(Limits(usd=1.0)), cost(Usage(100_000, 0), Price(1.0, 0.0))
    for _ in range(10):
        assert ledger.fits(call)
        ledger.hold(call)
        ledger.settle(call, call)
    assert ledger.spent.usd == 1.0 and not ledger.fits(call)
    assert isinstance(ledger.refusal(call), BudgetError)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(SPENDINGS, st.sampled_from(["settle", "keep", "release", "fly"])), max_size=40
    ),
    AMOUNTS,
)
def test_no_order_of_events_passes_a_cap(events, cap):
    """Against a plain account: what is spent, lost and in flight never sums up to more than the
    cap.
    """
    ledger = Ledger(Limits(tokens=cap))
    spent = lost = flying = 0
    for worst, what in events:
        assert ledger.fits(worst) == (spent + lost + flying + worst.tokens <= cap)
        if not ledger.fits(worst):
            continue
        ledger.hold(worst)
        if what == "settle":
            ledger.settle(worst, Spending(1, worst.tokens // 2, 0))
            spent += worst.tokens // 2
        elif what == "keep":
            ledger.keep(worst)
            lost += worst.tokens
        elif what == "release":
            ledger.settle(worst, Spending())
        else:
            flying += worst.tokens
        assert (ledger.spent.tokens, ledger.reserved.tokens, ledger.held.tokens) == (
            spent,
            lost,
            flying,
        )
        assert ledger.total.tokens <= cap


@given(st.permutations([Usage(p, c) for p, c in ((1, 2), (333, 7), (12, 0), (9, 99))]))
def test_the_order_in_which_calls_settle_changes_no_total(usages):
    total = sum((cost(usage, Price(0.15, 0.6)) for usage in usages), Spending())
    assert total.picousd == 355 * 150_000 + 108 * 600_000


def test_unknown_tokens_have_an_unknown_price():
    assert Price(1.0, 2.0).cost_usd(Usage(None, 5)) is None
    assert Price(1.0, 2.0).billed_usd(Usage(5, None)) is None
    assert cost(Usage(5, None), Price(1.0, 2.0)) == Spending(1, None, None)


def request(prompt=None, messages=None):
    return Request("q", "parallel", 0, 0, Sampling(max_tokens=8), 0, prompt, messages)


@pytest.mark.slow
@given(st.text(max_size=50), st.integers(1, 5))
def test_the_worst_case_covers_every_byte_of_the_prompt_and_every_answer(text, num):
    completion = worst_case(request(prompt=text), num)
    chat = worst_case(request(messages=({"role": "user", "content": text},)), num)
    length = len(text.encode(errors="replace"))
    assert completion.prompt_tokens > length and chat.prompt_tokens > length + 100
    assert completion.completion_tokens == chat.completion_tokens == 8 * num


@pytest.mark.parametrize(
    "usage", [Usage(), Usage(-1, 1), Usage(1, -1), Usage(101, 1), Usage(1, 11), Usage(None, 1)]
)
def test_counts_beyond_the_worst_case_or_below_zero_are_not_believed(usage):
    assert believed(usage, Usage(100, 10)) == Usage()


@pytest.mark.parametrize(
    ("usage", "most"),
    [
        (Usage(), (100, 10)),
        (Usage(-1, 11), (100, 10)),
        (Usage(1, 10**30), (100, 10)),
        (Usage(1, 11), (100, 11)),
        (Usage(101, 1), (101, 10)),
    ],
)
def test_what_is_counted_beyond_the_worst_case_may_be_billed(usage, most):
    prompt, completion = most  # all of which may be reasoning
    assert billable(usage, Usage(100, 10, 10)) == Usage(prompt, completion, completion)


def test_counts_within_the_worst_case_are_believed():
    assert believed(Usage(100, 10, 3), Usage(100, 10)) == Usage(100, 10, 3)


@pytest.mark.slow
@given(
    st.integers(0, 500), st.lists(st.integers(0, 80), min_size=2, max_size=8), st.integers(1, 300)
)
def test_a_call_s_tokens_are_shared_out_without_loss_and_longer_answers_get_no_fewer(
    completion, lengths, prompt
):
    price, usage = Price(1.0, 10.0, reasoning=40.0), Usage(prompt, completion, completion // 2)
    shares = shared_out(usage, lengths, price)
    tokens = [share.completion_tokens for share in shares]
    assert sum(tokens) == completion and {share.prompt_tokens for share in shares} == {prompt}
    assert all(
        a <= b + 1
        for la, a in zip(lengths, tokens, strict=True)
        for lb, b in zip(lengths, tokens, strict=True)
        if la < lb
    )
    assert sum(share.billed_usd for share in shares) == pytest.approx(price.cost_usd(usage))
