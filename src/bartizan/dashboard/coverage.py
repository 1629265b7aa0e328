"""Which controls do not enforce, as the settings stand: off, watching only, or failing open. Pure but for one question:
whether there is a book of keys.
"""

from dataclasses import dataclass
from pathlib import Path

from bartizan.core.sections import Settings


@dataclass(frozen=True, slots=True)
class Hole:
    """A setting that leaves something open."""

    name: str
    value: str
    tone: str
    """`bad` or `warn`."""
    meaning: str


_MODES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("gateway", "input_screen", {"off": "bad", "monitor": "warn"}),
    ("gateway", "on_control_failure", {"allow": "bad"}),
    ("gateway", "receipt", {"queued": "warn"}),
    ("output", "secrets", {"off": "bad", "monitor": "warn"}),
    ("output", "personal_data", {"off": "bad", "monitor": "warn"}),
    ("output", "leak", {"off": "bad", "monitor": "warn"}),
    ("output", "links", {"off": "bad", "monitor": "warn"}),
    ("policy", "tool_calls", {"off": "warn", "monitor": "warn"}),
)
_MEANINGS = {
    "gateway.input_screen": "attacks in requests reach the model",
    "gateway.on_control_failure": "a control that crashes or is late lets the request through: failing open",
    "gateway.receipt": "a crash can lose the last records",
    "output.secrets": "credentials may leave in answers",
    "output.personal_data": "personal data may leave in answers",
    "output.leak": "system prompts and canaries may leave in answers",
    "output.links": "answers may carry data out through links and images",
    "policy.tool_calls": "nothing stops a hijacked model from calling the tools it has",
}


def holes(settings: Settings) -> list[Hole]:
    """Return what does not enforce, the worst first."""
    found = []
    for section, key, tones in _MODES:
        value = str(getattr(getattr(settings, section), key))
        if value in tones:
            name = f"{section}.{key}"
            found.append(Hole(name, value, tones[value], _MEANINGS[name]))
    gateway = settings.gateway
    if not (gateway.api_key_env or gateway.api_key_file or Path(gateway.keys_file).exists()):
        found.append(Hole("gateway.keys_file", "no keys", "bad", "whoever reaches the gateway may use it"))
    rules = settings.limits.rules or Path(settings.limits.rules_file).exists()
    if not rules:
        found.append(Hole("limits.rules", "none", "warn", "no budget and no rate: one client can spend everything"))
    return sorted(found, key=lambda one: (one.tone != "bad", one.name))
