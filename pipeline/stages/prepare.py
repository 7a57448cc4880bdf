"""prepare: corpora -> vocabulary, padded TFRecord shards, statistics, rejections.

Two pipelines read the same units of files. The survey counts tokens and labels and finds
duplicates. The encoding needs all three results, so it reads the corpus a second time. Keeping the
documents in a shuffle until the survey ends would need memory or disk for the whole corpus.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.config import ConfigError, ResolvedTextConfig, to_plain
from model.text.tokenizer import Tokenizer
from pipeline.config.sections import Config
from pipeline.corpora.preparing.config_checks import check_groups, check_head
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles, find_dataset
from pipeline.corpora.preparing.dataset_statistics import summarize_dataset
from pipeline.corpora.preparing.duplicates import key_buckets
from pipeline.corpora.preparing.encoding import ExampleLayout
from pipeline.corpora.preparing.labels import count_labels, find_label_notes, index_labels
from pipeline.corpora.preparing.resolved_text import resolve_text
from pipeline.corpora.preparing.survey import SurveyFiles
from pipeline.corpora.reading.accounting import has_too_many_rejections
from pipeline.corpora.reading.columns import corpus_to_prepare
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.units import Unit
from pipeline.reports.collect import collect_dataset_report
from pipeline.reports.dataset_report import render_dataset_report
from pipeline.runners.execution import RunError
from pipeline.stages.corpus_pass import (
    CountedCorpus,
    account,
    count_rejections,
    shown_pipeline,
    stopped_early,
    write_rejections,
)
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.missing_columns import find_missing_labels, require_named_columns
from pipeline.stages.run_checks import check_broken, check_rejected, check_workspace
from pipeline.stages.unit_planning import plan_units
from pipeline.stages.vocabulary import (
    build_vocabulary,
    check_vector_files,
    digest_vectors,
    read_vector_tokens,
)
from pipeline.storage.files import (
    Files,
    join,
    read_json,
    read_lines,
    write_json,
    write_lines,
    write_text,
)
from pipeline.storage.manifest import Manifest, fingerprint, new_run_id
from pipeline.storage.staged_lists import read_staged_list
from pipeline.storage.versions import code_version
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.count_tokens import CountTokens
from pipeline.transforms.encode_documents import EncodeDocuments
from pipeline.transforms.find_duplicates import FindDuplicates
from pipeline.transforms.find_strata import FindStrata
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.sample_documents import SampleDocuments
from pipeline.transforms.split_documents import SplitDocuments
from pipeline.transforms.write_examples import WriteExamples


def prepare(config: Config, *, beam_options: Sequence[str], files: Files) -> Dataset:
    """Prepares a corpus, or returns the dataset that has the same fingerprint.

    Raises:
        ConfigError: for missing inputs, an empty corpus, fewer than two labels, or a head that
            cannot learn the labels.
        RunError: if a pipeline fails, too many files are broken, or too many rows are rejected;
            the rejections stay in the dataset's folder.
    """
    Tokenizer(config.text)  # raises for a pattern that cannot be used, before anything is read
    if config.text.vector_tokens:
        check_vector_files([config], files=files)
    run = Manifest(run_id=new_run_id("prepare"), stage="prepare", config=to_plain(config))
    scratch = join(config.workspace, "staging", run.run_id)
    with opened_inputs(
        corpus_to_prepare(config.corpus), scratch=scratch, beam_options=beam_options, files=files
    ) as inputs:
        return _prepare(run, config, inputs, beam_options=beam_options, files=files)


def _prepare(
    run: Manifest,
    config: Config,
    inputs: Sequence[InputFile],
    *,
    beam_options: Sequence[str],
    files: Files,
) -> Dataset:
    folder = join(config.workspace, "datasets", dataset_fingerprint(config, inputs, files=files))
    found = find_dataset(files, folder)
    layout = example_layout(config)
    if found is not None:
        check_head(config.network.head, labels=found.labels, multilabel=layout.multilabel)
        return found

    check_workspace(config.workspace, files=files)
    files.delete([folder])  # files of a run that was killed
    dataset = DatasetFiles(folder=folder)
    units = plan_units(
        inputs,
        beam_options=beam_options,
        files=files,
        staging=dataset.staging.folder,
        limit=config.corpus.limit,
    )
    survey = _survey(units, config, dataset=dataset, beam_options=beam_options, files=files)
    _check_files(run, config, survey, inputs, dataset=dataset, files=files)
    labels = _index_labels(survey, config, files=files)
    check_groups(survey, column=config.corpus.columns.group)
    check_head(config.network.head, labels=labels, multilabel=layout.multilabel)
    write_vocabulary_and_labels(dataset, config, labels=labels, files=files)

    text = resolve_text(config.text, survey)
    documents = sum(survey["documents"].values())
    with shown_pipeline(beam_options, step="encode", total=documents) as root:
        define_encoding(root, units, config, text, layout=layout, dataset=dataset, files=files)
    counts = read_json(files, dataset.staging.encoding_counts)
    counts |= {name: survey.get(name, {}) for name in ("duplicates", "null_ids")}
    corpus = account(counts, inputs)
    return _complete(
        run, config, corpus, text=text, labels=labels, layout=layout, dataset=dataset, files=files
    )


def _index_labels(survey: Mapping[str, Any], config: Config, *, files: Files) -> tuple[str, ...]:
    """The labels; if there are none, the error also names the columns of the first rows."""
    try:
        return index_labels(survey, where=config.corpus.inputs[0].source)
    except ConfigError as error:
        missing = find_missing_labels(config.corpus, files=files)
        if missing is None or not survey.get("documents", {}).get("train"):
            raise
        raise ConfigError(missing) from error


def _survey(
    units: Sequence[Unit],
    config: Config,
    *,
    dataset: DatasetFiles,
    beam_options: Sequence[str],
    files: Files,
) -> dict[str, Any]:
    """What must be known of all documents before one is encoded; returns what was counted."""
    if config.corpus.splits.stratify:
        with shown_pipeline(beam_options, step="stratify") as root:
            define_strata(root, units, config, dataset=dataset, files=files)
    # The next pass rejects the rows of this one, and more.
    early = stopped_early(
        units,
        config.corpus,
        rejected=dataset.rejected,
        listed=dataset.staging.rejected_list,
        files=files,
    )
    with early, shown_pipeline(beam_options, step="survey") as root:
        define_survey(root, units, config, dataset=dataset, files=files)
    return read_json(files, dataset.staging.survey_counts)


def _check_files(
    run: Manifest,
    config: Config,
    survey: Mapping[str, Any],
    inputs: Sequence[InputFile],
    *,
    dataset: DatasetFiles,
    files: Files,
) -> None:
    """Stops the run after the first pass if too many files are broken, or a column is missing.

    The manifest of the run names broken files.
    """
    # This pass does not count the rows used: all that were not rejected go on to the next pass.
    counted = {
        file: {**rows, "rows_used": rows["rows_read"] - rows.get("rows_rejected", 0)}
        for file, rows in survey.get("files", {}).items()
    }
    corpus = account({**survey, "files": counted}, inputs)
    try:
        check_broken(corpus.rows, config.corpus)
    except RunError:
        run.inputs, run.rows = corpus.inputs, corpus.rows
        run.finish("failed")
        run.write(files, dataset.folder)
        raise
    require_named_columns(survey, inputs, corpus_to_prepare(config.corpus), files=files)


def _complete(
    run: Manifest,
    config: Config,
    corpus: CountedCorpus,
    *,
    text: ResolvedTextConfig,
    labels: Sequence[str],
    layout: ExampleLayout,
    dataset: DatasetFiles,
    files: Files,
) -> Dataset:
    """Writes statistics, report and manifest; too many rejected rows make the dataset unusable."""
    run.inputs, run.rows = corpus.inputs, corpus.rows
    run.outputs = _outputs(dataset, files)
    run.extra = {"layout": dataclasses.asdict(layout), "text": to_plain(text)}
    vocabulary_ids = 1 + text.oov_buckets + len(read_lines(files, dataset.vocabulary))
    statistics = summarize_dataset(
        corpus.counts,
        labels=labels,
        vocabulary_ids=vocabulary_ids,
        text=text,
        multilabel=layout.multilabel,
    )
    write_json(files, dataset.statistics, statistics)
    files.delete([dataset.staging.folder])
    failed = has_too_many_rejections(run.rows, config.corpus.max_rejected_fraction)
    run.finish("failed" if failed else "done")
    report = collect_dataset_report(files, dataset, manifest=run.as_dict())
    write_text(files, dataset.report, render_dataset_report(report))
    run.write(files, dataset.folder)
    notes = "".join(f"{note} " for note in find_label_notes({}, statistics["null_ids"]))
    check_rejected(
        corpus,
        config.corpus,
        hint=f"{notes}Some are shown in {dataset.report}; all of them are in {dataset.rejected}.",
    )
    return Dataset(files=dataset, manifest=run.as_dict(), statistics=statistics)


def define_strata(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    dataset: DatasetFiles,
    files: Files,
) -> None:
    """Units -> for each label, the hashes at which its splits end."""
    reading = ReadDocuments(corpus_to_prepare(config.corpus), files)
    read = root | "Units" >> beam.Create(units) | "Read" >> reading
    read.documents | "Find strata" >> FindStrata(
        config.corpus, dataset.staging.strata, files, buckets=key_buckets(units)
    )


def define_survey(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    dataset: DatasetFiles,
    files: Files,
) -> None:
    """Units -> counts of tokens, rows with repeated ids, counts of labels and duplicates."""
    staging = dataset.staging
    read, split = _read_and_split(root, units, config, dataset=dataset, files=files)
    count_tokens = CountTokens(config.text, staging.token_counts, files)
    lengths = split.documents | "Count tokens" >> count_tokens
    duplicates = split.keys | "Find duplicates" >> FindDuplicates(staging.repeats, files)
    labels = split.documents | "Count labels" >> beam.Map(
        _count_labels, multilabel=config.corpus.columns.labels is not None
    )
    (
        (read.counts, labels, lengths, duplicates, *count_rejections([read.rejections]))
        | "Count" >> CountRows(staging.survey_counts, files)
    )


def define_encoding(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    text: ResolvedTextConfig,
    *,
    layout: ExampleLayout,
    dataset: DatasetFiles,
    files: Files,
) -> None:
    """Units -> TFRecord shards, samples, rejections, counts."""
    staging = dataset.staging
    survey = SurveyFiles(
        vocabulary=dataset.vocabulary, labels=dataset.labels, repeats=staging.repeats
    )
    read, split = _read_and_split(root, units, config, dataset=dataset, files=files)
    encoded = split.documents | "Encode" >> EncodeDocuments(text, layout, survey, files)
    (
        encoded.examples
        | "Write examples"
        >> WriteExamples(dataset.examples, staging.pieces, files, shards=config.corpus.shards)
        | "List shards" >> ListFiles(staging.shards_list, files)
    )
    encoded.documents | "Sample" >> SampleDocuments(dataset.samples, files)
    rejections = (read.rejections, encoded.rejections)
    write_rejections(rejections, dataset.rejected, listed=staging.rejected_list, files=files)
    counts = (read.counts, encoded.counts, *count_rejections(rejections))
    counts | "Count" >> CountRows(staging.encoding_counts, files)


def dataset_fingerprint(config: Config, inputs: Sequence[InputFile], *, files: Files) -> str:
    """A hash of everything that determines a dataset's content."""
    contents = [
        [item.source_file, item.info.bytes, files.digest(item.info.path)] for item in inputs
    ]
    sections: list[Any] = [to_plain(config.corpus), to_plain(config.text)]
    if config.text.vector_tokens:
        sections.append(digest_vectors(config, files=files))
    return fingerprint(contents, sections, code_version())


