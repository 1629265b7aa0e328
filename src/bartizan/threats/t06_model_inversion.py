"""T06: rebuilds training inputs or hidden attributes from a model's answers, gradients or embeddings.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T06 = Threat(
    id="T06",
    name="Model inversion",
    attacker="rebuilds training inputs or hidden attributes from a model's answers, gradients or embeddings",
    attacks=(),
    controls=(),
    residual="Neither inversion nor a control against it is measured here yet.",
    advice=(
        "Do not publish embeddings of private text.",
        "Return no score that the product does not need.",
    ),
)
