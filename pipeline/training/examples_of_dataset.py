"""The examples of a dataset, read on the machine that trains."""

from collections.abc import Sequence
from pathlib import Path

from model.text.vocabulary import Vocabulary
from model.training.examples import Examples
from model.training.shards import Shards, check_examples, read_examples
from pipeline.config.inputs import UNLABELED
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.folders import local_folder


def read_splits(
    dataset: Dataset,
    splits: Sequence[str],
    vocabulary: Vocabulary,
    *,
    files: Files,
    scratch: Path,
) -> dict[str, Examples]:
    """The examples of those splits that have documents, from shards on this machine's disk.

    Args:
        dataset: complete.
        splits: which to read.
        vocabulary: of the dataset.
        files: where the dataset lies.
        scratch: a local folder, which must stay as long as the examples are used.

    Raises:
        ShardError: as `read_examples` does; also if an example is not of this dataset.
    """
    folder = local_folder(files, dataset.files.examples, scratch=str(scratch / "examples"))
    text, labels = dataset.text, len(dataset.labels)
    examples = {
        split: read_examples(
            Shards(
                paths=tuple(join(folder, base_name(path)) for path in dataset.shards(split)),
                rows=dataset.rows(split),
                max_tokens=text.max_tokens,
                oov_buckets=text.oov_buckets,
                label_width=labels if dataset.layout.multilabel else 0,
                soft_labels=labels if dataset.layout.probabilities else 0,
            ),
            scratch=scratch,
        )
        for split in splits
        if dataset.rows(split)
    }
    for split, of_split in examples.items():
        check_examples(
            of_split,
            ids=vocabulary.size,
            labels=labels,
            where=dataset.files.examples,
            unlabeled=split == UNLABELED,
        )
    return examples
