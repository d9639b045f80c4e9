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
def patience(clock):
    """One answer has come already; three attempts, ten seconds."""
    patience = RetryPolicy(num_attempts=3, silence_s=10.0, clock=clock)
    patience.begins(key("a"))
    patience.answered(key("a"))
    return patience


def answer(patience, question="other"):
    patience.begins(key(question))
    patience.answered(key(question))


@pytest.mark.parametrize("fault", [BROKEN, AWAY], ids=str)
def test_a_question_that_fails_while_others_are_answered_is_given_up_after_its_attempts(
    patience, fault
):
    patience.begins(key("poison"))
    verdicts = []
    for _ in range(3):
        answer(patience)
        verdicts.append(patience.failed(key("poison"), fault))
    assert verdicts == ["again", "again", "sample"]


def test_being_told_to_slow_down_is_never_a_question_s_own_fault(patience):
    patience.begins(key("q"))
    for _ in range(50):
        answer(patience)
        assert patience.failed(key("q"), THROTTLED) == "again"


@pytest.mark.parametrize("fault", [BROKEN, AWAY, THROTTLED], ids=str)
def test_when_everything_fails_no_question_is_given_up_and_the_run_ends_after_a_while(
    patience, clock, fault
):
    questions = [f"q{i}" for i in range(6)]
    for question in questions:
        patience.begins(key(question))
    for _ in range(10):
        assert {patience.failed(key(question), fault) for question in questions} == {"again"}
        clock.now += 0.9
    clock.now += 1.1
    assert patience.failed(key("q0"), fault) == "run"


def test_an_answer_ends_the_silence(patience, clock):
    for question in "bcdefg":
        patience.begins(key(question))
        patience.failed(key(question), AWAY)
    clock.now += 9.9
    answer(patience)
    clock.now += 9.9
    assert patience.failed(key("b"), AWAY) == "again"
    clock.now += 10.0
    assert patience.failed(key("b"), AWAY) == "run"


def test_at_the_end_a_few_questions_that_the_server_breaks_on_are_given_up_without_waiting(
    patience,
):
    for question in ("x", "y"):
        patience.begins(key(question))
    verdicts = [patience.failed(key(question), BROKEN) for _ in range(3) for question in ("x", "y")]
    assert verdicts == ["again"] * 4 + ["sample"] * 2


def test_in_silence_no_second_question_is_given_up_on_the_same_evidence(patience, clock):
    patience.begins(key("x"))
    assert [patience.failed(key("x"), BROKEN) for _ in range(3)] == ["again", "again", "sample"]
    patience.begins(key("y"))
    assert [patience.failed(key("y"), BROKEN) for _ in range(9)] == ["again"] * 9
    clock.now += 10.0
    assert patience.failed(key("y"), BROKEN) == "run"


def test_in_silence_a_question_is_given_up_with_all_its_samples(patience):
    for index in range(4):
        patience.begins(key("x", index))
    verdicts = [patience.failed(key("x", index), BROKEN) for _ in range(3) for index in range(4)]
    assert verdicts == ["again"] * 8 + ["sample"] * 4


def test_a_server_that_is_away_never_spoils_the_last_questions(patience, clock):
    patience.begins(key("x"))
    for _ in range(20):
        assert patience.failed(key("x"), AWAY) == "again"
    clock.now += 10.0
    assert patience.failed(key("x"), AWAY) == "run"


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
def test_what_concerns_the_model_ends_the_run(patience, status):
    patience.begins(key("x"))
    assert patience.failed(key("x"), ProviderError("no", status)) == "run"
