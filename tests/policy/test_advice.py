"""What a model reads in place of a call: useful, and free of the call's values."""

import inspect
import json
import re

import pytest

from bartizan.core.messages import ToolSpec
from bartizan.policy import decide, named
from bartizan.policy.advice import ADVICE, told
from bartizan.policy.context import DENIED
from bartizan.policy.decide import Decision, Provenance

SCHEMA = json.dumps({"type": "object", "properties": {"to": {}, "body": {}}})
TOOLS = {"send": ToolSpec("send", "", SCHEMA)}


def test_every_reason_of_a_decision_has_its_advice():
    """A new reason cannot be forgotten: those in the source are all known."""
    source = inspect.getsource(decide) + inspect.getsource(named)
    reasons = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) - {"read-only", "not-tainted"}
    assert reasons | {"repeated"} == set(ADVICE)


def test_it_names_tool_reason_and_argument():
    """The tool as the client offers it, the top of the argument's path."""
    places = (Provenance("to[0]", "target", "mallory@evil.example", "nowhere"),)
    text = told(Decision("c", "send", "block", "target-not-anchored", "x", places), TOOLS, "A person said no.")
    assert text.startswith(f"{DENIED} send did not run (target-not-anchored): to is not named by the user")
    assert text.endswith("A person said no.")
    assert "mallory" not in text


@pytest.mark.parametrize("reason", [*ADVICE, "unheard-of"])
def test_nothing_that_a_model_wrote_is_repeated(reason):
    """Not the value, not the name of an argument that nobody offered, not the name of a tool that nobody offered."""
    places = (Provenance("secret9931.x", "target", "v9931", "nowhere", "9931"),)
    for tool in ("send", "x9931"):
        text = told(Decision("c", tool, "block", reason, "why 9931", places), TOOLS)
        assert "9931" not in text
        assert reason in text
