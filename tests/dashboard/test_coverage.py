"""What does not enforce is named, the worst first."""

from bartizan.core import settings
from bartizan.dashboard.coverage import holes


def names(text, tmp_path):
    """Return what is open with these settings."""
    (tmp_path / "keys.json").write_text("[]")
    (tmp_path / "rules.json").write_text("[]")
    files = f'keys_file = "{tmp_path}/keys.json"\n'
    return [(one.name, one.tone) for one in holes(settings.parse(text.replace("[gateway]\n", "[gateway]\n" + files)))]


def test_everything_on_leaves_nothing_open(tmp_path):
    """The only settings with which the page is green."""
    limits = f'[limits]\nrules_file = "{tmp_path}/rules.json"\n'
    assert names(f'[gateway]\n[policy]\ntool_calls = "enforce"\n{limits}', tmp_path) == []


def test_off_and_failing_open_are_bad_and_watching_is_a_warning(tmp_path):
    """In this order."""
    limits = f'[limits]\nrules_file = "{tmp_path}/rules.json"\n'
    text = '[gateway]\ninput_screen = "monitor"\non_control_failure = "allow"\n[output]\nleak = "off"\n'
    assert names(f'{text}[policy]\ntool_calls = "enforce"\n{limits}', tmp_path) == [
        ("gateway.on_control_failure", "bad"),
        ("output.leak", "bad"),
        ("gateway.input_screen", "warn"),
    ]


def test_no_keys_and_no_limits_are_open_too(tmp_path):
    """Whoever reaches the port may use it, and spend everything."""
    none = f'"{tmp_path}/none"'
    text = f'[gateway]\nkeys_file = {none}\n[limits]\nrules_file = {none}\n[policy]\ntool_calls = "enforce"'
    found = holes(settings.parse(text))
    assert [one.name for one in found] == ["gateway.keys_file", "limits.rules"]
    assert all(one.meaning for one in found)
