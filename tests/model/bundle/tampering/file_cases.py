"""Files that are missing, unlisted, empty, huge, links or FIFOs, and names that lead out."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from model.bundle.file_names import MANIFEST
from model.bundle.listing import is_plain_name
from tests.model.bundle.tampering.cases import Case, Change, edit, in_manifest, write

# Their content is not read, so that they may have any.
OPAQUE = ("report.html", "model_card.md", "serving/saved_model.pb")
OUTSIDE = "outside"  # beside the model directory


def remove(name: str) -> Change:
    return lambda folder: os.unlink(folder / name)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def enlarge(name: str, size: int) -> Change:
    return lambda folder: os.truncate(folder / name, size)


def link_outside(name: str) -> Change:
    def run(folder: Path) -> None:
        outside = folder.parent / OUTSIDE
        shutil.move(folder / name, outside)
        (folder / name).symlink_to(outside)

    return run


def link_inside(name: str) -> Change:
    def run(folder: Path) -> None:
        shutil.copy(folder / name, folder / "model_card.md")
        os.unlink(folder / name)
        (folder / name).symlink_to(folder / "model_card.md")

    return run


def link_in_a_circle(name: str) -> Change:
    def run(folder: Path) -> None:
        os.unlink(folder / name)
        (folder / name).symlink_to(folder / name)

    return run


def put_fifo(name: str) -> Change:
    def run(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return run


def put_folder(name: str) -> Change:
    def run(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return run


def put_socket(name: str) -> Change:
    def run(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        before = Path.cwd()
        os.chdir((folder / name).parent)  # the name of a socket has at most 108 bytes
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(Path(name).name)
        finally:
            os.chdir(before)

    return run


def cases_of_files(base: str, names: list[str], *, huge: dict[str, int]) -> Iterator[Case]:
    """Every file in every wrong form.

    Args:
        base: the whole model.
        names: of its files.
        huge: a size that is too large, by file; 160 MB for others.
    """
    kinds = {
        "a link outside": link_outside,
        "a link inside": link_inside,
        "a link to itself": link_in_a_circle,
        "a FIFO": put_fifo,
        "a folder": put_folder,
        "a socket": put_socket,
    }
    for name in names:
        for kind, put in kinds.items():
            if name == "model_card.md" and kind == "a link inside":
                continue
            yield Case(
                name=f"{name} is {kind}", base=base, change=put(name), refit=False, names=name
            )
        yield Case(
            name=f"{name} is missing", base=base, change=remove(name), refit=False, names=name
        )
        yield Case(
            name=f"{name} is huge",
            base=base,
            change=enlarge(name, huge.get(name, 160 << 20)),
            refit=name != MANIFEST,
            names=name,
        )
        if name == MANIFEST:
            yield Case(
                name=f"{name} is empty", base=base, change=write(name, b""), refit=False, names=name
            )
            continue
        yield Case(
            name=f"{name} is longer than listed",
            base=base,
            change=edit(name, lambda content: content + b"\n"),
            refit=False,
            names=name,
        )
        yield Case(
            name=f"{name} has another byte",
            base=base,
            change=edit(name, lambda content: content[:-1] + b"\xff"),
            refit=False,
            names=name,
        )
        if name not in OPAQUE:
            for how, change in (("empty", lambda _: b""), ("cut", cut)):
                if name in ("history.csv", "gallery.jsonl"):
                    continue  # they may have no rows, and half of a row of numbers is one
                yield Case(
                    name=f"{name} is {how}", base=base, change=edit(name, change), names=name
                )
            yield Case(
                name=f"{name} is not UTF-8",
                base=base,
                change=edit(name, lambda content: b"\xff\xfe" + content),
                names=name,
            )


def cases_of_extra_files(base: str) -> Iterator[Case]:
    unlisted = [
        "evil.so",
        "serving/variables/variables.index",
        "serving/assets.extra/a.so",
        ".hidden",
    ]
    unlisted += ["config.yml", "network.weights.h5", "a/b/c/d", "serving/manifest.json"]
    for name in unlisted:
        yield Case(
            name=f"{name} is not listed",
            base=base,
            change=write(name, b"x"),
            refit=False,
            names=name,
        )
    for kind, put in (("FIFO", put_fifo), ("socket", put_socket)):
        yield Case(
            name=f"a {kind} that is not listed", base=base, change=put("extra"), refit=False,
            names=f"extra: expected a regular file, got a {kind}",
        )  # fmt: skip

    def link_folder(folder: Path) -> None:
        shutil.move(folder / "serving", folder.parent / OUTSIDE)
        (folder / "serving").symlink_to(folder.parent / OUTSIDE)

    def name_that_is_not_utf8(folder: Path) -> None:
        with open(os.fsencode(folder) + b"/\xff", "wb"):
            pass

    def deep(folder: Path) -> None:
        (folder / "/".join("abcdefghijkl")).mkdir(parents=True)

    def many(folder: Path) -> None:
        for number in range(3_000):
            (folder / f"extra-{number}").touch()

    yield Case(
        name="a folder is a link", base=base, change=link_folder, refit=False, names="got a link"
    )
    yield Case(
        name="a name that is not UTF-8",
        base=base,
        change=name_that_is_not_utf8,
        refit=False,
        names="expected only files that the manifest lists",
    )
    yield Case(name="deep folders", base=base, change=deep, refit=False, names="got a folder")
    yield Case(
        name="thousands of files", base=base, change=many, refit=False, names="at most 1,000 files"
    )


def cases_of_names(base: str) -> Iterator[Case]:
    outside = ["../secret", "../../etc/passwd", "/etc/passwd", "a/../../b", "./config.yaml", "."]
    outside += [
        "serving//saved_model.pb",
        "serving/",
        "a\\b",
        "",
        "..",
        "a\0b",
        "a\nb",
        "manifest.json",
    ]
    outside += ["a\u202eb", "x" * 2_000, "/dev/zero", "serving/.."]
    for name in outside:
        assert not is_plain_name(name) or name == MANIFEST
        described = {"bytes": 5, "sha256": "0" * 64}
        yield Case(
            name=f"the manifest lists {name[:20]!a}",
            base=base,
            change=in_manifest(lambda values, n=name, d=described: values["files"].update({n: d})),  # type: ignore[misc]
            refit=False,
            names="manifest.json: files: expected names of files below",
        )
