"""TREC question classification as released -> raw rows: `COARSE:fine question` on each line.

Source: Li and Roth, Learning Question Classifiers, COLING 2002.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.decoding import decode_lines
from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks, without_blanks

COLUMNS = ("text", "label", "fine_label")

_QUESTION = re.compile(r"(([^\s:]+):[^\s:]+)\s+(.*)", re.DOTALL)


def read_trec(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the questions of a part; blank lines are not rows.

    `label` is the coarse class (`LOC`, one of 6), `fine_label` the full class
    (`LOC:city`, one of 50).
    """
    blocks = line_blocks(
        text_chunks(stream, part.path, part.input, part.start, part.end), limit=limit
    )
    lines = chain.from_iterable(map(without_blanks, blocks))
    for batch in batches(lines, batch_rows=batch_rows, size=len):
        texts, failures, repaired = decode_lines(batch, part, limit=limit)
        matches = [_QUESTION.fullmatch(text) for text in texts]
        for index, match in enumerate(matches):
            if match is None:
                failures.setdefault(
                    index,
                    Failure("malformed_row", "expected 'COARSE:fine question', got other text"),
                )
        yield RawRows(
            size=len(batch),
            columns={
                "text": [match and match[3] for match in matches],
                "label": [match and match[2] for match in matches],
                "fine_label": [match and match[1] for match in matches],
            },
            raw=batch.__getitem__,
            failures=failures,
            repaired=repaired,
        )
