"""The features of the baseline: TF-IDF of words and pairs, and of runs of characters."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import sparse

from model.text.cutting import Cut
from model.text.vocabulary import Vocabulary
from model.training.baseline.term_counts import Counts, count_characters, count_pairs, count_words
from model.training.baseline.tfidf import weigh_terms
from model.training.baseline.token_rows import number_tokens
from model.training.examples import Examples
from model.training.samples import spread_rows, take_examples

# Runs of characters help where a document has few words, and where a "word" is a phrase, because
# the language has no spaces. Where most tokens are single characters, they would be the tokens.
FEW_WORDS = 50  # tokens a document
LONG_WORDS = 7  # characters a token
SHORT_WORDS = 2  # characters a token

# Bounds on time and memory, which at these take some minutes and 3 GB.
MAX_DOCUMENTS = 100_000  # of a split
MAX_CHARACTERS = 30_000_000  # of the documents of a split, if words and pairs are counted
MAX_RUN_CHARACTERS = 20_000_000  # the same, if runs of characters are counted, too
MAX_WEIGHTS = 20_000_000  # terms x regressions
SURVEYED = 1_000  # documents


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineFeatures:
    """Features and examples of the same documents, by split.

    Attributes:
        examples: of the documents that were chosen to bound the time: all, if they are few.
        words: of words and pairs of neighboring words.
        both: those and runs of characters; None if these would not help.
        regressions: how many weights each term gets.
        notes: sentences on what was left out to bound the time.
    """

    examples: Mapping[str, Examples]
    words: Counts
    both: Counts | None
    regressions: int
    notes: Sequence[str]


def make_features(
    splits: Mapping[str, Examples], *, vocabulary: Vocabulary, cut: Cut, labels: int
) -> BaselineFeatures:
    """Makes the features of whole documents, including the tokens that the vocabulary lacks.

    Args:
        splits: the examples by split, `train` among them.
        vocabulary: of the dataset.
        cut: the dataset's `text.cut`.
        labels: how many there are.
    """
    multilabel = splits["train"].labels.ndim == 2
    regressions = 1 if labels == 2 and not multilabel else labels
    plan = _survey(splits["train"], vocabulary=vocabulary, cut=cut)
    chosen = {
        split: take_examples(each, spread_rows(each.rows, plan.documents))
        for split, each in splits.items()
    }
    rows, tokens = number_tokens(chosen, vocabulary=vocabulary, cut=cut)
    limit = MAX_WEIGHTS // regressions // (2 if plan.characters else 1)
    words = count_words(rows, tokens=len(tokens))
    counts = [_join(words, count_pairs(rows, tokens=len(tokens)))]
    if plan.characters:
        counts.append(count_characters(words, tokens))
    weighed = [weigh_terms(each, limit=limit) for each in counts]
    return BaselineFeatures(
        examples=chosen,
        words=weighed[0],
        both=_join(*weighed) if plan.characters else None,
        regressions=regressions,
        notes=[*_describe_documents(splits, chosen), *_describe_terms(counts, limit)],
    )


@dataclasses.dataclass(frozen=True)
class _Plan:
    """Whether runs of characters are counted, and how many documents of a split are used."""

    characters: bool
    documents: int


def _survey(train: Examples, *, vocabulary: Vocabulary, cut: Cut) -> _Plan:
    """Plans by the sizes of some training documents."""
    sample = take_examples(train, spread_rows(train.rows, SURVEYED))
    rows, tokens = number_tokens({"train": sample}, vocabulary=vocabulary, cut=cut)
    lengths = np.array([len(token) for token in tokens])[rows["train"].numbers]
    words, characters = len(lengths) / sample.rows, max(1.0, lengths.sum() / sample.rows)
    per_word = characters / max(1.0, words)
    few_or_long = words <= FEW_WORDS or per_word >= LONG_WORDS
    runs = few_or_long and per_word >= SHORT_WORDS
    most = MAX_RUN_CHARACTERS if runs else MAX_CHARACTERS
    return _Plan(characters=runs, documents=max(1, min(MAX_DOCUMENTS, int(most / characters))))


def _join(left: Counts, right: Counts) -> Counts:
    return {split: sparse.hstack([left[split], right[split]], format="csr") for split in left}


def _describe_documents(
    splits: Mapping[str, Examples], chosen: Mapping[str, Examples]
) -> Iterator[str]:
    for split, examples in splits.items():
        if chosen[split].rows < examples.rows:
            used = f"{chosen[split].rows:,} of the {examples.rows:,} documents of {split}"
            yield f"It read {used}."


def _describe_terms(counts: Sequence[Counts], limit: int) -> Iterator[str]:
    most = max(np.unique(each["train"].indices).size for each in counts)
    if most > limit:
        yield f"It kept the {limit:,} most frequent of {most:,} terms."