def example_layout(config: Config) -> ExampleLayout:
    """The features that the configured columns give to examples."""
    columns = config.corpus.columns
    return ExampleLayout(
        multilabel=columns.labels is not None,
        probabilities=columns.probabilities is not None,
        weight=columns.weight is not None,
        rationale=columns.rationale is not None,
    )


def _read_and_split(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    dataset: DatasetFiles,
    files: Files,
) -> tuple[Any, Any]:
    """Reads the units and assigns splits by hash, the same ones in every pass over the corpus."""
    strata = dataset.staging.strata if config.corpus.splits.stratify else None
    splitting = SplitDocuments(config.corpus, files, buckets=key_buckets(units), strata=strata)
    reading = ReadDocuments(corpus_to_prepare(config.corpus), files)
    read = root | "Units" >> beam.Create(units) | "Read" >> reading
    return read, read.documents | "Split" >> splitting


def _count_labels(element: tuple[int, pa.RecordBatch], *, multilabel: bool) -> dict[str, Any]:
    return count_labels(element[1], multilabel=multilabel)


def write_vocabulary_and_labels(
    dataset: DatasetFiles, config: Config, *, labels: Sequence[str], files: Files
) -> None:
    """Writes the two files that give tokens and labels their ids.

    The vocabulary has the reserved tokens first, then those that TFT chose, then those of the word
    vectors.

    Raises:
        ConfigError: if no token of the training split is frequent enough.
    """
    # The vocabulary holds tokens in folded form, in which two reserved tokens may be equal.
    reserved = Tokenizer(config.text).fold(config.text.reserved_tokens)
    found = build_vocabulary(
        config.text, counts=dataset.staging.token_counts, folder=dataset.transform, files=files
    )
    if not found:
        raise ConfigError(
            f"text.min_frequency: expected tokens that occur {config.text.min_frequency:,} times "
            "in the training split, got none. Lower text.min_frequency or prepare more text."
        )
    tokens = dict.fromkeys([*reserved, *found])
    more = read_vector_tokens(config, known=tokens, files=files)
    write_lines(files, dataset.vocabulary, [*tokens, *more])
    write_lines(files, dataset.labels, labels)


def _outputs(dataset: DatasetFiles, files: Files) -> list[dict[str, Any]]:
    """The `outputs` of the manifest, by path below the dataset: shards, then rejections."""
    listed = [
        *read_staged_list(files, dataset.staging.shards_list),
        *read_staged_list(files, dataset.staging.rejected_list),
    ]
    below = len(dataset.folder) + 1
    return [{**file.as_output(), "file": file.path[below:]} for file in listed]
