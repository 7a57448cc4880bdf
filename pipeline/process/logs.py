"""What a night operator reads: plain lines, or one JSON object a line."""

import contextlib
import datetime
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pipeline.process.printable import printable

LogFormat = Literal["text", "json"]

# Of a manifest, what the last line says.
FACTS = (
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
_facts: dict[str, Any] = {}


class PlainLines(logging.Formatter):
    """The message alone; control characters, which may come from a corpus, as pictures."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback after it where there is one."""
        return printable(super().format(record))


class JsonLines(logging.Formatter):
    """`time`, `level`, `event`, `run_id` and what else the record carries, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Any text is safe in it: JSON escapes what is not ASCII."""
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
        return json.dumps(values, default=str)


@contextlib.contextmanager
def naming_run(run_id: str) -> Iterator[None]:
    """Puts a run's id in every line that is logged in the block."""
    global _run_id
    outer, _run_id = _run_id, run_id
    try:
        yield
    finally:
        _run_id = outer


def conclude(run_id: str, facts: Mapping[str, Any]) -> None:
    """Keeps what the last line is to say of a run; it is said when the command ends."""
    _facts[run_id] = {"run_id": run_id, **facts}


def log_end(command: str, *, exit_code: int) -> None:
    """The one line that says it all: how the command ended, and every run it made."""
    runs = list(_facts.values())
    facts = runs[0] if len(runs) == 1 else {"runs": runs}
    status = {0: "done", 3: "done, but a gate tripped"}.get(exit_code, "failed")
    logger.info(
        "%s: %s", command, status, extra={"facts": {**facts, "exit_code": exit_code, "last": True}}
    )
    _facts.clear()


def describe_run(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the last line says of a run."""
    facts = {name: manifest[name] for name in FACTS if name in manifest}
    if "drift" in manifest:
        facts["drift"] = manifest["drift"]["warnings"]
    return facts
