"""T04: places or changes rows in data that will be trained on.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T04 = Threat(
    id="T04",
    name="Data poisoning",
    attacker="places or changes rows in data that will be trained on",
    attacks=(),
    controls=(),
    residual="Data sets are not admitted, checked or quarantined here yet.",
    advice=(
        "Keep the hash of every training file and compare before each run.",
        "Train on sources you can name, and keep the rest apart.",
    ),
)
