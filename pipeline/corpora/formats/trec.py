"""TREC question classification as released -> raw rows: `COARSE:fine question` on each line.

Source: Li and Roth, Learning Question Classifiers, COLING 2002.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.match_lines import match_lines
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks, without_blanks

COLUMNS = ("text", "label", "fine_label")

_QUESTION = re.compile(r"(?P<fine_label>(?P<label>[^\s:]+):[^\s:]+)\s+(?P<text>.*)", re.DOTALL)


def read_trec(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the questions of a part; blank lines are not rows.

    `label` is the coarse class (`LOC`, one of 6), `fine_label` the full class
    (`LOC:city`, one of 50).
    """
    blocks = line_blocks(text_chunks(stream, part), limit=limit)
    lines = chain.from_iterable(map(without_blanks, blocks))
    for batch in batches(lines, batch_rows=batch_rows, size=len):
        yield match_lines(
            batch, part, pattern=_QUESTION, expected="'COARSE:fine question'", limit=limit
        )
