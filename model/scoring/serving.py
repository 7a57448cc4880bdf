"""The SavedModel: raw strings in, every output out.

One directory that TensorFlow Serving, `saved_model_cli` or any process with
TensorFlow (and, for `text.nfkc`, tensorflow_text) can load: the tokenizer, the
vocabulary, the network and the labels are all in its graph. It is traced
without cuDNN's kernel, so that it runs wherever it is taken.

Its one signature, `serving_default`, takes `text`, string `[batch]`, and gives

    label             string   [batch]
    label_index       int32    [batch]
    score             float32  [batch]          the probability of `label`
    probabilities     float32  [batch, labels]  in the order of labels.txt
    tokens            string   [batch, steps]   as written in the text
    token_starts      int32    [batch, steps]   characters, not bytes
    token_ends        int32    [batch, steps]
    attention         float32  [batch, steps]
    token_count       int32    [batch]
    truncated_tokens  int32    [batch]
    oov_tokens        int32    [batch]

where steps is the longest document's `token_count`, at least 1; what lies behind
a document's own is "" or 0. A text without a token has the count 0, and its
probabilities mean nothing.
"""

import keras
import numpy as np
import pyarrow as pa
import tensorflow as tf

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import SERVING
from model.scoring.scorer import Scorer, assemble_predictions
from model.scoring.tokenizer_graph import TokenizerGraph

BATCH_ROWS = 256
SIGNATURE = "serving_default"


class ServingGraph(tf.Module):
    """Tokenizer, vocabulary, network and labels of a model as one graph."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(name="limelight")
        self._text = bundle.config.text
        self._last_oov_id = bundle.vocabulary.oov_buckets
        self._labels = tf.constant(bundle.labels)
        self._tokenize = TokenizerGraph(bundle.config.text, bundle.vocabulary)
        self._network = _portable_network(bundle)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores a batch; the outputs are described at the head of this module."""
        tokens = self._tokenize(text)
        counts = tf.cast(tokens["ids"].row_lengths(), tf.int32)
        kept = self._keep(tokens["ids"], counts)
        lengths = tf.minimum(counts, self._text.max_tokens)
        ids, tokens_kept, starts, ends = (
            _at_least_one_step(tf.ragged.boolean_mask(tokens[name], kept).to_tensor())
            for name in ("ids", "surfaces", "starts", "ends")
        )
        outputs = self._network({"token_ids": ids, "length": lengths}, training=False)
        probabilities = outputs["probabilities"]
        best = tf.argmax(probabilities, axis=1, output_type=tf.int32)
        unknown = (ids > 0) & (ids <= self._last_oov_id)
        return {
            "label": tf.gather(self._labels, best),
            "label_index": best,
            "score": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
            "tokens": tokens_kept,
            "token_starts": starts,
            "token_ends": ends,
            "attention": outputs["attention"],
            "token_count": lengths,
            "truncated_tokens": counts - lengths,
            "oov_tokens": tf.reduce_sum(tf.cast(unknown, tf.int32), axis=1),
        }

    def _keep(self, ids: tf.RaggedTensor, counts: tf.Tensor) -> tf.RaggedTensor:
        """Which tokens `text.cut` leaves, as `model.text.tokens.Tokens.cut` does."""
        limit = self._text.max_tokens
        head = {"head": limit, "tail": 0, "head+tail": (limit + 1) // 2}[self._text.cut]
        place = tf.ragged.range(counts)
        rows = place.value_rowids()
        beyond = tf.gather(tf.maximum(counts - limit, 0), rows)
        kept = (place.values < head) | (place.values >= head + beyond)
        return ids.with_values(kept)


class ServingScorer(Scorer):
    """Scores with a model's SavedModel, as those who serve it do."""

    def __init__(self, bundle: Bundle) -> None:
        """Loads `serving/`.

        Raises:
            BundleError: if the model has none, or it cannot be loaded.
        """
        super().__init__(bundle)
        if bundle.config.text.nfkc:
            import tensorflow_text  # noqa: F401  registers the graph's operation
        folder = bundle.folder / SERVING
        try:
            self._serve = tf.saved_model.load(str(folder)).signatures[SIGNATURE]
        except (OSError, KeyError, tf.errors.OpError) as error:
            raise BundleError(
                f"{folder}: expected a SavedModel, got {' '.join(str(error).split())[:200]}. "
                "Train the model again, or choose another scoring.engine."
            ) from error

    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        """See `Scorer`."""
        sizes = np.asarray(pa.compute.binary_length(texts))
        order = np.argsort(sizes, kind="stable")
        parts = [self._serve_batch(texts.take(pa.array(order[:0])))[0]]
        scored = np.zeros(len(texts), bool)
        for start in range(0, len(order), BATCH_ROWS):
            rows = order[start : start + BATCH_ROWS]
            part, has_tokens = self._serve_batch(texts.take(pa.array(rows)))
            parts.append(part)
            scored[rows] = has_tokens
        back = np.argsort(order[scored[order]], kind="stable")
        joined = pa.Table.from_batches(parts).take(pa.array(back)).combine_chunks()
        return joined.to_batches()[0] if len(back) else parts[0], scored

    def _serve_batch(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        strings = tf.constant(texts.to_pylist(), tf.string, shape=[len(texts)])
        outputs = {name: value.numpy() for name, value in self._serve(text=strings).items()}
        counts = outputs["token_count"]
        scored = counts > 0
        real = np.arange(outputs["attention"].shape[1]) < counts[:, None]
        batch = assemble_predictions(
            texts.filter(pa.array(scored)),
            labels=self.bundle.labels,
            probabilities=outputs["probabilities"][scored],
            row_offsets=np.concatenate([[0], np.cumsum(counts[scored])]),
            tokens=pa.array(outputs["tokens"][real], pa.binary()).cast(pa.string()),
            starts=outputs["token_starts"][real],
            ends=outputs["token_ends"][real],
            attention=outputs["attention"][real],
            truncated=outputs["truncated_tokens"][scored],
            oov_tokens=outputs["oov_tokens"][scored],
        )
        return batch, scored


def write_serving(bundle: Bundle) -> None:
    """Writes the SavedModel of a model whose other files are written."""
    graph = ServingGraph(bundle)
    tf.saved_model.save(graph, str(bundle.folder / SERVING), signatures={SIGNATURE: graph.__call__})


def _portable_network(bundle: Bundle) -> keras.Model:
    """The network as it runs on any machine: in float32, without cuDNN's kernel."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        network = bundle.build_network()
    finally:
        keras.config.set_dtype_policy(policy)
    for layer in network.layers:
        for name in ("forward_lstm", "backward_lstm"):
            lstm = getattr(layer, name, None)
            if lstm is not None:
                lstm.use_cudnn = False
    return network


def _at_least_one_step(padded: tf.Tensor) -> tf.Tensor:
    missing = tf.maximum(1 - tf.shape(padded)[1], 0)
    return tf.pad(padded, [[0, 0], [0, missing]], constant_values=tf.zeros([], padded.dtype))
