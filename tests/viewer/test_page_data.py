"""What the page takes of a recording: an example by hand, and recordings that lack things."""

import json

import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording, load
from dynlab.viewer.page_data import page_data, text_limit, with_short_texts


@pytest.fixture
def chain():
    """One question: two samples alone, one that was shown both, one that does not vote; greedy."""
    rows = [
        ("integrated", 0, "no", [], True, 10, 5.0, "so no"),
        ("integrated", 1, "yes", [], True, 10, 6.0, "so yes"),
        ("integrated", 2, "yes", [0, 1], True, 30, None, None),
        ("integrated", 3, "yes", [2], False, 30, 7.0, "so yes"),
        ("greedy", 0, "", [], True, 10, 4.0, "well"),
    ]
    names = (
        "strategy sample_index answer parents votes prompt_tokens completion_tokens text".split()
    )
    frame = pd.DataFrame(rows, columns=names).assign(
        question_id="q1", question="Is it?", target="yes", finish_reason="stop", cost_usd=0.00123456
    )
    return Recording(load(frame).frame, {"design": "fixed", "model": "m"}, "made--up")


def test_an_example_by_hand(chain):
    data = page_data(chain)
    assert data["name"] == "made--up" and data["facts"] == [["design", "fixed"], ["model", "m"]]
    assert data["questions"] == {"id": ["q1"], "text": ["Is it?"], "target": ["yes"]}
    one, greedy = data["strategies"]
    assert (one["name"], greedy["name"]) == ("integrated", "greedy")
    # four samples, three votes: one each for "no" at first, then two for "yes"
    assert one["answers"] == [[["yes", 2, 1], ["no", 1, 0]]]
    assert one["starts"] == [0, 4] and one["standings"][one["standing"][0]][0] == "leads"
    assert (one["share"], one["winner"], one["right"]) == ([0.5], [1], 0.75)
    assert one["cost"] == [0.00493824] and "latency" not in one
    samples = one["samples"]
    assert samples["code"] == [1, 0, 0, -1] and samples["silent"] == [None, None, None, ["yes", 1]]
    assert [data["lists"][number] for number in samples["parents"]] == [(), (), (0, 1), (2,)]
    told = [None if n is None else data["strings"][n] for n in samples["text"]]
    assert told == ["so no", "so yes", None, "so yes"] and samples["text"][1] == samples["text"][3]
    assert samples["completion_tokens"] == [5, 6, None, 7] and samples["cost_usd"] == [0.001235] * 4
    assert one["tokens"] == [26]  # the unknown count is the mean of the others
    assert greedy["answers"] == [[]] and greedy["noAnswer"] == 1
    assert json.loads(json.dumps(data, allow_nan=False))["strategies"][0]["starts"] == [0, 4]


def test_answers_stand_in_the_order_of_their_votes(make_pool):
    (one,) = page_data(load(make_pool({"q1": "cabbab", "q2": "b"})))["strategies"]
    assert one["answers"] == [[["b", 3, 0], ["a", 2, 1], ["c", 1, 0]], [["b", 1, 0]]]
    assert one["samples"]["code"] == [2, 1, 0, 0, 1, 0, 0]


def test_answers_alone_are_enough(make_pool):
    data = page_data(load(make_pool({"q1": "ab", "q2": "-a"}, None)))
    (one,) = data["strategies"]
    assert not data["hasTexts"] and data["questions"]["text"] == [None, None]
    assert not one["hasTarget"] and one["right"] is None and "wrong" not in one
    assert set(one["samples"]) == {"stream", "index", "code"}
    assert not {"tokens", "cost", "latency"} & set(one)


def test_targets_that_are_lacking_are_told(make_pool):
    frame = make_pool({"q1": "ab", "q2": "a"}, {"q1": "a", "q2": None})
    with pytest.raises(InputError, match="question 'q2' has no target while others have"):
        page_data(load(frame))


def test_texts_are_cut_in_their_middle_so_that_the_page_is_small(make_pool):
    texts = ["begin " + "x" * size + " end" for size in (10, 5000, 9000)]
    data = page_data(load(make_pool({"q1": "aab"}, text=texts)))
    assert with_short_texts(data, 20_000) == data
    cut = with_short_texts(data, 3000)
    assert sum(map(len, cut["strings"])) == pytest.approx(3000, abs=4)
    assert cut["strings"][0] == texts[0]
    for text in cut["strings"][1:]:
        assert len(text) == cut["cut"] and text.startswith("begin xx") and text.endswith("xx end")
    assert "characters are left out" in cut["strings"][1]
    assert text_limit([3, 3], -5) == 1  # nothing fits: one letter each is left
