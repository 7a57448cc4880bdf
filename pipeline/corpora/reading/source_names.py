"""Short names of files for rows and document ids; no two files have the same name."""

from collections.abc import Sequence

from pipeline.storage.files import base_name


def distinct_names(paths: Sequence[str]) -> dict[str, str]:
    """A name for each path: the file's name, or its path below the folder that all share.

    If any two files have the same name, the longer form is used for all files.
    """
    names = {path: base_name(path) for path in paths}
    if len(set(names.values())) == len(names):
        return names
    # `os.path.commonpath` cannot be used: it turns `gs://bucket` into `gs:/bucket`, and raises an
    # error if only some of the paths are absolute.
    parts = {path: path.split("/") for path in paths}
    common = 0
    while len({tuple(each[: common + 1]) for each in parts.values()}) == 1:
        common += 1
    return {path: "/".join(each[common:]) for path, each in parts.items()}
