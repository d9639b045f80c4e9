"""What is exported holds the recording: imported again, it is the same."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile

import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.cli.parser import main
from dynlab.recordings import blocks
from dynlab.recordings.exports import TARGETS, export_recording, inspect_log
from dynlab.recordings.importing import import_recording
from dynlab.recordings.recording import Recording, load, write
from dynlab.recordings.schema import validated

ROW = {"question_id": "q/1", "question": "2+2?", "target": "Four", "model": "tiny", "text": " 4"}
CHAIN = {"strategy": "integrated", "role": "chained", "parents": [0], "awaited": [0]}
ROWS = [
    ROW | {"sample_index": 0, "answer": "four", "correct": True, "mean_logprob": -0.1},
    ROW | {"sample_index": 1, "answer": "", "correct": False, "prompt_tokens": 9},
    ROW | {"strategy": "greedy", "sample_index": 0, "answer": "five", "correct": False},
    ROW | {"strategy": "integrated", "sample_index": 0, "answer": "five", "text": "so <5>"},
    ROW | CHAIN | {"sample_index": 1, "answer": "four", "text": None, "correct": True},
    ROW | {"question_id": "q2", "sample_index": 0, "answer": "7", "target": None, "text": None},
]
ROWS[0] |= {"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 4, "cost_usd": 0.5}
ROWS[3] |= {"finish_reason": "length", "latency_s": 2.5, "votes": True}
FAILED = ROW | {"sample_index": 2, "answer": "", "text": "cut", "votes": False}
FAILED |= {"finish_reason": "error: no reply"}
CARD = {"design": "fixed", "model": "tiny", "date": "2026-11-28", "weights_license": "MIT"}


@pytest.fixture
def recording():
    return Recording(validated(pd.DataFrame([*ROWS, FAILED]), "rows"), CARD, "odd name|<b>")


def same(made, frame):
    known = frame.dropna(axis="columns", how="all")
    pd.testing.assert_frame_equal(made[known.columns], known, check_dtype=False)
    assert set(made.columns) == set(known.columns)


def again(recording, to, path):
    made = load(
        import_recording(
            export_recording(recording, to, path).path, None, path.with_suffix(".parquet")
        )
    )
    return made.frame, dict(made.card)


@pytest.mark.slow
def test_a_log_of_inspect_holds_all_of_a_recording(tmp_path, recording):
    frame, card = again(recording, "inspect", tmp_path / "log.eval")
    same(frame, recording.frame)
    assert card.items() >= CARD.items() and card["imported"] == "inspect"
    assert card["reported"] == {
        "greedy/accuracy": 0.0,
        "integrated/accuracy": 0.5,
        "parallel/accuracy": pytest.approx(1 / 3),
    }


def inspect_samples(path):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith("samples/")]
        return {name: json.loads(archive.read(name)) for name in names}


def test_a_chained_sample_of_inspect_tells_what_it_was_shown(tmp_path, recording):
    path = export_recording(recording, "inspect", tmp_path / "log.eval").path
    samples = inspect_samples(path)
    assert [(each["epoch"], *each["scores"]) for each in samples.values()][:6] == [
        (1, "parallel"),
        (2, "parallel"),
        (3, "parallel"),
        (4, "integrated"),
        (5, "integrated"),
        (6, "greedy"),
    ]
    chained = samples["samples/q/1_epoch_5.json"]
    asked, shown, answer = chained["messages"]
    assert asked["content"] == "2+2?" and "Sample 0:\nso <5>" in shown["content"]
    assert answer["content"] == "four"  # its text was not kept
    assert chained["scores"] == {"integrated": {"value": "C", "answer": "four"}}
    usage = samples["samples/q/1_epoch_1.json"]["output"]["usage"]
    assert usage == {
        "input_tokens": 5,
        "output_tokens": 2,
        "total_tokens": 11,
        "input_tokens_cache_read": 4,
    }
    failed = samples["samples/q/1_epoch_3.json"]
    assert failed["error"]["message"] == "no reply" and failed["output"]["choices"] == []


@pytest.mark.slow
def test_a_log_is_the_same_bytes_again(tmp_path, recording):
    paths = [
        export_recording(recording, "inspect", tmp_path / name).path
        for name in ("a.eval", "b.eval")
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.slow
def test_samples_of_lm_eval_hold_the_independent_ones(tmp_path, recording):
    path = tmp_path / "samples_sums.jsonl"
    made = export_recording(recording, "lm-eval", path)
    assert made.notes == (
        "left out, since lm-eval's files hold independent samples alone: 1 greedy, 2 integrated",
    )
    frame, card = again(recording, "lm-eval", path)
    same(frame, recording.frame[recording.frame["strategy"] == "parallel"].reset_index(drop=True))
    assert card.items() >= CARD.items()
    assert card["reported"] == {"exact_match,dynlab": pytest.approx(1 / 3)}
    first = json.loads(path.read_text().splitlines()[0])
    assert first["resps"] == [[" 4", " 4", "cut"]]
    assert first["filtered_resps"] == [["four", "[invalid]", "[invalid]"]]


@pytest.mark.slow
def test_a_design_that_depends_on_answers_stays_told(tmp_path, recording):
    adaptive = dataclasses.replace(recording, card=CARD | {"design": "adaptive"})
    for to, name in (("inspect", "a.eval"), ("lm-eval", "b.jsonl")):
        assert again(adaptive, to, tmp_path / name)[1]["design"] == "adaptive"


@pytest.mark.slow
def test_simulated_samples_say_so_everywhere(tmp_path, recording):
    simulated = dataclasses.replace(recording, card=CARD | {"simulated": {"seed": 0}})
    for to, name, told in (
        ("inspect", "a.eval", "integrated/accuracy"),
        ("lm-eval", "b.jsonl", "exact_match,simulated"),
    ):
        written = export_recording(simulated, to, tmp_path / name).path
        made = load(import_recording(written, None, tmp_path / f"{to}.parquet"))
        assert made.simulated and told in made.card["reported"]
    with zipfile.ZipFile(tmp_path / "a.eval") as archive:
        assert json.loads(archive.read("header.json"))["eval"]["task"].startswith("simulated--")
    page = export_recording(simulated, "hub", tmp_path / "set").path / "README.md"
    assert "\nSimulated samples" in page.read_text() and "synthetic" in page.read_text()


@pytest.mark.slow
def test_a_folder_for_the_hub_is_the_recording_and_its_card(tmp_path, recording):
    out = tmp_path / "set"
    made = export_recording(recording, "hub", out)
    assert [re.sub(r"/\S*/", "", note) for note in made.notes] == [
        "no licence of the samples is known: say one in README.md first",
        "to upload it: hf upload OWNER/odd-name-b set . --repo-type dataset",
    ]
    held = load(out / "data" / "odd-name-b.parquet")
    same(held.frame, recording.frame)
    assert held.card.items() >= CARD.items()
    page = (out / "README.md").read_text(encoding="utf-8")
    assert "| parallel | 2 | 4 | 50.0% | 0.333 | 2.0 |" in page
    assert "| Licence of the weights | MIT |" in page
    assert held.card["digest"] in page and "<b>" not in page.partition("---\n\n")[2]
    with pytest.raises(InputError, match="is not empty"):
        export_recording(recording, "hub", out)


@pytest.mark.slow
def test_the_header_of_a_data_set_is_what_the_hub_reads(tmp_path, recording):
    from huggingface_hub import DatasetCard

    licensed = dataclasses.replace(recording, card=CARD | {"licence": "MIT (said in its README)"})
    made = export_recording(licensed, "hub", tmp_path / "set")
    assert len(made.notes) == 1
    header = DatasetCard.load(tmp_path / "set" / "README.md").data.to_dict()
    assert header["license"] == "mit" and header["size_categories"] == ["n<1K"]
    assert header["pretty_name"] == "odd name|<b>"
    (config,) = header["configs"]
    (files,) = config["data_files"]
    assert (tmp_path / "set" / files["path"]).is_file()


@pytest.mark.parametrize(
    ("to", "out", "message"),
    [
        ("inspect", "x.json", "ends in .eval"),
        ("lm-eval", "x.eval", "end in .jsonl"),
        ("hub", "there", "is not empty"),
        ("excel", "x.eval", "'hub', 'inspect', 'lm-eval'"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, recording, to, out, message):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=message):
        export_recording(recording, to, tmp_path / out)
    assert not (tmp_path / "x.json").exists()


def test_chains_alone_are_no_samples_of_lm_eval(tmp_path, recording):
    chains = recording.frame[recording.frame["strategy"] == "integrated"]
    only = dataclasses.replace(recording, frame=chains.reset_index(drop=True))
    with pytest.raises(InputError, match="export it --to inspect"):
        export_recording(only, "lm-eval", tmp_path / "x.jsonl")


def test_the_command_says_what_it_left_out(tmp_path, capsys, recording):
    source = tmp_path / "mine.jsonl"
    rows = [ROW | {"sample_index": 0, "answer": "4"}, ROWS[2]]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "samples_x.jsonl"
    flags = ["recordings", "export", str(source), "--to", "lm-eval", "--out", str(out)]
    assert main(flags) == 0
    told = capsys.readouterr()
    assert "1 greedy" in told.err and told.out == f"wrote {out}\n"
    assert main(flags) == 2
    assert "is there already" in capsys.readouterr().err
    assert set(TARGETS) == {"inspect", "lm-eval", "hub"}


@pytest.mark.slow
@pytest.mark.parametrize("to", TARGETS)
def test_an_export_made_in_blocks_is_that_of_the_whole(tmp_path, monkeypatch, recording, to):
    path = write(recording.frame, recording.card, tmp_path / "odd.parquet")
    suffix = {"inspect": ".eval", "lm-eval": ".jsonl", "hub": ""}[to]
    whole, parts = (tmp_path / f"{name}{suffix}" for name in ("whole", "parts"))
    export_recording(load(path), to, whole)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 1)  # fewer than a question has
    export_recording(path, to, parts)
    files = [each.relative_to(whole) for each in [whole, *whole.rglob("*")] if each.is_file()]
    assert files and all(
        (parts / each).read_bytes() == (whole / each).read_bytes() for each in files
    )


def test_more_samples_than_a_log_of_inspect_holds_are_refused(tmp_path, monkeypatch, recording):
    monkeypatch.setattr(inspect_log, "MOST", 5)
    with pytest.raises(InputError, match=r"7 samples, .* about 5 at most: export it --to"):
        export_recording(recording, "inspect", tmp_path / "a.eval")
    assert not list(tmp_path.iterdir())
