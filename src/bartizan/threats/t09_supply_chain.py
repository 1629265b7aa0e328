"""T09: gets a hostile model file, package, plugin or update loaded.

No claim yet: the register and every report say so.
"""

from bartizan.threats.base import Threat

T09 = Threat(
    id="T09",
    name="Supply-chain compromise",
    attacker="gets a hostile model file, package, plugin or update loaded",
    attacks=(),
    controls=(),
    residual="Artefacts are not scanned, signed or locked here yet. Bartizan's own installs are locked by hash.",
    advice=(
        "Load safetensors rather than pickles.",
        "Install from lock files with hashes.",
    ),
)
