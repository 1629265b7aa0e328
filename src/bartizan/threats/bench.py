"""Where a proof runs: the target without the control, the same target behind it, and the limits of the run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.messages import Prompt
from bartizan.core.sections import Settings
from bartizan.core.verdicts import Verdict
from bartizan.lab.chat import Chat


@dataclass(frozen=True)
class Bench:
    """Everything a threat's run may use. It holds no secrets and starts nothing itself."""

    bare: Chat
    """The target with every control off. Only for threats that say `asks_chat`."""
    guarded: Chat
    """The same target behind the gateway with its controls on. Only for threats that say `asks_chat`."""
    screen: Callable[[Prompt], Verdict]
    """The control itself, so that the attacker can be adaptive without spending requests."""
    seed: int
    is_reference: bool
    settings: Settings = field(default_factory=Settings)
    """What the operator set: a proof on a classifier, a data set or artefacts reads its own section here."""
    effort: int = 1
    """How much is tried: 1 for the quick profile, more for the full one. A proof multiplies its sample sizes by it."""
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    """Told what is running and how much of it is done."""
    record: Callable[[str, Mapping[str, Any]], None] = lambda kind, body: None
    """Given every attempt as it happens, for the ledger."""
    stopped_by: Callable[[str], str] = lambda receipt: "gateway"
    """Given the receipt of an answer, returns the setting of the control that stopped or changed it, or nothing."""
