"""Row accounting: for every input file, rows read = rows used + rows rejected.

The steps of a pipeline count rows by file; these counts are added up and checked here before
anything is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.columns import find_column_notes
from pipeline.corpora.reading.counts import count_values, sort_by_count
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.process.told_apart import told_apart

# A corpus of fewer rows may have as many rejections as one of this many, up to so many rejections.
SMALL_CORPUS_ROWS = 500
SMALL_CORPUS_REJECTIONS = 5

_EMPTY_SHOWN = 5


class AccountingError(RuntimeError):
    """Rows were lost or counted twice, so the run must not publish anything."""


def count_used(documents: pa.RecordBatch) -> dict[str, Any]:
    """The documents of a batch, counted as used rows of their files."""
    return {"files": _by_file(documents, "rows_used")}


def count_rejected(rejections: pa.RecordBatch) -> dict[str, Any]:
    """The rejections of a batch, counted by file and by reason, with the first row of each reason.

    Returns:
        `{"files": {file: {"rows_rejected": n}}, "rejected": {reason: n},
        "first_rejected": {reason: [file, row, detail]}}`.
    """
    rejected = count_values(rejections.column("reason"))
    return {
        "files": _by_file(rejections, "rows_rejected"),
        "rejected": rejected,
        "first_rejected": {reason: _first_row(rejections, reason) for reason in rejected},
    }


def count_broken(source_file: str, error: BrokenFileError) -> dict[str, Any]:
    """A file that cannot be read to its end, with what was expected and what was found."""
    return {"broken": {source_file: {error.detail: 1}}}


def account_files(counts: Mapping[str, Any], inputs: Sequence[InputFile]) -> list[dict[str, Any]]:
    """The `inputs` of a manifest: the rows read, used and rejected of every file or table.

    An input that could not be read to its end also has `broken`: what was expected and found. One
    that repeats its header has `headers_skipped`, the number of these lines, which are no rows. One
    with `rows_repaired` has used rows in which U+FFFD replaces what could not be decoded.

    Args:
        counts: nested counts of the whole run; `files` holds the rows by `source_file`, `broken`
            the broken files.
        inputs: the files of the run. The counts of the files of one table are added up.

    Raises:
        AccountingError: for a file where rows read differs from rows used + rows rejected.
    """
    accounts: dict[str, dict[str, Any]] = {}
    for item in inputs:
        counted = counts.get("files", {}).get(item.source_file, {})
        read, used, rejected = (
            counted.get(name, 0) for name in ("rows_read", "rows_used", "rows_rejected")
        )
        if read != used + rejected:
            raise AccountingError(
                f"{item.name}: expected rows read = rows used + rows rejected, got "
                f"{read} read, {used} used, {rejected} rejected. Nothing was published; "
                "run again, and report this if it happens twice."
            )
        account = accounts.setdefault(item.name, {"file": item.name})
        for name, value in (
            ("bytes", item.info.bytes),
            ("rows_read", read),
            ("rows_used", used),
            ("rows_rejected", rejected),
        ):
            account[name] = account.get(name, 0) + value
        for name in ("headers_skipped", "rows_repaired"):
            if counted.get(name):
                account[name] = account.get(name, 0) + counted[name]
        details = sorted(counts.get("broken", {}).get(item.source_file, {}))
        if details:  # several parts of a file, or several files of a table: the first is named
            account.setdefault("broken", details[0])
        elif item.rows is not None and read != item.rows:
            account.setdefault("broken", f"expected {item.rows:,} rows, got {read:,}")
    return list(accounts.values())


def total_rows(accounts: Sequence[Mapping[str, Any]], counts: Mapping[str, Any]) -> dict[str, Any]:
    """The `rows` of a manifest, over all inputs: `read`, `used`, and `rejected` by reason.

    Where the run may abstain, `abstained` says how many of the rows used were not answered. Where
    files are broken, `broken_files` says by the name of a file what was expected and found. Where
    files repeat their header, `headers_skipped` says how many lines were skipped. Where rows have
    U+FFFD in place of what could not be decoded, `repaired` is their number. `notes` says in
    sentences what else a person should know, such as a column that no row has, or empty files.
    """
    rows: dict[str, Any] = {
        "read": sum(account["rows_read"] for account in accounts),
        "used": sum(account["rows_used"] for account in accounts),
        "rejected": dict(counts.get("rejected", {})),
    }
    headers = sum(account.get("headers_skipped", 0) for account in accounts)
    if headers:
        rows["headers_skipped"] = headers
    repaired = sum(account.get("rows_repaired", 0) for account in accounts)
    if repaired:
        rows["repaired"] = repaired
    broken = {account["file"]: account["broken"] for account in accounts if "broken" in account}
    if "abstained" in counts:
        rows["abstained"] = counts["abstained"]
    if broken:
        rows["broken_files"] = broken
    notes = [
        *find_column_notes(counts),
        *_notes_on_repaired_rows(accounts),
        *_notes_on_empty_files(accounts),
    ]
    return rows | ({"notes": notes} if notes else {})


def _notes_on_repaired_rows(accounts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence if characters were replaced in documents, in their ids or in kept columns."""
    repaired = {
        account["file"]: account["rows_repaired"]
        for account in accounts
        if account.get("rows_repaired")
    }
    if repaired:
        first, *others = repaired
        files = f"{first} and {len(others):,} more" if others else first
        rows = sum(repaired.values())
        yield (
            f"In {rows:,} row{'s' * (rows > 1)} of {files}, U+FFFD replaces what could not be "
            "decoded: bytes in another encoding, or half of a surrogate pair in JSON. For bytes, "
            "try another encoding of the input in corpus.inputs, such as encoding: windows-1252."
        )


