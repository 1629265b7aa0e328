"""T10: writes into a document, web page, tool result or retrieved chunk that an agent will read.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T10 = Threat(
    id="T10",
    name="Indirect prompt injection",
    attacker="writes into a document, web page, tool result or retrieved chunk that an agent will read",
    attacks=(),
    controls=(),
    residual="The input screen reads tool results too, and `policy.tool_calls` can decide calls by where their values "
    "came from; it is off unless you switch it on, and nothing proves it yet.",
    advice=(
        "Give an agent that reads the web no tool that sends, pays or deletes.",
        "Set `policy.tool_calls` to monitor, look at what it would stop, then to enforce.",
        "Ask a person before irreversible actions.",
    ),
)
