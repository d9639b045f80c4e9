"""Five-bit weights as eight-bit ones, read again by ggml's own package for Python."""

import gguf
import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.models.gguf_header import header
from dynlab.models.gguf_widening import eight_bits, widened

FIVE, EIGHT = gguf.GGMLQuantizationType.Q5_0, gguf.GGMLQuantizationType.Q8_0


def write_five_bits(path, alignment=32):
    """Random tensors, two of them Q5_0, between others."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(alignment)
    writer.add_array("tokenizer.ggml.tokens", ["a", "ü"])
    for name, shape, kind in [
        ("norm", (3,), None),
        ("first", (5, 96), FIVE),
        ("other", (4, 64), EIGHT),
        ("last", (1, 32), FIVE),
    ]:
        numbers = rng.normal(size=shape).astype(np.float32)
        stored = numbers if kind is None else gguf.quantize(numbers, kind)
        writer.add_tensor(name, stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def numbers_of(path):
    tensors = gguf.GGUFReader(path).tensors
    return {one.name: gguf.dequantize(one.data, one.tensor_type) for one in tensors}


def test_every_block_of_bits_keeps_its_numbers():
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 256, (500, 22), dtype=np.uint8)
    blocks[:, :2] = rng.normal(size=(500, 1)).astype(np.float16).view(np.uint8)
    assert np.array_equal(gguf.dequantize(eight_bits(blocks), EIGHT), gguf.dequantize(blocks, FIVE))


@pytest.mark.parametrize("alignment", [32, 64])
def test_a_widened_file_has_the_same_numbers_and_words(tmp_path, monkeypatch, alignment):
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    path = write_five_bits(tmp_path / "five.gguf", alignment)
    wide = widened(path)
    assert header(path).tensor_types == {0, 6, 8} and header(wide).tensor_types == {0, 8}
    before, after = numbers_of(path), numbers_of(wide)
    assert list(before) == list(after)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    field = gguf.GGUFReader(wide).get_field("tokenizer.ggml.tokens")
    assert field is not None and field.contents() == ["a", "ü"]


def test_a_file_that_is_cut_off_is_told_in_a_line_and_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    path = write_five_bits(tmp_path / "five.gguf")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"five.gguf ends before its weights do: is it whole\?"):
        widened(path)
    assert not [*(tmp_path / "cache" / "weights" / "widened").iterdir()]


def test_it_is_made_once_and_what_needs_none_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    wide = widened(write_five_bits(tmp_path / "five.gguf"))
    made = wide.stat().st_mtime_ns
    assert widened(tmp_path / "five.gguf") == wide and wide.stat().st_mtime_ns == made
    assert widened(wide) == wide
    assert [each.name for each in wide.parent.iterdir()] == [wide.name]
