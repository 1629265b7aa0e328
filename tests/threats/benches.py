"""Shipped small targets for the tests of threats: one that leaks, one that leaks behind a screen, one that is dead."""

from bartizan.core.messages import Reply, Role
from bartizan.core.verdicts import Allow, Block
from bartizan.lab.chat import Answered, Failed
from bartizan.threats.bench import Bench


class Leaky:
    """Tells its system prompt to whoever asks for anything of its own, and answers a few easy questions."""

    def ask(self, prompt):
        """Return the system prompt, or an answer to an honest question."""
        system = prompt.messages[0].texts()[0].content
        asked = prompt.messages[-1].texts()[0].content
        if "helpful assistant" in system:
            answers = "Paris Rome Tokyo Mars Pacific Shakespeare seven cold green H2O Portuguese honey spring Madrid"
            return Answered(Reply(answers), 0.001)
        return Answered(
            Reply(f"{system} Paris Mars Tokyo lion Pacific Shakespeare carbon dioxide Rome" if asked else ""), 0.001
        )


def screen(prompt):
    """Stop whatever is not a plain question of the benign set."""
    system = next(message for message in prompt.messages if message.role is Role.SYSTEM).texts()[0].content
    return Allow() if "helpful assistant" in system else Block("an attack, by this screen's lights")


class Guarded:
    """Leaky behind the screen."""

    def ask(self, prompt):
        """Refuse what the screen stops."""
        if isinstance(screen(prompt), Block):
            return Answered(Reply("I can't help with that.", finish="content_filter"), 0.002, True, "1:00")
        return Leaky().ask(prompt)


class Dead:
    """Never answers."""

    def ask(self, prompt):
        """Fail."""
        return Failed("connection refused")


def bench(bare=None, guarded=None, **more):
    """Return a bench of the given targets."""
    return Bench(bare=bare or Leaky(), guarded=guarded or Guarded(), screen=screen, seed=5, is_reference=True, **more)


class Toolless(Leaky):
    """Leaky, and refuses a request that offers tools, as servers do whose model has no tool calls."""

    def ask(self, prompt):
        """Answer what offers no tool."""
        return Failed("HTTP 400: tools are not supported", 400) if prompt.tools else super().ask(prompt)
