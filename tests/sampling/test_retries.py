import pytest

from dynlab.models.provider_errors import ProviderError
from dynlab.sampling.retries import RetryPolicy

BROKEN, AWAY, THROTTLED = (
    ProviderError("broken", 500),
    ProviderError("away"),
    ProviderError("slower", 429),
)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def key(question, index=0):
    return (question, "parallel", 0, index)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def retries(clock):
    """One answer has come already; three attempts, ten seconds."""
    retries = RetryPolicy(num_attempts=3, silence_s=10.0, clock=clock)
    retries.begins(key("a"))
    retries.answered(key("a"))
    return retries


def answer(retries, question="other"):
    retries.begins(key(question))
    retries.answered(key(question))


@pytest.mark.parametrize("error", [BROKEN, AWAY], ids=str)
def test_a_question_that_fails_while_others_are_answered_is_given_up_after_its_attempts(
    retries, error
):
    retries.begins(key("poison"))
    verdicts = []
    for _ in range(3):
        answer(retries)
        verdicts.append(retries.failed(key("poison"), error))
    assert verdicts == ["again", "again", "sample"]


def test_being_told_to_slow_down_is_never_a_question_s_own_fault(retries):
    retries.begins(key("q"))
    for _ in range(50):
        answer(retries)
        assert retries.failed(key("q"), THROTTLED) == "again"


@pytest.mark.parametrize("error", [BROKEN, AWAY, THROTTLED], ids=str)
def test_when_everything_fails_no_question_is_given_up_and_the_run_ends_after_a_while(
    retries, clock, error
):
    questions = [f"q{i}" for i in range(6)]
    for question in questions:
        retries.begins(key(question))
    for _ in range(10):
        assert {retries.failed(key(question), error) for question in questions} == {"again"}
        clock.now += 0.9
    clock.now += 1.1
    assert retries.failed(key("q0"), error) == "run"


def test_a_server_that_was_never_there_is_not_waited_for(clock):
    retries, unreached = RetryPolicy(clock=clock), ProviderError("refused", unreached=True)
    retries.num_answered = 7  # by earlier runs
    retries.begins(key("a"))
    assert [retries.failed(key("a"), unreached) for _ in range(3)] == ["again", "again", "run"]


@pytest.mark.parametrize("sign", [BROKEN, THROTTLED], ids=str)
def test_a_server_that_goes_away_is_waited_for(clock, sign):
    retries, unreached = RetryPolicy(clock=clock), ProviderError("refused", unreached=True)
    retries.begins(key("a"))
    retries.failed(key("a"), sign)
    assert {retries.failed(key("a"), unreached) for _ in range(20)} == {"again"}


def test_an_answer_ends_the_silence(retries, clock):
    for question in "bcdefg":
        retries.begins(key(question))
        retries.failed(key(question), AWAY)
    clock.now += 9.9
    answer(retries)
    clock.now += 9.9
    assert retries.failed(key("b"), AWAY) == "again"
    clock.now += 10.0
    assert retries.failed(key("b"), AWAY) == "run"


def test_at_the_end_a_few_questions_that_the_server_breaks_on_are_given_up_without_waiting(
    retries,
):
    for question in ("x", "y"):
        retries.begins(key(question))
    verdicts = [retries.failed(key(question), BROKEN) for _ in range(3) for question in ("x", "y")]
    assert verdicts == ["again"] * 4 + ["sample"] * 2


def test_in_silence_no_second_question_is_given_up_on_the_same_evidence(retries, clock):
    retries.begins(key("x"))
    assert [retries.failed(key("x"), BROKEN) for _ in range(3)] == ["again", "again", "sample"]
    retries.begins(key("y"))
    assert [retries.failed(key("y"), BROKEN) for _ in range(9)] == ["again"] * 9
    clock.now += 10.0
    assert retries.failed(key("y"), BROKEN) == "run"


def test_in_silence_a_question_is_given_up_with_all_its_samples(retries):
    for index in range(4):
        retries.begins(key("x", index))
    verdicts = [retries.failed(key("x", index), BROKEN) for _ in range(3) for index in range(4)]
    assert verdicts == ["again"] * 8 + ["sample"] * 4


def test_a_server_that_is_away_never_spoils_the_last_questions(retries, clock):
    retries.begins(key("x"))
    for _ in range(20):
        assert retries.failed(key("x"), AWAY) == "again"
    clock.now += 10.0
    assert retries.failed(key("x"), AWAY) == "run"


def test_a_refusal_spoils_a_sample_only_once_something_was_answered():
    refused = ProviderError("bad setting", 400)
    fresh = RetryPolicy(clock=Clock())
    fresh.begins(key("x"))
    assert [fresh.failed(key("x"), refused) for _ in range(3)] == ["again", "again", "run"]
    fresh.begins(key("x"))
    answer(fresh)
    assert fresh.failed(key("x"), refused) == "sample"


def test_a_filtered_question_says_nothing_about_the_settings():
    fresh = RetryPolicy(clock=Clock())
    fresh.begins(key("x"))
    assert (
        fresh.failed(key("x"), ProviderError("content filter", 400, about_content=True)) == "sample"
    )


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_concerns_the_model_ends_the_run(retries, status):
    retries.begins(key("x"))
    assert retries.failed(key("x"), ProviderError("no", status)) == "run"
