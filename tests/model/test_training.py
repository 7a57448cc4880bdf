"""fit(): it learns, it repeats to the bit, and it resumes as if never killed."""

import numpy as np
import pytest
import tensorflow as tf

from model.classifier import build_classifier
from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig, TrainingConfig
from model.dataset import Shards
from model.examples import encode_examples, pad_ids
from model.training import Hooks, balance_labels, fit, make_loss

MAX_TOKENS = 8
LABELS = ("even", "odd")
NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=8), lstm=LSTMConfig(units=6), dropout=0.2)


def _write_shards(folder, name: str, rows: int, seed: int) -> Shards:
    """Documents that hold one token that decides the label among others that do not."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, MAX_TOKENS + 1, rows)
    labels = rng.integers(0, 2, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.integers(4, 30, offsets[-1])
    ids[offsets[:-1] + rng.integers(0, lengths)] = 2 + labels
    serialized = encode_examples(
        token_ids=pad_ids(ids, offsets, max_tokens=MAX_TOKENS),
        lengths=lengths,
        labels=labels,
        document_ids=[str(row) for row in range(rows)],
    )
    path = str(folder / f"{name}.tfrecord.gz")
    with tf.io.TFRecordWriter(path, tf.io.TFRecordOptions("GZIP")) as writer:
        for example in serialized:
            writer.write(example)
    return Shards(paths=(path,), rows=rows, max_tokens=MAX_TOKENS)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> dict[str, Shards]:
    folder = tmp_path_factory.mktemp("corpus")
    return {
        "train": _write_shards(folder, "train", 400, seed=1),
        "validation": _write_shards(folder, "validation", 100, seed=2),
    }


class KilledError(Exception):
    """Stands for a kill between two epochs."""


def _fit(corpus, folder, *, epochs=3, seed=1, die_after=None, **changes):
    heard = {"documents": 0, "epochs": 0}

    def on_batch(documents):
        heard["documents"] += documents

    def on_epoch(_folder, history):
        heard["epochs"] += 1
        assert history[-1]["epoch"] == len(history)
        if heard["epochs"] == die_after:
            raise KilledError

    config = TrainingConfig(
        **{"learning_rate": 0.02, "batch_size": 16, "epochs": epochs, "monitor": "loss", **changes}
    )
    fitted = fit(
        lambda: build_classifier(NETWORK, ids=30, max_tokens=MAX_TOKENS, labels=2),
        train=corpus["train"],
        validation=corpus.get("validation"),
        labels=LABELS,
        label_counts=(200, 200),
        network_config=NETWORK,
        config=config,
        seed=seed,
        checkpoints=folder,
        hooks=Hooks(on_batch=on_batch, on_epoch=on_epoch),
    )
    return fitted, heard


def _weights(fitted):
    return [np.asarray(weight) for weight in fitted.network.get_weights()]


@pytest.fixture(scope="module")
def undisturbed(corpus, tmp_path_factory):
    return _fit(corpus, tmp_path_factory.mktemp("undisturbed"))


def test_it_learns_and_reports_every_epoch(undisturbed):
    fitted, heard = undisturbed
    assert [row["epoch"] for row in fitted.history] == [1, 2, 3]
    assert fitted.history[fitted.best_epoch - 1]["validation_accuracy"] > 0.95
    assert heard == {"documents": 3 * 400, "epochs": 3}


def test_the_best_epoch_on_validation_is_kept(undisturbed):
    fitted, _ = undisturbed
    losses = [row["validation_loss"] for row in fitted.history]
    assert fitted.best_epoch == 1 + losses.index(min(losses))


def test_a_seed_repeats_to_the_bit(corpus, undisturbed, tmp_path):
    again, _ = _fit(corpus, tmp_path)
    for first, second in zip(_weights(undisturbed[0]), _weights(again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_killed_run_resumes_as_if_never_killed(corpus, undisturbed, tmp_path):
    with pytest.raises(KilledError):
        _fit(corpus, tmp_path, die_after=2)
    resumed, heard = _fit(corpus, tmp_path)
    assert heard["epochs"] == 1  # the first two were not done again
    for first, second in zip(_weights(undisturbed[0]), _weights(resumed), strict=True):
        np.testing.assert_array_equal(first, second)

    def numbers(fitted):
        return [{**row, "seconds": 0} for row in fitted.history]

    assert numbers(resumed) == numbers(undisturbed[0])


def test_averaged_weights_are_kept_and_resumed(corpus, tmp_path):
    """With 2 epochs to average and 3 of training: a = (w1 + w2) / 4 + w3 / 2."""
    single = {"train": corpus["train"]}  # without validation the last epoch is kept
    weights = [
        _weights(_fit(single, tmp_path / str(epochs), epochs=epochs)[0]) for epochs in (1, 2, 3)
    ]
    averaged, _ = _fit(single, tmp_path / "averaged", average_epochs=2)
    with pytest.raises(KilledError):
        _fit(single, tmp_path / "killed", average_epochs=2, die_after=2)
    resumed, _ = _fit(single, tmp_path / "killed", average_epochs=2)
    for index, (mean, again) in enumerate(zip(_weights(averaged), _weights(resumed), strict=True)):
        first, second, third = (each[index] for each in weights)
        np.testing.assert_allclose(mean, (first + second) / 4 + third / 2, atol=1e-6)
        np.testing.assert_array_equal(mean, again)


def test_patience_stops_early(corpus, tmp_path):
    fitted, _ = _fit(corpus, tmp_path, epochs=40, patience=1, monitor="accuracy")
    assert len(fitted.history) == fitted.best_epoch + 1 < 40


def test_without_validation_the_last_epoch_is_kept(corpus, tmp_path):
    fitted, _ = _fit({"train": corpus["train"]}, tmp_path, epochs=2)
    assert fitted.best_epoch == 2
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy", "seconds"}


def test_every_loss_and_schedule_option_trains(corpus, tmp_path):
    fitted, _ = _fit(
        corpus,
        tmp_path,
        schedule="cosine",
        gradient_clip=1.0,
        class_weights="balanced",
        label_smoothing=0.1,
    )
    assert fitted.history[-1]["validation_accuracy"] > 0.9


def test_smoothing_and_the_plain_loss_by_hand():
    truth, probabilities = np.array([0, 1]), np.array([[0.8, 0.2], [0.6, 0.4]], np.float32)
    plain = make_loss("softmax", label_smoothing=0.0)(truth, probabilities)
    np.testing.assert_allclose(plain, -np.log([0.8, 0.4]), rtol=1e-5)
    smoothed = make_loss("softmax", label_smoothing=0.2)(truth, probabilities)
    expected = [-0.9 * np.log(0.8) - 0.1 * np.log(0.2), -0.1 * np.log(0.6) - 0.9 * np.log(0.4)]
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("counts", "weights"), [([50, 50], [1, 1]), ([90, 10], [5 / 9, 5]), ([6, 0, 2], [2 / 3, 0, 2])]
)
def test_balanced_weights_make_labels_count_the_same(counts, weights):
    np.testing.assert_allclose(balance_labels(counts), weights, rtol=1e-6)
    assert np.dot(counts, balance_labels(counts)) == pytest.approx(sum(counts))
