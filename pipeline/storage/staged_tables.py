"""The tables that a pipeline staged, read back on this machine."""

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.files import Files
from pipeline.storage.staged_lists import read_staged_list


def read_staged_table(files: Files, listed: str, schema: pa.Schema) -> pa.Table:
    """Reads the staged Parquet files of a list as one table.

    Args:
        files: where they lie.
        listed: the JSON list that `ListFiles` wrote.
        schema: of the table; it has no row where the list is empty.
    """
    tables = [schema.empty_table()]
    for staged in read_staged_list(files, listed):
        with files.open(staged.path) as stream:
            tables.append(pq.read_table(stream).cast(schema))
    return pa.concat_tables(tables)
