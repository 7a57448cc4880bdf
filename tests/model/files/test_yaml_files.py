from pathlib import Path

import pytest
import yaml

from model.config import ConfigError
from model.files.yaml_files import DuplicateKeyError, parse_yaml, read_yaml

TWO_SECTIONS = """\
training:
  epochs: 3
text: {max_tokens: 7}
training:
  seeds: [1]
"""


def test_a_section_given_twice_names_the_file_both_lines_and_the_key(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(TWO_SECTIONS)
    with pytest.raises(ConfigError) as raised:
        read_yaml(path)
    assert str(raised.value) == (
        f"{path}, line 4: expected each key once, got 'training' again (first on line 1). "
        "Merge the two or delete one."
    )


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a:\n  b:\n    c: 1\n    c: 1\n", "c", 4),
        ("a:\n  - {b: 1,\n     b: 2}\n", "b", 3),
        ("{1: a, 0x1: b}", 1, 1),
        ("yes: a\ntrue: b", True, 2),
        ("a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b\n", "<<", 5),
    ],
)
def test_a_key_given_twice_is_found_at_any_depth(text: str, key: object, line: int) -> None:
    with pytest.raises(DuplicateKeyError) as raised:
        parse_yaml(text)
    assert (raised.value.key, raised.value.line) == (key, line)


def test_equal_keys_of_different_mappings_are_no_duplicates() -> None:
    assert parse_yaml("a: {x: 1}\nb: {x: 2}") == {"a": {"x": 1}, "b": {"x": 2}}
    assert parse_yaml("- {x: 1}\n- {x: 2}") == [{"x": 1}, {"x": 2}]


def test_a_merge_key_brings_in_what_its_mapping_does_not_override() -> None:
    values = parse_yaml("""
        one: &one {x: 1, y: 1}
        two: &two {<<: *one, y: 2, z: 2}
        both: {<<: [*two, *one], z: 3}
    """)
    assert values == {
        "one": {"x": 1, "y": 1},
        "two": {"x": 1, "y": 2, "z": 2},
        "both": {"x": 1, "y": 2, "z": 3},
    }


def test_a_mapping_with_a_merge_key_can_be_merged_again() -> None:
    values = parse_yaml("""
        a: {inner: &inner {<<: {x: 1}, x: 2}}
        b: {<<: *inner, x: 3}
    """)
    assert values == {"a": {"inner": {"x": 2}}, "b": {"x": 3}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1", "expected YAML, got while parsing"),
        (b"? [a]\n: 1", "expected YAML, got while constructing a mapping"),
        ("name: \u00e9".encode("latin-1"), "expected UTF-8 text, got other bytes from byte 6"),
    ],
)
def test_the_error_of_a_file_that_is_not_yaml_is_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        read_yaml(path)
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)


def test_a_tag_cannot_make_a_python_object() -> None:
    with pytest.raises(Exception, match="could not determine a constructor"):
        parse_yaml("!!python/object/apply:os.getcwd []")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: 2026-02-30", r"read as timestamp \(day is out of range for month\) .*line 1"),
        ("a: 1\nname: !!int x", r"read as int .*line 2, column 7: name: !!int x"),
        ("name: !!int ''", "read as int .*name: "),
        ("name: !!bool x", r"read as bool \('x'\) .*name: "),
        ("name: !!timestamp x", "read as timestamp .*name: "),
        ("a: &a [*a]", r"found the alias \*a inside the value that it stands for in .*line 1"),
        ("training: &t {epochs: *t}", r"found the alias \*t .*: training: &t"),
        ("a: &a\n  <<: *a", r"found the alias \*a .*line 2"),
        ("training: {2026-01-01: 1}", "keys must be str"),
        ("[" * 2000, "values that are nested too deeply"),
    ],
)
def test_values_that_cannot_be_read_are_no_yaml(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"run\.yaml: expected YAML, got .*{problem}.*Correct"):
        read_yaml(tmp_path / "run.yaml")


def bomb(line: str) -> str:
    """Ten levels, each of which stands for ten of the level before."""
    levels = [line.format(name=n, items=", ".join([f"*l{n - 1}"] * 10)) for n in range(1, 10)]
    return "\n".join(["l0: &l0 {x: 1}", *levels])


@pytest.mark.parametrize(
    "line", ["l{name}: &l{name} [{items}]", "l{name}: &l{name} {{<<: [{items}]}}"]
)
def test_aliases_that_unfold_to_billions_of_values_are_refused(line: str) -> None:
    with pytest.raises(yaml.YAMLError, match="found more than 200,000 values"):
        parse_yaml(bomb(line))


def test_values_are_counted_as_often_as_aliases_repeat_them() -> None:
    text = "a: &a [1, 2]\nb: *a\nc: *a"  # mapping, 3 keys, 3 lists of 2
    assert parse_yaml(text, max_nodes=13)["c"] == [1, 2]
    with pytest.raises(yaml.YAMLError, match="found more than 12 values"):
        parse_yaml(text, max_nodes=12)


@pytest.mark.parametrize(
    "text", ["a: &a 1", "a: &a 1\nb: *a", "a: !!str 1", "a: {<<: {b: 1}}", "a: !x {b: 1}"]
)
def test_plain_yaml_has_no_anchors_aliases_merge_keys_and_tags(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="none is expected"):
        parse_yaml(text, plain=True)


@pytest.mark.parametrize("text", ["1:30", "-1:30:00", "1:30.5", "190:20:30", "1_0:59"])
def test_a_number_to_the_base_60_is_text(text: str) -> None:
    assert parse_yaml(text) == text


@pytest.mark.parametrize("text", ["1" * 600_000, "0x" + "f" * 600_000, "!!int " + "1:" * 300_000])
def test_a_number_of_many_digits_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"found a number of 600,00\d characters"):
        parse_yaml(text + "1")


def test_a_long_row_of_base_60_is_text_at_once() -> None:
    text = "1" + ":1" * 300_000
    assert parse_yaml(text) == text


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "run.yaml").open("wb") as stream:
        stream.truncate(5 << 30)
    with pytest.raises(ConfigError, match=r"run\.yaml: expected at most 4,194,304 bytes"):
        read_yaml(tmp_path / "run.yaml")
    (tmp_path / "run.yaml").unlink()


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("1.5", 1.5), ("0x1F", 31), ("1_0", 10)])
def test_other_numbers_are_numbers(text: str, value: float) -> None:
    assert parse_yaml(text) == value
