"""The elements of PCollections: record batches with a coder, counts."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

# The types that transforms declare for their outputs: `UnitBatch` is a batch with the index of the
# unit that it was read from; `Counts` are nested counts.
UnitBatch = tuple[int, pa.RecordBatch]
Counts = dict[str, Any]


class RecordBatchCoder(beam.coders.Coder):
    """Encodes record batches as Arrow IPC streams.

    Beam samples the sizes of the elements that pass between steps, even if no element is encoded.
    If the elements are few and large, it samples nearly all of them. Without this coder it would
    pickle each of them to learn its size; `estimate_size` takes the size from the batch instead.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """The batch and its schema as bytes."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as stream:
            stream.write_batch(value)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch. Nothing is copied: its buffers point into `encoded`."""
        with pa.ipc.open_stream(encoded) as stream:
            return stream.read_next_batch()

    def estimate_size(self, value: pa.RecordBatch) -> int:
        """The number of bytes of the batch in memory."""
        return int(value.nbytes)

    def is_deterministic(self) -> bool:
        """False: equal batches may have different buffers."""
        return False

    def to_type_hint(self) -> type:
        """The element type of a PCollection with this coder."""
        return pa.RecordBatch


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)
