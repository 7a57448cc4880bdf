"""Limelight's training beside Keras's `fit` as a competent user would write it.

    CORPORA=... python -m tests.benchmarks.bench_training [--documents 12800]

Both train the network of `guide_attention_2d` on the same IMDB reviews, with the
same optimizer and batches of 64, each in a process of its own. They take turns
epoch by epoch; one waits while the other trains. Each ratio compares two epochs that
follow one another, because the speed of a shared machine changes from minute to
minute. The first epoch is not timed, because TensorFlow traces the graph in it. Both
losses are those of the same held-out reviews after the same number of examples.

- `limelight`: `model.training.fit.fit`, as `python -m pipeline train` calls it.
- `keras`: `Embedding(mask_zero=True)`, `Bidirectional(LSTM)`, attention with the
  mask, every document padded to 200 tokens, `Model.fit` over arrays.
"""

import argparse
import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.text.padding import pad_ids
from model.training.examples import Examples
from tests.benchmarks.processes import call_in_process, start_contender
from tests.benchmarks.reviews import corpus_folder

ROUNDS = 2
EPOCHS = 3
CONFIG = "configs/guide_attention_2d.yaml"


class Corpus(NamedTuple):
    train: Examples
    held_out: Examples
    vocabulary_ids: int
    max_tokens: int


class Epoch(NamedTuple):
    """Seconds of an epoch, by the clock and of the process."""

    wall: float
    cpu: float


class Turns:
    """A contender's side of the turns: sends what each epoch took and waits for its next turn."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.started = self._now()

    def end_epoch(self) -> None:
        """Sends what the epoch took and waits until the next one may begin."""
        self.connection.send(Epoch(*np.subtract(self._now(), self.started).tolist()))
        self.connection.recv()
        self.started = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def read_corpus(folder: str, documents: int) -> Corpus:
    """Prepares IMDB with the pipeline and reads its first training and held-out documents."""
    from model.training.shards import Shards, read_examples
    from pipeline.config.loading import load_config
    from pipeline.stages.prepare import prepare
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.files import read_lines

    config = load_config(CONFIG, [f"workspace={folder}"])
    dataset = prepare(config, beam_options=[], files=BeamFiles())

    def read(split: str, rows: int) -> Examples:
        shards = Shards(
            paths=tuple(dataset.shards(split)),
            rows=dataset.rows(split),
            max_tokens=config.text.max_tokens,
            oov_buckets=config.text.oov_buckets,
        )
        examples = read_examples(shards, scratch=Path(folder)).slice(0, rows)
        return dataclasses.replace(examples, ids=np.array(examples.ids))  # no mapped file

    tokens = read_lines(BeamFiles(), dataset.files.vocabulary)
    return Corpus(
        train=read("train", documents),
        held_out=read("validation", 2000),
        vocabulary_ids=1 + config.text.oov_buckets + len(tokens),
        max_tokens=config.text.max_tokens,
    )


def train_limelight(corpus: Corpus, scratch: Path, turns: Turns) -> float:
    from model.layers.classifier import build_classifier
    from model.layers.keras_engine import KerasEngine
    from model.metrics.classification import log_loss
    from model.training.devices import choose_devices, prepare_process
    from model.training.fit import Hooks, TrainingData, fit
    from pipeline.config.loading import load_config

    config = load_config(CONFIG, [f"workspace={scratch}"])
    prepare_process(config.training)  # as `pipeline train` does
    fitted = fit(
        lambda _: build_classifier(
            config.network, ids=corpus.vocabulary_ids, max_tokens=corpus.max_tokens, labels=2
        ),
        TrainingData(
            train=corpus.train,
            validation=None,
            labels=("neg", "pos"),
        ),
        head=config.network.head,
        config=dataclasses.replace(config.training, epochs=EPOCHS),
        devices=choose_devices(config.training),
        seed=1,
        checkpoints=scratch / "checkpoints",
        hooks=Hooks(on_batch=lambda _: None, on_epoch=lambda *_: turns.end_epoch()),
    )
    held_out = corpus.held_out
    probabilities, _ = KerasEngine(fitted.network).run(held_out.ids, held_out.row_offsets)
    return log_loss(probabilities, held_out.labels)


def pad(examples: Examples, max_tokens: int) -> np.ndarray:
    """The ids of every document, padded to `max_tokens`, int64 `(rows, max_tokens)`."""
    return pad_ids(examples.ids, examples.row_offsets, max_tokens=max_tokens)


def train_keras(corpus: Corpus, scratch: Path, turns: Turns) -> float:
    import keras
    from keras import layers, ops

    from model.metrics.classification import log_loss
    from pipeline.config.loading import load_config

    config = load_config(CONFIG, [f"workspace={scratch}"])
    network, training = config.network, config.training
    keras.utils.set_random_seed(1)
    ids = keras.Input((corpus.max_tokens,), dtype="int32")
    embedded = layers.Embedding(corpus.vocabulary_ids, network.embedding.units, mask_zero=True)(ids)
    lstm = layers.LSTM(network.lstm.units, return_sequences=True)
    states = layers.Bidirectional(lstm)(embedded)
    energies = layers.Dense(1, activation="tanh")(states)
    padding = ops.cast(ops.equal(ops.expand_dims(ids, -1), 0), "float32")
    weights = layers.Softmax(axis=1)(energies - 1e9 * padding)
    pooled = layers.Dropout(network.dropout)(ops.sum(weights * states, axis=1))
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid")(pooled))
    model.compile(
        keras.optimizers.Adam(training.learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    heard = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: turns.end_epoch())
    model.fit(
        pad(corpus.train, corpus.max_tokens),
        corpus.train.labels,
        batch_size=training.batch_size,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[heard],
    )
    held_out = pad(corpus.held_out, corpus.max_tokens)
    positive = model.predict(held_out, batch_size=256, verbose=0)
    probabilities = np.concatenate([1 - positive, positive], axis=1)
    return log_loss(probabilities, corpus.held_out.labels)


CONTENDERS: dict[str, Callable[[Corpus, Path, Turns], float]] = {
    "limelight": train_limelight,
    "keras": train_keras,
}


def compete(name: str, corpus: Corpus, connection: Connection) -> None:
    """Runs in a contender's process: trains, sends each epoch, and last the held-out loss."""
    with tempfile.TemporaryDirectory(prefix="bench-training-") as scratch:
        connection.send(CONTENDERS[name](corpus, Path(scratch), Turns(connection)))