def _notes_on_empty_files(accounts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence if files have no bytes: an export that failed may leave them."""
    empty = [
        account["file"]
        for account in accounts
        if not account["bytes"] and not account["rows_read"] and "broken" not in account
    ]
    if empty:
        more = len(empty) - _EMPTY_SHOWN
        yield (
            f"{len(empty):,} of {len(accounts):,} input files are empty: "
            f"{', '.join(empty[:_EMPTY_SHOWN])}{f' and {more:,} more' if more > 0 else ''}."
        )


def rejected_fraction(rows: Mapping[str, Any]) -> float:
    """Rejected rows as a share of the rows read; 0 where nothing was read."""
    return sum(rows["rejected"].values()) / rows["read"] if rows["read"] else 0.0


def allowed_rejections(rows_read: int, max_rejected_fraction: float) -> int:
    """How many rows of a run may be rejected: the share of the rows read, with a floor.

    A few bad rows are a large share of a small night. A corpus of fewer than `SMALL_CORPUS_ROWS`
    rows may therefore have as many rejections as one of that size, up to
    `SMALL_CORPUS_REJECTIONS`, but no more than a tenth of its own rows, or one row where it has 2
    to 19. A share of 0 has no floor.

    >>> [allowed_rejections(rows, 0.01) for rows in (1, 2, 20, 99, 500, 10_000)]
    [0, 1, 2, 5, 5, 100]
    """
    # Rounded first: in floating point, 0.29 * 100 is a little less than 29.
    share = int(round(max_rejected_fraction * rows_read, 6))
    floor = min(SMALL_CORPUS_REJECTIONS, int(round(max_rejected_fraction * SMALL_CORPUS_ROWS, 6)))
    return max(share, min(floor, max(rows_read // 10, int(rows_read > 1))))


def has_too_many_rejections(rows: Mapping[str, Any], max_rejected_fraction: float) -> bool:
    """Whether the `rows` of a manifest have more rejections than `allowed_rejections`."""
    rejected = sum(rows["rejected"].values())
    return rejected > allowed_rejections(rows["read"], max_rejected_fraction)


def describe_rejected(
    rejected: Mapping[str, int], first_rejected: Mapping[str, Sequence[Any]]
) -> str:
    """The reasons of rejections, the most frequent first, each with its count and its first row.

    Args:
        rejected: rows by reason.
        first_rejected: `[file, row, detail]` by reason, as `count_rejected` gives them.
    """
    described = []
    for reason, count in sort_by_count(rejected):
        file, row, detail = first_rejected.get(reason, ("", 0, ""))
        first = f" (first: row {row} of {file}: {detail})" if file else ""
        described.append(f"{count:,} {reason}{first}")
    return ", ".join(described)


def describe_too_many(
    rows: Mapping[str, Any],
    first_rejected: Mapping[str, Sequence[Any]],
    *,
    max_rejected_fraction: float,
    outcome: str,
    hint: str,
) -> str:
    """The message of a run that rejected more than `allowed_rejections`.

    Args:
        rows: the `rows` of a manifest.
        first_rejected: see `describe_rejected`.
        max_rejected_fraction: of the corpus.
        outcome: the beginning of the message, which says what the run did not do.
        hint: what to do, in a sentence.
    """
    read, rejected = rows["read"], sum(rows["rejected"].values())
    share, limit = told_apart(rejected_fraction(rows), max_rejected_fraction, percent=True)
    allowed = allowed_rejections(read, max_rejected_fraction)
    # A corpus may have more rows than were read before a run was stopped.
    few = f", of which {allowed:,} may be" * (allowed > max_rejected_fraction * read)
    return (
        f"{outcome}: {share} of the rows were rejected, expected at most {limit} "
        f"(corpus.max_rejected_fraction): {rejected:,} of {read:,} rows{few}: "
        f"{describe_rejected(rows['rejected'], first_rejected)}. {hint}"
    )


def _first_row(rejections: pa.RecordBatch, reason: str) -> list[Any]:
    """The file, the row and the detail of the first rejection with a reason."""
    chosen = rejections.filter(pc.equal(rejections.column("reason"), reason))
    order = [("source_file", "ascending"), ("source_row", "ascending")]
    first = pc.select_k_unstable(chosen, k=1, sort_keys=order)[0].as_py()
    names = ("source_file", "source_row", "detail")
    return [chosen.column(name)[first].as_py() for name in names]


def _by_file(batch: pa.RecordBatch, name: str) -> dict[str, dict[str, int]]:
    return {
        file: {name: count} for file, count in count_values(batch.column("source_file")).items()
    }
