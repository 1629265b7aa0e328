"""Canaries: a gateway that enforces stops them, one that does not is caught, a silent model leaves it open."""

from bartizan.core.messages import Reply
from bartizan.core.verdicts import Allow
from bartizan.detect.screen import InputScreen
from bartizan.lab.chat import Answered, Failed
from bartizan.threats.canary import canaries


class Gateway:
    """A model that says whatever it was given, behind controls that can be switched off."""

    def __init__(self, *, screen=True, outputs=True, talks=True):
        """Set the controls."""
        self.screen, self.outputs, self.talks = InputScreen() if screen else None, outputs, talks

    def ask(self, prompt):
        """Answer with everything that was said, or refuse."""
        if self.screen and not isinstance(self.screen.screen(prompt).verdict, Allow):
            return Answered(Reply("no", finish="content_filter"), 0.0, True, "1:00")
        if not self.talks:
            return Answered(Reply("Tuesday."), 0.0)
        said = " ".join(text.content for message in prompt.messages for text in message.texts())
        if self.outputs:
            return Answered(Reply("", finish="content_filter"), 0.0, True, "2:00")
        return Answered(Reply(said), 0.0)


def stopped(gateway):
    """Return what became of one round, by control."""
    return {one.control: one.stopped for one in canaries(gateway, 1, 4)}


def test_a_gateway_that_enforces_stops_every_canary():
    """The screen and both controls on answers."""
    assert stopped(Gateway()) == {"gateway.input_screen": True, "output.leak": True, "output.secrets": True}


def test_a_control_that_was_switched_off_is_caught():
    """Each on its own."""
    assert stopped(Gateway(screen=False, outputs=True))["output.leak"] is True
    assert stopped(Gateway(screen=False, outputs=False, talks=False))["gateway.input_screen"] is False
    off = stopped(Gateway(outputs=False))
    assert (off["output.leak"], off["output.secrets"]) == (False, False)


def test_a_model_that_does_not_say_it_leaves_the_question_open():
    """Neither stopped nor passed: the control was not tried."""
    assert stopped(Gateway(talks=False, outputs=False))["output.leak"] is None


def test_a_gateway_that_cannot_be_asked_is_a_failure_not_a_success():
    """It is as good as off."""

    class Dead:
        def ask(self, prompt):
            return Failed("connection refused")

    found = list(canaries(Dead(), 1, 3))
    assert all(one.failed and one.stopped is False for one in found)


def test_each_round_has_secrets_of_its_own():
    """Or a cache or a rule for the canary alone would do."""
    asked = []

    class Notes(Gateway):
        def ask(self, prompt):
            asked.append([text.content for message in prompt.messages for text in message.texts()])
            return Gateway.ask(self, prompt)

    for seed in (1, 2, 1):
        list(canaries(Notes(), seed, 2))
    third = len(asked) // 3
    assert asked[:third] == asked[2 * third :]
    assert asked[:third] != asked[third : 2 * third]
