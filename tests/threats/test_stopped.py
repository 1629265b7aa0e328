"""Which control stopped an answer, from the gateway's own record."""

import pytest

from bartizan.threats.stopped import control_of


@pytest.mark.parametrize(
    ("record", "control"),
    [
        ({"verdict": "allow", "input": {"verdict": "block"}}, ""),
        ({"verdict": "block", "input": {"verdict": "block"}}, "gateway.input_screen"),
        ({"verdict": "block", "input": {"verdict": "allow"}, "output": [{"rule": "prompt-leak"}]}, "output.leak"),
        (
            {"verdict": "redact", "input": {"verdict": "allow"}, "output": [{"rule": "personal-card"}]},
            "output.personal_data",
        ),
        ({"verdict": "redact", "input": {}, "output": [{"rule": "image-to-unlisted-host"}]}, "output.links"),
        ({"verdict": "redact", "input": {}, "output": [{"rule": "github-token"}]}, "output.secrets"),
        ({"verdict": "block", "input": {}, "output": [{"rule": "tool-call"}]}, "policy.tool_calls"),
        ({"verdict": "block", "input": {"verdict": "allow"}, "output": []}, "gateway"),
        ({}, ""),
    ],
)
def test_the_control_is_named_by_its_setting(record, control):
    """So that a comparison can name the line of the settings file; what passed was stopped by nobody."""
    assert control_of(record) == control
