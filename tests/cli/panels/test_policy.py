"""The page of the policy in force: holes first, every key explained, rules shown, no password, nothing changed."""

import pytest

from bartizan.cli.panels.policy import SECTIONS, Policy
from bartizan.core import settings
from bartizan.core.errors import BadRequest
from bartizan.core.settings import described


def page(text=""):
    """The page over these settings."""
    return Policy(settings.parse(text))


def test_what_is_open_stands_first_then_what_somebody_changed():
    """A control that is off, one that only watches, a changed one, and the rest."""
    shown = page('[output]\nsecrets = "off"\nlinks = "monitor"\n[gateway]\nbody_bytes = 2048\n').items()
    names = [item.id for item in shown]
    assert names.index("output.secrets") < names.index("output.links") < names.index("gateway.body_bytes")
    assert names.index("gateway.body_bytes") < names.index("gateway.port")
    tones = {item.id: item.tone for item in shown}
    assert (tones["output.secrets"], tones["output.links"], tones["gateway.body_bytes"]) == ("bad", "warn", "")
    assert next(item for item in shown if item.id == "gateway.body_bytes").cells[1] == "2048"


def test_every_key_of_its_sections_is_there_and_explained():
    """None is forgotten when one is added."""
    made = page()
    expected = {f"{name}.{key}" for name in SECTIONS for key, _, _ in described(type(getattr(made.settings, name)))}
    assert {item.id for item in made.items()} == expected
    assert all(made.detail(item.id)[0].text for item in made.items())
    assert made.detail("policy.nothing") == ()


def test_rules_are_shown_and_other_files_are_not(tmp_path):
    """The operator's own rules are policy; a file of keys that a setting names is not to be read."""
    rules, secret = tmp_path / "rules.cedar", tmp_path / "key"
    rules.write_text("permit (principal, action, resource);")
    secret.write_text("geheim")
    key = next(key for key, default, _ in described(type(page().settings.policy)) if default == "")
    made = page(f'[policy]\n{key} = "{rules}"\n[gateway]\napi_key_file = "{secret}"\n')
    assert made.detail(f"policy.{key}")[-1].text == "permit (principal, action, resource);"
    assert all("geheim" not in part.text for part in made.detail("gateway.api_key_file"))


def test_a_password_in_an_address_is_not_shown():
    """Of a model server behind basic authentication."""
    made = page('[[gateway.upstreams]]\nurl = "http://user:geheim@127.0.0.1:1"\n')
    (item,) = [item for item in made.items() if item.id == "gateway.upstreams"]
    assert "geheim" not in "".join(item.cells)
    assert "http://user:…@127.0.0.1:1" in item.cells[1]


def test_nothing_is_changed_here():
    """The file has a history, a form has none."""
    assert page().actions == ()
    with pytest.raises(BadRequest, match=r"bartizan\.toml"):
        page().act("set", "output.secrets", "ann", {})
