"""`bartizan detector calibrate-turns`: innocent rows become conversations; without rows it stops."""

import random

from bartizan.cli import detector_turns
from bartizan.cli.main import main
from bartizan.lab.turns import LEARNT


def test_rows_of_known_sources_make_kinds_of_their_own():
    """A source with few rows makes none."""
    rows = {"clinc": [f"Question {number}?" for number in range(60)], "sgd": ["One."], "gpteacher_out": ["Yes."]}
    found = detector_turns.conversations(rows, 2, random.Random(1))
    assert set(found) == {*LEARNT, "clinc"}
    assert len(found["clinc"]) == 20


def test_a_folder_without_rows_is_refused(tmp_path, capsys):
    """Nothing is written on no data."""
    assert main(["detector", "calibrate-turns", str(tmp_path), "--model", str(tmp_path)]) != 0
    assert "gpteacher_out" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
