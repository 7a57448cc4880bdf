"""Every tampered model is refused by a message that names the part, soon, and in little memory.

Digests and sizes in the manifest are made to fit, as whoever tampers would do it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.bundle.file_names import (
    CONFIG,
    GALLERY,
    GOLDEN,
    HISTORY,
    LABELS,
    MANIFEST,
    METRICS,
    PROFILE,
    STATISTICS,
    WIDE_WEIGHTS,
)
from tests.model.bundle.tampering.cases import Case, refit
from tests.model.bundle.tampering.file_cases import (
    cases_of_extra_files,
    cases_of_files,
    cases_of_names,
)
from tests.model.bundle.tampering.loading_worker import LoadingWorker
from tests.model.bundle.tampering.value_cases import (
    cases_of_config,
    cases_of_golden,
    cases_of_json,
    cases_of_manifest,
    cases_of_texts,
)
from tests.model.bundle.tampering.weight_cases import (
    cases_of_arrays,
    cases_of_hdf5,
    cases_of_members,
    cases_of_safetensors,
)
from tests.model.bundle.tampering.whole_bundles import make_config, write_whole
from tests.model.bundle.tampering.worker import SECONDS

KINDS = ("zhou", "dense", "positional", "context", "luong", "bahdanau", "multihead")
WHOLE = {
    **{kind: make_config(kind) for kind in KINDS},
    "wide": make_config("context", wide=True),
    "two layers": make_config("mean", layers=2, merge="sum"),
    "one direction": make_config("none", bidirectional=False),
    "no layers": make_config("max", layers=0),
    "ensemble": make_config("last", members=2),
    "old": make_config("context"),
}
# Sizes above what a file of this name may have.
HUGE = {CONFIG: 1 << 20, LABELS: 8 << 20, HISTORY: 8 << 20, GOLDEN: 40 << 20, MANIFEST: 40 << 20}
HUGE |= {GALLERY: 40 << 20, STATISTICS: 20 << 20, PROFILE: 20 << 20, "vocabulary.txt": 40 << 20}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for name, config in WHOLE.items():
        write_whole(folder / name, config, hdf5=name == "old")
    return folder


def all_cases(whole: Path) -> Iterator[Case]:
    names = [path.relative_to(whole / "wide").as_posix() for path in (whole / "wide").rglob("*")]
    yield from cases_of_files("wide", sorted(n for n in names if n != "serving"), huge=HUGE)
    yield from cases_of_extra_files("wide")
    yield from cases_of_names("wide")
    for kind in KINDS:
        yield from cases_of_arrays(kind, whole / kind, only="attention.")
    yield from cases_of_arrays("zhou", whole / "zhou", only="embedding")
    yield from cases_of_arrays("zhou", whole / "zhou", only="bilstm_1.forward")
    yield from cases_of_arrays("zhou", whole / "zhou", only="head")
    yield from cases_of_arrays("two layers", whole / "two layers", only="bilstm_2.backward")
    yield from cases_of_arrays("one direction", whole / "one direction", only="bilstm_1")
    yield from cases_of_arrays("no layers", whole / "no layers")
    yield from cases_of_arrays("ensemble", whole / "ensemble", only="member-2.head")
    yield from cases_of_arrays("wide", whole / "wide", file=WIDE_WEIGHTS)
    yield from cases_of_safetensors("wide")
    yield from cases_of_members("ensemble")
    yield from cases_of_hdf5("old", whole / "old")
    yield from cases_of_config("wide")
    yield from cases_of_manifest("wide")
    yield from cases_of_texts("wide")
    yield from cases_of_golden("wide", whole / "wide")
    for name in (METRICS, STATISTICS, PROFILE, MANIFEST):  # the baseline's are metrics, too
        yield from cases_of_json("wide", whole / "wide", name)
    for name in (GALLERY, GOLDEN):
        yield from cases_of_json("wide", whole / "wide", name, lines=True)


def problem_of(case: Case, got: dict[str, object]) -> str | None:
    message = str(got.get("message"))
    if got["outcome"] != "refused":
        return f"{got['outcome']}: {message[:300]}"
    if "memory" in message or "\n" in message or len(message) > 2_000:
        return f"not the message of a refusal: {message[:300]!r}"
    if case.names not in message:
        return f"not named ({case.names}): {message[:300]}"
    if float(str(got["seconds"])) > SECONDS:
        return f"{got['seconds']} s"
    return None


@pytest.mark.long
def test_every_tampered_model_is_refused_by_name(whole: Path, tmp_path: Path, capsys) -> None:
    accepted = [whole / name for name in WHOLE]
    worker = LoadingWorker(*accepted)
    failures: list[str] = []
    slowest: dict[str, float] = {}
    for number, case in enumerate(all_cases(whole)):
        folder = tmp_path / "case" / "1"
        shutil.copytree(whole / case.base, folder)
        case.change(folder)
        if case.refit:
            refit(folder)
        got = worker.load(folder)
        slowest[f"{number} {case.name}"] = float(str(got.get("seconds", 0)))
        problem = problem_of(case, got)
        if problem is not None:
            failures.append(f"{number} {case.name}: {problem}")
        if got["outcome"] == "crashed":
            worker = LoadingWorker(*accepted)
        shutil.rmtree(folder.parent)
    for folder in accepted:  # the process still scores with models that are in order
        assert worker.load(folder)["outcome"] == "scored"
    worker.close()
    worst = max(slowest, key=lambda name: slowest[name])
    with capsys.disabled():
        print(f"\n{len(slowest)} tampered models; the slowest: {slowest[worst]:.2f} s, {worst}")
    assert not failures, "\n".join(failures)
    assert len(slowest) >= 300
