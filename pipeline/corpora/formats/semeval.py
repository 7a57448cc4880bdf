r"""SemEval-2010 Task 8 as released -> raw rows: sentence, relation, comment, blank line.

    8001	"The most common <e1>audits</e1> were about <e2>waste</e2> and recycling."
    Message-Topic(e1,e2)
    Comment: Assuming an audit = an audit document.

The test file without answers has only the sentences, one on each line.

Source: Hendrickx et al., SemEval-2010 Task 8: Multi-Way Classification of Semantic
Relations between Pairs of Nominals, SemEval 2010.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.match_lines import match_lines
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks

COLUMNS = ("id", "text", "label", "comment")

_FIRST_LINE = re.compile(rb"[0-9]+\t")
_RECORD = re.compile(
    r'(?P<id>[0-9]+)\t"(?P<text>.*)"[ \t]*'
    r"(?:\n(?!Comment:)(?P<label>.*))?(?:\nComment:(?P<comment>.*))?"
)


def read_semeval(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the sentences of a file.

    `id` is the number of the sentence; `text` the sentence without the quotes around it, with
    the markers `<e1>`, `<e2>`; `label` the relation with its direction; `comment` the remark of
    the annotators.
    """
    blocks = line_blocks(text_chunks(stream, part), limit=limit)
    records = _records(chain.from_iterable(blocks), limit=limit)
    for batch in batches(records, batch_rows=batch_rows, size=len):
        rows = match_lines(
            batch,
            part,
            pattern=_RECORD,
            expected="a number, a tab and a quoted sentence, then a line with the relation and "
            "one with a comment",
            limit=limit,
        )
        comments = [comment and comment.strip() for comment in rows.columns["comment"]]
        yield dataclasses.replace(rows, columns={**rows.columns, "comment": comments})


def _records(lines: Iterable[bytes], *, limit: int) -> Iterator[bytes]:
    """Joins the lines of a record; the next record begins at a number or after a blank line.

    A record of more than `limit` bytes is cut to its first `limit + 1`.
    """
    record = bytearray()
    for line in lines:
        line = line.rstrip()
        if record and (not line or _FIRST_LINE.match(line)):
            yield bytes(record[: limit + 1])
            record = bytearray()
        if line and len(record) <= limit:
            record += b"\n" + line if record else line
    if record:
        yield bytes(record[: limit + 1])
