"""Training texts -> TensorFlow Transform's vocabulary.

Tokens are counted batch by batch in Arrow and enter TFT as (token, count)
pairs, with the count as the token's weight: the vocabulary is the one that TFT
would build from the plain tokens, in a quarter of the time. The counts are
int64, so that adding them up in any order gives the same vocabulary.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.window import GlobalWindows

from model.config import TextConfig
from model.tokenizer import Tokenizer

# Distinct tokens a bundle holds before it hands them on.
BUNDLE_TOKENS = 1_000_000

# Pairs in one record batch for TFT.
BATCH_TOKENS = 100_000

TOKEN_COUNTS = pa.schema(
    [pa.field("token", pa.list_(pa.string())), pa.field("count", pa.list_(pa.int64()))]
)

VOCABULARY_NAME = "vocabulary"

# The one line that TFT writes where no token is frequent enough.
EMPTY_VOCABULARY = "49d0cd50-04bb-48c0-bc6f-5b575dce351a"


@dataclasses.dataclass
class BuildVocabulary(beam.PTransform):
    """Builds the vocabulary of the documents whose split is `train`.

    Writes TFT's transform function, the vocabulary file among its assets, to
    `folder`; yields the folder.
    """

    text: TextConfig
    folder: str
    temporary: str

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """`(unit index, record batch)` with splits assigned."""
        import tensorflow_transform.beam as tft_beam
        from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

        token_counts = documents | "Count tokens" >> beam.ParDo(_CountTokens(self.text))
        representations = tensor_representation_util.InferTensorRepresentationsFromSchema(
            _token_counts_schema()
        )
        adapter = tensor_adapter.TensorAdapterConfig(TOKEN_COUNTS, representations)
        with tft_beam.Context(temp_dir=self.temporary, use_deep_copy_optimization=True):
            transform_fn = (token_counts, adapter) | "Analyze" >> tft_beam.AnalyzeDataset(
                self._preprocess
            )
        return transform_fn | "Write" >> tft_beam.WriteTransformFn(self.folder)

    def _preprocess(self, inputs: dict[str, Any]) -> dict[str, Any]:
        import tensorflow_transform as tft

        tokens = inputs["token"].values
        vocabulary = tft.vocabulary(
            tokens,
            weights=inputs["count"].values,
            top_k=self.text.vocabulary_size,
            frequency_threshold=self.text.min_frequency,
            vocab_filename=VOCABULARY_NAME,
        )
        return {"index": tft.apply_vocabulary(tokens, vocabulary, default_value=-1)}


def vocabulary_path(folder: str) -> str:
    """Where `BuildVocabulary` leaves the vocabulary: a token a line, most frequent first."""
    return f"{folder}/transform_fn/assets/{VOCABULARY_NAME}"


def count_tokens(texts: pa.StringArray, tokenizer: Tokenizer) -> pa.Table:
    """The distinct tokens of some texts and how often each occurs: `token`, `count`."""
    tokens = tokenizer.tokenize(texts).folded().flatten()
    counted = pc.value_counts(tokens)
    return pa.table({"token": counted.field("values"), "count": counted.field("counts")})


@dataclasses.dataclass
class _CountTokens(beam.DoFn):
    text: TextConfig

    def setup(self) -> None:
        self._tokenizer = Tokenizer(self.text)

    def start_bundle(self) -> None:
        self._tables: list[pa.Table] = []
        self._rows = 0

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        _, documents = element
        training = documents.filter(pc.equal(documents.column("split"), "train"))
        counted = count_tokens(training.column("text"), self._tokenizer)
        self._tables.append(counted)
        self._rows += counted.num_rows
        if self._rows > BUNDLE_TOKENS:
            merged = self._merge()
            if merged.num_rows > BUNDLE_TOKENS // 2:
                yield from _as_pairs(merged)
                merged = merged.slice(0, 0)
            self._tables, self._rows = [merged], merged.num_rows

    def finish_bundle(self) -> Iterator[Any]:
        if self._tables:
            for batch in _as_pairs(self._merge()):
                yield GlobalWindows.windowed_value(batch)

    def _merge(self) -> pa.Table:
        table = pa.concat_tables(self._tables).group_by("token").aggregate([("count", "sum")])
        return table.rename_columns(["token", "count"])


def _as_pairs(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Record batches of one token and its count a row, as TFT reads them."""
    for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_TOKENS):
        offsets = pa.array(range(batch.num_rows + 1), pa.int32())
        columns = [pa.ListArray.from_arrays(offsets, column) for column in batch.columns]
        yield pa.record_batch(columns, schema=TOKEN_COUNTS)


def _token_counts_schema() -> Any:
    import tensorflow as tf
    from tensorflow_transform.tf_metadata import schema_utils

    return schema_utils.schema_from_feature_spec(
        {"token": tf.io.VarLenFeature(tf.string), "count": tf.io.VarLenFeature(tf.int64)}
    )
