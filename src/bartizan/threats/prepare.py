"""Lays out the bench of one proof: the stage's chats, a copy of the control, the settings, the ledger."""

from collections.abc import Callable, Mapping
from typing import Any

from bartizan.core.messages import Prompt
from bartizan.core.sections import Settings
from bartizan.core.verdicts import Verdict
from bartizan.detect.screen import InputScreen
from bartizan.lab.chat import Chat, Outcome
from bartizan.ledger.log import Ledger
from bartizan.threats.bench import Bench
from bartizan.threats.stage import Stage
from bartizan.threats.stopped import control_of


class NoChat:
    """Stands where a threat that did not ask for the chat endpoint would find one."""

    def ask(self, prompt: Prompt) -> Outcome:
        """Refuse: a threat that asks must say so, or it would share neither the gateway nor the cap on requests."""
        raise ValueError("this threat asks the chat endpoint without `asks_chat=True` in its register entry")


def bench_for(
    configured: Settings, stage: Stage | None, ledger: Ledger, progress: Callable[[str, int, int], None]
) -> Bench:
    """Return the bench for one proof. Every attempt goes to `ledger` as it happens."""
    own_copy = InputScreen(settings=configured.detect)

    def screen(prompt: Prompt) -> Verdict:
        return own_copy.screen(prompt).verdict

    def record(kind: str, body: Mapping[str, Any]) -> None:
        ledger.append(kind, body)

    def stopped_by(receipt: str) -> str:
        seq = receipt.partition(":")[0]
        found = ledger.entries(int(seq), 1) if seq.isdigit() else []
        return control_of(found[0].body or {}) if found else ""

    nobody: Chat = NoChat()
    return Bench(
        bare=stage.bare if stage else nobody,
        guarded=stage.guarded if stage else nobody,
        screen=screen,
        seed=configured.assess.seed,
        is_reference=not configured.assess.target,
        settings=configured,
        effort=configured.assess.effort(),
        progress=progress,
        record=record,
        stopped_by=stopped_by,
    )
