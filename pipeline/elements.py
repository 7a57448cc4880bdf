"""The elements of PCollections: record batches with a coder, counts."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

# What transforms say that they yield: a batch with the index of the unit it was read from,
# nested counts.
UnitBatch = tuple[int, pa.RecordBatch]
Counts = dict[str, Any]


class RecordBatchCoder(beam.coders.Coder):
    """Record batches as Arrow's IPC streams.

    Beam samples the sizes of the elements that pass between steps, even where no element is
    encoded, and of few large elements it samples nearly all. Without a coder it pickles them for
    that: here the size is asked of the batch.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """The batch with its schema."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as stream:
            stream.write_batch(value)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch, over the bytes themselves."""
        with pa.ipc.open_stream(encoded) as stream:
            return stream.read_next_batch()

    def estimate_size(self, value: pa.RecordBatch) -> int:
        """Bytes of the batch in memory."""
        return int(value.nbytes)

    def is_deterministic(self) -> bool:
        """Equal batches may have unequal buffers."""
        return False

    def to_type_hint(self) -> type:
        """What Beam infers of a PCollection with this coder."""
        return pa.RecordBatch


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)
