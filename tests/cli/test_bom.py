"""`bartizan bom` writes a document that validates, with what the settings know."""

import json

from tests.supply.test_bom import validate

from bartizan.cli.main import main


def test_a_project_becomes_a_document(tmp_path, monkeypatch, capsys):
    """Models, packages, the lock's approvals; on standard output and into a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.pkl").write_bytes(b"\x80\x02N.")
    main(["admit", "propose", "m.pkl", "--version", "1", "--who", "bob"])
    capsys.readouterr()
    main(["admit", "list", "--json"])
    main(["admit", "approve", json.loads(capsys.readouterr().out)["proposal"]["id"], "--who", "ada", "--why", "ok"])
    (tmp_path / "requirements.txt").write_text("flask==1.0 --hash=sha256:" + "0" * 64 + "\n")
    capsys.readouterr()
    assert main(["bom", "m.pkl", "requirements.txt", "--name", "app"]) == 0
    whole = json.loads(capsys.readouterr().out)
    validate(whole)
    assert {one["type"] for one in whole["components"]} == {"machine-learning-model", "library", "file"}
    assert any(
        {"name": "bartizan:approved", "value": "true"} in one.get("properties", []) for one in whole["components"]
    )
    assert main(["bom", "requirements.txt", "--output", "bom.json"]) == 0
    validate(json.loads((tmp_path / "bom.json").read_text()))
    assert main(["bom", "none"]) == 2
    assert main(["bom", "m.pkl", "--vex", "none.json"]) == 2


def test_admitted_data_sets_are_in_it(tmp_path, monkeypatch, capsys):
    """With their root, source and licence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(20)))
    assert main(["data", "admit", "rows.csv", "--source", "ours", "--licence", "CC0-1.0"]) == 0
    capsys.readouterr()
    assert main(["bom", "rows.csv"]) == 0
    whole = json.loads(capsys.readouterr().out)
    validate(whole)
    assert any(one["bom-ref"].startswith("data:") and one["licenses"] for one in whole["components"])
