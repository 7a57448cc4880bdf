import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import SoftLabelsConfig
from model.training.examples import Examples
from model.training.targets import NO_LABEL
from tests.model.training.made_up_examples import texts_of, unknown_tokens

OOV = 2  # the ids 1 and 2 stand for unknown tokens
CUTS = ("head", "tail", "head+tail")


def cut_document(document: list[int], max_tokens: int, how: str) -> tuple[list[int], list[int]]:
    """The kept and the cut ids of a document."""
    head = {"head": max_tokens, "tail": 0, "head+tail": -(-max_tokens // 2)}[how]
    if len(document) <= max_tokens:
        return document, []
    end = len(document) - (max_tokens - head)
    return document[:head] + document[end:], document[head:end]


def make_examples(documents: list[list[int]], max_tokens: int, how: str) -> Examples:
    """Examples of documents; the text of an unknown token tells its document and its place."""
    kept, cut = zip(*(cut_document(row, max_tokens, how) for row in documents), strict=True)
    unknown = [
        [b"%d.%d" % (row, place) for place, token in enumerate(document) if 1 <= token <= OOV]
        for row, document in enumerate(documents)
    ]
    return Examples(
        ids=np.array(list(itertools.chain(*kept)), np.int32),
        row_offsets=np.cumsum([0, *map(len, kept)]),
        labels=np.arange(len(documents)),
        weights=np.arange(len(documents), dtype=np.float32),
        cut_ids=np.array(list(itertools.chain(*cut)), np.int32),
        cut_offsets=np.cumsum([0, *map(len, cut)]),
        unknown=unknown_tokens(list(itertools.chain(*unknown))),
        unknown_offsets=np.cumsum([0, *map(len, unknown)]),
    )


def rows_of(ids: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    return [row.tolist() for row in np.split(ids, offsets[1:-1])]


DOCUMENTS = st.lists(st.lists(st.integers(1, 6), max_size=9), min_size=1, max_size=6)


@given(DOCUMENTS, st.integers(1, 9), st.sampled_from(CUTS))
def test_whole_documents_are_the_uncut_documents(documents, max_tokens, how):
    ids, offsets = make_examples(documents, max_tokens, how).whole_documents(how)
    assert ids.dtype == np.int32
    assert offsets.dtype == np.int64
    assert rows_of(ids, offsets) == documents


@given(DOCUMENTS, st.integers(1, 9), st.sampled_from(CUTS), st.data())
def test_a_slice_has_the_cut_and_the_unknown_tokens_of_its_documents(
    documents, max_tokens, how, data
):
    examples = make_examples(documents, max_tokens, how)
    start = data.draw(st.integers(0, len(documents)))
    stop = data.draw(st.integers(start, len(documents)))
    part = examples.slice(start, stop)
    assert part.rows == stop - start
    ids, offsets = part.whole_documents(how)
    assert offsets[-1] == len(ids)
    if part.rows:
        assert rows_of(ids, offsets) == documents[start:stop]
    first, last = examples.unknown_offsets[[start, stop]]
    assert texts_of(part.unknown) == texts_of(examples.unknown)[first:last]
    assert part.unknown_offsets[-1] == len(part.unknown) == last - first
    unknown = np.split(np.array(texts_of(part.unknown), object), part.unknown_offsets[1:-1])
    for row, texts in enumerate(unknown[: part.rows], start=start):
        places = [place for place, token in enumerate(documents[row]) if token <= OOV]
        assert texts.tolist() == [b"%d.%d" % (row, place) for place in places]


@pytest.mark.parametrize("how", CUTS)
def test_examples_may_come_without_cut_and_unknown_tokens(how):
    examples = Examples(
        ids=np.array([3, 4, 5], np.int32),
        row_offsets=np.array([0, 2, 3]),
        labels=np.array([0, 1]),
        weights=np.ones(2, np.float32),
    )
    for part in (examples, examples.slice(0, 2)):
        assert part.cut_offsets.tolist() == part.unknown_offsets.tolist() == [0, 0, 0]
        assert len(part.cut_ids) == len(part.unknown) == 0
        assert rows_of(*part.whole_documents(how)) == [[3, 4], [5]]


@given(DOCUMENTS, st.integers(1, 9), st.sampled_from(CUTS), st.data())
def test_documents_with_a_hard_label_are_those_that_can_be_measured(
    documents, max_tokens, how, data
):
    rows = len(documents)
    labeled = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    soft_labels = np.repeat(np.arange(rows, dtype=np.float32)[:, None], 2, axis=1)
    examples = dataclasses.replace(
        make_examples(documents, max_tokens, how),
        labels=np.where(labeled, np.arange(rows), NO_LABEL),
        soft_labels=soft_labels,
    )
    kept = examples.with_labels()
    numbers = np.flatnonzero(labeled)
    assert kept.rows == len(numbers)
    np.testing.assert_array_equal(kept.labels, numbers)
    np.testing.assert_array_equal(kept.weights, examples.weights[numbers])
    np.testing.assert_array_equal(kept.soft_labels, soft_labels[numbers])
    expected = make_examples([documents[row] for row in numbers] or [[]], max_tokens, how)
    ids, offsets = kept.whole_documents(how)
    assert ids.tolist() == expected.whole_documents(how)[0].tolist()
    assert offsets[-1] == len(ids)
    texts = [text for text in texts_of(examples.unknown) if int(text.split(b".")[0]) in numbers]
    assert texts_of(kept.unknown) == texts
    assert kept.unknown_offsets[-1] == len(texts)


def test_targets_are_the_mixed_labels():
    examples = Examples(
        ids=np.array([3, 4], np.int32),
        row_offsets=np.array([0, 1, 2]),
        labels=np.array([1, NO_LABEL]),
        weights=np.ones(2, np.float32),
        soft_labels=np.array([[0.8, 0.2], [0.6, 0.4]], np.float32),
    )
    targets = examples.targets(2, SoftLabelsConfig(weight=0.5))
    np.testing.assert_allclose(targets, [[0.4, 0.6], [0.6, 0.4]], rtol=1e-6)
