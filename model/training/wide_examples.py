"""The examples of a split as the wide part reads them, and predictions of both parts together."""

import dataclasses

import numpy as np

from model.config import SoftLabelsConfig
from model.text.cutting import Cut
from model.training.examples import Examples
from model.training.wide_fitting.fit_wide_part import LabeledDocuments
from model.wide.documents import WholeDocuments
from model.wide.wide_part import WidePart


@dataclasses.dataclass(frozen=True, kw_only=True)
class WideBeside:
    """A wide part beside a network in training.

    Attributes:
        part: the wide part.
        cut: the dataset's `text.cut`, with which the tokens that were cut find their place.
    """

    part: WidePart
    cut: Cut

    def logits(self, examples: Examples) -> np.ndarray:
        """The wide part's logits of examples, float32 `(rows, columns)`."""
        return self.part.logits(read_whole_examples(examples, self.cut))

    def combine(self, probabilities: np.ndarray, examples: Examples) -> np.ndarray:
        """The probabilities of network and wide part together, float32 `(rows, labels)`."""
        return self.part.combine(probabilities, self.logits(examples))


def read_whole_examples(examples: Examples, cut: Cut) -> WholeDocuments:
    """The documents of examples with the tokens that were cut."""
    ids, row_offsets = examples.whole_documents(cut)
    return WholeDocuments(
        ids=ids,
        row_offsets=row_offsets,
        unknown_bytes=examples.unknown.data,
        unknown_offsets=examples.unknown.offsets,
    )


def label_documents(
    examples: Examples, *, labels: int, cut: Cut, soft_labels: SoftLabelsConfig
) -> LabeledDocuments:
    """The documents of examples with what is to be learned of them.

    Args:
        examples: of a split.
        labels: the number of labels.
        cut: the dataset's `text.cut`.
        soft_labels: how hard and soft labels are mixed.
    """
    return LabeledDocuments(
        documents=read_whole_examples(examples, cut),
        targets=examples.targets(labels, soft_labels),
        weights=examples.weights,
    )
