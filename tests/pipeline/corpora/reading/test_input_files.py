from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import write_text
from tests.pipeline import object_store
from tests.pipeline.corpora.reading.corpus_files import corpus_of, write

FILES = BeamFiles()


def names_of(*paths: object) -> list[str]:
    return [item.source_file for item in find_input_files(FILES, corpus_of(*paths))]


def test_files_are_ordered_by_input_then_by_path(tmp_path: Path) -> None:
    write(tmp_path, "z/2.jsonl", "z/1.jsonl", "a/3.jsonl")
    assert names_of(tmp_path / "z/*.jsonl", tmp_path / "a/3.jsonl") == [
        "1.jsonl",
        "2.jsonl",
        "a/3.jsonl",
    ]


def test_files_know_their_size_and_their_input(tmp_path: Path) -> None:
    write(tmp_path, "1.jsonl")
    config = InputConfig(path=str(tmp_path / "*"), split="test")
    [found] = find_input_files(FILES, CorpusConfig(inputs=(config,)))
    assert found.info.path == str(tmp_path / "1.jsonl")
    assert found.info.bytes == len('{"text": "a"}\n')
    assert found.input is config


def test_files_of_one_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    write(tmp_path, "x/train/a", "x/test/a", "x/test/deep/b")
    assert names_of(tmp_path / "x/**") == ["test/a", "test/deep/b", "train/a"]
    assert names_of(tmp_path / "x/*/a") == ["test/a", "train/a"]


def test_relative_and_absolute_paths_can_be_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "here/a", "there/a")
    monkeypatch.chdir(tmp_path)
    names = names_of("here/a", tmp_path / "there/a")
    assert len(set(names)) == 2


def test_names_of_files_in_a_bucket_are_told_apart_by_folder() -> None:
    object_store.OBJECTS.clear()
    for folder in ("train", "test"):
        write_text(FILES, f"objects://bucket/{folder}/a.jsonl", "{}")
    assert names_of("objects://bucket/**") == ["test/a.jsonl", "train/a.jsonl"]


@pytest.mark.parametrize("other", ["b/x.csv", "b/y.csv"])
def test_the_name_of_a_file_does_not_depend_on_the_other_files(tmp_path: Path, other: str) -> None:
    write(tmp_path, "a/x.csv")
    alone = names_of(tmp_path / "*/x.csv"), names_of(tmp_path / "a/x.csv")
    write(tmp_path, other)
    assert names_of(tmp_path / "*/*.csv")[0] == alone[0][0] == "a/x.csv"
    assert names_of(tmp_path / "a/x.csv", tmp_path / other)[0] == alone[1][0] == "x.csv"


def test_the_files_of_two_nights_have_different_names(tmp_path: Path) -> None:
    nights = ["2026-11-20", "2026-11-21"]
    write(tmp_path, *(f"{night}/part-0.jsonl" for night in nights))
    names = [names_of(tmp_path / night / "*.jsonl") for night in nights]
    assert names == [["2026-11-20/part-0.jsonl"], ["2026-11-21/part-0.jsonl"]]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("report[1].jsonl", "report[1].jsonl"),
        ("report[1].jsonl", "report[[]1].jsonl"),
        ("{date}.jsonl", "{date}.jsonl"),
        ("what?.jsonl", "what[?].jsonl"),
        ("a*.jsonl", "a[*].jsonl"),
        ("b*.jsonl", "b*.jsonl"),  # no other file matches
        ("folder [new]/a.jsonl", "folder [new]/a.jsonl"),
        ("folder [new]/a.jsonl", "folder [[]new]/*.jsonl"),
        ("folder [new]/a.jsonl", "folder [new]"),
    ],
)
def test_a_path_that_exists_as_it_is_written_is_that_file(
    tmp_path: Path, name: str, pattern: str
) -> None:
    write(tmp_path, name, "report1.jsonl", "whats.jsonl", "ab.jsonl", "folder n/a.jsonl")
    found = find_input_files(FILES, corpus_of(tmp_path / pattern))
    assert [item.info.path for item in found] == [str(tmp_path / name)]
    object_store.OBJECTS.clear()
    for each in (name, "report1.jsonl", "whats.jsonl", "ab.jsonl", "folder n/a.jsonl"):
        write_text(FILES, f"objects://bucket/{each}", "{}")
    found = find_input_files(FILES, corpus_of(f"objects://bucket/{pattern}"))
    assert [item.info.path for item in found] == [f"objects://bucket/{name}"]


