"""One setting of the parameters: what its notebooks depend on, what is recorded for them."""

import pytest
from helpers.tiny_notebooks import notebook

from dynlab._util.errors import InputError
from dynlab.pipeline.cache import Cache
from dynlab.pipeline.run import Run
from dynlab.recordings.recording import load, write


def test_all_that_is_shipped_counts_where_none_is_named(tiny, monkeypatch):
    def key():
        notebooks = {"10-one": tiny / "notebooks" / "10-one.ipynb"}
        ((_, digest),) = Run("", notebooks, tiny / "out", [], {}).keys("")
        return digest

    shipped = tiny / "shipped"
    shipped.mkdir()
    monkeypatch.setattr("dynlab.pipeline.run.folder", lambda name: shipped)
    before = key()
    assert key() == before
    (shipped / "other.parquet").write_bytes(b"drawn anew")
    assert key() != before


@pytest.mark.slow
def test_a_model_is_recorded_once_for_all_notebooks(run, tiny, monkeypatch, make_pool):
    looks = "strategies: list = ['parallel', 'integrated']  # looked at\n"
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("10-one", extra=looks))
    asked = []

    def chosen(recording, **given):
        asked.append(given)
        path = tiny / "out" / "recordings" / "capitals--x.parquet"
        return [load(write(make_pool({"q1": "aab"}), {}, path))]

    monkeypatch.setattr("dynlab.pipeline.run.chosen", chosen)
    given = {"model": "local/x", "task": "capitals", "max_usd": "0.5"}
    with pytest.raises(InputError, match="no notebook has a parameter 'model'"):
        run(parameters=given)
    makes = "model: str = ''  # name\ntask: str = ''  # name\nmax_usd: float = 0.0  # USD\n"
    (tiny / "notebooks" / "11-two.ipynb").write_text(notebook("11-two", extra=makes))
    run(recordings=[], sweep={"a": given | {"factor": 2}, "b": given | {"factor": 3}})
    assert [each["out"] for each in asked] == [tiny / "out"] * 2  # one recording for all settings
    assert asked[0]["max_usd"] == 0.5 and asked[0]["strategies"] == ["parallel", "integrated"]
    entry = Cache(tiny / "out" / "a").entries["10-one"]
    assert entry.parameters == {"factor": 2, "recording": ["capitals--x.parquet"]}
