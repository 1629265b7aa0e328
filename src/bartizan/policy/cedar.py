"""The operator's rules in Cedar: who may use which tool with which arguments. Above any licence of the user.

Default deny: a call that no rule permits does not run, whatever the user asked for; a rule that fails to evaluate
permits nothing. A request is `User::"id"`, `Action::"<effect>"`, `Tool::"<name>"`, with `context.arguments` (the call's
own, top level; a number with a fraction is rounded up) and `context.tainted` (somebody else's text was read). Cedar:
Cutler et al., OOPSLA 2024. The rules are parsed once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from bartizan.core.errors import BadSettings
from bartizan.policy.cedar_reading import names

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Permitted:
    """Whether the operator's rules let a call happen, and the rule (number, line) that said so or why none did."""

    allowed: bool
    why: str


class Rules:
    """The operator's rules, ready to be asked."""

    def __init__(self, text: str) -> None:
        """Parse Cedar text. Raises BadSettings."""
        self.text = text
        self._names = names(text)
        try:
            self._policies = cedarpy.PolicySet.from_str(text)
        except ValueError as error:
            raise BadSettings(
                f"rules: {error}", hint='Expected Cedar, such as permit(principal, action == Action::"read", resource);'
            ) from error

    def permits(
        self, principal: str, tool: str, effect: str, arguments: Mapping[str, Any], *, tainted: bool
    ) -> Permitted:
        """Return whether the rules permit a call. Total: whatever cannot be asked is not permitted."""
        request = {
            "principal": f"User::{_quoted(principal)}",
            "action": f'Action::"{effect}"',
            "resource": f"Tool::{_quoted(tool)}",
            "context": {"arguments": _value(dict(arguments)), "tainted": tainted},
        }
        try:
            answer = cedarpy.is_authorized(request, self._policies, [])
        except (ValueError, TypeError, RuntimeError) as error:
            return Permitted(False, f"the rules cannot be asked about this call: {error}")
        if answer.diagnostics.errors:
            return Permitted(False, f"a rule failed: {answer.diagnostics.errors[0]}")
        rules = ", ".join(sorted(self._names.get(name, name) for name in answer.diagnostics.reasons))
        if answer.allowed:
            return Permitted(True, f"permitted by {rules}")
        return Permitted(False, f"forbidden by {rules}" if rules else f"no rule permits {principal or 'anybody'} this")


def _quoted(text: str) -> str:
    """Return a Cedar string; what could end it is written as an escape."""
    return '"' + "".join(ch if ch.isalnum() or ch in " -_.@:/" else f"\\u{{{ord(ch):x}}}" for ch in text) + '"'


def _value(node: Any) -> Any:
    """Return a JSON value as Cedar has it: no nulls, no fractions, integers of 64 bits."""
    if isinstance(node, dict):
        return {str(key): _value(value) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        return [_value(value) for value in node if value is not None]
    if isinstance(node, float):
        node = math.ceil(node) if math.isfinite(node) else _LARGEST
    if isinstance(node, int) and not isinstance(node, bool):
        return max(-_LARGEST, min(_LARGEST, node))
    return node
