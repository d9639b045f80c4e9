"""What is told of a GGUF file without reading its tensors."""

import pytest
from helpers.tiny_gguf import write_tiny_gguf

from dynlab._util.errors import InputError
from dynlab.models.gguf_header import header


def test_a_header_tells_architecture_and_types(tmp_path):
    found = header(write_tiny_gguf(tmp_path / "tiny.gguf"))
    assert (found.architecture, found.tensor_types) == ("llama", {0})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04", "does not start with 'GGUF'"),
        (b"GGUF\x03\0\0\0", "unpack requires"),
        (b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 7 + b"\xff" * 8, "a text of"),
    ],
)
def test_what_is_no_header_is_told_in_one_line(tmp_path, body, reason):
    path = tmp_path / "broken.gguf"
    path.write_bytes(body)
    with pytest.raises(InputError, match=reason) as error:
        header(path)
    assert "\n" not in str(error.value)
