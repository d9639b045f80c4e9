"""Every command and block of code of the README and the guides is run, as a reader would.

A model's place is taken by a server on loopback, two questions stand for a task, and notebooks and
JupyterLab, which have tests of their own, are called but not started.
"""

from __future__ import annotations

import re
import shlex
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.documented_code import ROOT, blocks, commands, installs, lay_out, makes
from helpers.scripted_server import ScriptedServer

from dynlab.cli import main
from dynlab.cli.parser import _parser
from dynlab.pipeline.run import Run

GUIDES = sorted((ROOT / "notebooks" / "guides").glob("*.md"))
RUN = [
    page
    for page in (ROOT / "README.md", *GUIDES)
    if {"sh", "python"} & {language for language, _ in blocks(page)}
]
READ = [ROOT / ".github" / "CONTRIBUTING.md", ROOT / "data" / "models" / "recipe" / "README.md"]
SHOWN = {"text", "yaml", "bibtex"}  # output, or checked elsewhere
parser = cache(_parser)  # which takes longer to make than to ask
FEWER = {  # what keeps a command short, where it doesn't say so itself
    "compare": ["--replications", "20"],
    "leaderboard": ["--replications", "2", "--at", "4"],
    "power": ["--simulations", "20", "--questions", "20", "--samples", "16"],
    "record": ["--limit", "2", "--concurrency", "8"],
    "solve": ["--limit", "2", "--concurrency", "8"],
}


@pytest.fixture(scope="module")
def model():
    """A model on loopback that always says the same."""
    with ScriptedServer(lambda call: "Paris. Answer: 4") as server:
        yield server


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    lay_out(folder)
    return folder


@pytest.fixture
def desk(tmp_path, files, model, monkeypatch):
    """A folder with a reader's files, where models, notebooks and downloads have stand-ins."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", model.address)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # as our client sets it
    monkeypatch.setattr("dynlab.pipeline.reproduction._run_all", lambda due, progress: None)
    monkeypatch.setattr("dynlab.pipeline.reproduction.environment", str)
    monkeypatch.setattr("dynlab.pipeline.run.Run.make_recordings", found)
    monkeypatch.setattr("dynlab.pipeline.reproduction.write_sample_pages", lambda *_: {})
    monkeypatch.setattr("dynlab.cli.explore._run", lambda command: 0)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    monkeypatch.setattr("dynlab.recordings.public_pools.fetch", lambda name, **given: name)
    return tmp_path


def found(run: Run, out: Path) -> None:
    """In place of reading all the recordings that notebooks will draw."""
    assert all(path.is_file() for path in run._files)


def known(model: str) -> bool:
    """Whether a model's name is one: local, or of a provider that LiteLLM knows."""
    import litellm

    from dynlab.models import WEIGHTS

    provider, _, name = model.partition("/")
    own = {"PATH.gguf", *(each.removeprefix("local/") for each in WEIGHTS)}
    return name in own if provider == "local" else provider in litellm.provider_list


def dynlab(words: list[str]) -> None:
    """One of our commands: read by the real parser, then run."""
    if words == ["--version"]:
        with pytest.raises(SystemExit, match="0"):
            main(words)
        return
    given = parser().parse_args(words)
    if words[0] == "record" and not Path(f"{given.out}.sqlite").exists():
        Path(given.out).unlink(missing_ok=True)  # the page makes its own
    if hasattr(given, "model"):
        models = given.model.split(",")
        assert all(map(known, models))
        stand_in = ",".join(["openai/gpt-4o-mini", "openai/gpt-4o"][: len(models)])
        words = [stand_in if word == given.model else word for word in words]
    if "--api-base" in words:  # the server of all commands stands in for these
        at = words.index("--api-base")
        assert re.fullmatch(r"http://localhost:\d+(/v1)?(,http://localhost:\d+/v1)?", words[at + 1])
        words = words[:at] + words[at + 2 :]
    fewer = FEWER.get(words[0], [])
    pairs = zip(fewer[::2], fewer[1::2], strict=True)
    words = words + [each for pair in pairs if pair[0] not in words for each in pair]
    assert main(words) == 0, shlex.join(words)


def other(words: list[str], desk: Path) -> bool:
    """Whether a command that isn't ours is right."""
    program, *rest = words
    if program in ("pip", "make"):
        return installs(words) if program == "pip" else makes(words)
    if program == ".":
        return rest == [".venv/bin/activate"]
    if program == "head":
        return (desk / rest[-1]).is_file()
    if program == "pytest":
        return (ROOT / rest[0]).exists()
    if program == "python" and rest[0] == "-m":
        found = find_spec(rest[1])
        text = Path(found.origin).read_text(encoding="utf-8") if found else ""
        return bool(text) and all(word in text for word in rest[2:] if word[:2] == "--")
    return program == "llama-server" or program.startswith("W=")


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_block_runs(page, desk, monkeypatch):
    space: dict[str, object] = {}
    for language, code in blocks(page):
        if language == "python":
            exec(compile(code, page.name, "exec"), space)
        elif language == "sh":
            for words in commands(code):
                if words[0] == "dynlab":
                    dynlab(words[1:])
                else:
                    assert other(words, desk), shlex.join(words)
        else:
            assert language in SHOWN


@pytest.mark.parametrize("page", READ, ids=lambda page: page.parent.name)
def test_every_command_of_other_pages_can_be_given(page, tmp_path):
    for language, code in blocks(page):
        assert language in ("python", "sh")
        if language == "python":
            compile(code, page.name, "exec")
            continue
        for words in commands(code):
            if words[0] == "dynlab":
                assert parser().parse_args(words[1:]).run
            else:
                assert other(words, tmp_path), shlex.join(words)
