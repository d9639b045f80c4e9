"""Public pools, downloaded from a stand-in on loopback and compared with the same cells recorded
elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers.fixtures import POOLS

from dynlab._util.errors import InputError
from dynlab.cli.parser import main
from dynlab.recordings import public_pools
from dynlab.recordings.public_pools import Pool, fetch, normalised, pool_named, pools
from dynlab.recordings.recording import load

RAW = POOLS.parent / "raw" / "boinf"


class _Quiet(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *args):
        self.asked.append(self.path)


@pytest.fixture
def serve():
    """A loopback server of a folder: serve(folder) → (its address, the paths asked for)."""
    servers = []

    def start(folder: Path):
        asked: list[str] = []
        handler = type("Handler", (_Quiet,), {"asked": asked})
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A published file of two questions, known by its checksum: its folder."""
    questions = [
        {
            "problem_num": 0,
            "gold_answer": "073",
            "all_answers": [["73", 9], [None, 0], ["m+n=\\mathbf{73}", 8]],
        },
        {
            "problem_num": 1,
            "gold_answer": "5",
            "all_answers": [["\\frac{1}{2}", 7], ["5", 6], ["", 5]],
        },
    ]
    content = "".join(json.dumps(question) + "\n" for question in questions).encode()
    file = "analysis_aime2025_tiny.jsonl"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / file).write_bytes(content)
    pool = Pool("aime2025", "tiny", file, hashlib.sha256(content).hexdigest(), len(content))
    monkeypatch.setattr(public_pools, "pools", lambda: {pool.name: pool})
    return tmp_path / "www"


def test_every_listed_file_has_a_name_a_checksum_and_a_size():
    assert len(pools()) == 35
    assert {pool.dataset for pool in pools().values()} == {
        "aime2024",
        "aime2025",
        "gpqa_diamond",
        "math500",
    }
    assert all(len(pool.sha256) == 64 and pool.num_bytes > 40_000 for pool in pools().values())
    assert (
        pool_named("aime2025--LIMO-v2").source
        == "jkomiyama/BoInf-code-publish@fbcb0970b0e2:boinf/jsonl/analysis_aime2025_LIMO-v2.jsonl"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["aime2025--LIMO-v2", "aime2025--gpt-oss-20b", "gpqa_diamond--gpt-oss-20b"]
)
def test_a_fetched_pool_is_the_one_recorded_elsewhere(name, pool, serve, tmp_path):
    if not (RAW / pool_named(name).file).exists():
        pytest.skip("the published files are not beside the project")
    mirror, _ = serve(RAW)
    ours = load(fetch(name, mirror=mirror, out=tmp_path / "out"))
    theirs = load(pool(name)).frame
    assert ours.card["licence"].startswith("MIT") and ours.design == "fixed"
    key = ["question_id", "sample_index"]
    assert ours.frame[key].equals(theirs[key])
    for column in ("target", "dataset", "model", "source", "completion_tokens"):
        assert ours.frame[column].equals(theirs[column].astype(ours.frame[column].dtype)), column
    assert ((ours.frame["answer"] == ours.frame["target"]) == theirs["correct"]).all()
    assert ((ours.frame["answer"] == "") == (theirs["answer"] == "")).all()
    assert (
        ours.frame["answer"] != theirs["answer"]
    ).sum() <= 2  # wrong answers, such as 191.5 for 383/2


def test_a_pool_is_downloaded_once(tiny, serve, tmp_path):
    mirror, asked = serve(tiny)
    path = fetch("aime2025--tiny", mirror=mirror)
    assert path.is_relative_to(tmp_path / "cache")
    frame = load(path).frame
    assert frame["answer"].tolist() == ["73", "", "73", "\\frac{1}{2}", "5", ""]
    assert frame["completion_tokens"].isna().tolist() == [False, True, False, False, False, False]
    fetch("aime2025--tiny", mirror=mirror, out=tmp_path / "elsewhere")
    assert asked == ["/analysis_aime2025_tiny.jsonl"]


def test_the_command_says_the_licence_before_it_downloads(tiny, serve, tmp_path, capsys):
    mirror, _ = serve(tiny)
    given = [
        "recordings",
        "fetch",
        "aime2025--tiny",
        "--mirror",
        mirror,
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(given) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "licence MIT" in first and "jkomiyama/BoInf-code-publish@fbcb0970b0e2" in first
    assert second == f"wrote {tmp_path / 'out' / 'aime2025--tiny.parquet'}"


def failed(capsys, *given):
    assert main(["recordings", "fetch", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_changed_file_is_refused_and_not_kept(tiny, serve, cache, capsys):
    (tiny / "analysis_aime2025_tiny.jsonl").write_text("{}")
    mirror, _ = serve(tiny)
    assert "wrong checksum" in failed(capsys, "aime2025--tiny", "--mirror", mirror)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_without_network_or_file_one_line_says_what_to_do(tiny, serve, capsys):
    mirror, _ = serve(tiny)
    (tiny / "analysis_aime2025_tiny.jsonl").unlink()
    assert "(404 File not found)" in failed(capsys, "aime2025--tiny", "--mirror", mirror)
    assert "check the network" in failed(capsys, "aime2025--tiny", "--mirror", "http://127.0.0.1:9")


def test_without_pooch_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setattr(public_pools, "find_spec", lambda name: None)
    assert "pip install 'dynlab[public]'" in failed(capsys, "aime2025--LIMO-v2")


def test_an_unknown_name_lists_the_names(capsys):
    assert "did you mean 'aime2025--LIMO-v2'" in failed(capsys, "aime2025--LIMO")


def test_a_cache_that_cannot_be_written_to_is_named(tiny, serve, tmp_path, monkeypatch):
    mirror, _ = serve(tiny)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="set DYNLAB_CACHE"):
        fetch("aime2025--tiny", mirror=mirror)


@pytest.mark.parametrize(
    ("answer", "dataset", "expected"),
    [
        ("089", "aime2024", "89"),
        ("\\displaystyle\\frac{487}{3}", "aime2025", "\\frac{487}{3}"),
        ("R=1+27=\\mathbf{204}", "aime2025", "204"),
        ("(\\mathrm{B})", "gpqa_diamond", "B"),
        ("\\text{(C)}\\; \\approx 0.53", "gpqa_diamond", "C"),
        ("E", "gpqa_diamond", "other:e0184ade"),
        ("x = 5", "math500", "x=5"),
    ],
)
def test_answers_are_normalised_by_data_set(answer, dataset, expected):
    assert normalised(answer, dataset) == expected
