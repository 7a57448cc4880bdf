"""train: a corpus -> trials on workers -> the best one, published as a model."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence

import apache_beam as beam

from model.config import BASE_VARIANT, to_plain
from model.text.markers import check_markers
from model.training.unlabeled import unlabeled_of_epoch
from pipeline.config.inputs import UNLABELED
from pipeline.config.sections import Config
from pipeline.config.variants import vary_config
from pipeline.corpora.preparing.config_checks import check_head
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.stages.corpus_pass import shown_pipeline
from pipeline.stages.model_publishing import publish_model
from pipeline.stages.prepare import prepare
from pipeline.stages.run_checks import check_workspace
from pipeline.stages.vocabulary import check_vector_files, digest_vectors
from pipeline.storage.files import Files, join, read_json, write_json
from pipeline.storage.manifest import Manifest, new_run_id
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.best_trial import check_monitor, choose_best
from pipeline.training.self_training import (
    check_teachers,
    check_unlabeled,
    find_teachers,
    train_students,
)
from pipeline.training.trial import TrainedModel, Trial, TrialResult
from pipeline.training.trial_config import resolve_config
from pipeline.training.trial_encoder import digest_encoder
from pipeline.training.trial_ensemble import ensemble_trial
from pipeline.transforms.train_models import TrainModels
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """A published model, and the trials it was chosen from.

    Attributes:
        folder: the model directory.
        dataset: what it was trained on.
        best: the trial that became the model.
        trials: all of them.
        chosen_epochs: the most epochs of `best` if `training.epochs` is `auto`; otherwise None.
        baseline: the linear baseline beside `best`; None where `training.baseline` is none.
    """

    folder: str
    dataset: Dataset
    best: TrialResult
    trials: Sequence[TrialResult]
    chosen_epochs: int | None
    baseline: BaselineRecord | None


def train(
    config: Config,
    *,
    beam_options: Sequence[str],
    files: Files,
    command: str,
    self_training: bool = False,
) -> Trained:
    """Trains every variant with every seed and publishes the trial that is best on validation.

    Args:
        config: what to train.
        beam_options: Beam's own flags.
        files: where everything lies.
        command: the command line that repeats the run, for the model card.
        self_training: whether students of these trials are trained, too.

    Raises:
        BundleError: if a teacher is not a complete model directory.
        ConfigError: as `prepare` does; also if a head or a monitored metric does not fit the
            labels, a file of word vectors or an encoder is missing or has another width, or there
            is nothing to teach students with.
        RunError: as `prepare` does; also if a training fails.
    """
    from model.training.devices import prepare_process

    configs = vary(config)
    for each in configs.values():
        check_markers(each.network.entities, each.text)
    digests = {
        name: (digest_vectors(each, files=files), digest_encoder(each, files=files))
        for name, each in configs.items()
    }
    check_vector_files(configs.values(), files=files)
    teachers = find_teachers(config, files=files)
    prepare_process(config.training)  # before `prepare`, which starts TensorFlow
    dataset = prepare(config, beam_options=beam_options, files=files)
    check_workspace(config.workspace, files=files)
    check_fit(configs.values(), dataset)
    check_teachers(teachers, dataset, files=files)
    if self_training:
        check_unlabeled(dataset)
    run = Manifest(run_id=new_run_id("train"), stage="train", config=to_plain(config))
    scratch = join(config.workspace, "staging", run.run_id)
    trials = list_trials(configs, dataset, digests=digests, teachers=teachers, scratch=scratch)
    run_round = functools.partial(
        run_trials, config=config, scratch=scratch, beam_options=beam_options, files=files
    )
    finished = run_round(trials)
    if self_training:
        trials, finished = train_students(
            trials, finished, config, dataset=dataset, run_round=run_round
        )
    if config.training.ensemble:
        together = ensemble_trial(trials, finished, config)
        trials, finished = [*trials, together], [*finished, *run_round([together])]
    return _publish(run, config, trials, finished, dataset=dataset, command=command, files=files)


def _publish(
    run: Manifest,
    config: Config,
    trials: Sequence[Trial],
    finished: Sequence[TrialResult],
    *,
    dataset: Dataset,
    command: str,
    files: Files,
) -> Trained:
    """Publishes the best trial, and deletes what only the trials needed."""
    best = choose_best(finished, monitor=config.training.monitor)
    [chosen] = [trial for trial in trials if trial.folder == best.folder]
    run.config = to_plain(chosen.config)
    run.extra = {"command": command}
    models = join(config.workspace, "models", config.name)
    folder = publish_model(
        run, dataset, finished, best, models=models, name=config.name, files=files
    )
    baseline = BaselineRecord.from_json(run.extra["baseline"])
    kept = {path for trial in trials for path in (trial.checkpoints, trial.wide_folder)}
    scratch = join(config.workspace, "staging", run.run_id)
    files.delete([scratch, *sorted(kept)])
    auto = vary(config).get(best.variant, config).training.epochs == "auto"
    return Trained(
        folder=folder,
        dataset=dataset,
        best=best,
        trials=finished,
        chosen_epochs=chosen.config.training.epochs if auto else None,
        baseline=baseline,
    )


def check_fit(configs: Iterable[Config], dataset: Dataset) -> None:
    """Raises `ConfigError` if a head or a monitored metric does not fit the dataset's labels."""
    for config in configs:
        multilabel = dataset.layout.multilabel
        check_head(config.network.head, labels=dataset.labels, multilabel=multilabel)
        check_monitor(config, dataset.labels)


