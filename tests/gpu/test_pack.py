from pathlib import Path

import pytest

from tests.gpu import pack


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    for name in (*pack.FILES, "report.html", "examples/train.tfrecord.gz", "transform/graph"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1234")
    return folder


def test_it_copies_what_a_training_needs(dataset: Path, tmp_path: Path) -> None:
    assert pack.pack(dataset, tmp_path / "packed") == 5 * 4
    packed = (tmp_path / "packed").rglob("*")
    names = sorted(path.name for path in packed if path.is_file())
    assert names == sorted([*pack.FILES, "train.tfrecord.gz"])


def test_a_corpus_that_is_too_large_to_carry_is_refused(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "MOST_BYTES", 19)
    with pytest.raises(ValueError, match="at most 19 bytes, got 20"):
        pack.pack(dataset, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()
