"""Credentials by shape."""

import pytest
from tests.gateway.samples import PROSE, SECRETS

from bartizan.gateway.output.secrets import LONGEST_PRIVATE_KEY, Secrets


@pytest.mark.parametrize("secret", SECRETS)
def test_each_shape_is_found_whole(secret):
    """In the middle of prose, exactly its characters."""
    text = f"the key is {secret} keep it"
    [hit, *_] = Secrets().look(text, final=True).hits
    assert text[hit.start : hit.end] in (secret, secret.split("@")[0] + "@")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_beginning_of_a_secret_is_released(secret):
    """For every beginning of the text, the hold is at or before the secret's start."""
    text = f"so: {secret} ok"
    start = Secrets().look(text, final=True).hits[0].start
    for end in range(start + 1, 4 + len(secret)):
        assert Secrets().look(text[:end], final=False).hold <= start, text[:end]


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_not_a_secret(text):
    """No hit, and at most the last word is held."""
    assert Secrets().look(text, final=True).hits == []


def test_a_private_key_without_an_end_is_cut_off_somewhere():
    """It is held up to its longest length and then hit as it stands."""
    text = "-----BEGIN PRIVATE KEY-----\n" + "abcd\n" * 100
    assert Secrets().look(text, final=False).hold == 0
    assert Secrets().look(text, final=True).hits[0].end == len(text)
    assert Secrets().look(text + "x" * LONGEST_PRIVATE_KEY, final=False).hits
