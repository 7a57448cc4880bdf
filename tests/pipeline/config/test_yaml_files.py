from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.config.yaml_files import DuplicateKeyError, parse_yaml, read_yaml

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
