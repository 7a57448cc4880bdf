from pipeline.corpora.reading.source_names import distinct_names


def test_a_file_is_called_by_its_name_where_that_is_enough() -> None:
    assert distinct_names(["/a/x", "gs://b/y"]) == {"/a/x": "x", "gs://b/y": "y"}


def test_equal_names_are_told_apart_by_the_path_below_the_common_folder() -> None:
    names = distinct_names(["gs://b/train/x", "gs://b/test/x", "gs://b/test/y"])
    assert list(names.values()) == ["train/x", "test/x", "test/y"]