@pytest.mark.parametrize("name", ["a*.jsonl", "*.jsonl", "?b.jsonl"])
def test_a_file_that_is_named_like_a_pattern_does_not_hide_the_others(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, name, "ab.jsonl")
    object_store.OBJECTS.clear()
    for each in (name, "ab.jsonl"):
        write_text(FILES, f"objects://bucket/{each}", "{}")
    for folder in (str(tmp_path), "objects://bucket"):
        with pytest.raises(ConfigError, match=r"the name of a file and matches others, such as "):
            find_input_files(FILES, corpus_of(f"{folder}/{name}"))


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("report[1].csv", r"\[ is a wildcard; write \[\[\] for the character"),
        ("{name}/a.jsonl", r"\{name\} is no placeholder; \{date\} and"),
        ("{date}/a.jsonl", r"\{date\} has a value in limelight score alone"),
        ("*", r"b/ was left out; write its name, such as .*b/\*"),
    ],
)
def test_the_error_about_no_file_says_what_to_do(tmp_path: Path, pattern: str, advice: str) -> None:
    write(tmp_path, "b/a.jsonl")
    with pytest.raises(ConfigError, match=advice):
        find_input_files(FILES, corpus_of(tmp_path / pattern))


def test_what_is_left_out_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "a.jsonl", "_SUCCESS", ".a.crc", "sub/b.jsonl", *(f"_{n}" for n in range(5)))
    with caplog.at_level("INFO", logger="limelight"):
        for _ in range(2):
            assert names_of(tmp_path / "*") == ["a.jsonl"]
    [message] = [each for each in caplog.messages if "left out" in each]
    assert "left out 8 that match but are no data: sub/, .a.crc, " in message
    assert message.endswith("and 3 more")


def test_files_of_windows_and_macos_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a.jsonl", "Thumbs.db", "b/desktop.ini", "Icon\r")
    with caplog.at_level("INFO", logger="limelight"):
        assert names_of(tmp_path) == ["a.jsonl"]
    [message] = [each for each in caplog.messages if "left out" in each]
    assert message.endswith(
        r"left out 3 that match but are no data: Icon\r, Thumbs.db, b/desktop.ini"
    )


def test_no_input_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"^corpus\.inputs: expected at least one input"):
        find_input_files(FILES, CorpusConfig())


@pytest.mark.parametrize("name", ["missing.jsonl", "missing/*.jsonl", "*.missing"])
def test_an_input_that_matches_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a.jsonl")
    with pytest.raises(ConfigError, match=r"^corpus\.inputs\.1\.path: expected files that match"):
        find_input_files(FILES, corpus_of(tmp_path / "a.jsonl", tmp_path / name))


@pytest.mark.parametrize("name", ["*", "**", "b/1", "b/*"])
def test_a_link_whose_target_does_not_exist_is_an_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a", "b/2")
    (tmp_path / "b/1").symlink_to("unmounted")
    write(tmp_path / "b", "real")
    (tmp_path / "b/link").symlink_to("real")
    if name == "*":
        assert names_of(tmp_path / name) == ["a"]
    else:
        with pytest.raises(
            ConfigError, match=r"expected files, got .*/b/1, a symbolic link whose target"
        ):
            find_input_files(FILES, corpus_of(tmp_path / name))


def test_a_file_of_two_inputs_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", "b.jsonl")
    with pytest.raises(ConfigError, match=r"^corpus\.inputs\.1\.path: .* got .*b\.jsonl"):
        find_input_files(FILES, corpus_of(tmp_path / "b*", tmp_path / "*"))


@pytest.mark.parametrize(
    "second",
    ["a.jsonl", "./a.jsonl", ".//a.jsonl", "b/../a.jsonl", "link", "{}/a.jsonl", "to/a*", "*"],
)
def test_two_spellings_of_a_file_are_an_error_that_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    write(tmp_path, "a.jsonl", "b/c.jsonl")
    (tmp_path / "link").symlink_to("a.jsonl")
    (tmp_path / "to").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    second = second.format(tmp_path)
    for first, last in [("./a.jsonl", second), (second, "./a.jsonl")]:
        with pytest.raises(ConfigError, match=r"^corpus\.inputs\.1\.path: expected files") as error:
            find_input_files(FILES, corpus_of(first, last))
        for spelled in (first, last):
            assert spelled.replace("*", "") in str(error.value)


def test_objects_whose_names_differ_are_no_file_twice() -> None:
    object_store.OBJECTS.clear()
    for name in ("a.jsonl", "./a.jsonl", "x//a.jsonl", "x/a.jsonl"):
        write_text(FILES, f"objects://bucket/{name}", "{}")
    assert len(names_of("objects://bucket/x//a.jsonl", "objects://bucket/x/a.jsonl")) == 2
    with pytest.raises(
        ConfigError, match=r"objects://bucket/a\.jsonl, which is one of corpus\.inputs\.0"
    ):
        find_input_files(FILES, corpus_of("objects://bucket/a.jsonl", "objects://bucket/a*"))
