"""Stops agents that loop: too many steps, too deep, the same call with the same result again, nothing new for long.

A tool that answers "try again" can make a model call it for ever, and the final answer may still be right (arXiv
2601.10955, 2602.14798). An agent sends all that happened so far with each step, so the request itself shows the loop;
nothing has to be remembered here. What an upstream keeps (stored conversations) is not seen.
"""

from dataclasses import dataclass

from bartizan.core.messages import Message, ToolCall, ToolResult

DEPTH = b"x-bartizan-depth"


@dataclass(frozen=True, slots=True)
class Breakers:
    """How far an agent may go; 0 means any."""

    steps: int = 0
    """Tool results in one conversation."""
    repeats: int = 0
    """The same call with the same arguments and the same result."""
    stale: int = 0
    """Results in a row of which each has been seen before."""
    depth: int = 0
    """Agents that call agents, as the header `x-bartizan-depth` counts them."""

    @property
    def any(self) -> bool:
        """Whether one of them is on."""
        return bool(self.steps or self.repeats or self.stale or self.depth)

    def trips(self, messages: tuple[Message, ...], headers: list[tuple[bytes, bytes]]) -> str:
        """Return why the request must not go on, or nothing."""
        if self.depth:
            given = next((value for name, value in headers if name == DEPTH), b"0")
            deep = int(given) if given.isdigit() and len(given) < 6 else self.depth + 1
            if deep > self.depth:
                return f"agents are nested {deep} deep: at most {self.depth}"
        results, calls = _results(messages)
        if self.steps and results > self.steps:
            return f"{results} tool results in one conversation: at most {self.steps}"
        return self._loops(calls)

    def _loops(self, calls: list[tuple[str, str, str]]) -> str:
        seen: dict[tuple[str, str, str], int] = {}
        known: set[str] = set()
        stale = 0
        for call in calls:
            seen[call] = seen.get(call, 0) + 1
            if self.repeats and seen[call] > self.repeats:
                return f"the tool {call[0][:60]!r} was called {seen[call]} times with the same arguments and result"
            stale = stale + 1 if call[2] in known else 0
            known.add(call[2])
            if self.stale and stale >= self.stale:
                return f"{stale} tool results in a row brought nothing new"
        return ""


def _results(messages: tuple[Message, ...]) -> tuple[int, list[tuple[str, str, str]]]:
    """Return how many calls have a result, and for each call its tool, arguments and result, in order."""
    asked: dict[str, tuple[str, str]] = {}
    found: dict[tuple[int, str], list[str]] = {}
    for number, message in enumerate(messages):
        for part in message.parts:
            if isinstance(part, ToolCall):
                asked[part.id] = (part.tool, "".join(part.arguments.split()))
            elif isinstance(part, ToolResult):
                found.setdefault((number, part.call_id), []).append(part.text.content)
    calls = [(*asked.get(call_id, ("", call_id)), "\n".join(texts)) for (_, call_id), texts in found.items()]
    return len(calls), calls
