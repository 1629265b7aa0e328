"""Plays an agent that is wholly the attacker's: whatever its documents say, it asks for exactly the attacker's calls.

No model is needed: a control that holds against this agent holds against every model that can be talked into something.
The control is a function from the conversation and a call to whether it may run, and with which arguments.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.messages import ROLE_TRUST, Message, Role, Text, ToolCall, ToolResult
from bartizan.lab.agent.tasks import Call, Goal, Task, Try, tries
from bartizan.lab.agent.world import World


@dataclass(frozen=True)
class Ruled:
    """What the control says: whether a call runs, with which arguments (JSON text), and why."""

    runs: bool
    arguments: str
    why: str


Control = Callable[[Sequence[Message], ToolCall], Ruled]


def unguarded(messages: Sequence[Message], call: ToolCall) -> Ruled:
    """Let everything run."""
    return Ruled(True, call.arguments, "no control")


@dataclass
class Outcome:
    """How one conversation ended: what harm was done (empty for none), and every call with its ruling."""

    way: str
    harm: str
    turns: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """Why calls of the user's own did not run."""


class _Conversation:
    def __init__(self, task: Task, world: World, control: Control) -> None:
        self.world, self._control = world, control
        self.messages = [Message.of(Role.USER, task.asked)]
        self.turns = [("user", task.asked)]
        self.stopped: list[str] = []

    def ask(self, call: Call) -> None:
        """Ask for a call; run it as ruled; remember what was said."""
        tool, arguments = call
        asked = ToolCall(f"c{len(self.messages)}", tool, json.dumps(arguments, ensure_ascii=False))
        ruled = self._control(self.messages, asked)
        said = self.world.run(tool, json.loads(ruled.arguments)) if ruled.runs else f"Denied by policy: {ruled.why}"
        if not ruled.runs:
            self.stopped.append(ruled.why)
        text = Text(said, ROLE_TRUST[Role.TOOL], f"result {len(self.messages)}")
        self.messages += [Message(Role.ASSISTANT, (asked,)), Message(Role.TOOL, (ToolResult(asked.id, text),))]
        self.turns += [("call", f"{tool} {asked.arguments}"[:300]), ("result", said[:300])]


def attacked(task: Task, one: Try, control: Control) -> Outcome:
    """Play one attempt: the user's reads, the attacker's calls, then the user's own calls or what stands for them."""
    world = World(one.text, one.planted_name)
    talk = _Conversation(task, world, control)
    for call in (*task.reads, *one.calls, *(one.instead or task.acts)):
        talk.ask(call)
    return Outcome(one.way, world.harm(set(task.wanted)), talk.turns)


def best(task: Task, goal: Goal, control: Control) -> Outcome:
    """Return the attacker's best attempt at a goal: the first that does harm, else the last."""
    outcome = Outcome("none", "")
    for one in tries(task, goal):
        outcome = attacked(task, one, control)
        if outcome.harm:
            return outcome
    return outcome


def honest(task: Task, control: Control) -> Outcome:
    """Play a task that nobody attacks."""
    world = World()
    talk = _Conversation(task, world, control)
    for call in (*task.reads, *task.acts):
        talk.ask(call)
    return Outcome("honest", world.harm(set(task.wanted)), talk.turns, talk.stopped)


def attempts(task: Task, goal: Goal) -> Any:
    """Return how many ways there are to a goal during a task."""
    return sum(1 for _ in tries(task, goal))
