"""The agent firewall in the path: every complete tool call of an answer is decided by where its values came from.

A call that would need a person, or a rewrite, is stopped like one that is refused: nobody is there to answer yet.
"""

from collections.abc import Callable
from pathlib import Path

from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, ToolCall
from bartizan.core.sections.policy import Policy
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.gateway.stream import Decide
from bartizan.policy.context import Contexts
from bartizan.policy.decide import decide
from bartizan.policy.manifest import Manifest

Note = Callable[[Finding], None]


class ToolCalls:
    """Decides the tool calls of answers as the operator set it."""

    def __init__(self, settings: Policy) -> None:
        """Read the manifest, if there is one. Raises BadSettings."""
        self._mode = settings.tool_calls
        manifest: Manifest | None = None
        if settings.manifest_file:
            try:
                manifest = Manifest.parse(Path(settings.manifest_file).read_bytes())
            except OSError as error:
                reason = error.strerror or str(error)
                raise BadSettings(f"policy.manifest_file = {settings.manifest_file!r}: {reason}") from error
        self._contexts = Contexts(manifest)

    def of(self, prompt: Prompt, note: Note) -> Decide | None:
        """Return what decides the calls of the answer to `prompt`; in monitor mode findings go to `note` only."""
        if self._mode == "off":
            return None

        passed: list[ToolCall] = []

        def judge(call: ToolCall) -> Verdict:
            context = self._contexts.of(prompt.messages, prompt.tools)
            for earlier in passed:
                context = context.after(earlier)
            decision = decide(call, context)
            if decision.verdict == "allow":
                passed.append(call)
                return Allow(decision.why)
            why = f"{decision.reason}: {decision.why}"
            if self._mode == "monitor":
                note(Finding("tool-call", Severity.HIGH, why, call.tool))
                return Allow(why)
            return Block(why)

        return judge
