"""fit() learns, gives equal weights for equal seeds, and resumes after a kill."""

import dataclasses
import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from model.bundle.weights_file import read_weights
from model.config import (
    ConfigError,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    TrainingConfig,
)
from model.layers.classifier import build_classifier
from model.layers.keras_engine import KerasEngine
from model.layers.weights import assign_weights
from model.training.devices import Devices
from model.training.examples import Examples
from model.training.fit import Hooks, TrainingData, fit
from model.training.targets import NO_LABEL
from tests.model.training.made_up_examples import IDS, LABELS, MAX_TOKENS, make_examples

NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=8), lstm=LSTMConfig(units=6), dropout=0.2)


@pytest.fixture(scope="module")
def corpus() -> dict[str, Examples]:
    return {"train": make_examples(400, seed=1), "validation": make_examples(100, seed=2)}


class KilledError(Exception):
    """Raised between two epochs, in place of a kill."""


def build(network):
    return build_classifier(network, ids=IDS, max_tokens=MAX_TOKENS, labels=2)


def train(
    corpus,
    folder,
    *,
    epochs=3,
    seed=1,
    kill_after=None,
    network=NETWORK,
    on_epoch=lambda _folder, _history: None,
    **changes,
):
    reported = {"documents": 0, "epochs": 0}

    def on_batch(documents):
        reported["documents"] += documents

    def check_epoch(folder, history):
        on_epoch(folder, history)
        reported["epochs"] += 1
        assert history[-1]["epoch"] == len(history)
        if reported["epochs"] == kill_after:
            raise KilledError

    config = TrainingConfig(
        **{"learning_rate": 0.02, "batch_size": 16, "epochs": epochs, "monitor": "loss", **changes}
    )
    fitted = fit(
        lambda _: build(network),
        TrainingData(
            train=corpus["train"],
            validation=corpus.get("validation"),
            labels=LABELS,
            unlabeled=corpus.get("unlabeled"),
        ),
        head=network.head,
        config=config,
        devices=Devices(),
        seed=seed,
        checkpoints=folder,
        hooks=Hooks(on_batch=on_batch, on_epoch=check_epoch),
    )
    return fitted, reported


def weights_of(fitted):
    return [np.asarray(weight) for weight in fitted.network.get_weights()]


@pytest.fixture(scope="module")
def undisturbed(corpus, tmp_path_factory):
    return train(corpus, tmp_path_factory.mktemp("undisturbed"))


def test_it_learns_and_reports_every_epoch(undisturbed):
    fitted, reported = undisturbed
    assert [row["epoch"] for row in fitted.history] == [1, 2, 3]
    assert fitted.history[fitted.best_epoch - 1]["validation_accuracy"] > 0.95
    assert reported == {"documents": 3 * 400, "epochs": 3}


@pytest.mark.parametrize("batch_size", [7, 399])  # more batches than a call takes, and fewer
def test_every_document_of_an_epoch_is_counted_once(corpus, tmp_path, batch_size):
    _, reported = train(corpus, tmp_path, epochs=2, batch_size=batch_size)
    assert reported == {"documents": 2 * 400, "epochs": 2}


def test_the_best_epoch_on_validation_is_kept(undisturbed):
    fitted, _ = undisturbed
    losses = [row["validation_loss"] for row in fitted.history]
    assert fitted.best_epoch == 1 + losses.index(min(losses))


