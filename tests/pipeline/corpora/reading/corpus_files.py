"""Small corpora on disk: files of one row each, and the config that names them."""

from pathlib import Path

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig


def corpus_of(*paths: object) -> CorpusConfig:
    return CorpusConfig(inputs=tuple(InputConfig(path=str(path)) for path in paths))


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "a"}\n')
