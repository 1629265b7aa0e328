"""`bartizan reference` refuses to serve a model it cannot verify."""

from bartizan.cli.main import main
from bartizan.lab import reference


def test_a_changed_model_is_not_served(monkeypatch, capsys):
    """Exit code 2 and the digest."""
    monkeypatch.setattr(reference, "SHA256", "0" * 64)
    assert main(["reference"]) == 2
    assert "expected 0000" in capsys.readouterr().err
