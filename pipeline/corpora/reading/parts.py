"""Parts of files; one worker reads a part from start to end."""

import dataclasses
from typing import BinaryIO

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import MAX_DECOMPRESSED_BYTES
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.files import Files, open_with_retries
from pipeline.storage.local_files import IrregularFileError


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilePart:
    """A file, or the part of it that one worker reads.

    Attributes:
        path: the path of the file; its suffix gives the compression.
        source_file: the name of the file in rows and in generated document ids.
        input: the config of the input that the file belongs to.
        start, end: the range of the part, in row groups for Parquet and in bytes for a file of
            lines (a line belongs to the part in which it starts). `end=None` is the end of the
            file.
        first_row: the number in the file of the part's first row.
        limit: how many rows are read at most; None: all.
        max_decompressed_bytes: of `CorpusConfig`.
    """

    path: str
    source_file: str
    input: InputConfig
    start: int = 0
    end: int | None = None
    first_row: int = 0
    limit: int | None = None
    max_decompressed_bytes: int = MAX_DECOMPRESSED_BYTES

    @property
    def reads_lines(self) -> bool:
        """Whether each line of the file is one row."""
        return self.input.format in ("jsonl", "trec") or (
            self.input.format == "text" and self.input.document == "line"
        )


def whole_file(item: InputFile) -> FilePart:
    """A whole file as one part."""
    return FilePart(path=item.info.path, source_file=item.source_file, input=item.input)


def open_part(files: Files, part: FilePart) -> BinaryIO:
    """Opens the file of a part.

    Raises:
        BrokenFileError: if it is missing, may not be read, or is a folder or a pipe.
        OSError: for any other failure, which may be gone at the next try.
    """
    try:
        return open_with_retries(files, part.path)
    except (FileNotFoundError, PermissionError, IsADirectoryError, IrregularFileError) as error:
        found = error.strerror or str(error)
        raise BrokenFileError(f"expected a file that can be opened, got: {found}") from error
