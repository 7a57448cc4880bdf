"""The part `imdb`: trains `guide_attention_2d` for 3 epochs on real documents.

It trains in float32 and in half precision, each with the batch size of the config and with the one
that Limelight chooses for a GPU. A further training in float32 is stopped after its second epoch
and resumed: its weights must equal those of the first to the bit. Then the float32 network is
written as a model directory, and the CPU engine and the reference (Keras, float32, CPU) score
the test documents from it; their results are compared with the GPU's.

Compiled programs are kept in a folder, so that only the first training compiles them. Its first
epoch shows what compiling takes; the others, what training takes.
"""

import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from model.bundle.writing import write_bundle
from model.config import ModelConfig, TrainingConfig
from model.config_loading import load_section
from model.folded.engine import FoldedEngine
from model.layers.classifier import build_classifier
from model.layers.forward import on_cpu
from model.layers.keras_engine import KerasEngine
from model.metrics.evaluation import evaluate
from model.text.vocabulary import Vocabulary
from model.training.devices import Devices, choose_devices, prepare_process
from model.training.examples import Examples
from model.training.fit import Fitted, Hooks, TrainingData, fit
from model.training.shards import Shards, read_examples

if TYPE_CHECKING:
    from tests.gpu.run import Options

EPOCHS = 3
GPU_BATCH = 512
REFERENCE_DOCUMENTS = 2_000  # the reference is slow


class StoppedError(Exception):
    """Raised between two epochs, in place of a kill."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corpus:
    """The folder that `tests.gpu.pack` wrote."""

    config: ModelConfig
    labels: tuple[str, ...]
    vocabulary: Vocabulary
    splits: dict[str, Examples]

    @property
    def data(self) -> TrainingData:
        return TrainingData(
            train=self.splits["train"], validation=self.splits["validation"], labels=self.labels
        )


def read_corpus(folder: Path, *, scratch: Path, rows: int | None = None) -> Corpus:
    """Reads the corpus; of each split at most the first `rows` documents."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    statistics = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))
    sections = {name: manifest["config"][name] for name in ("text", "network", "training")}
    sections["training"] = {"epochs": EPOCHS, "batch_size": sections["training"]["batch_size"]}
    config = load_section(ModelConfig, sections, where="manifest.json")
    splits = {}
    for split, counted in statistics["splits"].items():
        paths = sorted((folder / "examples").glob(f"{split}-*"))
        shards = Shards(
            paths=tuple(map(str, paths)),
            rows=counted["documents"],
            max_tokens=config.text.max_tokens,
            oov_buckets=config.text.oov_buckets,
        )
        splits[split] = first_rows(read_examples(shards, scratch=scratch), rows)
    tokens = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    return Corpus(
        config=config,
        labels=tuple(statistics["labels"]),
        vocabulary=Vocabulary(tokens, oov_buckets=config.text.oov_buckets),
        splits=splits,
    )


def first_rows(examples: Examples, rows: int | None) -> Examples:
    row_offsets = examples.row_offsets[: None if rows is None else rows + 1]
    kept = len(row_offsets) - 1
    return Examples(
        ids=examples.ids[: row_offsets[-1]],
        row_offsets=row_offsets,
        labels=examples.labels[:kept],
        weights=examples.weights[:kept],
    )


