"""Units of work: parts of files, grouped so that each worker has enough to read.

The units depend only on the files and on whether several workers share them. The rows of a
unit are always read in the same order, and rows are numbered by file, so the number of workers
does not change the rows.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from pipeline.corpora.reading.dividing import PART_BYTES
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.stored.kinds import named_compression

_COMPRESSION_RATIO = 4  # decompressed bytes per compressed byte, roughly


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unit:
    """What one worker reads at once: a part of a large file, or many small files.

    `index` orders the units of a corpus.
    """

    index: int
    parts: tuple[FilePart, ...]


def group_units(
    parts: Iterable[FilePart], sizes: Mapping[str, int], *, unit_bytes: int = PART_BYTES
) -> list[Unit]:
    """Groups neighboring parts into units of at least `unit_bytes`.

    Args:
        parts: in corpus order.
        sizes: bytes of each file, by path.
        unit_bytes: a unit is closed when it reaches this size.
    """
    groups: list[list[FilePart]] = [[]]
    filled = 0
    for part in parts:
        if filled >= unit_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(part)
        # The range of a Parquet part counts row groups, not bytes, so the size of the whole file
        # is taken. A part of a divided Parquet file is large enough to be a unit by itself.
        in_bytes = part.end is not None and part.input.format != "parquet"
        ratio = _COMPRESSION_RATIO if named_compression(part.path) else 1
        filled += (part.end or 0) - part.start if in_bytes else ratio * sizes[part.path]
    return [Unit(index=index, parts=tuple(group)) for index, group in enumerate(groups) if group]
