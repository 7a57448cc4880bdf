"""The manifest of a run: what ran, on what, with which result."""

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import importlib.metadata
import json
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import model
import pipeline
from pipeline.storage.files import Files, join, read_json, replace_text

MANIFEST = "manifest.json"

LIBRARIES = (
    "apache-beam",
    "keras",
    "numba",
    "numpy",
    "pyarrow",
    "tensorflow",
    "tensorflow-text",
    "tensorflow-transform",
)

Stage = Literal["prepare", "train", "evaluate", "score", "compare", "vectors"]
Status = Literal["running", "done", "failed"]


@dataclasses.dataclass(kw_only=True)
class Manifest:
    """What `manifest.json` holds; `extra` adds a stage's own keys."""

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
        """Sets the final status and the time."""
        self.status = status
        self.finished = now()

    def as_dict(self) -> dict[str, Any]:
        """The JSON object: the contract's keys, then the stage's own."""
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
        """Writes the manifest, its keys in the order a person reads them."""
        write_manifest(files, path, self.as_dict())

    @contextlib.contextmanager
    def recorded(self, files: Files, folder: str) -> Iterator[None]:
        """Keeps `<folder>/manifest.json` true: `running` in the block, `failed` if it raises."""
        self.write(files, folder)
        try:
            yield
        except BaseException as error:
            if self.status == "running":
                self.finish("failed")
                self.extra = {**self.extra, "error": one_line(error)}
                with contextlib.suppress(Exception):  # the error that came first is the news
                    self.write(files, folder)
            raise


def write_manifest(files: Files, path: str, values: Mapping[str, Any]) -> None:
    """Writes a manifest, its keys in the order given; what was there stays until it is whole."""
    replace_text(files, path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_manifest(files: Files, folder: str) -> dict[str, Any]:
    """The manifest of a run; empty if there is none or it cannot be read."""
    path = join(folder, MANIFEST)
    try:
        values = read_json(files, path) if files.match(path) else {}
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def one_line(error: BaseException) -> str:
    """An error's message without line feeds, or its name where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def new_run_id(stage: Stage) -> str:
    """A name for a run that sorts by time and that no two runs share."""
    moment = datetime.datetime.now(datetime.UTC)
    return f"{moment:%Y%m%dT%H%M%S.%f}Z-{stage}-{secrets.token_hex(3)}"


@functools.cache
def code_version() -> str:
    """The package version and a digest of its files, which tells edited checkouts apart."""
    digest = hashlib.sha256()
    for package in (model, pipeline):
        root = Path(package.__path__[0])
        sources = (path for kind in ("*.py", "*.csv") for path in root.rglob(kind))
        for source in sorted(sources):
            digest.update(source.relative_to(root).as_posix().encode())
            digest.update(source.read_bytes())
    try:
        version = importlib.metadata.version("limelight")
    except importlib.metadata.PackageNotFoundError:  # a checkout that was never installed
        version = "0"
    return f"{version}+{digest.hexdigest()[:12]}"


@functools.cache
def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that determine a run's results."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), **versions}


def fingerprint(*parts: Any) -> str:
    """A short stable hash of JSON-ready values: 16 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
