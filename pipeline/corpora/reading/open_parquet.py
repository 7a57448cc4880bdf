"""Opens Parquet files; tells damaged data from a failure of the storage."""

from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.reading.failures import BrokenFileError
from pipeline.corpora.reading.streams import CHUNK_BYTES


def open_parquet(stream: BinaryIO) -> pq.ParquetFile:
    """Opens a Parquet file to be read page by page.

    Raises:
        BrokenFileError: if the file is not a Parquet file.
    """
    try:
        return pq.ParquetFile(stream, pre_buffer=False, buffer_size=CHUNK_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise parquet_damage(error) from error


def parquet_damage(error: Exception) -> BrokenFileError:
    """Converts an error of Arrow into the error to raise for damaged data.

    Raises:
        OSError: `error` itself, if it comes from the storage and not from the data.
    """
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error
    return BrokenFileError(
        f"expected Parquet, got damaged data ({error}); the rest of the file cannot be read"
    )
