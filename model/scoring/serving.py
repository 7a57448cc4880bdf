"""The SavedModel, which turns raw strings into all outputs of a prediction.

It is one directory that TensorFlow Serving, `saved_model_cli` or any process with
TensorFlow (and, for `text.nfkc`, tensorflow_text) can load. The tokenizer, the
vocabulary, the network and the labels are all in its graph. It is traced
without cuDNN's kernel, so that it also runs on machines without a GPU.

Its one signature, `serving_default`, takes `text`, string `[batch]`, and returns

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

where steps is the longest document's `token_count`, at least 1. After the last
token of a shorter document the values are "" or 0. A text without a token has
`token_count` 0, and its probabilities have no meaning.
"""

import tensorflow as tf

from model.bundle.bundle import Bundle
from model.bundle.file_names import SERVING
from model.scoring.tokenizer_graph import TokenizerGraph
from model.scoring.wide_graph import WideGraph

SIGNATURE = "serving_default"


class ServingGraph(tf.Module):
    """Tokenizer, vocabulary, network and labels of a model as one graph."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(name="limelight")
        self._text = bundle.config.text
        self._last_oov_id = bundle.vocabulary.oov_buckets
        self._labels = tf.constant(bundle.labels)
        self._tokenize = TokenizerGraph(bundle.config.text, bundle.vocabulary)
        # Without cuDNN's kernel the graph runs on any machine.
        self._network = bundle.build_network(cudnn=False)
        wide, head = bundle.read_wide_part(), bundle.config.network.head
        self._wide = None if wide is None else WideGraph(wide, bundle.vocabulary, head=head)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores a batch; the docstring of this module describes the outputs."""
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
        if self._wide is not None:
            probabilities = self._wide(probabilities, tokens["ids"], tokens["folded"])
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
        """Which tokens stay after `text.cut`, as `model.text.tokens.Tokens.cut` decides."""
        limit = self._text.max_tokens
        head = {"head": limit, "tail": 0, "head+tail": (limit + 1) // 2}[self._text.cut]
        place = tf.ragged.range(counts)
        rows = place.value_rowids()
        beyond = tf.gather(tf.maximum(counts - limit, 0), rows)
        kept = (place.values < head) | (place.values >= head + beyond)
        return ids.with_values(kept)


def write_serving(bundle: Bundle) -> None:
    """Writes the SavedModel into a model directory that has its weights and config."""
    graph = ServingGraph(bundle)
    tf.saved_model.save(graph, str(bundle.folder / SERVING), signatures={SIGNATURE: graph.__call__})


def _at_least_one_step(padded: tf.Tensor) -> tf.Tensor:
    missing = tf.maximum(1 - tf.shape(padded)[1], 0)
    return tf.pad(padded, [[0, 0], [0, missing]], constant_values=tf.zeros([], padded.dtype))
