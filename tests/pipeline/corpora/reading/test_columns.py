import dataclasses

import pytest

from pipeline.config.sections import ColumnsConfig, CorpusConfig, SplitsConfig
from pipeline.corpora.reading.columns import (
    corpus_of_texts,
    corpus_to_evaluate,
    corpus_to_prepare,
    corpus_to_score,
    input_columns,
    require_columns,
)

COLUMNS = ColumnsConfig(
    text="body",
    id="id",
    label="class",
    labels="topics",
    probabilities="teacher",
    weight="weight",
    rationale="why",
    split="split",
    group="author",
    keep=("lang",),
)


def test_missing_and_repeated_columns_are_errors() -> None:
    require_columns("rows", ColumnsConfig(label="absent", weight="absent"), ["text"])
    with pytest.raises(ValueError, match="rows: expected a column 'text', got 'a', 'b'"):
        require_columns("rows", ColumnsConfig(), ["a", "b"])
    with pytest.raises(ValueError, match="expected one column 'label', got 2"):
        require_columns("rows", ColumnsConfig(), ["text", "label", "label"])


def test_each_command_reads_only_the_columns_that_it_needs() -> None:
    corpus = CorpusConfig(columns=COLUMNS, max_text_bytes=5)

    def names(read: CorpusConfig) -> tuple[str, ...]:
        assert dataclasses.replace(read, columns=COLUMNS) == corpus
        return input_columns(read.columns)

    assert names(corpus_to_score(corpus)) == ("body", "id", "lang")
    assert names(corpus_of_texts(corpus)) == ("body",)
    assert names(corpus_to_evaluate(corpus, heads=["softmax"])) == ("body", "id", "class", "lang")
    assert names(corpus_to_evaluate(corpus, heads=["multilabel"])) == (
        *("body", "id", "topics", "lang"),
    )
    assert names(corpus_to_evaluate(corpus, heads=["multilabel", "sigmoid"])) == (
        *("body", "id", "class", "topics", "lang"),
    )
    assert "class" not in names(corpus_to_prepare(corpus))


def test_the_columns_of_a_stratified_corpus_can_be_scored() -> None:
    corpus = CorpusConfig(splits=SplitsConfig(stratify=True))
    assert input_columns(corpus_to_score(corpus).columns) == ("text",)
    assert corpus_to_prepare(corpus) == corpus
