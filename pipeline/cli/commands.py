"""One function a command: parse, load config, call a stage, print what was made."""

import argparse
import dataclasses
import datetime
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from model.config import ConfigError
from pipeline.cli.arguments import parse
from pipeline.cli.printing import (
    console,
    print_comparison,
    print_dataset,
    print_estimate,
    print_made,
    print_metrics,
    print_plan,
    print_rows,
    print_runs,
    print_trials,
)
from pipeline.config.inputs import is_tsv, new_input
from pipeline.config.loading import build_config, config_of_date, load_config
from pipeline.config.sections import Config, ScoringConfig
from pipeline.config.variants import vary_config
from pipeline.nights.partition import Partition
from pipeline.process.printable import printable
from pipeline.runners.execution import RunError
from pipeline.runners.options import check_runner, name_job
from pipeline.runners.profiles import load_profile
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import base_name, join, write_json, write_text

DONE, GATE_TRIPPED = 0, 3

# Of the columns that a model was trained on, those that its scoring and evaluation read.
SCORED_COLUMNS = ("id", "text", "label", "labels")


def run_command(arguments: Sequence[str]) -> int:
    """Runs the command that the arguments name and returns the exit code."""
    parsed, beam_options = parse(arguments)
    if getattr(parsed, "runner_profile", None):
        profile = load_profile(parsed.runner_profile)
        beam_options = [*profile.beam_options, *beam_options]
        parsed.set = [*profile.overrides, *parsed.set]
    command = f"limelight {shlex.join(arguments)}"
    return COMMANDS[parsed.command](parsed, beam_options, command)