def documents_of_trial(trial: Trial) -> int:
    """How many documents a trial trains on in all its epochs, if none stops it early."""
    if trial.members:
        return 0
    training, labeled = trial.config.training, trial.dataset.rows("train")
    unlabeled = trial.dataset.rows(UNLABELED) if training.learns_from_unlabeled else 0
    if trial.teachers:  # at most: those on which they are certain are known later
        labeled += trial.dataset.rows(UNLABELED)
    return training.epochs * (labeled + unlabeled_of_epoch(labeled, unlabeled))


def run_trials(
    trials: Sequence[Trial],
    *,
    config: Config,
    scratch: str,
    beam_options: Sequence[str],
    files: Files,
) -> list[TrialResult]:
    """Trains the trials on workers; returns their results."""
    results = join(scratch, "results.json")
    total = sum(documents_of_trial(trial) for trial in trials)
    with shown_pipeline(beam_options, step="train", total=total) as root:
        define_training(root, trials, config, files=files, results=results)
    return [TrialResult(**result) for result in read_json(files, results)]


def vary(config: Config) -> dict[str, Config]:
    """The config and each of its variants, by name."""
    variants = {each.name: vary_config(config, each) for each in config.training.variants}
    return {BASE_VARIANT: config, **variants}


def list_trials(
    configs: Mapping[str, Config],
    dataset: Dataset,
    *,
    digests: Mapping[str, tuple[str | None, str | None]],
    teachers: tuple[TrainedModel, ...],
    scratch: str,
) -> list[Trial]:
    """One trial for each variant and seed.

    Args:
        configs: the config of each variant, by its name.
        dataset: what is trained on.
        digests: of the word vectors and of the encoder of each variant, by its name.
        teachers: of all trials.
        scratch: the folder in which the trials write their model directories.
    """
    documents = dataset.rows("train") + (dataset.rows(UNLABELED) if teachers else 0)
    return [
        Trial(
            variant=name,
            seed=seed,
            config=resolve_config(config, dataset, documents=documents),
            dataset=dataset,
            vectors_digest=digests[name][0],
            encoder_digest=digests[name][1],
            folder=join(scratch, f"variant-{number}", f"seed-{seed}"),
            teachers=teachers,
        )
        for number, (name, config) in enumerate(configs.items())
        for seed in config.training.seeds
    ]


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


def _write_results(results: Sequence[TrialResult], *, files: Files, path: str) -> None:
    write_json(files, path, [dataclasses.asdict(result) for result in results])
