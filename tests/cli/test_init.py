"""`bartizan init`: writes the commented settings once."""

from bartizan.cli.main import main
from bartizan.core import settings


def test_it_writes_settings_that_load_and_never_overwrites(tmp_path, capsys):
    """The second call is refused and changes nothing."""
    path = tmp_path / "bartizan.toml"
    assert main(["init", str(path)]) == 0
    assert settings.load(path) == settings.parse("")
    assert main(["init", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_folder_that_does_not_exist_is_a_clear_error(tmp_path, capsys):
    """No traceback."""
    assert main(["init", str(tmp_path / "no" / "where.toml")]) == 2
    assert "cannot be written" in capsys.readouterr().err
