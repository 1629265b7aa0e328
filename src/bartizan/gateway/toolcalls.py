"""The agent firewall in the path: every complete tool call of an answer is decided by where its values came from.

A call that may not happen is left out of the answer, alone, and a text stands in its place that the model can act on.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, ToolCall
from bartizan.core.sections.policy import Policy
from bartizan.core.verdicts import Allow, Block
from bartizan.gateway.rulings import Decide, Ruling
from bartizan.policy.advice import told
from bartizan.policy.cedar import Rules
from bartizan.policy.context import Contexts
from bartizan.policy.decide import decide
from bartizan.policy.manifest import Manifest

Note = Callable[[Finding], None]
T = TypeVar("T")


class ToolCalls:
    """Decides the tool calls of answers as the operator set it."""

    def __init__(self, settings: Policy) -> None:
        """Read the manifest, if there is one. Raises BadSettings."""
        self._mode = settings.tool_calls
        manifest = _read(settings.manifest_file, "manifest_file", Manifest.parse)
        self._rules = _read(settings.rules_file, "rules_file", Rules)
        self._contexts = Contexts(manifest)

    def of(self, prompt: Prompt, note: Note, principal: str = "") -> Decide | None:
        """Return what decides the calls of the answer to `prompt`; in monitor mode findings go to `note` only.

        `principal` is the caller, as the operator's rules name them.
        """
        if self._mode == "off":
            return None

        passed: list[ToolCall] = []

        def judge(call: ToolCall) -> Ruling:
            context = self._contexts.of(prompt.messages, prompt.tools)
            context = replace(context, rules=self._rules, principal=principal)
            for earlier in passed:
                context = context.after(earlier)
            decision = decide(call, context)
            why = f"{decision.reason}: {decision.why}"
            if decision.verdict == "allow":
                passed.append(call)
                return Ruling(Allow(decision.why))
            if self._mode == "monitor":
                note(Finding("tool-call", Severity.HIGH, why, call.tool))
                return Ruling(Allow(why))
            if decision.verdict == "rewrite":
                passed.append(call)
                return Ruling(Allow(why), arguments=decision.arguments)
            return Ruling(Block(why), told(decision, context.tools))

        return judge


def _read(path: str, key: str, parse: Callable[[str], T]) -> T | None:
    if not path:
        return None
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadSettings(f"policy.{key} = {path!r}: {reason}") from error