def run(report: Callable[[str, Any], None], options: "Options") -> None:
    if options.data is None:
        report("skipped", "--data names no folder")
        return
    prepare_process(TrainingConfig())  # asks JAX for results that repeat to the bit
    with tempfile.TemporaryDirectory(prefix="gpu-imdb-") as folder:
        scratch = Path(folder)
        jax.config.update("jax_compilation_cache_dir", str(scratch / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        begin = time.perf_counter()
        corpus = read_corpus(options.data, scratch=scratch, rows=300 if options.tiny else None)
        report("documents", {name: part.rows for name, part in corpus.splits.items()})
        report("seconds to read the shards", round(time.perf_counter() - begin, 2))
        batch = corpus.config.training.batch_size or GPU_BATCH

        plain = train(corpus, scratch / "float32", precision="float32", batch_size=batch)
        report(f"float32, batch {batch}", measure(plain, corpus))
        report("resumed training", compare_resumed(plain, corpus, scratch, batch_size=batch))
        report("rescored on the CPU", rescore(plain, corpus, scratch / "bundle"))
        for precision, size in (
            ("mixed_bfloat16", batch),
            ("float32", GPU_BATCH),
            ("mixed_bfloat16", GPU_BATCH),
            ("mixed_float16", batch),
        ):
            name = f"{precision}, batch {size}"
            fitted = train(corpus, scratch / name, precision=precision, batch_size=size)
            report(name, measure(fitted, corpus))


def build(corpus: Corpus, devices: Devices) -> keras.Model:
    return build_classifier(
        corpus.config.network,
        ids=corpus.vocabulary.size,
        max_tokens=corpus.config.text.max_tokens,
        labels=len(corpus.labels),
        precision=devices.precision,
        cudnn=devices.cudnn,
    )


def train(
    corpus: Corpus,
    folder: Path,
    *,
    precision: str,
    batch_size: int,
    on_epoch: Callable[..., None] = lambda *_: None,
) -> Fitted:
    """Trains, or resumes the training whose checkpoints are in the folder."""
    config = dataclasses.replace(corpus.config.training, batch_size=batch_size)
    return fit(
        lambda devices: build(corpus, devices),
        corpus.data,
        head=corpus.config.network.head,
        config=config,
        devices=dataclasses.replace(choose_devices(config), precision=precision),
        seed=1,
        checkpoints=folder,
        hooks=Hooks(on_batch=lambda _: None, on_epoch=on_epoch),
    )


def measure(fitted: Fitted, corpus: Corpus) -> dict[str, Any]:
    """Seconds of each epoch, documents a second of the fastest one, scores on the test split."""
    seconds = [row["seconds"] for row in fitted.history]
    test = corpus.splits["test"]
    probabilities, _ = KerasEngine(fitted.network).run(test.ids, test.row_offsets)
    evaluation: Any = evaluate(probabilities, test.labels, labels=corpus.labels, multilabel=False)
    return {
        "seconds an epoch": seconds,
        "seconds to compile": round(seconds[0] - min(seconds), 1),
        "documents/s": round(corpus.splits["train"].rows / min(seconds)),
        "validation accuracy": [row["validation_accuracy"] for row in fitted.history],
        "test accuracy": evaluation["accuracy"],
        "test loss": evaluation["loss"],
    }


def compare_resumed(
    plain: Fitted, corpus: Corpus, scratch: Path, *, batch_size: int
) -> dict[str, Any]:
    """Stops a training after its second epoch and resumes it: the weights must be `plain`'s."""

    def stop(_: Path, history: list[dict[str, float]]) -> None:
        if len(history) == 2:
            raise StoppedError

    arguments: dict[str, Any] = {"precision": "float32", "batch_size": batch_size}
    folder = scratch / "stopped"
    try:
        train(corpus, folder, **arguments, on_epoch=stop)
    except StoppedError:
        resumed = train(corpus, folder, **arguments)
    weights = list(zip(plain.network.get_weights(), resumed.network.get_weights(), strict=True))
    return {
        "epochs": len(resumed.history),
        "equal to the bit": all(np.array_equal(ours, theirs) for ours, theirs in weights),
        "largest difference": max(float(np.abs(ours - theirs).max()) for ours, theirs in weights),
    }


def rescore(fitted: Fitted, corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Writes a model directory, scores from it on the CPU, and compares with the GPU."""
    bundle = write_bundle(
        folder,
        name="guide_attention_2d",
        config=corpus.config,
        network=fitted.network,
        vocabulary=corpus.vocabulary,
        labels=corpus.labels,
    )
    test = corpus.splits["test"]
    some = first_rows(test, REFERENCE_DOCUMENTS)
    folded = FoldedEngine(bundle.read_weights(), corpus.config.network)
    with on_cpu():
        reference = KerasEngine(bundle.build_network(cudnn=False), cpu=True)
    expected = reference.run(some.ids, some.row_offsets)
    engines = {
        "cpu engine": folded,
        "gpu": KerasEngine(fitted.network),
        "gpu, full precision": KerasEngine(fitted.network, full_precision=True),
    }
    results: dict[str, Any] = {}
    for name, engine in engines.items():
        engine.run(test.ids, test.row_offsets)  # the first run compiles
        begin = time.perf_counter()
        probabilities, attention = engine.run(test.ids, test.row_offsets)
        seconds = time.perf_counter() - begin
        found = probabilities[: some.rows], attention[: len(some.ids)]
        results[name] = {
            "documents/s": round(test.rows / seconds),
            **{
                f"largest difference of {what}": float(np.abs(ours - theirs).max())
                for what, ours, theirs in zip(
                    ("probabilities", "attention"), found, expected, strict=True
                )
            },
        }
    return results
