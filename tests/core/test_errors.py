"""Errors: six kinds, each with its text and the next step."""

import pytest

from bartizan.core import errors


@pytest.mark.parametrize(
    "kind", ["BadRequest", "Refused", "UpstreamFailed", "BadArtifact", "BadEvidence", "BadSettings"]
)
def test_each_kind_keeps_text_and_hint(kind):
    """The message says what, the hint says what to do; the tree in the docstring names every kind."""
    error = getattr(errors, kind)("it broke", hint="mend it")
    assert (str(error), error.hint()) == ("it broke", "mend it")
    assert isinstance(error, errors.BartizanError)
    assert kind in errors.__doc__
