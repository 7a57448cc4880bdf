"""What the command line prints. Text from a corpus loses its control characters first."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.config import to_plain
from model.metrics.names import LOSS, SCORES
from model.training.wide_fitting.mix import Mix
from pipeline.config.sections import Config
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.process.printable import printable
from pipeline.reports.formats import counted, list_labels
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join
from pipeline.training.trial_scores import TrialRecord, compare_variants, summarize_trials

if TYPE_CHECKING:
    from pipeline.nights.run_table import RunSummary
    from pipeline.stages.backfill import Night
    from pipeline.stages.score import ScoringRun
    from pipeline.stages.train import Trained
    from pipeline.training.trial import TrialResult

FLIPS_SHOWN = 10
BROKEN_SHOWN = 5

console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def print_line(text: str | Text) -> None:
    """Prints one line; what cannot be seen is printed as what can. Rich text is so already."""
    console.print(text if isinstance(text, Text) else Text(printable(text)))


def print_plan(config: Config, *, writes: str) -> None:
    """Prints the config, what a run would read, and where it would write; writes nothing."""
    files = BeamFiles()
    inputs = find_input_files(files, config.corpus)
    tables = [item for item in config.corpus.inputs if item.format == "bigquery"]
    plain = to_plain(config)
    for line in yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).rstrip().split("\n"):
        print_line(line)
    for item in inputs:
        print_line(f"would read   {item.info.path} ({item.info.bytes:,} bytes)")
    for table in tables:
        print_line(f"would read   {table.source}")
    print_line(f"would write  {writes}")


def print_doubts(config: Config) -> None:
    """Prints a note if the first rows of the corpus have no label, and why a run must fail."""
    from pipeline.stages.missing_columns import find_missing_labels
    from pipeline.stages.pilot import find_failures_of_preparing

    missing = find_missing_labels(config.corpus, files=BeamFiles())
    if missing is not None:
        print_line(f"note         {missing}")
    if any(item.format == "bigquery" for item in config.corpus.inputs):
        return
    for failure in find_failures_of_preparing(config, files=BeamFiles()):
        print_line(f"would fail   nothing would be published: {failure}")


def print_estimate(config: Config, *, model: str) -> None:
    """Prints what a run would cost, measured on a sample; nothing if an input is a table.

    Only a run reads tables.
    """
    if any(item.format == "bigquery" for item in config.corpus.inputs):
        return
    from pipeline.stages.pilot import estimate_scoring

    for line in estimate_scoring(config, model=model, files=BeamFiles()).summary():
        print_line(line)


def print_dataset(dataset: Any) -> None:
    """Prints where a dataset lies, what was chosen for it, its splits, its warnings, its rows."""
    word = "reused" if dataset.reused else "prepared"
    print_line(f"dataset      {word} {dataset.files.folder}")
    splits = dataset.statistics["splits"]
    if dataset.chose_max_tokens:
        train = splits["train"]
        whole = 100 * (train["documents"] - train["truncated_documents"]) // train["documents"]
        print_line(
            f"max_tokens   {dataset.text.max_tokens} "
            f"(auto: {whole} % of the documents of train have no more)"
        )
    for split, numbers in splits.items():
        print_line(f"  {split:<11}{numbers['documents']:>10,} documents")
    for warning in dataset.statistics["warnings"]:
        print_line(f"  note: {warning}")
    print_rows(dataset.manifest["rows"])


def print_rows(rows: Mapping[str, Any]) -> None:
    """Prints the `rows` of a manifest in one line, then a line for each note and broken file."""
    rejected, broken = rows["rejected"], rows.get("broken_files", {})
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
    abstained = f" ({rows['abstained']:,} abstained)" if "abstained" in rows else ""
    print_line(
        f"rows         {rows['read']:,} read, {rows['used']:,} used{abstained}, "
        f"{sum(rejected.values()):,} rejected"
        + (f" ({reasons})" if reasons else "")
        + (f", {counted(len(broken), 'broken file')}" if broken else "")
    )
    if rows.get("headers_skipped"):
        lines = counted(rows["headers_skipped"], "line")
        print_line(f"skipped      {lines} that repeat the header, as where files were joined")
    for note in rows.get("notes", ()):
        print_line(f"note         {note}")
    for file, why in islice(broken.items(), BROKEN_SHOWN):
        print_line(f"broken       {file}: {why}")
    if len(broken) > BROKEN_SHOWN:
        print_line(f"broken       and {len(broken) - BROKEN_SHOWN:,} more, in the manifest")


def print_metrics(metrics: Mapping[str, Any], *, title: str) -> None:
    """Prints a table of scores.

    Args:
        metrics: `rows` and scores, by the name of what was measured, such as a split.
        title: of the table.
    """
    shown = {
        name: title
        for name, title in {**SCORES, LOSS: "loss"}.items()
        if any(name in measured for measured in metrics.values())
    }
    table = Table("split", "rows", *shown.values(), title=printable(title), title_justify="left")
    for split, measured in metrics.items():
        scores = [f"{measured[name]:.4f}" if name in measured else "" for name in shown]
        table.add_row(printable(split), f"{measured['rows']:,}", *scores)
    console.print(table)


def print_coverage(metrics: Mapping[str, Any]) -> None:
    """Prints which share of the labeled documents the scores are of, if the model may abstain."""
    if "coverage" in metrics:
        print_line(
            f"coverage     {metrics['coverage']:.4f}: the scores are those of the documents that "
            "were answered (scoring.max_unknown)"
        )


def print_left_out(metrics: Mapping[str, Any], *, used: int) -> None:
    """Prints how many documents the scores are not of, and which labels the model does not know.

    Args:
        metrics: of an evaluation.
        used: how many documents were scored.
    """
    unknown = metrics.get("unknown_labels", {})
    if metrics["unlabeled"]:
        print_line(
            f"left out     {metrics['unlabeled']:,} of {counted(used, 'document')}, which have no "
            f"label that the model knows; the scores are those of {metrics['rows']:,}"
        )
    if unknown:
        print_line(f"unknown      labels that the model does not know: {list_labels(unknown)}")


def print_trained(trained: "Trained") -> None:
    """Prints the dataset, the scores of every trial, their means, and where the model lies."""
    print_dataset(trained.dataset)
    if trained.chosen_epochs is not None:
        print_line(f"epochs       at most {trained.chosen_epochs} (auto)")
    for trial in trained.trials:
        title = f"{trial.variant}, seed {trial.seed}, epoch {trial.best_epoch}"
        if trial.best_epoch is None:
            title = trial.variant
        beside = trained.baseline.rows() if trained.baseline and trial == trained.best else {}
        measured = {**trial.metrics, **beside}
        if measured:
            print_metrics(measured, title=title)
        else:
            print_line(f"{title}: not measured, because validation and test have no document")
    print_trials(trained.trials)
    if trained.best.mix is not None:
        print_line(f"wide part    {Mix(**trained.best.mix)}")
    if trained.baseline is not None:
        for sentence in trained.baseline.sentences:
            print_line(f"baseline     {sentence}")
    print_made("model", trained.folder)
    print_made("report", join(trained.folder, "report.html"))


def print_trials(results: "Sequence[TrialResult]") -> None:
    """Prints the mean of each variant over its seeds, and the gains of the first variant."""
    trials = [
        TrialRecord(variant=item.variant, seed=item.seed, epochs=item.epochs, metrics=item.scores())
        for item in results
    ]
    scores = list(summarize_trials(trials))
    width = max([12, *(len(score.variant) for score in scores)])
    for score in scores:
        print_line(
            f"{score.variant:<{width}} {score.split} {score.metric}: "
            f"{score.mean:.4f} ± {score.deviation:.4f}"
        )
    for gain in compare_variants(trials):
        print_line(
            f"gain         {gain.mean:+.4f} {gain.split} {gain.metric} over {gain.variant}, "
            f"95 % interval {gain.low:+.4f} to {gain.high:+.4f}"
        )


def print_made(what: str, path: str) -> None:
    """Prints where something was written."""
    print_line(f"{what:<13}{path}")


def print_scored(run: "ScoringRun") -> None:
    """Prints the counts of a scoring run, its drift, and where it published."""
    if run.skipped:
        print_line(f"skipped      {run.partition.predictions} is complete")
        return
    print_rows(run.manifest["rows"])
    print_line(f"speed        {run.manifest['documents_per_second']:,.0f} documents/s")
    if "reuse" in run.manifest:
        reuse = run.manifest["reuse"]
        print_line(
            f"reused       {reuse['carried']:,} rows of {reuse['date']}; {reuse['scored']:,} "
            f"scored, {reuse['removed']:,} removed"
        )
    for warning in run.manifest["drift"]["warnings"]:
        print_line(f"drift        {warning}")
    hidden = run.manifest.get("below_min_score", 0)
    if hidden:
        limit = run.manifest["config"]["scoring"]["min_score"]
        print_line(
            f"min_score    {hidden:,} of the rows used have a score below {limit:g} and are not "
            "written (scoring.min_score)"
        )
    print_made("predictions", run.partition.predictions)
    if run.manifest["rows"]["rejected"]:
        print_made("rejected", run.partition.rejected)
    print_made("report", join(run.folder, "report.html"))


def print_night(night: "Night") -> None:
    """Prints one line: the date, its status, and its rows or its error."""
    made = night.error
    if night.run is not None:
        # The manifest of a date that was complete before may have been deleted.
        rows = night.run.manifest.get("rows")
        made = f"{rows['used']:,} rows" if rows else ""
        broken = rows.get("broken_files") if rows else None
        made += f", {counted(len(broken), 'broken file')}" if broken else ""
        made += f", {counted(len(night.drift), 'measure')} drifted" if night.drift else ""
    print_line(f"{night.date}   {night.status:<9}{made}")


def print_runs(runs: "Sequence[RunSummary]") -> None:
    """Prints a table with one line a run."""
    head = ("date", "status", "rows", "rejected", "broken", "docs/s", "model", "drift", "run")
    lines: list[tuple[str, ...]] = [head]
    for run in runs:
        counts = (run.rows, run.rejected, run.broken, run.documents_per_second)
        numbers = ["" if count is None else f"{count:,.0f}" for count in counts]
        cells = (run.date, run.status, *numbers, run.model_version, run.drift, run.run_id)
        lines.append(tuple(" ".join(printable(cell).split()) for cell in cells))
    numeric = ("rows", "rejected", "broken", "docs/s")
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        cells = tuple(
            cell.rjust(width) if name in numeric else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        )
        print_line("  ".join(cells).rstrip())


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """Prints the agreement, the most frequent flips, both models' metrics and the gates."""
    print_line(
        f"agreement    {comparison['agreement']:.2%} of {comparison['documents']:,} documents; "
        f"{comparison['flipped']:,} flip"
    )
    for flip in comparison["flips"][:FLIPS_SHOWN]:
        print_line(f"  {flip['documents']:>10,} {flip['old']} -> {flip['new']}")
    if comparison["metrics"]:
        print_metrics(comparison["metrics"], title="labeled documents")
    if unknown := comparison.get("unknown_labels"):
        print_line(f"unknown      labels that not both models know: {list_labels(unknown)}")
    for sentence in comparison["notes"]:
        print_line(f"note         {sentence}")
    for sentence in comparison["tripped"]:
        print_line(f"gate         {sentence}")
