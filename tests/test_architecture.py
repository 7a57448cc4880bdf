"""The house rules that a machine can check, by parsing the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
MAX_LINES = 400

SOURCES = [
    path
    for folder in ("model", "pipeline", "tests")
    for path in sorted((PROJECT / folder).rglob("*.py"))
]


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def below(folder: str) -> list[str]:
    """The sources under a folder, by path."""
    return [name_of(path) for path in SOURCES if name_of(path).startswith(f"{folder}/")]


def imports_of(source: str) -> Iterator[str]:
    """The full names that a source imports, inside functions and type checks too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(name: str) -> set[str]:
    return set(imports_of((PROJECT / name).read_text(encoding="utf-8")))


def uses(name: str, *packages: str) -> list[str]:
    """Which of the packages, or what of them, a source imports."""
    return [
        imported
        for imported in sorted(imports(name))
        if any(imported == package or imported.startswith(f"{package}.") for package in packages)
    ]


def test_imports_are_found_wherever_they_stand() -> None:
    source = """
import a.b as c, d
from e.f import g
def function():
    import h
    from . import i
if TYPE_CHECKING:
    from j import k
"""
    found = set(imports_of(source))
    assert {"a.b", "d", "e.f", "e.f.g", "h", ".", "j", "j.k"} <= found


@pytest.mark.parametrize("name", below("model"))
def test_the_model_knows_nothing_of_the_pipeline(name: str) -> None:
    assert not uses(name, "pipeline", "apache_beam", "tensorflow_transform", "tfx_bsl", "tests")


@pytest.mark.parametrize("name", below("pipeline"))
def test_beam_is_fenced_in(name: str) -> None:
    folders = ("pipeline/stages/", "pipeline/transforms/", "pipeline/runners/", "pipeline/cli/")
    files = ("pipeline/elements.py", "pipeline/storage/beam_files.py")
    if not name.startswith(folders) and name not in files:
        assert not uses(name, "apache_beam", "tensorflow_transform", "tfx_bsl")
    assert not uses(name, "tests")


@pytest.mark.parametrize("name", below("pipeline/transforms"))
def test_no_transform_imports_another_but_to_end_in_a_file(name: str) -> None:
    used = uses(name, "pipeline.transforms", "pipeline.stages")
    assert all(each.startswith("pipeline.transforms.write_one_file") for each in used)


@pytest.mark.parametrize("name", below("pipeline/transforms"))
def test_transforms_are_named_for_what_they_do(name: str) -> None:
    tree = ast.parse((PROJECT / name).read_text(encoding="utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    endings = ("Writer", "Reader", "Transform", "Source", "Sink")
    assert not [each for each in classes if each.endswith(endings) and not each.startswith("_")]


def test_domain_rooms_do_not_depend_on_stages() -> None:
    rooms = ("pipeline/corpora", "pipeline/nights", "pipeline/reports")
    names = [name for room in rooms for name in below(room)]
    assert names
    found = {name: uses(name, "pipeline.stages", "pipeline.transforms") for name in names}
    assert {name: used for name, used in found.items() if used} == {}


def test_no_file_is_too_long() -> None:
    lines = {name_of(path): len(path.read_bytes().splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    names = {part for path in SOURCES for part in Path(name_of(path)).with_suffix("").parts}
    assert not names & drawers


def test_keras_is_never_taken_from_tensorflow() -> None:
    """`tf.keras` is another library as soon as TensorFlow Transform is imported."""
    found = []
    for name in (*below("model"), *below("pipeline")):
        tree = ast.parse((PROJECT / name).read_text(encoding="utf-8"))
        attributes = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr == "keras"
            and isinstance(node.value, ast.Name)
            and node.value.id in ("tf", "tensorflow")
        ]
        if attributes or uses(name, "tensorflow.keras"):
            found.append(name)
    assert found == []


def test_every_package_and_test_folder_can_be_imported() -> None:
    folders = {path.parent for path in SOURCES if path.parent != PROJECT}
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").is_file()]
