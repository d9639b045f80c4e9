"""The GitHub workflows, and the one that a guide gives to users: they push nothing."""

import re
from pathlib import Path

import pytest
import yaml

from dynlab.cli.parser import _parser

ROOT = Path(__file__).resolve().parents[2]
OURS = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
SITE = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
GUIDE = (ROOT / "notebooks" / "guides" / "pipeline.md").read_text(encoding="utf-8")
THEIRS = re.findall(r"```yaml\n(on: .*?|# \.github.*?)```", GUIDE, flags=re.S)
MAJOR = {
    "actions/checkout": "v4",
    "actions/setup-python": "v5",
    "actions/upload-artifact": "v4",
    "actions/cache": "v4",
    "actions/upload-pages-artifact": "v3",
    "actions/deploy-pages": "v4",
}


def steps(text):
    return [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]


def test_our_workflow_tests_two_pythons():
    workflow = yaml.safe_load(OURS)
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"][0] == "3.11"
    commands = [step["run"] for step in steps(OURS) if "run" in step]
    assert "make test" in commands
    (draws,) = [command for command in commands if command.startswith("make reproduce")]
    (upload,) = [
        step for step in steps(OURS) if step.get("uses", "").startswith("actions/upload-artifact")
    ]
    assert "--quick" in draws and upload["with"]["path"] == "quick-figures"
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test:", targets, re.M) and re.search(r"^reproduce:", targets, re.M)


def test_the_guides_workflow_is_short():
    (text,) = THEIRS
    assert len(text.splitlines()) <= 20
    (draws,) = [step["run"] for step in steps(text) if step.get("run", "").startswith("dynlab ")]
    given = _parser().parse_args(draws.split()[1:])
    assert given.recording and given.run


def test_the_site_is_built_for_every_change_and_published_from_main():
    jobs = yaml.safe_load(SITE)["jobs"]
    assert "make docs" in [step.get("run") for step in jobs["build"]["steps"]]
    (upload,) = [step for step in jobs["build"]["steps"] if "pages" in step.get("uses", "")]
    config = (ROOT / ".docs" / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"site_dir: ../{upload['with']['path']}\n" in config
    assert jobs["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    for condition in (upload["if"], jobs["publish"]["if"]):
        assert condition.startswith("github.ref == 'refs/heads/main'")
    assert "permissions" not in jobs["build"]


@pytest.mark.parametrize("text", [OURS, SITE, *THEIRS])
def test_a_workflow_pins_major_versions_and_may_only_read(text):
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in steps(text) if "uses" in step]
    assert used and all(
        MAJOR[name] == version for name, version in (each.split("@") for each in used)
    )
    assert not re.search(r"git push|secrets\.|pull_request_target", text)
