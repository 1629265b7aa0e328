"""T03: perturbs an image, a sound, a text or a row so that a predictive model errs, with or without its weights.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T03 = Threat(
    id="T03",
    name="Adversarial input",
    attacker="perturbs an image, a sound, a text or a row so that a predictive model errs, with or without its weights",
    attacks=(),
    controls=(),
    residual="No attack on predictive models and no gateway for them exists here yet.",
    advice=(
        "Do not let a single model decision carry an action that cannot be undone.",
        "Rate-limit prediction APIs per client.",
    ),
)
