"""vectors writes a file of word vectors that a training reads, and a manifest."""

import json
from pathlib import Path

import pytest

from model.config import EmbeddingConfig, TextConfig
from model.text.vocabulary import Vocabulary
from model.training.word_vectors.pretrained_vectors import read_pretrained_vectors
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.runners.execution import RunError
from pipeline.stages.unlabeled.vectors import learn_vectors
from pipeline.storage.beam_files import BeamFiles

FILES = BeamFiles()


def vectors_config(folder: Path, *, bad_rows: int) -> Config:
    rows = [json.dumps({"text": f"A Cat sat on the mat, number {row % 7}"}) for row in range(98)]
    rows += ["no JSON"] * bad_rows
    corpus = folder / "texts.jsonl"
    corpus.write_text("\n".join(rows) + "\n", encoding="utf-8")
    values = {
        "workspace": str(folder / "runs"),
        "corpus": {"inputs": [{"path": str(corpus)}], "max_rejected_fraction": 0.02},
        "vectors": {"units": 5, "epochs": 2, "min_frequency": 20},
    }
    return build_config(values, [], where="the test")


def test_a_training_finds_its_words_in_the_learned_vectors(tmp_path: Path) -> None:
    output = tmp_path / "vectors.txt"
    learned = learn_vectors(vectors_config(tmp_path, bad_rows=2), output=str(output), files=FILES)
    words = {"a", "cat", "sat", "on", "the", "mat", ",", "number"}  # each number is too rare
    assert (learned.words, learned.tokens) == (len(words), 98 * 9)
    lines = output.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "8 5"
    assert {line.split(" ")[0] for line in lines[1:]} == words
    assert learned.rows == {"read": 100, "used": 98, "rejected": {"malformed_row": 2}}
    manifest = json.loads(Path(f"{output}.manifest.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == learned.rows
    assert manifest["status"] == "done"

    vocabulary = Vocabulary(["cat", "mat", "dog"], oov_buckets=TextConfig().oov_buckets)
    with output.open("rb") as stream:
        found = read_pretrained_vectors(
            stream, vocabulary, config=EmbeddingConfig(units=5), seed=1, where="vectors.txt"
        )
    assert found.found == 2


def test_too_many_bad_rows_are_an_error_that_names_their_reasons(tmp_path: Path) -> None:
    output = tmp_path / "vectors.txt"
    with pytest.raises(RunError, match=r"5\.77% of the rows were rejected, .*: 6 malformed_row"):
        learn_vectors(vectors_config(tmp_path, bad_rows=6), output=str(output), files=FILES)
    assert not output.exists()
