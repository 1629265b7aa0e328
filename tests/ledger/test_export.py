"""Exports: the stand-alone verifier agrees with ours, on good logs and on tampered ones."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import export, merkle, standalone
from bartizan.ledger.checkpoint import read_notes
from bartizan.ledger.log import Ledger, public_key_file


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The lines of an export with 40 records, two checkpoints and one erased content."""
    folder = tmp_path_factory.mktemp("log")
    one = Ledger.open(folder / "log", origin="t/log", clock=StoppedClock(), checkpoint_file=folder / "c.txt")
    one.append_many([("k", {"n": number}) for number in range(20)])
    one.checkpoint()
    one.erase(4, "x")
    one.append_many([("k", {"n": number}) for number in range(19)])
    one.checkpoint()
    one.close()
    return list(export.lines(Section(directory=str(folder / "log"), checkpoint_file=str(folder / "c.txt")))), folder


def test_a_good_export_is_intact_also_with_a_trusted_key(exported):
    """40 records, all sealed."""
    lines, folder = exported
    assert standalone.verify(lines) == ([], 40, 40)
    assert standalone.verify(lines, public_key_file(folder / "c.txt").read_text().strip()) == ([], 40, 40)


NOTES = ("c.txt.pub", "c.txt")
KINDS = ["record", "body", "salt", "delete", "double", "swap", "drop body"]


@given(number=st.integers(3, 42), kind=st.sampled_from(KINDS))
def test_every_change_to_a_record_is_found(exported, number, kind):
    """Edited, removed, doubled, swapped, or without its content."""
    lines = list(exported[0])
    row = json.loads(lines[number])
    if kind in ("record", "body", "salt"):
        if kind not in row:
            return
        row[kind] = row[kind][:3] + ("A" if row[kind][3] != "A" else "B") + row[kind][4:]
        lines[number] = json.dumps(row)
    elif kind == "delete":
        del lines[number]
    elif kind == "double":
        lines.insert(number, lines[number])
    elif kind == "swap":
        other = 3 + (number - 2) % 40
        lines[number], lines[other] = lines[other], lines[number]
    else:
        if row.pop("body", None) is None:
            return
        lines[number] = json.dumps(row)
    assert standalone.verify(lines)[0], (number, kind)


def test_truncation_and_forged_checkpoints_are_found(exported):
    """The end cut off, a checkpoint with another size, another key."""
    lines = list(exported[0])
    assert any("cut off" in one for one in standalone.verify(lines[:30])[0])
    forged = [line.replace("\\n40\\n", "\\n39\\n") for line in lines]
    assert any("does not hold" in one for one in standalone.verify(forged)[0])
    other = "other+" + lines[0].split("+", 1)[1].split('"')[0]
    with pytest.raises(standalone.NotAnExport):
        standalone.verify(lines, other)


@pytest.mark.parametrize("lines", [[], ["{}"], ["nope"], ["[1]"], ['{"format":"bartizan-ledger-export/1","key":"x"}']])
def test_what_is_no_export_is_said_to_be_none(lines):
    """Not a crash, not a pass."""
    with pytest.raises(standalone.NotAnExport):
        standalone.verify(lines)


def test_it_runs_alone(exported, tmp_path):
    """As a script, with nothing of ours to import; 300 lines at most."""
    source = Path(standalone.__file__)
    tree = ast.parse(source.read_text())
    names = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not [name for name in names if name.startswith("bartizan")]
    assert len(source.read_text().splitlines()) <= 300
    lines, folder = exported
    path = tmp_path / "export.jsonl"
    path.write_text("".join(lines))
    (tmp_path / "alone.py").write_text(source.read_text())
    command = [sys.executable, "-I", str(tmp_path / "alone.py"), str(path), *(str(folder / one) for one in NOTES)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "intact: 40 records, 40 of them covered by a checkpoint\n")
    # Cut off the end and every checkpoint inside the export: the trusted checkpoints still tell.
    path.write_text("".join([lines[0], *lines[3:-5]]))
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, "the end was cut off" in done.stdout) == (1, True)
    assert subprocess.run([*command[:3], "/nowhere"], capture_output=True).returncode == 2


def test_a_proof_stands_by_itself(exported):
    """Leaf, path and signed checkpoint verify with the public key alone."""
    _, folder = exported
    one = Ledger.open(folder / "log", origin="t/log", clock=StoppedClock(), checkpoint_file=folder / "c.txt")
    shown = export.proof(one, 7)
    key = public_key_file(folder / "c.txt").read_text()
    (note,) = read_notes(shown["checkpoint"], key)
    path = [bytes.fromhex(part) for part in shown["proof"]]
    merkle.verify_inclusion(bytes.fromhex(shown["leaf_hash"]), 7, note.size, path, note.root)
    with pytest.raises(BadEvidence, match="does not exist"):
        export.proof(one, 99)
    one.close()


def test_a_log_that_is_not_there_is_bad_evidence(tmp_path):
    """No empty export."""
    with pytest.raises(BadEvidence, match="no ledger there"):
        list(export.lines(Section(directory=str(tmp_path), checkpoint_file=str(tmp_path / "c.txt"))))
