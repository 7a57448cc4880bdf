from model.bundle.lines import read_lines, write_lines


def test_lines_hold_everything_but_a_line_feed(tmp_path):
    lines = ["a", "", "b\rc", "\u2028", "ü 很"]
    write_lines(tmp_path / "lines", lines)
    assert read_lines(tmp_path / "lines") == lines
