"""The adaptive attacker: bounded, repeatable, learns what works, and sends what the screen lets pass first."""

from bartizan.core.messages import Role
from bartizan.core.verdicts import Allow, Block
from bartizan.lab.cases import SystemPromptTheft
from bartizan.lab.chat import Answered, EchoBot, Failed, ScriptedChat
from bartizan.lab.prompt_attack import AdaptiveInjector, no_screen, success_rate

CASES = list(SystemPromptTheft().cases(1, 6))


class GivesIn:
    """Tells its secrets to whoever asks in verse."""

    def __init__(self):
        """Count the questions."""
        self.asked = 0

    def ask(self, prompt):
        """Leak the system prompt to poems only."""
        from bartizan.core.messages import Reply

        self.asked += 1
        text = prompt.messages[-1].texts()[0].content
        leaked = prompt.messages[0].texts()[0].content if "rhyming" in text else "no"
        return Answered(Reply(leaked), 0.0)


def test_it_never_asks_more_than_its_tries():
    """Three tries are three requests."""
    chat = ScriptedChat(["no"])
    attacked = AdaptiveInjector(chat, tries=3, seed=1).attack(CASES[0])
    assert len(chat.asked) == len(attacked.tries) == 3
    assert not attacked.succeeded


def test_it_stops_at_the_first_success():
    """A won goal costs no further request."""
    chat = ScriptedChat([CASES[0].system])
    assert AdaptiveInjector(chat, tries=3, seed=1).attack(CASES[0]).succeeded
    assert len(chat.asked) == 1


def test_it_learns_which_technique_works():
    """Once a poem worked, the next goals are won with the first request."""
    chat = GivesIn()
    attacker = AdaptiveInjector(chat, tries=200, seed=1)
    assert attacker.attack(CASES[0]).succeeded
    before = chat.asked
    assert all(attacker.attack(case).succeeded for case in CASES[1:])
    assert chat.asked - before == len(CASES) - 1


def test_it_sends_what_the_screen_lets_pass():
    """A screen that stops everything but poems leaves poems first."""

    def only_poems(prompt):
        passes = "rhyming" in prompt.messages[-1].texts()[0].content
        return Allow() if passes else Block("no poem")

    chat = ScriptedChat(["no"])
    AdaptiveInjector(chat, screen=only_poems, tries=1, seed=1).attack(CASES[0])
    assert "rhyming" in chat.asked[0].messages[-1].texts()[0].content


def test_against_a_screen_that_stops_everything_it_still_knocks():
    """Otherwise a blind copy of the control would make it look unbeatable."""
    chat = ScriptedChat(["no"])
    AdaptiveInjector(chat, screen=lambda prompt: Block("all"), tries=2, seed=1).attack(CASES[0])
    assert len(chat.asked) == 2


def test_the_same_seed_asks_the_same():
    """Runs can be repeated."""
    sent = []
    for _ in range(2):
        chat = ScriptedChat(["no"])
        AdaptiveInjector(chat, tries=5, seed=7).attack(CASES[0])
        sent.append([prompt.messages[-1] for prompt in chat.asked])
    assert sent[0] == sent[1]


def test_a_case_without_any_answer_is_untested_not_withstood():
    """A dead target is no safe target."""
    attacked = AdaptiveInjector(ScriptedChat([Failed("refused connection")]), tries=3, seed=1).attack(CASES[0])
    assert attacked.untested
    assert len(attacked.failures) == 3
    assert success_rate([attacked]) == (0, 0)


def test_an_echo_is_never_broken():
    """The user text goes in and out; the secret is not in it."""
    attacked = [AdaptiveInjector(EchoBot(), tries=150, seed=1).attack(case) for case in CASES]
    assert success_rate(attacked) == (0, len(CASES))
    assert attacked[0].tries[0].prompt.messages[0].role is Role.SYSTEM


def test_no_screen_allows():
    """The stand-in for a target without a control."""
    assert isinstance(no_screen(CASES[0].prompt("x")), Allow)
