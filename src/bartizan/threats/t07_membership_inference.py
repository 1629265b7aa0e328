"""T07: learns whether a record was in the training set, from scores alone.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T07 = Threat(
    id="T07",
    name="Membership inference",
    attacker="learns whether a record was in the training set, from scores alone",
    attacks=(),
    controls=(),
    residual="Neither membership inference nor private training is measured here yet.",
    advice=(
        "Know which of your models were trained on personal data.",
        "Return labels rather than scores where the product allows it.",
    ),
)
