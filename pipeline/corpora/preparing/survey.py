"""The survey: what must be known about a corpus before any document is encoded.

A survey writes three files: the vocabulary, the labels, and the rows that repeat the document id of
an earlier row.
"""

import dataclasses
import io
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.config import TextConfig
from model.text.vocabulary import Vocabulary
from pipeline.corpora.preparing.duplicates import REPEATED_ROWS
from pipeline.corpora.reading.rejections import reject_documents
from pipeline.storage.files import Files, read_lines

_ID_CHARACTERS = 60  # of an id in the detail of a rejection


class RepeatedRows:
    """Finds the rows that are rejected because an earlier row has the same document id."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Takes batches of schema `REPEATED_ROWS`."""
        rows: dict[str, list[np.ndarray]] = defaultdict(list)
        for batch in batches:
            by_file = pa.Table.from_batches([batch]).group_by("source_file")
            grouped = by_file.aggregate([("source_row", "list")])
            for file, found in zip(
                grouped.column("source_file").to_pylist(),
                grouped.column("source_row_list"),
                strict=True,
            ):
                rows[file].append(found.values.to_numpy())
        self._rows = {file: np.concatenate(found) for file, found in rows.items()}

    def remove(self, documents: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Divides a batch into the documents to use and the rejections of the others."""
        repeated = np.zeros(documents.num_rows, dtype=bool)
        if self._rows and documents.num_rows:
            files = pc.dictionary_encode(documents.column("source_file"))
            codes, rows = files.indices.to_numpy(), documents.column("source_row").to_numpy()
            for code, file in enumerate(files.dictionary.to_pylist()):
                if file in self._rows:
                    repeated |= (codes == code) & np.isin(rows, self._rows[file])
        rejections = reject_documents(
            documents,
            repeated,
            reason="duplicate_id",
            detail=_describe_ids(documents.column("document_id")),
        )
        return documents.filter(pa.array(~repeated)), rejections


def _describe_ids(ids: pa.StringArray) -> pa.StringArray:
    """The detail of a `duplicate_id` rejection, for each row."""
    shown = pc.utf8_slice_codeunits(ids, 0, _ID_CHARACTERS)
    before, after = "expected a unique id, got '", "', the id of an earlier row"
    return pc.binary_join_element_wise(before, shown, after, "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Survey:
    """The results of a survey, in memory."""

    vocabulary: Vocabulary
    labels: tuple[str, ...]
    repeats: RepeatedRows


@dataclasses.dataclass(frozen=True, kw_only=True)
class SurveyFiles:
    """The paths of the files of a survey."""

    vocabulary: str
    labels: str
    repeats: str

    def load(self, files: Files, text: TextConfig) -> Survey:
        """Reads the files; every worker that encodes documents calls this."""
        tokens = read_lines(files, self.vocabulary)
        with files.open(self.repeats) as stream:
            repeats = pq.read_table(io.BytesIO(stream.read()), schema=REPEATED_ROWS)
        return Survey(
            vocabulary=Vocabulary(tokens, oov_buckets=text.oov_buckets),
            labels=tuple(read_lines(files, self.labels)),
            repeats=RepeatedRows(repeats.to_batches()),
        )
