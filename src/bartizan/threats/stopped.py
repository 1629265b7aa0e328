"""Which control stopped an answer, read from the record that the gateway wrote about it. Pure: a record in, a name out.

The names are those of the settings, so that a comparison of two runs can say which line of `bartizan.toml` it was.
"""

from collections.abc import Mapping
from typing import Any

INPUT_SCREEN = "gateway.input_screen"
_OUTPUTS = (
    ("canary-leak", "output.leak"),
    ("prompt-leak", "output.leak"),
    ("image-to-unlisted-host", "output.links"),
    ("link-carries-data", "output.links"),
    ("personal-", "output.personal_data"),
    ("tool-call", "policy.tool_calls"),
    ("control-", "gateway.on_control_failure"),
)


def control_of(record: Mapping[str, Any]) -> str:
    """Return the setting of the control that stopped or changed the answer of an `exchange` record; nothing if none."""
    if record.get("verdict") not in ("block", "redact", "ask"):
        return ""
    screened = record.get("input") or {}
    output = record.get("output") or []
    if output:
        rule = str(output[0].get("rule", ""))
        return next((name for prefix, name in _OUTPUTS if rule.startswith(prefix)), "output.secrets")
    if screened.get("verdict") not in (None, "allow"):
        return INPUT_SCREEN
    return "gateway"
