"""Counts of tokens -> TensorFlow Transform's vocabulary, on this machine; tokens of word vectors.

Workers have counted the tokens by now. TFT gets each token once, with its count as its weight.
The counts are integers, so adding them up in any order gives the same vocabulary.

TFT reads and writes with TensorFlow's own filesystems, which are fewer than Beam's. It therefore
works on this machine's disk, and `Files` copies its output, so that any filesystem of Beam's can
hold a dataset.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from model.config import ConfigError, TextConfig
from model.text.tokenizer import Tokenizer
from model.training.word_vectors.pretrained_vectors import check_vectors, read_words
from pipeline.config.sections import Config
from pipeline.runners.execution import beam_pipeline
from pipeline.storage.files import Files, read_lines
from pipeline.storage.folders import upload_folder
from pipeline.storage.scratch_folders import scratch_folder

# Pairs of a token and its count in one record batch for TFT.
BATCH_TOKENS = 100_000

PAIRS = pa.schema(
    [pa.field("token", pa.list_(pa.string())), pa.field("count", pa.list_(pa.int64()))]
)

VOCABULARY_NAME = "vocabulary"


def build_vocabulary(text: TextConfig, *, counts: str, folder: str, files: Files) -> list[str]:
    """Builds the vocabulary of the tokens that `CountTokens` wrote to `counts`.

    Leaves TFT's transform function, the vocabulary file among its assets, in `folder`.

    Returns:
        the tokens, most frequent first; none, and no files, where there are no counts.
    """
    with files.open(counts) as stream:
        table = pq.read_table(pa.BufferReader(stream.read()))
    if not table.num_rows:
        return []
    with scratch_folder("vocabulary") as scratch:
        local = Path(scratch) / "transform"
        _analyze(table, text, folder=str(local), temporary=str(Path(scratch) / "temporary"))
        upload_folder(files, str(local), to=folder)
    return read_lines(files, f"{folder}/transform_fn/assets/{VOCABULARY_NAME}")


def _analyze(table: pa.Table, text: TextConfig, *, folder: str, temporary: str) -> None:
    import tensorflow as tf
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import schema_utils
    from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

    def preprocess(inputs: dict[str, Any]) -> dict[str, Any]:
        tokens = inputs["token"].values
        vocabulary = tft.vocabulary(
            tokens,
            weights=inputs["count"].values,
            top_k=text.vocabulary_size,
            vocab_filename=VOCABULARY_NAME,
        )
        return {"index": tft.apply_vocabulary(tokens, vocabulary, default_value=-1)}

    schema = schema_utils.schema_from_feature_spec(
        {"token": tf.io.VarLenFeature(tf.string), "count": tf.io.VarLenFeature(tf.int64)}
    )
    adapter = tensor_adapter.TensorAdapterConfig(
        PAIRS, tensor_representation_util.InferTensorRepresentationsFromSchema(schema)
    )
    with beam_pipeline([], step="vocabulary") as root:
        pairs = root | "Counts" >> beam.Create(_as_pairs(table))
        with tft_beam.Context(temp_dir=temporary, use_deep_copy_optimization=True):
            transform_fn = (pairs, adapter) | "Analyze" >> tft_beam.AnalyzeDataset(preprocess)
        _ = transform_fn | "Write" >> tft_beam.WriteTransformFn(folder)


def _as_pairs(table: pa.Table) -> list[pa.RecordBatch]:
    """Record batches of one token and its count a row, as TFT reads them."""
    batches = []
    for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_TOKENS):
        offsets = pa.array(range(batch.num_rows + 1), pa.int32())
        columns = [pa.ListArray.from_arrays(offsets, column) for column in batch.columns]
        batches.append(pa.record_batch(columns, schema=PAIRS))
    return batches


def digest_vectors(config: Config, *, files: Files) -> str | None:
    """The digest of the file of word vectors that the embedding starts from; None without one.

    Called before anything is prepared, so that a wrong path does not fail after hours of work.

    Raises:
        ConfigError: if the file is missing.
    """
    path = config.network.embedding.vectors
    if path is None:
        return None
    if not files.exists(path):
        raise ConfigError(
            f"network.embedding.vectors: expected a file of word vectors at {path!r}, got none. "
            "Check the path, or make one with: limelight vectors --help."
        )
    return files.digest(path)


def check_vector_files(configs: Iterable[Config], *, files: Files) -> None:
    """Reads the files of word vectors that configs name.

    Called before anything is prepared, so that a bad line does not fail after hours of work.

    Raises:
        ConfigError: for the first line that is not a word and as many numbers as the embedding has
            units.
    """
    named = dict.fromkeys(
        (config.network.embedding.vectors, config.network.embedding.units) for config in configs
    )
    for path, units in named:
        if path is not None:
            with files.open(path) as stream:
                check_vectors(stream, units=units, where=path)


def read_vector_tokens(config: Config, *, known: Collection[str], files: Files) -> list[str]:
    """The tokens of the file that a vocabulary gets by `text.vector_tokens`, in their order.

    A word that is not one token in folded form is left out, because no text has it.

    Args:
        config: its `text` and `network.embedding` are used.
        known: the tokens that the vocabulary has without them.
        files: where the file lies.
    """
    embedding = config.network.embedding
    path = embedding.vectors
    if path is None or not config.text.vector_tokens:
        return []
    with files.open(path) as stream:
        words = read_words(stream, units=embedding.units, where=path)
    tokens = Tokenizer(config.text).tokenize(pa.array(words, pa.string())).folded().to_pylist()
    new = dict.fromkeys(
        word
        for word, forms in zip(words, tokens, strict=True)
        if forms == [word] and word not in known
    )
    return list(new)[: config.text.vector_tokens]
