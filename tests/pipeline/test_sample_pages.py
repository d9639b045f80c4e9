"""Pages of samples beside the figures: one a recording, made anew where something changed."""

import pytest

from dynlab.pipeline.sample_pages import write_sample_pages


@pytest.fixture
def drawn(tmp_path, make_pool):
    make_pool({"q1": "aab"}).to_csv(tmp_path / "one.csv", index=False)
    odd = make_pool({"q1": "ab", "q2": "a"}, {"q1": "a", "q2": None})
    odd.to_csv(tmp_path / "two.csv", index=False)
    return [tmp_path / "one.csv", tmp_path / "two.csv"]


@pytest.mark.slow
def test_a_page_is_made_anew_where_recording_or_code_changed(drawn, tmp_path, make_pool):
    def again(made_of="code"):
        pages = write_sample_pages(drawn, tmp_path / "out", made_of)
        assert pages == {"one": tmp_path / "out" / "samples" / "one.html"}  # two cannot be told
        return pages["one"].stat().st_mtime_ns

    first = again()
    assert again() == first
    assert again("other code") > first
    second = again("other code")
    make_pool({"q1": "abb"}).to_csv(drawn[0], index=False)
    assert again("other code") > second
