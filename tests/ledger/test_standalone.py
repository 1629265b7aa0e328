"""The stand-alone verifier's command line; what it verifies is tested with the export."""

from bartizan.ledger import standalone


def test_wrong_words_are_explained(capsys, tmp_path):
    """Exit code 2."""
    assert standalone.main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert standalone.main([str(tmp_path / "none")]) == 2
    assert "cannot verify" in capsys.readouterr().err
