"""T08: runs up cost or load: floods, long outputs, tool loops, stolen keys, races on budgets.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T08 = Threat(
    id="T08",
    name="API abuse and token draining",
    attacker="runs up cost or load: floods, long outputs, tool loops, stolen keys, races on budgets",
    attacks=(),
    controls=(),
    residual="The gateway has no budgets or rate limits that are proved here yet.",
    advice=(
        "Set a spending limit at the model provider.",
        "Give every client a key of its own, so that one can be withdrawn.",
    ),
)
