"""The manifest of a run: which code and config ran, on which files, with which result."""

import contextlib
import dataclasses
import datetime
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pipeline.storage.files import Files, join, read_json, replace_text
from pipeline.storage.versions import code_version, library_versions

MANIFEST = "manifest.json"

Stage = Literal["prepare", "train", "evaluate", "score", "compare", "vectors", "pretrain"]
Status = Literal["running", "done", "failed"]


@dataclasses.dataclass(kw_only=True)
class Manifest:
    """The content of `manifest.json`; `extra` holds the keys that only one stage has."""

    run_id: str
    stage: Stage
    config: Mapping[str, Any]
    status: Status = "running"
    started: str = ""
    finished: str | None = None
    inputs: Sequence[Mapping[str, Any]] = ()
    rows: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    outputs: Sequence[Mapping[str, Any]] = ()
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.started or now()

    def finish(self, status: Status) -> None:
        """Sets the final status and the time at which the run ended."""
        self.status = status
        self.finished = now()

    def as_dict(self) -> dict[str, Any]:
        """The JSON object: first the keys that every manifest has, then the stage's own."""
        fixed = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "extra"
        }
        return {
            **fixed,
            "code_version": code_version(),
            "libraries": library_versions(),
            **self.extra,
        }

    def write(self, files: Files, folder: str) -> None:
        """Writes `<folder>/manifest.json`."""
        self.write_to(files, join(folder, MANIFEST))

    def write_to(self, files: Files, path: str) -> None:
        """Writes the manifest to any path."""
        write_manifest(files, path, self.as_dict())

    @contextlib.contextmanager
    def recorded(self, files: Files, folder: str) -> Iterator[None]:
        """Writes `<folder>/manifest.json`: `running` before the block, `failed` if it raises."""
        self.write(files, folder)
        try:
            yield
        except BaseException as error:
            if self.status == "running":
                self.finish("failed")
                self.extra = {**self.extra, "error": one_line(error)}
                # Raise the first error: it explains the failure; a second one here does not.
                with contextlib.suppress(Exception):
                    self.write(files, folder)
            raise


def write_manifest(files: Files, path: str, values: Mapping[str, Any]) -> None:
    """Replaces a manifest by one move; the keys keep their order, which is easier to read."""
    replace_text(files, path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_manifest(files: Files, folder: str) -> dict[str, Any]:
    """The manifest in a run's folder; empty if there is none or it cannot be read."""
    path = join(folder, MANIFEST)
    try:
        values = read_json(files, path) if files.match(path) else {}
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def one_line(error: BaseException) -> str:
    """An error's message without line feeds; if it is empty, the name of the error's class."""
    return " ".join(str(error).split()) or type(error).__name__


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def new_run_id(stage: Stage) -> str:
    """A new name for a run: names sort by time, and no two runs have the same one."""
    moment = datetime.datetime.now(datetime.UTC)
    return f"{moment:%Y%m%dT%H%M%S.%f}Z-{stage}-{secrets.token_hex(3)}"


def fingerprint(*parts: Any) -> str:
    """A hash of values that JSON can hold, equal in every process: 16 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
