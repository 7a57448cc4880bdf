"""Examples -> batches: every document once, few shapes, weights whose mean is the documents'."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import SoftLabelsConfig
from model.training.batches import training_batches
from model.training.examples import Examples

PROJECT = Path(__file__).resolve().parents[3]


def make_examples(lengths, *, label_width: int = 0, seed: int = 1) -> Examples:
    """Documents whose ids are their own number, from 1, so that a batch shows what it has."""
    lengths = np.asarray(lengths, np.int64)
    rows = len(lengths)
    generator = np.random.default_rng(seed)
    shape = (rows, label_width) if label_width else rows
    return Examples(
        ids=np.repeat(np.arange(rows, dtype=np.int32) + 1, lengths),
        row_offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        labels=generator.integers(0, 2 if label_width else 3, shape),
        weights=generator.uniform(0.1, 2, rows).astype(np.float32),
    )


def batches_of(examples: Examples, *, batch_size=16, rows=None, seed=1, epoch=1, **options):
    return list(
        training_batches(
            examples,
            batch_size=batch_size,
            rows=rows or batch_size,
            seed=seed,
            epoch=epoch,
            **options,
        )
    )


def documents_of(batch) -> np.ndarray:
    """The numbers of the documents in a batch, from 0."""
    inputs, _, _ = batch
    return inputs["token_ids"][inputs["length"] > 0, 0] - 1


def order_of(batches) -> list[list[int]]:
    return [documents_of(batch).tolist() for batch in batches]


@given(
    lengths=st.lists(st.integers(1, 70), max_size=150),
    batch_size=st.integers(1, 40),
    spare=st.integers(0, 9),
    label_width=st.sampled_from([0, 3]),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(1, 1000),
)
def test_an_epoch_has_every_document_once_with_its_ids_label_and_weight(
    lengths, batch_size, spare, label_width, seed, epoch
):
    examples = make_examples(lengths, label_width=label_width)
    rows = batch_size + spare
    batches = batches_of(examples, batch_size=batch_size, rows=rows, seed=seed, epoch=epoch)
    assert len(batches) == -(-len(lengths) // batch_size)
    seen = np.concatenate([documents_of(batch) for batch in batches]) if batches else np.empty(0)
    np.testing.assert_array_equal(np.sort(seen), np.arange(len(lengths)))
    for inputs, labels, weights in batches:
        ids, length = inputs["token_ids"], inputs["length"]
        assert len(ids) == len(length) == len(labels) == len(weights) == rows
        assert ids.dtype == length.dtype == np.int32
        assert weights.dtype == np.float32
        count = int((length > 0).sum())
        assert 1 <= count <= batch_size
        # Rows without a document come last and are 0 throughout.
        for values in (ids, length, labels, weights):
            assert not values[count:].any()
        documents = ids[:count, 0] - 1
        np.testing.assert_array_equal(length[:count], np.asarray(lengths)[documents])
        inside = np.arange(ids.shape[1]) < length[:, None]
        np.testing.assert_array_equal(ids, np.where(inside, ids[:, :1], 0))
        width = -(-length.max() // 16) * 16
        assert ids.shape[1] == min(width, max(lengths))
        np.testing.assert_array_equal(labels[:count], examples.labels[documents])
        # Keras's mean over the rows is the mean over the documents.
        np.testing.assert_allclose(weights.mean(), examples.weights[documents].mean(), rtol=1e-5)
        np.testing.assert_allclose(
            weights[:count], examples.weights[documents] * (rows / count), rtol=1e-6
        )


@pytest.mark.parametrize(
    ("documents", "batch_size", "rows", "counts"),
    [(33, 16, 16, [16, 16, 1]), (35, 35, 36, [35]), (33, 16, 32, [16, 16, 1])],
)
def test_every_device_gets_rows_of_a_batch_that_does_not_divide(
    documents, batch_size, rows, counts
):
    batches = batches_of(make_examples([5] * documents), batch_size=batch_size, rows=rows)
    assert sorted((len(order) for order in order_of(batches)), reverse=True) == counts
    for _, _, weights in batches:
        assert len(weights) == rows
        assert rows % 2 == 0


def test_the_order_follows_from_seed_and_epoch():
    examples = make_examples(np.arange(300) % 40 + 1)

    def order(seed, epoch):
        return order_of(batches_of(examples, seed=seed, epoch=epoch))

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)
    assert order(1, 2) != order(2, 1)


def run_python(script: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()


PRINT_ORDER = """
import numpy as np
from tests.model.training.test_batches import batches_of, make_examples, order_of
print(order_of(batches_of(make_examples(np.arange(100) % 40 + 1), seed=7, epoch=3)))
"""


def test_two_processes_have_the_same_order():
    finished = run_python(PRINT_ORDER)
    examples = make_examples(np.arange(100) % 40 + 1)
    assert finished == str(order_of(batches_of(examples, seed=7, epoch=3)))


def test_training_data_needs_no_library_of_training():
    script = (
        "import sys, model.training.batches, model.training.example_encoding\n"
        "import model.training.shards\n"
        "print({'tensorflow', 'keras', 'jax', 'google.protobuf'} & set(sys.modules))"
    )
    assert run_python(script) == "set()"


def test_documents_of_similar_length_share_a_batch():
    batches = batches_of(make_examples(np.arange(2000) % 200 + 1))
    tokens = sum(int(inputs["length"].sum()) for inputs, _, _ in batches)
    places = sum(inputs["token_ids"].size for inputs, _, _ in batches)
    assert tokens / places > 0.85  # 0.5 without windows


def test_short_batches_do_not_all_come_first():
    widths = [
        inputs["token_ids"].shape[1]
        for inputs, _, _ in batches_of(make_examples(np.arange(300) % 200 + 1))
    ]
    assert widths != sorted(widths)


def test_widths_are_few():
    batches = batches_of(make_examples(np.arange(3000) % 200 + 1))
    widths = {inputs["token_ids"].shape[1] for inputs, _, _ in batches}
    assert widths <= {*range(16, 200, 16), 200}


def test_documents_without_a_token_give_one_step():
    batches = batches_of(make_examples([0, 0, 0]))
    [(inputs, _, weights)] = batches
    assert inputs["token_ids"].shape == (16, 1)
    assert not inputs["token_ids"].any()
    np.testing.assert_array_equal(weights > 0, [True] * 3 + [False] * 13)


def test_a_batch_does_not_share_memory_with_the_next_one():
    batches = training_batches(make_examples([5] * 64), batch_size=16, rows=16, seed=1, epoch=1)
    first = batches[0]
    kept = first[0]["token_ids"].copy()
    list(batches)
    np.testing.assert_array_equal(first[0]["token_ids"], kept)


def test_ids_may_be_mapped_from_a_read_only_file(tmp_path):
    examples = make_examples(np.arange(50) % 20 + 1)
    examples.ids.tofile(tmp_path / "ids")
    mapped = dataclasses.replace(examples, ids=np.memmap(tmp_path / "ids", np.int32, mode="r"))
    for expected, got in zip(batches_of(examples), batches_of(mapped), strict=True):
        np.testing.assert_array_equal(expected[0]["token_ids"], got[0]["token_ids"])
        assert type(got[0]["token_ids"]) is np.ndarray


def test_fewer_rows_than_the_batch_size_are_refused():
    with pytest.raises(ValueError, match="rows: expected at least 16"):
        training_batches(make_examples([5]), batch_size=16, rows=15, seed=1, epoch=1)


@pytest.mark.parametrize("label_width", [0, 3])
def test_the_truth_of_soft_labels_is_targets_and_hard_labels(label_width):
    examples = make_examples([5] * 20, label_width=label_width)
    soft_labels = np.random.default_rng(1).uniform(0, 1, (20, 3)).astype(np.float32)
    soft_labels[::3] = np.nan
    examples = dataclasses.replace(examples, soft_labels=soft_labels)
    config = SoftLabelsConfig(weight=0.3, temperature=2)
    targets = examples.targets(3, config)
    for batch in batches_of(examples, batch_size=8, rows=9, soft_labels=config):
        _, truth, weights = batch
        assert truth.dtype == np.float32
        documents = documents_of(batch)
        hard = examples.labels[documents].reshape(len(documents), -1)
        expected = np.concatenate([targets[documents], hard], axis=1)
        np.testing.assert_allclose(truth[weights > 0], expected, rtol=1e-6)
        assert truth.shape == (9, 3 + hard.shape[1])
        assert not truth[weights == 0].any()
