"""The log on standard error: plain lines, or one JSON object per line."""

import contextlib
import datetime
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from typing_extensions import override

from pipeline.process.printable import printable

LogFormat = Literal["text", "json"]

# The keys of a manifest that the last line repeats.
LAST_LINE_KEYS = (
    "date",
    "status",
    "error",
    "model_version",
    "rows",
    "reuse",
    "seconds",
    "documents_per_second",
)

logger = logging.getLogger("limelight")

_run_id: str | None = None
_outcomes: dict[str, Any] = {}  # of the runs of this command, by run id


class PlainLines(logging.Formatter):
    """Formats a record as its message on one line; a traceback has its own lines."""

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    @override
    def formatException(self, ei: Any) -> str:
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class JsonLines(logging.Formatter):
    """One JSON object per line: `time`, `level`, `event`, `run_id` and the record's `facts`.

    Any text is safe in it, because all control and non-ASCII characters are escaped.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        values: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "run_id": _run_id,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values, default=str).replace("\x7f", "\\u007f")


@contextlib.contextmanager
def naming_run(run_id: str) -> Iterator[None]:
    """Within the block, every JSON line that is logged holds the id of this run."""
    global _run_id
    outer, _run_id = _run_id, run_id
    try:
        yield
    finally:
        _run_id = outer


def record_outcome(run_id: str, facts: Mapping[str, Any]) -> None:
    """Keeps facts about a run for the last line, which `log_end` logs when the command ends."""
    _outcomes[run_id] = {"run_id": run_id, **facts}


def log_end(command: str, *, exit_code: int) -> None:
    """Logs the last line: how the command ended, and the outcome of each of its runs."""
    runs = list(_outcomes.values())
    facts = runs[0] if len(runs) == 1 else {"runs": runs}
    status = {0: "done", 3: "done, but a gate tripped"}.get(exit_code, "failed")
    logger.info(
        "%s: %s", command, status, extra={"facts": {**facts, "exit_code": exit_code, "last": True}}
    )
    _outcomes.clear()


def describe_run(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a manifest that the last line repeats."""
    facts = {name: manifest[name] for name in LAST_LINE_KEYS if name in manifest}
    if "drift" in manifest:
        facts["drift"] = manifest["drift"]["warnings"]
    return facts
