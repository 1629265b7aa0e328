"""Names: what could be taken for another tool is found; what is merely different is not."""

import pytest

from bartizan.mcp.names import exposed, inner, name_findings, shape


def rules(name, others):
    """Return the rules that fire for a tool of `mail`."""
    return {one.rule for one in name_findings(name, others, "mail")}


@pytest.mark.parametrize("twin", ["send_emai1", "sendEmail", "send-email", "SEND_EMAIL", "sendemai|"])
def test_look_alikes_are_found(twin):
    """Digits for letters, case and separators."""
    assert shape(twin) == shape("send_email")
    assert "lookalike-tool" in rules(twin, [("post", "send_email")])


def test_letters_of_other_alphabets_are_no_name():
    """Cyrillic letters in a Latin name are found twice over."""
    assert rules("s\u0435nd_email", [("post", "send_email")]) == {"odd-tool-name", "lookalike-tool"}


def test_the_same_name_elsewhere_and_a_foreign_prefix_are_found():
    """Shadowing by name, and by dressing up as another server's tool."""
    assert rules("search", [("web", "search")]) == {"shadowed-tool"}
    assert "shadowed-tool" in rules("web__search", [("web", "search")])


def test_honest_names_pass():
    """Different tools of one server and of others."""
    assert rules("read_mail", [("mail", "send_mail"), ("web", "search"), ("mail", "read_mail")]) == set()


def test_namespaces_are_put_on_and_taken_off():
    """A name of another server is none of ours."""
    assert exposed("mail", "send", namespaced=True) == "mail__send"
    assert inner("mail", "mail__send", namespaced=True) == "send"
    assert inner("mail", "web__send", namespaced=True) is None
    assert inner("mail", "send", namespaced=False) == "send"
