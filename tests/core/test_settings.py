"""Settings: an unknown key or a bad value is refused with file, line, key, expected and got."""

import pytest

from bartizan.core import settings
from bartizan.core.errors import BadSettings


def test_an_empty_file_gives_the_defaults():
    """Nothing written means every default."""
    assert settings.parse("").gateway.port == 8787


def test_the_line_is_that_of_the_entry_that_is_wrong():
    """Not that of the first entry of its list, which is right."""
    good = '[[detect.allow]]\nphrase = "Ignore it"\nuntil = 2026-12-31\nreason = "name of a button"\n'
    bad = good.replace("name of a button", "short")
    with pytest.raises(BadSettings, match=r"line 8: detect\.allow\[1\]\.reason"):
        settings.parse(good + bad + good)
    with pytest.raises(BadSettings, match=r"line 4: detect\.allow\[0\]\.reason"):
        settings.parse(bad + good)
    with pytest.raises(BadSettings, match=r"line 5: detect\.allow\[1\]"):
        settings.parse(good + '[[detect.allow]]\nphrase = "Ignore it"\nuntil = 2026-12-31\n')


def test_an_unknown_key_is_named_with_its_line_and_the_known_ones():
    """A typo says where it is and what would have been right."""
    with pytest.raises(BadSettings, match=r"b\.toml, line 3: gateway\.prot: unknown key\. Expected one of: host, port"):
        settings.parse("# top\n[gateway]\nprot = 1\n", "b.toml")


def test_an_unknown_section_is_refused():
    """A section we do not have is as wrong as a key."""
    with pytest.raises(BadSettings, match=r"line 1: gatway: unknown key\. Expected one of: gateway"):
        settings.parse("[gatway]\nport = 1\n")


def test_a_value_out_of_range_says_expected_and_got():
    """The range stands in the message."""
    with pytest.raises(BadSettings, match=r"line 2: gateway\.port = 70000: expected int <= 65535"):
        settings.parse("[gateway]\nport = 70000\n")


def test_a_wrong_type_inside_an_array_of_tables_is_found():
    """Upstreams are a list; the path says which one."""
    with pytest.raises(BadSettings, match=r"gateway\.upstreams\[1\]\.url = 5: expected str"):
        settings.parse('[[gateway.upstreams]]\nurl="http://a"\n[[gateway.upstreams]]\nurl = 5\n')


def test_an_unknown_key_inside_an_array_of_tables_lists_the_known_ones():
    """Nested keys get the nested names."""
    with pytest.raises(BadSettings, match=r"gateway\.upstreams\[0\]\.ulr: unknown key\. Expected one of: name, url"):
        settings.parse('[[gateway.upstreams]]\nulr="http://a"\n')


def test_broken_toml_is_a_settings_error():
    """A syntax error keeps tomllib's line."""
    with pytest.raises(BadSettings, match="not valid TOML"):
        settings.parse("[gateway\n")


def test_a_missing_file_says_how_to_make_one(tmp_path):
    """The hint names the command."""
    with pytest.raises(BadSettings, match="no such file") as caught:
        settings.load(tmp_path / "none.toml")
    assert "bartizan init" in caught.value.hint()


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    """Bytes that are no text are an error, not a crash."""
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadSettings, match="cannot be read"):
        settings.load(path)


def test_the_template_is_valid_and_names_every_key():
    """With the comment signs removed from keys the template parses back to the defaults."""
    text = settings.template()
    assert settings.parse(text) == settings.parse("")
    live = "\n".join(
        line[2:] if line.startswith("# ") and (" = " in line or line.startswith("# [[")) else line
        for line in text.splitlines()
    )
    assert settings.parse(live) == settings.parse("")
    for section in ("gateway", "ledger", "assess"):
        for key, _, _ in settings.described(type(getattr(settings.parse(""), section))):
            assert f"# {key} = " in text or f".{key}]]" in text


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path, monkeypatch):
    """One source, exactly; the value is stripped of its newline."""
    monkeypatch.setenv("SOME_KEY", "s3cret")
    assert settings.secret("SOME_KEY", "", "the key") == "s3cret"
    path = tmp_path / "key"
    path.write_text("from-file\nrest")
    assert settings.secret("", str(path), "the key") == "from-file"


@pytest.mark.parametrize(
    ("env", "make", "why"),
    [
        ("", None, "exactly one"),
        ("NOT_SET_ANYWHERE", None, "empty or not set"),
        ("", "missing", "cannot be read"),
        ("", "", "is empty"),
    ],
)
def test_a_secret_that_is_not_there_is_refused(tmp_path, env, make, why):
    """No source, an empty source, an unreadable source: each says so."""
    path = tmp_path / "key"
    if make == "":
        path.write_text("\n")
    with pytest.raises(BadSettings, match=why):
        settings.secret(env, "" if make is None else str(path), "the key")


def test_what_is_written_reads_back_the_same():
    """Changed values, lists of tables, quotes and all."""
    source = """
[gateway]
port = 1
[[gateway.upstreams]]
name = 'a "quoted" \\ name'
[[gateway.upstreams]]
url = "https://b.example"
[output]
canaries = ["one-two-three-4"]
"""
    for read in (settings.parse(source), settings.parse("")):
        assert settings.parse(settings.written(read)) == read
