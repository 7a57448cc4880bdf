"""The rules of the house that a machine can check and the import contracts cannot say.

Which room may import which stands in pyproject.toml (`tool.importlinter`), checked by `make lint`;
the tests at the end of this file see that those contracts bite.
"""

import ast
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.arrows import find_arrows, in_order

PROJECT = Path(__file__).resolve().parents[1]
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_MODULES = 20

# Above a longer function: why it is one.
REASON = "# Longer than 60 lines"

# They import by name: what a short start leaves out, and what a path on gs:// needs.
IMPORT_BY_NAME = ("pipeline/process/beam_imports.py", "pipeline/storage/beam_files.py")

SOURCES = [
    path
    for folder in ("model", "pipeline", "tests")
    for path in sorted((PROJECT / folder).rglob("*.py"))
]


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def below(*folders: str) -> list[str]:
    """The sources under folders, by path."""
    starts = tuple(f"{folder}/" for folder in folders)
    return [name_of(path) for path in SOURCES if name_of(path).startswith(starts)]


HOUSES = below("model", "pipeline")


def read_source(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def parse(name: str) -> ast.Module:
    return ast.parse(read_source(name))


def test_no_file_is_too_long() -> None:
    lines = {name_of(path): len(path.read_bytes().splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_no_folder_holds_too_many_modules() -> None:
    modules = Counter(name_of(path.parent) for path in SOURCES)
    houses = {name: count for name, count in modules.items() if not name.startswith("tests")}
    assert {name: count for name, count in houses.items() if count > MAX_MODULES} == {}


def long_functions(source: str) -> list[str]:
    """The functions of more than `MAX_FUNCTION_LINES` lines without a reason above them."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = min(item.lineno for item in (node, *node.decorator_list))
        above = first - 2
        while above > 0 and lines[above - 1].lstrip().startswith("#"):
            above -= 1
        reasoned = above >= 0 and lines[above].lstrip().startswith(REASON)
        assert node.end_lineno is not None
        if node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES and not reasoned:
            found.append(node.name)
    return found


def test_no_function_is_too_long_without_a_reason() -> None:
    found = {name: long_functions(read_source(name)) for name in HOUSES}
    assert {name: functions for name, functions in found.items() if functions} == {}


def test_a_long_function_is_found_unless_a_comment_gives_the_reason() -> None:
    function = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES
    assert long_functions(function) == ["f"]
    assert long_functions(f"# Why not.\n{function}") == ["f"]
    assert (
        long_functions(f"{REASON}: one loop, which Numba compiles\n# as a whole.\n{function}") == []
    )
    assert long_functions(function.replace("    x = 1\n", "", 1)) == []


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    names = {part for path in SOURCES for part in Path(name_of(path)).with_suffix("").parts}
    assert not names & drawers


def test_no_module_shares_its_name_with_one_of_the_standard_library() -> None:
    shadowing = sys.stdlib_module_names - {"__main__"}
    assert [name for name in HOUSES if Path(name).stem in shadowing] == []


def test_transforms_are_named_for_what_they_do() -> None:
    endings = ("Writer", "Reader", "Transform", "Source", "Sink")
    classes = [
        node.name
        for name in below("pipeline/transforms")
        for node in parse(name).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert classes
    assert [each for each in classes if each.endswith(endings)] == []


def imports_by_name(source: str) -> bool:
    """Whether a source imports a module by its name, which the import contracts do not see."""
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    imported = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return bool((names | imported) & {"import_module", "__import__", "run_module"})


def test_nothing_is_imported_past_the_contracts() -> None:
    found = [name for name in HOUSES if imports_by_name(read_source(name))]
    assert found == sorted(IMPORT_BY_NAME)


@pytest.mark.parametrize(
    "source",
    [
        "import importlib\nimportlib.import_module('keras')",
        "from importlib import import_module",
        "__import__('keras')",
    ],
)
def test_an_import_by_name_is_found(source: str) -> None:
    assert imports_by_name(source)


def imported_modules(source: str) -> set[str]:
    """The modules that a source imports, with those that `from package import name` may name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_houses_do_not_import_their_tests() -> None:
    found = {
        name: module
        for name in HOUSES
        for module in imported_modules(read_source(name))
        if module.partition(".")[0] == "tests"
    }
    assert found == {}


def takes_keras_from_tensorflow(source: str) -> bool:
    """Whether a source uses `tf.keras`: another library once TensorFlow Transform is imported."""
    attributes = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    imported = {name for name in imported_modules(source) if name.startswith("tensorflow.keras")}
    return bool(imported or attributes & {("tf", "keras"), ("tensorflow", "keras")})


def test_keras_is_never_taken_from_tensorflow() -> None:
    assert [name for name in HOUSES if takes_keras_from_tensorflow(read_source(name))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import tensorflow as tf\ntf.keras.Model",
        "from tensorflow import keras",
        "from tensorflow.keras import layers",
        "import tensorflow.keras",
    ],
)
def test_keras_of_tensorflow_is_found(source: str) -> None:
    assert takes_keras_from_tensorflow(source)


def test_every_package_and_test_folder_can_be_imported() -> None:
    folders = {path.parent for path in SOURCES if path.parent != PROJECT}
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_the_arrows_form_no_circle() -> None:
    arrows = find_arrows()
    ordered = in_order(arrows)
    assert set(ordered) == set(arrows)
    assert ordered.index("model.runtime") < ordered.index("pipeline.cli")


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """Checks the contracts over the sources in a folder, as `make lint` does here."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=project, env={"PYTHONPATH": str(project)}, capture_output=True, text=True
    )


@pytest.fixture
def copied_project(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for house in ("model", "pipeline"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / house, tmp_path / house, ignore=skipped)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "line", "broken"),
    [
        ("model/text/tokens.py", "import pipeline.schemas", "model knows nothing of pipeline"),
        ("model/text/tokens.py", "import keras", "need neither Keras nor TensorFlow"),
        ("model/text/tokens.py", "import model.layers.attention", "rooms of model import"),
        ("model/layers/bilstm.py", "import apache_beam", "model knows nothing of pipeline"),
        ("pipeline/corpora/reading/rows.py", "import apache_beam", "Beam lives in"),
        ("pipeline/storage/files.py", "import pipeline.nights.lease", "rooms of pipeline import"),
        ("pipeline/nights/lease.py", "import pipeline.training.trials", "rooms of pipeline import"),
        ("pipeline/corpora/reading/rows.py", "import pipeline.corpora.formats.jsonl", "corpora"),
        (
            "pipeline/transforms/count_tokens.py",
            "import pipeline.transforms.read_documents",
            "A transform imports no other",
        ),
        ("pipeline/storage/files.py", "import pipeline.storage.folders", "in a circle"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(
    copied_project: Path, name: str, line: str, broken: str
) -> None:
    with (copied_project / name).open("a", encoding="utf-8") as source:
        source.write(f"\n\ndef _hidden_in_a_function():\n    {line}\n")
    finished = lint_imports(copied_project)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert [each for each in finished.stdout.splitlines() if broken in each and "BROKEN" in each]


def test_a_new_room_must_be_given_its_place(copied_project: Path) -> None:
    (copied_project / "pipeline/attic").mkdir()
    (copied_project / "pipeline/attic/__init__.py").touch()
    finished = lint_imports(copied_project)
    assert finished.returncode != 0
    assert "attic" in finished.stdout + finished.stderr


def test_the_contracts_hold(copied_project: Path) -> None:
    finished = lint_imports(copied_project)
    assert finished.returncode == 0, finished.stdout + finished.stderr
