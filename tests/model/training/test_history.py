"""The history as CSV."""

from model.training.history import write_history

HISTORY = [
    {"epoch": 1.0, "loss": 0.5, "validation_macro_f1": 0.75, "seconds": 2.0},
    {"epoch": 2.0, "loss": 0.25, "validation_macro_f1": 0.875, "seconds": 3.0},
]


def test_csv_has_a_line_an_epoch(tmp_path):
    write_history(tmp_path / "history.csv", HISTORY)
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,loss,validation_macro_f1,seconds\n1,0.5,0.75,2\n2,0.25,0.875,3\n"
    )
