"""T02: a user who wants content or behaviour that the operator forbids, over one turn or many.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T02 = Threat(
    id="T02",
    name="Jailbreak",
    attacker="a user who wants content or behaviour that the operator forbids, over one turn or many",
    attacks=(),
    controls=(),
    residual="Nothing here attacks or stops jailbreaks yet beyond what the input screen of T01 happens to see.",
    advice=(
        "Keep the model vendor's own safety settings on.",
        "Log conversations so that an incident can be reconstructed.",
    ),
)
