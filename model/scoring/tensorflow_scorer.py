"""The engine `tensorflow`: scores texts with the SavedModel of a model directory."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from typing_extensions import override

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import SERVING
from model.scoring.prediction_columns import assemble_predictions
from model.scoring.scorer import Scorer
from model.scoring.serving import SIGNATURE
from model.text.cutting import mark_kept
from model.text.length_batches import sorted_batches
from model.text.tokenizer import Tokenizer
from model.wide.contributions import Contributions
from model.wide.documents import read_whole_documents


class TensorFlowScorer(Scorer):
    """Scores with the SavedModel in the model directory, as TensorFlow Serving does.

    Args:
        bundle: the model.

    Raises:
        BundleError: if the model has no SavedModel, or it cannot be loaded.
    """

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self._tokenizer = Tokenizer(bundle.config.text)
        self._wide = bundle.read_wide_part()
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

    @override
    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        # Texts are sorted by their number of bytes: only the graph knows the number of tokens.
        sizes = np.asarray(pc.binary_length(texts))
        # The empty batch has the right schema; it is the result if no text has a token.
        parts = [self._serve_batch(texts.slice(0, 0))[0]]
        scored = np.zeros(len(texts), bool)
        order = []
        for rows in sorted_batches(sizes):
            part, has_tokens = self._serve_batch(texts.take(pa.array(rows)))
            parts.append(part)
            scored[rows] = has_tokens
            order.append(rows[has_tokens])
        if not scored.any():
            return parts[0], scored
        back = np.argsort(np.concatenate(order))
        joined = pa.Table.from_batches(parts).take(pa.array(back)).combine_chunks()
        return joined.to_batches()[0], scored

    def _serve_batch(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        strings = tf.constant(texts.to_pylist(), tf.string, shape=[len(texts)])
        outputs = {name: value.numpy() for name, value in self._serve(text=strings).items()}
        counts = outputs["token_count"]
        scored = counts > 0
        texts = texts.filter(pa.array(scored))
        best = outputs["label_index"][scored]
        truncated = outputs["truncated_tokens"][scored]
        real = np.arange(outputs["attention"].shape[1]) < counts[:, None]
        batch = assemble_predictions(
            texts,
            labels=self.bundle.labels,
            probabilities=outputs["probabilities"][scored],
            row_offsets=np.concatenate([[0], np.cumsum(counts[scored])]),
            tokens=pa.array(outputs["tokens"][real], pa.binary()).cast(pa.string()),
            starts=outputs["token_starts"][real],
            ends=outputs["token_ends"][real],
            attention=outputs["attention"][real],
            contributions=self._find_contributions(texts, best, truncated),
            truncated=truncated,
            oov_tokens=outputs["oov_tokens"][scored],
        )
        return batch, scored

    def _find_contributions(
        self, texts: pa.StringArray, labels: np.ndarray, truncated: np.ndarray
    ) -> Contributions | None:
        """The contributions of the tokens that were not cut; None without a wide part.

        The graph adds the wide part's logits up, so they are divided among the tokens here.
        """
        if self._wide is None:
            return None
        tokens = self._tokenizer.tokenize(texts)
        whole = read_whole_documents(tokens, self.bundle.vocabulary)
        contributions = self._wide.contributions(self._wide.weigh(whole), labels)
        kept = mark_kept(tokens.counts() - truncated, truncated, self.bundle.config.text.cut)
        return contributions.keep(kept, whole.row_offsets)
