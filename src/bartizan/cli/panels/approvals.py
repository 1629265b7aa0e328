"""The page where people answer for tool calls that wait: the call, its values, and where each value comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bartizan.cli.approvals import Terms, answer, asked_about, day, endorse, endorsements_of, laid_out, opened, revoke
from bartizan.core.clock import Clock
from bartizan.core.display import visible
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Field, Item, Part
from bartizan.dashboard.people import Role
from bartizan.ledger.approvals.base import Endorsed, Held

_YES = "yes:"
_HOURS = Field("hours", "For how many hours", "24")


@dataclass(frozen=True)
class Approvals:
    """Held calls first, the oldest on top; then what is endorsed; then what was answered."""

    settings: Settings
    clock: Clock
    name: str = "approvals"
    title: str = "Approvals"
    columns: tuple[str, ...] = ("call", "about", "caller", "asked", "state")
    actions: tuple[Action, ...] = (
        Action("approve", "Let it run once", Role.REVIEWER, two_people=True),
        Action("deny", "Do not let it run", Role.REVIEWER, danger=True),
        Action("endorse", "Endorse these values for this caller", Role.REVIEWER, (_HOURS,)),
        Action("trust", "Endorse the whole document for this caller", Role.REVIEWER, (_HOURS,), danger=True),
        Action("revoke", "Endorse it no more", Role.REVIEWER),
    )

    @property
    def about(self) -> str:
        """Return what the page shows."""
        if self.settings.approvals.mode == "off":
            return 'No call is held: set approvals.mode to "wait" or "later" and policy.tool_calls to "enforce".'
        return "Calls that the policy asks about. A value that a document names is as good as the document."

    def items(self) -> Sequence[Item]:
        """Return the questions and the endorsements."""
        if self.settings.approvals.mode == "off":
            return []
        with opened(self.settings, self.clock) as queue:
            held, endorsed = queue.listed(everything=True, most=200), queue.endorsements()
        now = self.clock.wall_ns()
        waiting = [self._asked(one, now) for one in held if one.now(now) == "waiting"]
        answered = [self._asked(one, now) for one in held if one.now(now) != "waiting"]
        return [*waiting, *map(_endorsed, endorsed), *answered]

    def detail(self, item: str) -> Sequence[Part]:
        """Return the whole call and the places of its values; or what an endorsement lets happen."""
        with opened(self.settings, self.clock) as queue:
            if item.startswith(_YES):
                made = queue.endorsement(item.removeprefix(_YES))
                rows = (("effect", made.effect), ("until", day(made.until_ns)), ("by", made.who), ("why", made.why))
                kind = "Text with the SHA-256" if made.document else "Value"
                return (Part("What it lets happen", rows=rows), Part(kind, text=visible(made.document or made.value)))
            held = queue.find(item)
        asked = held.question
        parts = [Part("Why a person is asked", text=visible(f"{asked.why} ({asked.reason})"))]
        if asked.places:
            places = tuple(
                (visible(one.argument), visible(one.value), one.role, visible(one.where) or "found nowhere")
                for one in asked.places
            )
            parts.append(Part("In question", rows=(("argument", "value", "role", "comes from"), *places)))
        parts.append(Part("The call's arguments", text=visible(laid_out(asked.arguments))))
        known = (("effect", asked.effect), ("request", asked.request), ("open until", day(asked.until_ns)))
        return [*parts, Part("The question", rows=known)]

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Answer, endorse or revoke."""
        why = values["why"]
        with opened(self.settings, self.clock) as queue:
            if action == "revoke":
                return revoke(self.settings, queue, item.removeprefix(_YES), who=who, why=why)
            if action in ("approve", "deny"):
                return answer(self.settings, queue, item, approve=action == "approve", who=who, why=why)
            held = queue.find(item)
            what, hours = "value" if action == "endorse" else "document", _hours(values.get("hours", ""))
            whom, now = held.question.principal, self.clock.wall_ns()
            made = endorsements_of(held, what, Terms(hours, whom, who, why), now)
            return "; ".join(endorse(self.settings, queue, one) for one in made)

    def _asked(self, held: Held, now_ns: int) -> Item:
        asked, state = held.question, held.now(now_ns)
        about = asked_about(asked.places) or visible(asked.why)
        told = f"{state} by {held.who}: {held.why}" if held.who else state
        cells = (visible(asked.tool), about, visible(asked.principal), day(asked.at_ns), visible(told))
        if state != "waiting":
            return Item(asked.id, cells, "good" if state == "used" else "")
        actions = ["approve", "deny"]
        if not asked.critical:
            actions += ["endorse"] if any(one.form for one in asked.places) else []
            actions += ["trust"] if any(one.document for one in asked.places) else []
        return Item(asked.id, cells, "warn", tuple(actions), critical=asked.critical, asked_by=asked.principal)


def _endorsed(made: Endorsed) -> Item:
    what = f"all of {made.name}" if made.document else made.name
    cells = (f"any {made.effect}", visible(what), visible(made.principal) or "all", day(made.at_ns))
    return Item(
        _YES + made.id, (*cells, visible(f"endorsed by {made.who} until {day(made.until_ns)}")), "", ("revoke",)
    )


def _hours(given: str) -> float:
    try:
        return float(given)
    except ValueError as error:
        raise BadRequest(f"hours = {given!r}: expected a number") from error
