"""train: a corpus -> trials on workers -> the best one, published as a model."""

import dataclasses
import functools
from collections.abc import Sequence

import apache_beam as beam

from model.bundle.manifest import SCHEMA_VERSION, describe_text, model_fingerprint
from model.config import BASE_VARIANT, ConfigError, to_plain
from model.metrics.names import LOSS
from model.metrics.semeval import are_directed_relations
from model.training.pretrained_vectors import check_width
from pipeline.config.sections import Config
from pipeline.config.variants import vary_config
from pipeline.corpora.preparing.config_checks import check_head
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.reports.collect import collect_model_report
from pipeline.reports.model_card import render_model_card
from pipeline.reports.model_report import render_model_report
from pipeline.stages.corpus_pass import shown_pipeline
from pipeline.stages.prepare import prepare
from pipeline.storage.files import Files, join, read_json, write_json, write_text
from pipeline.storage.manifest import Manifest, new_run_id
from pipeline.training.trial import Trial, TrialResult
from pipeline.transforms.train_models import TrainModels
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """A published model, and the trials it was chosen from."""

    folder: str
    dataset: Dataset
    best: TrialResult
    trials: Sequence[TrialResult]


def train(config: Config, *, beam_options: Sequence[str], files: Files, command: str) -> Trained:
    """Trains one model a seed and publishes the best on validation.

    Args:
        config: what to train.
        beam_options: Beam's own flags.
        files: where everything lies.
        command: how to reproduce the run, for the model card.

    Raises:
        ConfigError, RunError: as `prepare` does; RunError if a training fails.
    """
    from model.training.devices import share_cores

    configs = vary(config)
    vectors = {name: digest_vectors(each, files=files) for name, each in configs.items()}
    share_cores()  # here, because preparing starts TensorFlow in this process
    dataset = prepare(config, beam_options=beam_options, files=files)
    for each in configs.values():
        multilabel = dataset.layout.multilabel
        check_head(each.network.head, labels=dataset.labels, multilabel=multilabel)
        check_monitor(each, dataset.labels)
    run = Manifest(run_id=new_run_id("train"), stage="train", config=to_plain(config))
    scratch = join(config.workspace, "staging", run.run_id)
    trials = [
        Trial(
            variant=name,
            seed=seed,
            config=varied,
            dataset=dataset,
            vectors_digest=vectors[name],
            folder=join(scratch, f"variant-{number}", f"seed-{seed}"),
        )
        for number, (name, varied) in enumerate(configs.items())
        for seed in config.training.seeds
    ]
    results = join(scratch, "results.json")
    rows = dataset.rows("train") * config.training.epochs * len(trials)
    with shown_pipeline(beam_options, step="train", total=rows) as root:
        define_training(root, trials, config, files=files, results=results)
    finished = [TrialResult(**result) for result in read_json(files, results)]
    best = choose_best(finished, monitor=config.training.monitor)
    [chosen] = [trial for trial in trials if trial.folder == best.folder]
    run.config = to_plain(chosen.config)
    folder = _publish(run, dataset, finished, best, config=config, command=command, files=files)
    files.delete([scratch, *(trial.checkpoints for trial in trials)])
    return Trained(folder=folder, dataset=dataset, best=best, trials=finished)


def vary(config: Config) -> dict[str, Config]:
    """The config and each of its variants, by name."""
    variants = {each.name: vary_config(config, each) for each in config.training.variants}
    return {BASE_VARIANT: config, **variants}


def digest_vectors(config: Config, *, files: Files) -> str | None:
    """The digest of the word vectors that a network begins with; None where there are none.

    Raises:
        ConfigError: if the file is missing or of another width: before hours of work.
    """
    path = config.network.embedding.vectors
    if path is None:
        return None
    if not files.exists(path):
        raise ConfigError(
            f"network.embedding.vectors: expected a file of word vectors at {path!r}, got none. "
            "Check the path, or make one with: limelight vectors --help."
        )
    with files.open(path) as stream:
        check_width(stream, units=config.network.embedding.units, where=path)
    return files.digest(path)


def check_monitor(config: Config, labels: Sequence[str]) -> None:
    """Raises `ConfigError` if the epoch is to be chosen by a score that these labels lack."""
    one_label = config.network.head != "multilabel" and are_directed_relations(labels)
    if config.training.monitor == "semeval_f1" and not one_label:
        raise ConfigError(
            "training.monitor: expected accuracy, macro_f1 or loss where labels are not directed "
            "relations such as Cause-Effect(e1,e2), one a document, got semeval_f1. Choose one of "
            "those."
        )


def define_training(
    root: beam.Pipeline, trials: Sequence[Trial], config: Config, *, files: Files, results: str
) -> None:
    """Trials -> model directories, and one file of their results."""
    (
        root
        | "Trials" >> beam.Create(trials)
        | "Train" >> TrainModels(config.training, files)
        | WriteOneFile(functools.partial(_write_results, files=files, path=results))
    )


def choose_best(results: Sequence[TrialResult], *, monitor: str) -> TrialResult:
    """The trial that is best on validation; the first seed where there is no validation."""

    def rank(result: TrialResult) -> tuple[float, int]:
        measured = result.metrics.get("validation", {}).get(monitor, 0.0)
        return (measured if monitor == LOSS else -measured, result.seed)

    return min(results, key=rank)


def _publish(
    run: Manifest,
    dataset: Dataset,
    results: Sequence[TrialResult],
    best: TrialResult,
    *,
    config: Config,
    command: str,
    files: Files,
) -> str:
    """Moves the best trial's files to the next version and completes it; returns its folder."""
    models = join(config.workspace, "models", config.name)
    version = next_version(files, models)
    folder = join(models, str(version))
    files.move((join(best.folder, name), join(folder, name)) for name in best.files)
    described = dict(best.files)
    run.finish("done")
    run.inputs = dataset.manifest["inputs"]
    run.rows = dataset.manifest["rows"]
    run.extra = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "model_version": f"{config.name}/{version}",
        "fingerprint": model_fingerprint(best.files),
        "vocabulary_ids": best.vocabulary_ids,
        "vectors": best.vectors,
        "dataset": dataset.files.folder,
        "variant": best.variant,
        "seed": best.seed,
        "best_epoch": best.best_epoch,
        "trials": [
            {
                "variant": result.variant,
                "seed": result.seed,
                "epochs": result.epochs,
                "metrics": result.scores(),
            }
            for result in results
        ],
    }
    report = collect_model_report(files, folder, manifest=run.as_dict())
    for name, text in (
        ("report.html", render_model_report(report)),
        ("model_card.md", render_model_card(report)),
    ):
        write_text(files, join(folder, name), text)
        described[name] = describe_text(text)
    run.outputs = [
        {"file": name, "bytes": item["bytes"], "rows": None, "sha256": item["sha256"]}
        for name, item in sorted(described.items())
    ]
    run.extra = {**run.extra, "files": described}
    run.write(files, folder)
    return folder


def next_version(files: Files, models: str) -> int:
    """One more than the highest version that has any file."""
    found = [info.path[len(models) :].split("/")[1] for info in files.match(join(models, "*", "*"))]
    return 1 + max((int(name) for name in found if name.isdigit()), default=0)


def _write_results(results: Sequence[TrialResult], *, files: Files, path: str) -> None:
    write_json(files, path, [dataclasses.asdict(result) for result in results])
