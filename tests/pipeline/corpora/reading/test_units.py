import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.dividing import divide_file
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.units import group_units


@st.composite
def planned_parts(draw: st.DrawFn) -> tuple[list[FilePart], dict[str, int]]:
    parts: list[FilePart] = []
    sizes = {}
    for index in range(draw(st.integers(1, 6))):
        path = f"file{index}"
        kind = draw(st.sampled_from(["jsonl", "csv", "parquet"]))
        sizes[path] = draw(st.integers(0, 300))
        whole = FilePart(path=path, source_file=path, input=InputConfig(path=path, format=kind))
        if kind == "parquet":
            parts.append(FilePart(path=path, source_file=path, input=whole.input, end=3))
        else:
            parts += divide_file(whole, size=sizes[path], part_bytes=100)
    return parts, sizes


@given(planned=planned_parts(), unit_bytes=st.integers(1, 250))
def test_units_hold_every_part_once_in_order_and_close_when_full(
    planned: tuple[list[FilePart], dict[str, int]], unit_bytes: int
) -> None:
    parts, sizes = planned
    units = group_units(parts, sizes, unit_bytes=unit_bytes)
    assert list(itertools.chain.from_iterable(unit.parts for unit in units)) == parts
    assert [unit.index for unit in units] == list(range(len(units)))

    def size(some: Sequence[FilePart]) -> int:
        return sum(
            part.end - part.start
            if part.end is not None and part.input.format != "parquet"
            else sizes[part.path]
            for part in some
        )

    for unit in units:
        assert unit.parts
        assert len(unit.parts) == 1 or size(unit.parts[:-1]) < unit_bytes
    for unit in units[:-1]:
        assert size(unit.parts) >= unit_bytes


def test_a_compressed_file_counts_as_about_its_decompressed_size() -> None:
    def units_of(name: str) -> int:
        parts = [
            FilePart(path=f"{i}{name}", source_file=name, input=InputConfig(path=name))
            for i in range(4)
        ]
        return len(group_units(parts, {part.path: 30 for part in parts}, unit_bytes=100))

    assert [units_of(name) for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")] == [1, 4, 4]
