"""A dataset: the prepared corpus on disk."""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

from model.config import ResolvedTextConfig
from model.config_loading import load_section
from pipeline.corpora.preparing.dataset_staging import DatasetStaging
from pipeline.corpora.preparing.encoding import ExampleLayout
from pipeline.corpora.preparing.samples import Sample, samples_from_lines
from pipeline.storage.files import Files, join, read_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetFiles:
    """The paths of the files of a dataset, all below its folder."""

    folder: str

    @property
    def examples(self) -> str:
        """The folder of TFRecord shards."""
        return join(self.folder, "examples")

    @property
    def transform(self) -> str:
        """The folder of TensorFlow Transform's output."""
        return join(self.folder, "transform")

    @property
    def rejected(self) -> str:
        """The folder of rejections."""
        return join(self.folder, "rejected")

    @property
    def staging(self) -> DatasetStaging:
        """The temporary files; they are deleted when the dataset is complete."""
        return DatasetStaging(folder=join(self.folder, "staging"))

    @property
    def vocabulary(self) -> str:
        """The tokens, one per line, most frequent first."""
        return join(self.folder, "vocabulary.txt")

    @property
    def labels(self) -> str:
        """The labels, one per line, in the order of their indices."""
        return join(self.folder, "labels.txt")

    @property
    def statistics(self) -> str:
        """Counts and rates of the corpus, for people and for reports (`summarize_dataset`)."""
        return join(self.folder, "statistics.json")

    @property
    def samples(self) -> str:
        """The sampled documents as JSON lines (`samples_to_lines`)."""
        return join(self.folder, "samples.jsonl")

    @property
    def report(self) -> str:
        """The page with the statistics and the rejections."""
        return join(self.folder, "report.html")

    @property
    def manifest(self) -> str:
        """Written last: its status says whether the dataset is complete."""
        return join(self.folder, "manifest.json")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A complete dataset.

    Attributes:
        files: the paths of its files.
        manifest: the content of `manifest.json`.
        statistics: the content of `statistics.json`.
        reused: whether an earlier run prepared it.
    """

    files: DatasetFiles
    manifest: Mapping[str, Any]
    statistics: Mapping[str, Any]
    reused: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels, by index."""
        return tuple(self.statistics["labels"])

    @property
    def layout(self) -> ExampleLayout:
        """Which optional features the examples have."""
        return ExampleLayout(**self.manifest["layout"])

    @property
    def text(self) -> ResolvedTextConfig:
        """How the examples were encoded: the config's section text without `auto`."""
        return load_section(ResolvedTextConfig, self.manifest["text"], where=self.files.manifest)

    @property
    def chose_max_tokens(self) -> bool:
        """Whether `text.max_tokens` was `auto`."""
        return bool(self.manifest["config"]["text"]["max_tokens"] == "auto")

    def shards(self, split: str) -> list[str]:
        """The paths of the TFRecord shards of a split."""
        names = (str(output["file"]) for output in self.manifest["outputs"])
        return [
            join(self.files.folder, name) for name in names if name.startswith(f"examples/{split}-")
        ]

    def rows(self, split: str) -> int:
        """The number of documents in a split."""
        statistics = self.statistics["splits"].get(split)
        return statistics["documents"] if statistics else 0

    def read_samples(self, files: Files) -> list[Sample]:
        """The sampled documents of every split."""
        with files.open(self.files.samples) as stream:
            return samples_from_lines(stream.read().decode())


def find_dataset(files: Files, folder: str) -> Dataset | None:
    """The complete dataset in a folder, or None if the folder holds none."""
    paths = DatasetFiles(folder=folder)
    if not files.exists(paths.manifest):
        return None
    with contextlib.suppress(OSError, ValueError):  # ValueError: a kill cut the manifest short
        manifest = read_json(files, paths.manifest)
        if manifest["status"] == "done":
            statistics = read_json(files, paths.statistics)
            return Dataset(files=paths, manifest=manifest, statistics=statistics, reused=True)
    return None
