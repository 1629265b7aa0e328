"""T05: asks a prediction or chat API until a copy of the model is good enough.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T05 = Threat(
    id="T05",
    name="Model extraction",
    attacker="asks a prediction or chat API until a copy of the model is good enough",
    attacks=(),
    controls=(),
    residual="Neither extraction nor a control against it is measured here yet.",
    advice=(
        "Return labels rather than scores where the product allows it.",
        "Switch log probabilities off in public APIs.",
    ),
)
