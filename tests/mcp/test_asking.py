"""Asking back: denied by default, and within the rules when it is allowed."""

import pytest
from tests.mcp.standing import JUDGE, ORDER

from bartizan.mcp.asking import refused_asking
from bartizan.mcp.contents import Contents

CONTENTS = Contents(JUDGE, "enforce")
ALL = frozenset(("sampling", "elicitation", "roots"))
NONE = frozenset()


def asking(method, denied=NONE, **params):
    """Return why it is refused."""
    return refused_asking(method, params, denied, CONTENTS, "demo")


def prompt(text):
    """Return the messages of a server's prompt."""
    return [{"role": "user", "content": {"type": "text", "text": text}}]


@pytest.mark.parametrize("method", ["sampling/createMessage", "elicitation/create", "roots/list", "shell/run"])
def test_everything_is_denied_by_default(method):
    """And what is no known question always."""
    assert asking(method, ALL)


def test_an_allowed_prompt_is_plain():
    """No tools, no context of others, bounded, and no orders."""
    assert not asking("sampling/createMessage", messages=prompt("Summarise: hello"), maxTokens=100)
    assert asking("sampling/createMessage", messages=prompt("x"), tools=[{"name": "a"}])
    assert asking("sampling/createMessage", messages=prompt("x"), includeContext="allServers")
    assert asking("sampling/createMessage", messages=prompt("x"), maxTokens=10**9)
    assert asking("sampling/createMessage", messages=prompt(ORDER), maxTokens=10)


def test_an_allowed_form_asks_for_no_credentials():
    """By the name or title of a field."""
    for name, about in (("password", {}), ("api_key", {}), ("x", {"title": "Your token"}), ("seedPhrase", {})):
        assert asking("elicitation/create", message="?", requestedSchema={"properties": {name: about}})
    assert not asking("elicitation/create", message="Your name?", requestedSchema={"properties": {"name": {}}})


def test_a_person_is_sent_to_no_address_inside():
    """https only, outside only."""
    assert not asking("elicitation/create", mode="url", url="https://example.com/sign", message="Sign in")
    for url in ("http://example.com/", "https://127.0.0.1/", "javascript:x"):
        assert asking("elicitation/create", mode="url", url=url, message="Sign in")


def test_roots_pass_when_allowed():
    """There is nothing in the question."""
    assert not asking("roots/list")
