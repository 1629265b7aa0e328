"""`bartizan scan` as a user types it: table, JSON, SARIF, and exit codes 0, 1 and 2."""

import json
from pathlib import Path

import jsonschema
import pytest

from bartizan.cli.main import main

EVIL = b"cposix\nsystem\n(S'true'\ntR."
GOOD = b"\x80\x02N."
LIBRARY = b"\x80\x02csklearn.svm\nSVC\n)\x81."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "words", "code"),
    [
        ({"a.pkl": GOOD}, [], 0),
        ({"a.pkl": GOOD, "b.pkl": EVIL}, [], 1),
        ({"a.pkl": LIBRARY}, [], 0),
        ({"a.pkl": LIBRARY}, ["--strict"], 1),
        ({"a.pkl": b"\x80\x02X\xff\xff"}, [], 2),
        ({}, [], 2),
    ],
)
def test_exit_codes(folder, capsys, files, words, code):
    """Clean 0, blocked 1, review only 0 unless strict, unreadable or nothing 2."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert main(["scan", str(folder), *words]) == code
    capsys.readouterr()


def test_the_table_names_the_call(folder, capsys):
    """What would have run, in words."""
    (folder / "b.pkl").write_bytes(EVIL)
    main(["scan", str(folder)])
    assert "would call posix.system('true')" in capsys.readouterr().out


def test_json_and_sarif(folder, capsys):
    """One object a file; a log that validates."""
    (folder / "a.pkl").write_bytes(EVIL)
    log = folder / "out.sarif"
    assert main(["scan", str(folder / "a.pkl"), "--json", "--sarif", str(log)]) == 1
    assert json.loads(capsys.readouterr().out)["globals"] == ["posix.system"]
    schema = Path(__file__).parents[1] / "schemas" / "sarif-schema-2.1.0.json"
    jsonschema.validate(json.loads(log.read_text()), json.loads(schema.read_text()))


def test_a_path_that_is_not_there_is_an_error(folder, capsys):
    """Not an empty success."""
    assert main(["scan", str(folder / "none")]) == 2
    assert "no such file" in capsys.readouterr().err


def osv(folder, **changes):
    """Write a database with one record about flask."""
    record = {
        "id": "PYSEC-1",
        "modified": "2126-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "flask"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
            }
        ],
    } | changes
    (folder / "osv").mkdir()
    (folder / "osv" / "1.json").write_text(json.dumps(record))
    return str(folder / "osv")


@pytest.mark.parametrize(
    ("line", "code"), [("flask==1.0", 1), ("flask==2.0", 0), ("flask", 2), ("nobody-has-heard-of-it==1.0", 2)]
)
def test_an_audit_against_a_database_on_disk(folder, capsys, line, code):
    """Vulnerable 1, fixed 0, what could not be audited 2."""
    database = osv(folder)
    (folder / "requirements.txt").write_text(f"{line} --hash=sha256:{'0' * 64}\n")
    assert main(["scan", str(folder / "requirements.txt"), "--osv", database]) == code
    capsys.readouterr()


def test_nothing_to_audit_and_an_old_database_are_no_pass(folder, capsys):
    """An audit that looked at nothing must not say that all is well."""
    database = osv(folder, modified="2020-01-01T00:00:00Z")
    (folder / "a.pkl").write_bytes(GOOD)
    assert main(["scan", str(folder / "a.pkl"), "--osv", database]) == 2
    assert "nothing was audited" in capsys.readouterr().err
    (folder / "requirements.txt").write_text(f"flask==2.0 --hash=sha256:{'0' * 64}\n")
    assert main(["scan", str(folder / "requirements.txt"), "--json", "--osv", database]) == 2
    assert "days old" in capsys.readouterr().out


def test_what_people_approved_is_not_asked_again(folder, capsys, monkeypatch):
    """A skill goes to review once; two people read it; changed, it goes there again."""
    monkeypatch.chdir(folder)
    skill = folder / "skills" / "pdf" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("Write short tables.\n")
    assert main(["scan", "--strict", "skills"]) == 1
    assert "only a person can tell" in " ".join(capsys.readouterr().out.split())
    main(["admit", "propose", "skills/pdf", "--version", "1", "--who", "bob"])
    capsys.readouterr()
    main(["admit", "list", "--json"])
    number = json.loads(capsys.readouterr().out)["proposal"]["id"]
    for who in ("ada", "eve"):
        main(["admit", "approve", number, "--who", who, "--why", "read it"])
    with_lock = ["scan", "--strict", "--lock", "bartizan.lock", "--key", "bartizan-data/supply.key.pub", "skills"]
    assert main(with_lock) == 0
    skill.write_text("Write long tables.\n")
    assert main(with_lock) == 1
    assert main(["scan", "--lock", "bartizan.lock", "skills"]) == 2
    assert main(["scan", "--lock", "none", "--key", "bartizan-data/supply.key.pub", "skills"]) == 2
    assert "expected both" in capsys.readouterr().err


def test_texts_that_only_have_to_be_read_share_a_row(folder, capsys, monkeypatch):
    """A collection of skills has hundreds of them; the log for machines names each."""
    monkeypatch.chdir(folder)
    for number in range(9):
        (folder / "skills" / "pdf").mkdir(parents=True, exist_ok=True)
        (folder / "skills" / "pdf" / f"{number}.md").write_text("Go on.\n")
    (folder / "skills" / "pdf" / "SKILL.md").write_text("Go on.\n")
    main(["scan", "skills"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(10 files)" in shown
    assert "10 REVIEW" in shown
    main(["scan", "--json", "skills"])
    assert len(capsys.readouterr().out.splitlines()) == 10


def test_clean_files_of_a_large_folder_are_counted(folder, capsys, monkeypatch):
    """What needs a look is not lost among thousands of rows."""
    monkeypatch.chdir(folder)
    for number in range(60):
        (folder / f"{number}.pkl").write_bytes(GOOD)
    (folder / "bad.pkl").write_bytes(EVIL)
    assert main(["scan", "."]) == 1
    shown = capsys.readouterr().out
    assert "bad.pkl" in shown
    assert "59.pkl" not in shown
    assert "60 CLEAN" in shown
