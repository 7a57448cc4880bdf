"""A fake of BigQuery's Storage Read API, which Beam's own connector calls."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from apache_beam.io.gcp import bigquery

STREAMS = 3


def serve_rows(
    monkeypatch: pytest.MonkeyPatch, schema: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Serves the rows for any table, in several Avro streams; returns the tables asked for."""
    asked: list[str] = []

    class Client:
        def create_read_session(self, parent: str, read_session: Any, **_: Any) -> Any:
            asked.append(read_session.table)
            streams = [SimpleNamespace(name=str(number)) for number in range(STREAMS)]
            return SimpleNamespace(
                streams=streams,
                avro_schema=None,
                data_format="AVRO",
                estimated_total_bytes_scanned=0,
            )

        def read_rows(self, name: str, **_: Any) -> Iterator[Any]:
            for row in rows[int(name) :: STREAMS]:
                binary = io.BytesIO()
                fastavro.schemaless_writer(binary, fastavro.parse_schema(dict(schema)), row)
                yield SimpleNamespace(
                    avro_schema=SimpleNamespace(schema=json.dumps(schema)),
                    avro_rows=SimpleNamespace(serialized_binary_rows=binary.getvalue()),
                )

    class Wrapper:
        _bigquery_client = staticmethod(lambda _: None)

        def __init__(self, **_: Any) -> None: ...

        from_pipeline_options = classmethod(lambda cls, _: cls())

        def get_table(self, *_: Any) -> Any:
            return SimpleNamespace(numBytes=0)

    monkeypatch.setattr(bigquery.bq_storage, "BigQueryReadClient", Client)
    monkeypatch.setattr(bigquery.bigquery_tools, "BigQueryWrapper", Wrapper)
    return asked