def test_equal_seeds_give_equal_weights(corpus, undisturbed, tmp_path):
    again, _ = train(corpus, tmp_path)
    for first, second in zip(weights_of(undisturbed[0]), weights_of(again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_trainings_at_once_repeat_to_the_bit(corpus, undisturbed, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda name: train(corpus, tmp_path / name)[0], ["one", "two"]))
    for fitted in both:
        for first, second in zip(weights_of(undisturbed[0]), weights_of(fitted), strict=True):
            np.testing.assert_array_equal(first, second)


def test_a_killed_training_resumes_to_the_weights_of_one_that_was_not_killed(
    corpus, undisturbed, tmp_path
):
    with pytest.raises(KilledError):
        train(corpus, tmp_path, kill_after=2)
    resumed, reported = train(corpus, tmp_path)
    assert reported["epochs"] == 1  # the first two were not repeated
    for first, second in zip(weights_of(undisturbed[0]), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(first, second)

    def numbers(fitted):
        return [{**row, "seconds": 0} for row in fitted.history]

    assert numbers(resumed) == numbers(undisturbed[0])


def test_a_checkpoint_of_an_older_release_is_none(corpus, undisturbed, tmp_path, caplog):
    """Its state names an epoch whose weights are in HDF5 files."""
    with pytest.raises(KilledError):
        train(corpus, tmp_path, kill_after=2)
    (tmp_path / "epoch-2.weights.safetensors").rename(tmp_path / "epoch-2.weights.h5")
    (tmp_path / "best.weights.safetensors").rename(tmp_path / "best.weights.h5")
    again, reported = train(corpus, tmp_path)
    assert reported == undisturbed[1]  # all epochs
    for first, second in zip(weights_of(undisturbed[0]), weights_of(again), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not list(tmp_path.glob("*.h5"))
    assert "training starts from the first epoch" in caplog.text


@pytest.mark.parametrize("name", ["best.weights.safetensors", "epoch-1.seeds.npz", "state.json"])
def test_a_damaged_checkpoint_is_none(corpus, undisturbed, tmp_path, name):
    with pytest.raises(KilledError):
        train(corpus, tmp_path, kill_after=1)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:20])
    again, reported = train(corpus, tmp_path)
    assert reported == undisturbed[1]  # all epochs
    for first, second in zip(weights_of(undisturbed[0]), weights_of(again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_checkpoint_without_the_average_is_none(corpus, tmp_path):
    with pytest.raises(KilledError):
        train(corpus, tmp_path, kill_after=1, average_epochs=2)
    (tmp_path / "epoch-1.average.npz").unlink()
    _, reported = train(corpus, tmp_path, epochs=1, average_epochs=2)
    assert reported["epochs"] == 1


def test_documents_that_all_weigh_nothing_are_an_error(tmp_path):
    corpus = {"train": make_examples(20, weights=np.zeros_like)}
    with pytest.raises(ConfigError, match=r"corpus\.columns\.weight: expected a training document"):
        train(corpus, tmp_path)


@pytest.mark.long
def test_averaged_weights_are_kept_and_resumed(corpus, tmp_path):
    """With 2 epochs to average and 3 of training: a = (w1 + w2) / 4 + w3 / 2."""
    single = {"train": corpus["train"]}  # without validation the last epoch is kept
    weights = [
        weights_of(train(single, tmp_path / str(epochs), epochs=epochs)[0]) for epochs in (1, 2, 3)
    ]
    averaged, _ = train(single, tmp_path / "averaged", average_epochs=2)
    with pytest.raises(KilledError):
        train(single, tmp_path / "killed", average_epochs=2, kill_after=2)
    resumed, _ = train(single, tmp_path / "killed", average_epochs=2)
    for index, (mean, again) in enumerate(
        zip(weights_of(averaged), weights_of(resumed), strict=True)
    ):
        first, second, third = (each[index] for each in weights)
        np.testing.assert_allclose(mean, (first + second) / 4 + third / 2, atol=1e-6)
        np.testing.assert_array_equal(mean, again)


@pytest.mark.long
def test_weights_averaged_over_steps_are_kept_and_resumed(corpus, tmp_path):
    """The window of 10,000 steps is never full, so the average is the mean over all 75 steps."""
    options = {"ema_decay": 0.9999, "optimizer": "sgd"}
    averaged, _ = train(corpus, tmp_path / "averaged", **options)
    with pytest.raises(KilledError):
        train(corpus, tmp_path / "killed", kill_after=2, **options)
    resumed, _ = train(corpus, tmp_path / "killed", **options)
    plain, _ = train(corpus, tmp_path / "plain", optimizer="sgd")
    for mean, again, last in zip(
        weights_of(averaged), weights_of(resumed), weights_of(plain), strict=True
    ):
        np.testing.assert_array_equal(mean, again)
        assert not np.array_equal(mean, last)
    # Steps do not depend on the average, so the loss in training is the same.
    losses = [[row["loss"] for row in each.history] for each in (averaged, resumed, plain)]
    assert losses[0] == losses[1] == losses[2]
    # Validation is of the averaged weights.
    last, best = averaged.history[-1], averaged.history[averaged.best_epoch - 1]
    probabilities, _ = KerasEngine(averaged.network).run(
        corpus["validation"].ids, corpus["validation"].row_offsets
    )
    right = probabilities[np.arange(100), corpus["validation"].labels]
    assert -np.log(right).mean() == pytest.approx(best["validation_loss"], rel=1e-5)
    assert last["validation_loss"] != plain.history[-1]["validation_loss"]


def test_patience_stops_early(corpus, tmp_path):
    fitted, _ = train(corpus, tmp_path, epochs=40, patience=1, monitor="accuracy")
    assert len(fitted.history) == fitted.best_epoch + 1 < 40


def test_without_validation_the_last_epoch_is_kept(corpus, tmp_path):
    fitted, _ = train({"train": corpus["train"]}, tmp_path, epochs=2)
    assert fitted.best_epoch == 2
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy", "seconds"}


# With one step an epoch and no dropout, the change that a step makes can be computed.
STEPS = {"batch_size": 400, "optimizer": "sgd", "learning_rate": 0.5}
PLAIN = dataclasses.replace(NETWORK, dropout=0.0)


def _steps(corpus, folder, **changes):
    """The weights before training and at the end of each epoch of one step."""
    network = build(PLAIN)
    keras.utils.set_random_seed(1)
    states = [build(PLAIN).get_weights()]

    def on_epoch(checkpoint, history):
        file = checkpoint / f"epoch-{len(history)}.weights.safetensors"
        assign_weights(network, read_weights(file))
        states.append(network.get_weights())

    single = {"train": corpus["train"]}
    train(single, folder, network=PLAIN, on_epoch=on_epoch, **{**STEPS, **changes})
    return [np.concatenate([weight.ravel() for weight in state]) for state in states]


def _moves(states):
    return [after - before for before, after in itertools.pairwise(states)]


def test_a_clipped_step_has_the_length_of_the_clip(corpus, tmp_path):
    free = _moves(_steps(corpus, tmp_path / "free", epochs=1))[0]
    length = 0.1 * np.linalg.norm(free) / STEPS["learning_rate"]
    clipped = _moves(_steps(corpus, tmp_path / "clip", epochs=1, gradient_clip=float(length)))[0]
    np.testing.assert_allclose(clipped, 0.1 * free, rtol=1e-3, atol=1e-7)


def test_the_cosine_schedule_shortens_the_steps(corpus, tmp_path):
    clip = 1e-3  # so small that every step is clipped: its length is clip * learning rate
    states = _steps(corpus, tmp_path, epochs=4, gradient_clip=clip, schedule="cosine")
    lengths = [np.linalg.norm(move) for move in _moves(states)]
    rates = [0.5 * (1 + math.cos(math.pi * step / 4)) for step in range(4)]
    expected = [clip * STEPS["learning_rate"] * rate for rate in rates]
    np.testing.assert_allclose(lengths, expected, rtol=1e-2)


def test_a_document_counts_by_its_weight(tmp_path):
    """Half the weights give half the step, and balanced labels act as weights of documents."""

    def balance(labels):
        return (len(labels) / 2 / np.bincount(labels))[labels]

    corpora = {
        name: {"train": make_examples(400, weights=weights)}
        for name, weights in {
            "even": lambda labels: np.full(400, 1.0),
            "half": lambda labels: np.full(400, 0.5),
            "by label": balance,
        }.items()
    }
    # Many more documents have the first label.
    for examples in corpora.values():
        examples["train"].labels[:100] = 0
    corpora["by label"]["train"].weights[:] = balance(corpora["even"]["train"].labels)
    one, half, by_label = (
        _moves(_steps(corpus, tmp_path / f"fit {name}", epochs=1))[0]
        for name, corpus in corpora.items()
    )
    np.testing.assert_allclose(half, 0.5 * one, rtol=1e-3, atol=1e-7)
    balanced = _moves(
        _steps(corpora["even"], tmp_path / "balanced", epochs=1, class_weights="balanced")
    )[0]
    np.testing.assert_allclose(balanced, by_label, rtol=1e-3, atol=1e-7)
    assert np.abs(by_label - one).max() > 1e-3


def test_smoothed_labels_lead_to_less_certain_answers(corpus, tmp_path):
    """The target q = 0.9 * true + 0.05 is met at p = 0.95 (Szegedy et al., 2016)."""
    fitted, _ = train(corpus, tmp_path, epochs=12, label_smoothing=0.1, network=PLAIN)
    validation = corpus["validation"]
    probabilities, _ = KerasEngine(fitted.network).run(validation.ids, validation.row_offsets)
    certain = probabilities.max(axis=1)
    assert fitted.history[-1]["validation_accuracy"] > 0.95
    assert np.median(certain) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("splits", [("train",), ("train", "validation")])
def test_a_training_that_diverges_raises_an_error(corpus, tmp_path, splits):
    some = {split: corpus[split] for split in splits}
    with pytest.raises(ConfigError, match=r"^training\.learning_rate: .* diverged at 3e\+38"):
        train(some, tmp_path, learning_rate=3e38, optimizer="sgd", epochs=3)


def test_the_loss_of_training_is_measured_as_that_of_validation(corpus, tmp_path):
    """The learning rate is almost 0, so both are of the same weights, without the penalty."""
    network = dataclasses.replace(PLAIN, l2=1.0)
    both = {"train": corpus["train"], "validation": corpus["train"]}
    still = {"optimizer": "sgd", "learning_rate": 1e-12, "label_smoothing": 0.5, "epochs": 1}
    [row] = train(both, tmp_path, network=network, **still)[0].history
    assert row["loss"] == pytest.approx(row["validation_loss"], rel=1e-5)
    assert row["accuracy"] == pytest.approx(row["validation_accuracy"])


def _with_soft_labels(examples, *, hard, sure=0.9):
    """The label gets `sure` as its soft label; the last documents have no hard one."""
    soft_labels = np.full((examples.rows, 2), 1 - sure, np.float32)
    soft_labels[np.arange(examples.rows), examples.labels] = sure
    labels = np.where(np.arange(examples.rows) < hard, examples.labels, NO_LABEL)
    return dataclasses.replace(examples, labels=labels, soft_labels=soft_labels)


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_soft_labels_alone_teach_the_labels(corpus, tmp_path, class_weights):
    taught = {**corpus, "train": _with_soft_labels(corpus["train"], hard=0)}
    fitted, _ = train(taught, tmp_path, epochs=12, network=PLAIN, class_weights=class_weights)
    assert "accuracy" not in fitted.history[-1]
    assert fitted.history[-1]["validation_accuracy"] > 0.95
    validation = corpus["validation"]
    probabilities, _ = KerasEngine(fitted.network).run(validation.ids, validation.row_offsets)
    assert np.median(probabilities.max(axis=1)) == pytest.approx(0.9, abs=0.03)


def test_a_weight_mixes_hard_and_soft_labels(corpus, tmp_path):
    """The target of the right label is 0.5 * 1 + 0.5 * 0.8."""
    taught = {**corpus, "train": _with_soft_labels(corpus["train"], hard=400, sure=0.8)}
    fitted, _ = train(taught, tmp_path, epochs=12, network=PLAIN)
    assert fitted.history[-1]["accuracy"] > 0.95
    validation = corpus["validation"]
    probabilities, _ = KerasEngine(fitted.network).run(validation.ids, validation.row_offsets)
    assert np.median(probabilities.max(axis=1)) == pytest.approx(0.9, abs=0.03)