def run_demo(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """The whole job on a generated corpus."""
    from pipeline.stages.demo import demo

    check_runner(beam_options, paths={"--output": parsed.output})
    result = demo(parsed.output, beam_options=beam_options, files=BeamFiles(), command=command)
    for line in result.summary():
        console.print(Text(line))
    return 0


def run_prepare(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Corpora into vocabulary and TFRecords."""
    config = load_config(parsed.config, parsed.set)
    beam_options = _check_runner(parsed, beam_options, config)
    if parsed.dry_run:
        return print_plan(config, writes=join(config.workspace, "datasets", "<fingerprint>"))
    from pipeline.stages.prepare import prepare

    dataset = prepare(config, beam_options=beam_options, files=BeamFiles())
    print_dataset(dataset)
    print_made("report", dataset.files.report)
    return 0


def run_train(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Prepare, train, publish the best model."""
    config = load_config(parsed.config, parsed.set)
    beam_options = _check_runner(parsed, beam_options, config)
    for variant in config.training.variants:
        vary_config(config, variant)  # refuses a wrong one now
    if parsed.dry_run:
        return print_plan(config, writes=join(config.workspace, "models", config.name, "<version>"))
    from pipeline.stages.train import train

    trained = train(config, beam_options=beam_options, files=BeamFiles(), command=command)
    print_dataset(trained.dataset)
    for trial in trained.trials:
        title = f"{trial.variant}, seed {trial.seed}, epoch {trial.best_epoch}"
        print_metrics(trial.metrics, title=title)
    print_trials(trained.trials)
    print_made("model", trained.folder)
    print_made("report", join(trained.folder, "report.html"))
    return 0


def run_vectors(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Learn word vectors from the text of a corpus."""
    from pipeline.stages.vectors import learn_vectors

    check_runner(beam_options, paths={})
    config = load_config(parsed.config, parsed.set)
    if parsed.input:
        config = _with_input(config, parsed.input)
    learned = learn_vectors(
        config, output=parsed.output, files=BeamFiles(), beam_options=beam_options
    )
    print_rows(learned.rows)
    console.print(Text(f"learned      {learned.words:,} words from {learned.tokens:,} tokens"))
    print_made("vectors", parsed.output)
    return 0


def run_score(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Score corpora and publish the predictions of a date, or of many."""
    date = parsed.date or datetime.datetime.now(datetime.UTC).date().isoformat()
    partition = Partition(output=parsed.output, date=date)
    check_runner(beam_options, paths=_named_paths(parsed))
    config = _scoring_config(parsed)
    beam_options = _check_runner(parsed, beam_options, config, date)
    if parsed.dates and not parsed.dry_run:
        return _run_backfill(parsed, config, beam_options)
    if parsed.dry_run:
        for each in parsed.dates or [date]:
            partition = Partition(output=parsed.output, date=each)
            print_plan(config_of_date(config, each), writes=partition.predictions)
            print_estimate(config_of_date(config, each), model=parsed.model)
        return 0
    from pipeline.stages.score import score

    run = score(
        config_of_date(config, date),
        model=parsed.model,
        partition=partition,
        beam_options=beam_options,
        files=BeamFiles(),
        if_exists=parsed.if_exists,
        reuse_from=parsed.reuse_from,
    )
    if run.skipped:
        console.print(Text(f"skipped      {partition.predictions} is complete"))
        return GATE_TRIPPED if run.alerts else DONE
    print_rows(run.manifest["rows"])
    console.print(Text(f"speed        {run.manifest['documents_per_second']:,.0f} documents/s"))
    if "reuse" in run.manifest:
        reuse = run.manifest["reuse"]
        console.print(
            Text(
                f"reused       {reuse['carried']:,} rows of {reuse['date']}; {reuse['scored']:,} "
                f"scored, {reuse['removed']:,} removed"
            )
        )
    for warning in run.manifest["drift"]["warnings"]:
        console.print(Text(f"drift        {printable(warning)}"))
    print_made("predictions", partition.predictions)
    print_made("rejected", partition.rejected)
    print_made("report", join(run.folder, "report.html"))
    return GATE_TRIPPED if run.alerts else DONE


def _run_backfill(parsed: argparse.Namespace, config: Config, beam_options: list[str]) -> int:
    from pipeline.stages.backfill import backfill

    nights = backfill(
        config,
        parsed.dates,
        model=parsed.model,
        output=parsed.output,
        beam_options=beam_options,
        files=BeamFiles(),
        if_exists=parsed.if_exists,
        reuse_from=parsed.reuse_from,
    )
    for night in nights:
        made = _describe_made(night.run.manifest) if night.run else night.error
        console.print(Text(f"{night.date}   {night.status:<9}{made}"))
    failed = [night.date for night in nights if night.status == "failed"]
    if failed:
        raise RunError(
            f"{len(failed)} of {len(nights)} dates failed: {', '.join(failed)}. "
            "Mend them and run again with --if-exists skip."
        )
    return GATE_TRIPPED if any(night.run and night.run.alerts for night in nights) else DONE


def _describe_made(manifest: Mapping[str, Any]) -> str:
    """The rows of a night; the manifest of one that was skipped may have been cleared away."""
    return f"{manifest['rows']['used']:,} rows" if manifest.get("rows") else ""


def run_runs(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """List the scoring runs of an output, newest first."""
    from pipeline.nights.run_table import list_runs

    print_runs(list_runs(BeamFiles(), parsed.output))
    return DONE


def run_compare(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Score one corpus with two models and say what would change."""
    from pipeline.corpora.scoring.comparison import Gates
    from pipeline.stages.compare import compare

    check_runner(beam_options, paths=_named_paths(parsed))
    parsed.model = parsed.old
    config = _scoring_config(parsed)
    beam_options = _check_runner(parsed, beam_options, config)
    compared = compare(
        config,
        old=parsed.old,
        new=parsed.new,
        output=parsed.output,
        gates=Gates(max_churn=parsed.max_churn, min_accuracy_gain=parsed.min_accuracy_gain),
        beam_options=beam_options,
        files=BeamFiles(),
    )
    print_comparison(compared.comparison)
    print_rows(compared.comparison["rows"])
    print_made("flips", compared.flips)
    print_made("report", compared.report)
    return GATE_TRIPPED if compared.comparison["tripped"] else DONE


def run_evaluate(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Score a labeled corpus and print the metrics."""
    from pipeline.stages.evaluate import evaluate

    check_runner(beam_options, paths=_named_paths(parsed))
    config = _scoring_config(parsed)
    beam_options = _check_runner(parsed, beam_options, config)
    measured = evaluate(config, model=parsed.model, beam_options=beam_options, files=BeamFiles())
    print_metrics({"corpus": measured.metrics}, title=parsed.model)
    print_rows(measured.rows)
    if parsed.output:
        write_json(BeamFiles(), parsed.output, measured.metrics)
        print_made("metrics", parsed.output)
    return 0


def run_explain(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Show which tokens a prediction attended to."""
    from pipeline.corpora.scoring.gallery import explain_texts
    from pipeline.corpora.scoring.scorers import shared_scorers
    from pipeline.reports.terminal import explain_prediction

    [scorer] = shared_scorers(BeamFiles(), [parsed.model], ScoringConfig())
    explained = explain_texts(scorer, parsed.text)
    for shown in explained:
        console.print(explain_prediction(shown))
    if len(explained) < len(parsed.text):
        raise ConfigError(
            f"TEXT: expected texts with a token, got {len(parsed.text) - len(explained)} without. "
            "Blanks alone are none."
        )
    return 0


def run_report(parsed: argparse.Namespace, beam_options: list[str], command: str) -> int:
    """Write a model's report page again."""
    from pipeline.reports.collect import collect_model_report
    from pipeline.reports.model_report import render_model_report
    from pipeline.storage.models import open_bundle

    files = BeamFiles()
    bundle = open_bundle(files, parsed.model)
    report = collect_model_report(files, str(bundle.folder), manifest=bundle.manifest)
    write_text(files, parsed.to, render_model_report(report))
    print_made("report", parsed.to)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, list[str], str], int]] = {
    "demo": run_demo,
    "prepare": run_prepare,
    "train": run_train,
    "vectors": run_vectors,
    "score": run_score,
    "runs": run_runs,
    "compare": run_compare,
    "evaluate": run_evaluate,
    "explain": run_explain,
    "report": run_report,
}


def _check_runner(
    parsed: argparse.Namespace, beam_options: Sequence[str], config: Config, *of_job: str
) -> list[str]:
    """Refuses a runner, a flag or a path that would fail later; names the job."""
    paths = _named_paths(parsed)
    if "--output" not in paths:
        paths["workspace"] = config.workspace
    for each in config.corpus.inputs:
        if each.format == "bigquery":
            continue
        paths.setdefault("--input" if "--output" in paths else "corpus.inputs", each.path)
    trains = parsed.command == "train"
    if trains and config.network.embedding.vectors:
        paths["network.embedding.vectors"] = config.network.embedding.vectors
    check_runner(beam_options, paths=paths, training=config.training if trains else None)
    model = getattr(parsed, "model", None)
    what = f"{base_name(model.rstrip('/').rpartition('/')[0])}-{base_name(model)}" if model else ""
    return name_job(beam_options, parsed.command, what or config.name, *of_job)


def _named_paths(parsed: argparse.Namespace) -> dict[str, str]:
    """The paths on the command line that workers have to reach."""
    names = {"score": ("model", "input", "output"), "compare": ("old", "new", "input", "output")}
    named = names.get(parsed.command, ("model", "input"))
    given = {f"--{name}": getattr(parsed, name, None) for name in named}
    return {flag: path for flag, path in given.items() if path}


def _scoring_config(parsed: argparse.Namespace) -> Config:
    """The config of a scoring run: a file's, else the columns that the model was trained on."""
    from pipeline.storage.models import open_bundle

    if parsed.config:
        config = load_config(parsed.config, parsed.set)
    else:
        manifest = open_bundle(BeamFiles(), parsed.model).manifest
        columns = manifest["config"]["corpus"]["columns"]
        values: dict[str, Any] = {
            "corpus": {"columns": {name: columns[name] for name in SCORED_COLUMNS}}
        }
        config = build_config(values, parsed.set, where="the model's manifest")
    if parsed.input:
        return _with_input(config, parsed.input)
    if not config.corpus.inputs:
        raise ConfigError(
            "--input: expected files to read, got none. Pass --input GLOB or --config FILE."
        )
    return config


def _with_input(config: Config, path: str) -> Config:
    """The config with the files of a command line in place of its own, read as they are."""
    named = new_input(path)
    like = [
        item
        for item in config.corpus.inputs
        if item.format == named.format
        # What a config says of its own files goes for others, but a .tsv is no .csv.
        and (item.format != "csv" or is_tsv(item.path) == is_tsv(path))
    ]
    only = dataclasses.replace(like[0] if like else named, path=path, split=None)
    return dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, inputs=(only,)))
