import itertools

import pyarrow as pa
import pytest

from model.text.string_buffers import build_strings, read_strings


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        (pa.array(["ab", "", "é"]), [b"ab", b"", "é".encode()]),
        (pa.array(["ab", "", "é"], pa.large_string()), [b"ab", b"", "é".encode()]),
        (pa.array(["cut", "ab", "é", "off"])[1:3], [b"ab", "é".encode()]),
        (pa.array(["a", None, "b"]), [b"a", b"", b"b"]),
        (pa.array([None, None], pa.string()), [b"", b""]),
        (pa.array(["", ""]), [b"", b""]),
        (pa.array([], pa.string()), []),
        (pa.array(["a"])[1:], []),
    ],
)
def test_reads_the_bytes_of_each_row(strings: pa.Array, expected: list[bytes]) -> None:
    data, offsets = read_strings(strings)
    rows = [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    assert rows == expected
    assert not data.flags.writeable
    assert len(data) == offsets[-1]


def test_ignores_the_bytes_of_a_null() -> None:
    strings = pa.StringArray.from_buffers(
        2, pa.array([0, 3, 4], pa.int32()).buffers()[1], pa.py_buffer(b"xyza"), pa.py_buffer(b"\2")
    )
    assert strings.to_pylist() == [None, "a"]
    data, offsets = read_strings(strings)
    assert data.tobytes() == b"a"
    assert offsets.tolist() == [0, 0, 1]


def test_builds_the_strings_that_were_read() -> None:
    strings = pa.array(["ab", "", "é\0", "日本"])
    data, offsets = read_strings(strings)
    built = build_strings(data, offsets.astype("int32"))
    built.validate(full=True)
    assert built.equals(strings)


@pytest.mark.parametrize("strings", [["a"], pa.array([b"a"]), pa.chunked_array([["a"]])])
def test_refuses_other_types(strings: object) -> None:
    with pytest.raises(TypeError, match="expected a pyarrow array of string or large_string, got"):
        read_strings(strings)