def take_turns(corpus: Corpus) -> tuple[dict[str, list[Epoch]], dict[str, float]]:
    """The timed epochs of each contender in order, and each one's held-out loss."""
    connections: dict[str, Connection] = {}
    epochs: dict[str, list[Epoch]] = {name: [] for name in CONTENDERS}
    for name in CONTENDERS:
        connections[name] = start_contender(compete, name, corpus)
        connections[name].recv()  # the first epoch, which includes the tracing
    for _ in range(EPOCHS - 1):
        for name, connection in connections.items():
            connection.send("go")
            epochs[name].append(connection.recv())
    losses = {}
    for name, connection in connections.items():
        connection.send("go")
        losses[name] = connection.recv()
    return epochs, losses


def main() -> None:
    """Prints documents a second of each contender, the ratio, and the losses."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=12800, help="training documents an epoch")
    documents = parser.parse_args().documents
    if corpus_folder("imdb") is None:
        print("bench_training: skipped, because CORPORA does not name the folder of imdb/")
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
        corpus = call_in_process(read_corpus, folder, documents)
        epochs: dict[str, list[Epoch]] = {name: [] for name in CONTENDERS}
        for _ in range(ROUNDS):
            timed, losses = take_turns(corpus)
            for name, more in timed.items():
                epochs[name] += more
    rows = len(corpus.train.labels)
    print(f"epochs of {rows:,} documents, medians of {ROUNDS * (EPOCHS - 1)} each, in turns")
    for name, timed_epochs in epochs.items():
        wall, cpu = (statistics.median(values) for values in zip(*timed_epochs, strict=True))
        print(
            f"  {name:10} {rows / wall:7,.0f} documents/s, {rows / cpu:7,.0f} a CPU second, "
            f"held-out loss {losses[name]:.4f} after {EPOCHS} epochs"
        )
    pairs = list(zip(epochs["limelight"], epochs["keras"], strict=True))
    for what in Epoch._fields:
        ratios = [getattr(theirs, what) / getattr(ours, what) for ours, theirs in pairs]
        print(
            f"limelight / keras by {what} time: {statistics.median(ratios):.2f} "
            f"(from {min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
