"""The core alone: what needs an extra says so in one line, before anything is computed."""

import sys

import pytest

from dynlab import compare, load_task
from dynlab._util import extras
from dynlab._util.errors import InputError
from dynlab.cli import main
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.price_list import list_price


@pytest.fixture
def core(monkeypatch, tmp_path):
    """An installation without any extra."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "litellm", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["leaderboard", "reproduce --quick", "explore"])
def test_a_command_without_its_extra_says_what_to_install(core, capsys, command):
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.endswith("run: pip install 'dynlab[notebooks]'\n")
    assert not [*core.iterdir()]


def test_figures_without_matplotlib_say_what_to_install(core, make_pool):
    comparison = compare(make_pool({"q1": "aab", "q2": "abb"}), "uniform", 2, replications=2)
    with pytest.raises(InputError, match=r"dynlab\[notebooks\]"):
        comparison.plot()
    assert comparison.report()  # words need none


def test_a_model_without_litellm_is_not_called_unknown(core, capsys):
    given = "--task capitals --model openai/gpt-4o-mini --samples 2 --out m.parquet".split()
    for more in ([], ["--dry-run"]):
        assert main(["record", *given, *more]) == 2
        assert capsys.readouterr().err.endswith("pip install 'dynlab[live]'\n")
    with pytest.raises(InputError, match=r"dynlab\[live\]"):
        list_price(Endpoint("openai/gpt-4o-mini", "", ""))


def test_a_benchmark_without_the_hub_says_what_to_install(core):
    for name in ("gsm8k", "hf:me/sums?question=q"):
        with pytest.raises(InputError, match=r"huggingface_hub.*dynlab\[hub\]"):
            load_task(name)
