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
    """The target with every control off."""
    guarded: Chat
    """The same target behind the gateway with its controls on."""
    screen: Callable[[Prompt], Verdict]
    """The control itself, so that the attacker can be adaptive without spending requests."""
    seed: int
    is_reference: bool
    settings: Settings = field(default_factory=Settings)
    """What the operator set: a proof on a classifier, a data set or artefacts reads its own section here."""
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    """Told what is running and how much of it is done."""
    record: Callable[[str, Mapping[str, Any]], None] = lambda kind, body: None
    """Given every attempt as it happens, for the ledger."""
