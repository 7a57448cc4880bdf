"""Short names of files for rows and document ids, each of one file only."""

from collections.abc import Sequence

from pipeline.storage.files import base_name


def distinct_names(paths: Sequence[str]) -> dict[str, str]:
    """A name for each path: the file's name, or the path below the folder common to all.

    The longer names are used for all files as soon as two files have the same name.
    """
    names = {path: base_name(path) for path in paths}
    if len(set(names.values())) == len(names):
        return names
    # `os.path.commonpath` does not do: it makes `gs:/bucket` of `gs://bucket`, and raises an
    # error if only some of the paths are absolute.
    parts = {path: path.split("/") for path in paths}
    common = 0
    while len({tuple(each[: common + 1]) for each in parts.values()}) == 1:
        common += 1
    return {path: "/".join(each[common:]) for path, each in parts.items()}
