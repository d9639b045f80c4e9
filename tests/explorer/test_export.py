"""A setting taken along: code and parameters that give the same numbers elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import papermill
import pytest

from dynlab._util.errors import InputError
from dynlab._util.shipped_files import named
from dynlab.explorer.export import code_of, parameters_of, save_parameters, takers
from dynlab.explorer.state import ControlValues
from dynlab.recordings.recording import load, shipped, write

SETTING = ControlValues("pool", budget=4, replications=25)
OTHER = {
    "policies": ("priced(warmup=3)+esc(window=4)", "oracle", "ucb(exploration=0.25, warmup=3)"),
    "unit": "tokens",
    "seed": 3,
}


def numbers(table):
    return table.drop(columns="allocator")  # there without the settings that have columns


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{}, OTHER], ids=["plain", "other"])
def test_copied_code_gives_the_numbers_of_the_view(bench, changed, tmp_path):
    path = write(bench.given["pool"].frame, {}, tmp_path / "my pool.parquet")
    setting = replace(SETTING, recording=str(path), **changed)
    view = bench.view(setting)
    made: dict = {}
    exec(code_of(setting, view.material.longest), made)
    pd.testing.assert_frame_equal(numbers(made["curves"]), numbers(view.curves), check_exact=True)
    pd.testing.assert_frame_equal(numbers(made["savings"]), numbers(view.saved), check_exact=True)
    made = {"recording": load(path)}
    exec(code_of(setting, view.material.longest, is_named=False), made)
    pd.testing.assert_frame_equal(numbers(made["curves"]), numbers(view.curves), check_exact=True)


def test_saved_parameters_are_those_of_the_notebooks(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(bench.given["pool"].frame, {}, tmp_path / "pool 'a'.parquet")
    setting = replace(SETTING, recording="pool 'a'.parquet", policies=("uniform+doubling", "ucb"))
    path = save_parameters(setting, 24, tmp_path / "here")
    assert path == tmp_path / "here" / "explorer-pool-a-.yaml"
    loaded = papermill.iorw.read_yaml_file(str(path))
    assert loaded == parameters_of(setting, 24) | {"recording": str(tmp_path / "pool 'a'.parquet")}
    for notebook, unknown in (
        ("07-explorer", {"units"}),
        ("01-accuracy-vs-cost", {"unit", "budget"}),
    ):
        known = papermill.inspect_notebook(str(named("notebooks", (".ipynb",))[notebook]))
        assert set(loaded) - set(known) == unknown
        for name in set(loaded) - unknown:
            assert type(loaded[name]).__name__ == known[name]["inferred_type_name"]
    with pytest.raises(InputError, match="write the recording to a file first"):
        save_parameters(replace(setting, recording="gone.parquet"), 24)


def test_every_shipped_recording_is_saved_by_its_name(tmp_path):
    for name in shipped():  # qwen2.5-coder-1.5b has a dot, and is no file
        path = save_parameters(ControlValues(recording=name), 16, tmp_path)
        assert path.name == f"explorer-{name}.yaml"
        assert papermill.iorw.read_yaml_file(str(path))["recording"] == name


def test_a_recording_that_lies_elsewhere_keeps_its_address(tmp_path):
    address = "hf://datasets/me/samples/data/mine.parquet"
    path = save_parameters(ControlValues(recording=address), 24, tmp_path)
    assert path.name == "explorer-mine.yaml" and f'recording: "{address}"' in path.read_text()


def test_parameters_give_the_setting_back():
    setting = replace(SETTING, **OTHER)
    made = parameters_of(setting, 24)
    assert json.loads(json.dumps(made)) == made
    known = {name: made[name] for name in ControlValues.__dataclass_fields__}
    known |= {"policies": tuple(made["policies"]), "strategy": made["strategy"] or None}
    assert ControlValues(**known) == setting


def test_notebooks_that_take_the_parameters_are_there(tmp_path):
    assert all(path.is_file() for path in takers(tmp_path))
    (tmp_path / "07-explorer--pool.ipynb").touch()
    assert [path.name for path in takers(tmp_path)] == [
        "07-explorer--pool.ipynb",
        "01-accuracy-vs-cost.ipynb",
    ]
