import os
from pathlib import Path

import pytest

from model.runtime import cores
from model.runtime.cores import usable_cores

V2, V1 = "0::{}\n", "3:memory:/job\n2:cpu,cpuacct:{}\n0::/\n"
V1_FOLDER = "sys/fs/cgroup/cpu,cpuacct"


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of `/`, on a machine of 8 cores."""
    monkeypatch.setattr(cores, "ROOT", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("50000 100000", 1),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("400000 100000", 4),
        ("1600000 100000", 8),
        ("75000 50000", 2),
    ],
)
def test_a_quota_of_version_2_limits_the_cores(system: Path, quota: str, expected: int) -> None:
    files = {"proc/self/cgroup": V2.format("/job"), "sys/fs/cgroup/job/cpu.max": f"{quota}\n"}
    write_files(system, files)
    assert usable_cores() == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("150000", 2), ("300000", 3)])
def test_a_quota_of_version_1_limits_the_cores(system: Path, quota: str, expected: int) -> None:
    files = {
        "proc/self/cgroup": V1.format("/job"),
        f"{V1_FOLDER}/job/cpu.cfs_quota_us": f"{quota}\n",
        f"{V1_FOLDER}/job/cpu.cfs_period_us": "100000\n",
    }
    write_files(system, files)
    assert usable_cores() == expected


def test_the_smallest_quota_of_nested_groups_counts(system: Path) -> None:
    files = {
        "proc/self/cgroup": V2.format("/pods/pod/job"),
        "sys/fs/cgroup/pods/cpu.max": "600000 100000\n",
        "sys/fs/cgroup/pods/pod/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/pods/pod/job/cpu.max": "max 100000\n",
    }
    write_files(system, files)
    assert usable_cores() == 2


@pytest.mark.parametrize(
    "files",
    [
        {"proc/self/cgroup": V2.format("/"), "sys/fs/cgroup/cpu.max": "300000 100000\n"},
        {
            "proc/self/cgroup": V1.format("/docker/4f2a"),
            f"{V1_FOLDER}/cpu.cfs_quota_us": "300000\n",
            f"{V1_FOLDER}/cpu.cfs_period_us": "100000\n",
        },
    ],
    ids=["own-namespace", "path-on-the-host"],
)
def test_a_container_sees_its_group_as_the_topmost(system: Path, files: dict[str, str]) -> None:
    write_files(system, files)
    assert usable_cores() == 3


def test_an_affinity_mask_below_the_quota_counts(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(
        system, {"proc/self/cgroup": V2.format("/"), "sys/fs/cgroup/cpu.max": "600000 100000\n"}
    )
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_cores() == 2


@pytest.mark.parametrize("content", ["", "0::/\n", "0::/../other\n"])
def test_without_a_quota_all_cores_count(system: Path, content: str) -> None:
    write_files(system, {"proc/self/cgroup": content})
    assert usable_cores() == 8


def test_a_platform_without_affinity_masks_counts_its_cores(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
