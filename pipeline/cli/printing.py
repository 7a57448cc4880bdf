"""What the command line prints of what was made; corpus text is printable before it is shown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.config import to_plain
from model.metrics.names import LOSS, SCORES
from pipeline.config.sections import Config
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.process.printable import printable
from pipeline.storage.beam_files import BeamFiles
from pipeline.training.trial_scores import TrialRecord, compare_variants, summarize_trials

if TYPE_CHECKING:
    from pipeline.nights.run_table import RunSummary
    from pipeline.training.trial import TrialResult

FLIPS_SHOWN = 10

console = Console(highlight=False, soft_wrap=True)


def print_plan(config: Config, *, writes: str) -> int:
    """What a run would read and write; nothing is written."""
    files = BeamFiles()
    inputs = find_input_files(files, config.corpus)
    tables = [item for item in config.corpus.inputs if item.format == "bigquery"]
    plain = to_plain(config)
    console.print(Text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).rstrip()))
    for item in inputs:
        console.print(Text(f"would read   {item.info.path} ({item.info.bytes:,} bytes)"))
    for table in tables:
        console.print(Text(f"would read   {table.source}"))
    console.print(Text(f"would write  {writes}"))
    return 0


def print_estimate(config: Config, *, model: str) -> None:
    """What a run would cost, from a pilot; a table is read by nothing but a run."""
    if any(item.format == "bigquery" for item in config.corpus.inputs):
        return
    from pipeline.stages.pilot import estimate_scoring

    for line in estimate_scoring(config, model=model, files=BeamFiles()).summary():
        console.print(Text(line))


def print_dataset(dataset: Any) -> None:
    """Where a dataset lies, its splits, its warnings, its rows."""
    word = "reused" if dataset.reused else "prepared"
    console.print(Text(f"dataset      {word} {dataset.files.folder}"))
    for split, counted in dataset.statistics["splits"].items():
        console.print(Text(f"  {split:<11}{counted['documents']:>10,} documents"))
    for warning in dataset.statistics["warnings"]:
        console.print(Text(f"  note: {warning}"))
    print_rows(dataset.manifest["rows"])


def print_rows(rows: Mapping[str, Any]) -> None:
    """The `rows` of a manifest, in one line."""
    rejected = rows["rejected"]
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
    console.print(
        Text(
            f"rows         {rows['read']:,} read, {rows['used']:,} used, "
            f"{sum(rejected.values()):,} rejected" + (f" ({reasons})" if reasons else "")
        )
    )


def print_metrics(metrics: Mapping[str, Any], *, title: str) -> None:
    """One line a split, or whatever the metrics are of."""
    shown = {
        name: title
        for name, title in {**SCORES, LOSS: "loss"}.items()
        if any(name in measured for measured in metrics.values())
    }
    table = Table("split", "rows", *shown.values(), title=title, title_justify="left")
    for split, measured in metrics.items():
        scores = [f"{measured[name]:.4f}" if name in measured else "" for name in shown]
        table.add_row(split, f"{measured['rows']:,}", *scores)
    console.print(table)


def print_trials(results: "Sequence[TrialResult]") -> None:
    """Means over the seeds of each variant, and what the first gains over the others."""
    trials = [
        TrialRecord(variant=item.variant, seed=item.seed, epochs=item.epochs, metrics=item.scores())
        for item in results
    ]
    for score in summarize_trials(trials):
        console.print(
            Text(
                f"{score.variant:<13}{score.split} {score.metric}: "
                f"{score.mean:.4f} ± {score.deviation:.4f}"
            )
        )
    for gain in compare_variants(trials):
        console.print(
            Text(
                f"gain         {gain.mean:+.4f} {gain.split} {gain.metric} over {gain.variant}, "
                f"95 % interval {gain.low:+.4f} to {gain.high:+.4f}"
            )
        )


def print_made(what: str, path: str) -> None:
    """Where something was written."""
    console.print(Text(f"{what:<13}{path}"))


def print_runs(runs: "Sequence[RunSummary]") -> None:
    """One line a run."""
    head = ("date", "status", "rows", "rejected", "docs/s", "model", "drift", "run")
    lines: list[tuple[str, ...]] = [head]
    for run in runs:
        counts = (run.rows, run.rejected, run.documents_per_second)
        numbers = ["" if count is None else f"{count:,.0f}" for count in counts]
        cells = (run.date, run.status, *numbers, run.model_version, run.drift, run.run_id)
        lines.append(tuple(" ".join(printable(cell).split()) for cell in cells))
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        cells = tuple(
            cell.rjust(width) if name in ("rows", "rejected", "docs/s") else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        )
        console.print(Text("  ".join(cells).rstrip()))


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """Agreement, the most frequent flips, the metrics of both models, and the gates."""
    console.print(
        Text(
            f"agreement    {comparison['agreement']:.2%} of {comparison['documents']:,} documents; "
            f"{comparison['flipped']:,} flip"
        )
    )
    for flip in comparison["flips"][:FLIPS_SHOWN]:
        old, new = (printable(flip[name]) for name in ("old", "new"))
        console.print(Text(f"  {flip['documents']:>10,} {old} -> {new}"))
    if comparison["metrics"]:
        print_metrics(comparison["metrics"], title="labeled documents")
    for sentence in comparison["tripped"]:
        console.print(Text(f"gate         {sentence}"))
