"""Unlabeled documents: which an epoch has, what they change, and that resuming repeats them."""

import dataclasses

import numpy as np
import pytest

from model.config import SoftLabelsConfig, VirtualAdversarialConfig
from model.training.batches import training_batches
from model.training.examples import Examples
from model.training.losses import make_loss
from model.training.targets import NO_LABEL
from model.training.unlabeled import documents_of_epoch, join_unlabeled, unlabeled_of_epoch
from tests.model.training.made_up_examples import make_examples
from tests.model.training.test_fit import KilledError, train, weights_of

VIRTUAL = {"virtual_adversarial": VirtualAdversarialConfig(norm=0.5), "entropy_weight": 0.1}


@pytest.fixture(scope="module")
def corpus() -> dict[str, Examples]:
    return {
        "train": make_examples(40, seed=1),
        "validation": make_examples(100, seed=2),
        "unlabeled": make_examples(100, seed=3),
    }


def test_an_epoch_has_all_labeled_documents_and_as_many_unlabeled_ones() -> None:
    taken = [documents_of_epoch(40, 100, seed=1, epoch=epoch) for epoch in (1, 2, 3, 4, 5)]
    for documents in taken:
        np.testing.assert_array_equal(documents[:40], np.arange(40))
        assert len(np.unique(documents)) == len(documents) <= 80
    first, second = taken[0][40:], taken[1][40:]
    assert len(first) == len(second) == 40
    assert not set(first) & set(second)
    assert set(np.concatenate([each[40:] for each in taken])) == set(range(40, 140))
    np.testing.assert_array_equal(documents_of_epoch(40, 100, seed=1, epoch=2), taken[1])
    assert (documents_of_epoch(40, 100, seed=2, epoch=1) != taken[0]).any()


def test_with_few_unlabeled_documents_an_epoch_has_all() -> None:
    assert unlabeled_of_epoch(40, 7) == 7
    for epoch in (1, 2):
        documents = documents_of_epoch(40, 7, seed=1, epoch=epoch)
        np.testing.assert_array_equal(documents, np.arange(47))
    np.testing.assert_array_equal(documents_of_epoch(40, 0, seed=1, epoch=1), np.arange(40))


def test_all_documents_in_their_order_are_the_batches_without_a_choice() -> None:
    examples = make_examples(40, seed=1)
    plain, chosen = (
        training_batches(examples, batch_size=16, rows=16, seed=3, epoch=2, documents=documents)
        for documents in (None, np.arange(40))
    )
    for first, second in zip(plain, chosen, strict=True):
        np.testing.assert_array_equal(first[0]["token_ids"], second[0]["token_ids"])
        np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("soft", [False, True])
def test_unlabeled_documents_follow_the_labeled_ones_without_a_label(soft: bool) -> None:
    labeled, unlabeled = make_examples(5, seed=1), make_examples(7, seed=2)
    if soft:
        labeled = dataclasses.replace(labeled, soft_labels=np.full((5, 2), 0.5, np.float32))
    both = join_unlabeled(labeled, unlabeled)
    assert both.rows == 12
    for row, (source, at) in {3: (labeled, 3), 4: (labeled, 4), 5: (unlabeled, 0)}.items():
        ids = source.ids[source.row_offsets[at] : source.row_offsets[at + 1]]
        np.testing.assert_array_equal(
            ids, both.ids[both.row_offsets[row] : both.row_offsets[row + 1]]
        )
    assert (both.labels[5:] == NO_LABEL).all()
    [(_, truth, weights)] = training_batches(
        both, batch_size=12, rows=12, seed=1, epoch=1, soft_labels=SoftLabelsConfig()
    )
    assert (weights == 1).all()
    first = truth[:, 0] if soft else truth
    assert (first == NO_LABEL).sum() == 7
    logits = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    loss = make_loss("softmax", label_smoothing=0.1, soft_labels=soft, labeled_share=5 / 12)
    plain = make_loss("softmax", label_smoothing=0.1, soft_labels=soft)
    is_labeled = first != NO_LABEL
    found = np.asarray(loss(truth, logits))
    assert (found[~is_labeled] == 0).all()
    expected = np.asarray(plain(truth[is_labeled], logits[is_labeled]))
    np.testing.assert_allclose(found[is_labeled], expected * 12 / 5, rtol=1e-5)
    assert found.mean() == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.long
def test_unlabeled_documents_change_the_training_and_repeat_when_it_resumes(corpus, tmp_path):
    labeled = {name: each for name, each in corpus.items() if name != "unlabeled"}
    alone, _ = train(labeled, tmp_path / "alone", **VIRTUAL)
    fitted, reported = train(corpus, tmp_path / "both", **VIRTUAL)
    assert reported["documents"] in range(3 * 60, 3 * 80 + 1)
    with pytest.raises(KilledError):
        train(corpus, tmp_path / "killed", kill_after=2, **VIRTUAL)
    resumed, _ = train(corpus, tmp_path / "killed", **VIRTUAL)
    for first, second in zip(weights_of(fitted), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((a != b).any() for a, b in zip(weights_of(alone), weights_of(fitted), strict=True))
    # The loss and the accuracy in training are those of the labeled documents.
    assert fitted.history[0]["loss"] == pytest.approx(alone.history[0]["loss"], rel=0.5)


def test_without_a_loss_for_them_unlabeled_documents_change_nothing(corpus, tmp_path):
    labeled = {name: each for name, each in corpus.items() if name != "unlabeled"}
    alone, _ = train(labeled, tmp_path / "alone", epochs=1)
    both, reported = train(corpus, tmp_path / "both", epochs=1)
    assert reported["documents"] == 40
    for first, second in zip(weights_of(alone), weights_of(both), strict=True):
        np.testing.assert_array_equal(first, second)
