"""Copies what a training needs of a dataset into a folder that can be carried to another machine.

    python -m tests.gpu.pack DATASET FOLDER

DATASET is a folder that `python -m pipeline prepare` wrote, such as `runs/imdb/datasets/...`.
IMDB's takes 11 MB.
"""

import argparse
import shutil
from pathlib import Path

# Beside the shards in `examples`. TensorFlow Transform's output and the report are left out.
FILES = ("labels.txt", "manifest.json", "statistics.json", "vocabulary.txt")
MOST_BYTES = 25_000_000


def pack(dataset: Path, folder: Path) -> int:
    """Copies the files; returns their bytes.

    Raises:
        FileExistsError: if the folder exists.
        ValueError: if the files have more than `MOST_BYTES`.
    """
    sources = [*(dataset / name for name in FILES), *(dataset / "examples").iterdir()]
    size = sum(source.stat().st_size for source in sources)
    if size > MOST_BYTES:
        raise ValueError(f"{dataset}: expected at most {MOST_BYTES:,} bytes, got {size:,}")
    folder.mkdir()
    (folder / "examples").mkdir()
    for source in sources:
        shutil.copy(source, folder / source.relative_to(dataset))
    return size


def main() -> None:
    """Copies and prints the size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("folder", type=Path, help="the new folder")
    arguments = parser.parse_args()
    size = pack(arguments.dataset, arguments.folder)
    print(f"{arguments.folder}: {size:,} bytes")


if __name__ == "__main__":
    main()
