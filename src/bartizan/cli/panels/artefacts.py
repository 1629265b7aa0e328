"""The page for models, packages and agent parts: what is approved, and what waits for people."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Item, Part
from bartizan.dashboard.people import Role
from bartizan.ledger.log import Ledger
from bartizan.supply.admission.desk import Desk
from bartizan.supply.admission.opening import open_desk

_KEYS = "supply.reviewer_keys is set: approvals are signed with `bartizan admit approve --key`, and only denied here."


@dataclass(frozen=True)
class Artefacts:
    """Open proposals first, then the lock's current revisions."""

    settings: Settings
    clock: Clock
    name: str = "artefacts"
    title: str = "Artefacts"
    columns: tuple[str, ...] = ("artefact", "version", "state", "scan", "people")
    actions: tuple[Action, ...] = (
        Action("approve", "Approve", Role.REVIEWER),
        Action("deny", "Deny", Role.REVIEWER, danger=True),
    )

    @property
    def about(self) -> str:
        """Return what the page shows."""
        if self.settings.supply.reviewer_keys:
            return _KEYS
        return (
            "What waits to be let in, and what the lock approves. Approvals count one a person, never the proposer's."
        )

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        ledger = Ledger.configured(self.settings.ledger, self.clock)
        try:
            yield open_desk(self.settings.supply, ledger, self.clock)
        finally:
            ledger.close()

    def items(self) -> Sequence[Item]:
        """Return the proposals that wait, then what is approved."""
        with self._desk() as desk:
            waiting, lock = desk.waiting(), desk.lock()
        here = ("deny",) if self.settings.supply.reviewer_keys else ("approve", "deny")
        rows = []
        for one in waiting:
            proposal = one.proposal
            people = f"{len(one.approvals)} of {proposal.reviewers}"
            cells = (proposal.name, proposal.version, f"waits ({proposal.root[:16]})", proposal.verdict, people)
            tone = "warn" if proposal.critical else ""
            rows.append(Item(proposal.id, cells, tone, here, bool(proposal.critical), proposal.proposed_by))
        for name, artefact in lock.artefacts.items():
            now = artefact.current
            people = ", ".join(approval.who for approval in now.approvals)
            cells = (name, now.version, f"approved, revision {now.number}", now.verdict, people)
            rows.append(Item(f"lock:{name}", cells, "good"))
        return rows

    def detail(self, item: str) -> Sequence[Part]:
        """Return what changed and what the scan found, or an artefact's files and earlier revisions."""
        with self._desk() as desk:
            if item.startswith("lock:"):
                artefact = desk.lock().artefacts.get(item.removeprefix("lock:"))
                if artefact is None:
                    return ()
                past = [(str(one.number), one.version, one.root) for one in artefact.revisions]
                files = sorted(artefact.current.files.items())
                return (Part("Revisions", rows=tuple(past)), Part("Files", rows=tuple(files)))
            one = next((one for one in desk.waiting() if one.proposal.id == item), None)
        if one is None:
            return ()
        proposal = one.proposal
        said = [(approval.who, approval.why) for approval in one.approvals]
        parts = [
            Part("From", text=f"{proposal.source or 'nowhere named'}, proposed by {proposal.proposed_by}"),
            Part("Why it is critical", text="\n".join(proposal.critical) or "it is not"),
            Part("Changes", text="\n".join(proposal.changes) or "none"),
            Part("Findings", text="\n".join(proposal.findings) or "none"),
        ]
        return (*parts, *([Part("Approved by", rows=tuple(said))] if said else []))

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Record the decision; the last approval needed writes the lock."""
        if action not in ("approve", "deny"):
            raise BadRequest(f"{action}: expected approve or deny")
        with self._desk() as desk:
            revision = desk.decide(item, action, who=who, why=values["why"])
            if revision is not None:
                return f"admitted as revision {revision.number}; lock {desk.lock().sequence} is written"
            if action == "deny":
                return "denied"
            left = next(one.missing for one in desk.waiting() if one.proposal.id == item)
            return f"recorded; {left} more to approve" if left else "recorded; waits for the cooling-off time"
