"""`bartizan threats`: prints and writes the register."""

from bartizan.cli.main import main


def test_it_prints_and_writes_the_same(tmp_path, capsys):
    """And says where it wrote."""
    assert main(["threats"]) == 0
    printed = capsys.readouterr().out
    path = tmp_path / "T.md"
    assert main(["threats", "--write", str(path)]) == 0
    assert path.read_text() == printed
    assert main(["threats", "--write", str(tmp_path / "no" / "T.md")]) == 2
