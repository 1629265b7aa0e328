"""The desk where proposals wait and people decide. Its whole state is the ledger's: every act is a record.

The person who proposes does not approve; nobody counts twice; a denial ends a proposal. With reviewers' keys set, an
approval that is not signed with that person's key does not count. Before the lock is written the files are measured
again: what was reviewed is what gets in.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadArtifact, BadEvidence, BadSettings, Refused
from bartizan.core.sections.supply import Supply
from bartizan.ledger.log import Ledger
from bartizan.supply import signing
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission import proposals
from bartizan.supply.admission.lock import Approval, Lock, Revision
from bartizan.supply.admission.proposals import Proposal
from bartizan.supply.base import Verdict
from bartizan.supply.manifest import measure

DECISION = "application/vnd.bartizan.decision+json"
PROPOSED, DECIDED, ADMITTED, REFUSED = "supply.proposed", "supply.decided", "supply.admitted", "supply.refused"
_MOST = 100_000


@dataclass(frozen=True)
class Waiting:
    """A proposal that is still open, and the approvals that it has."""

    proposal: Proposal
    approvals: tuple[Approval, ...]

    @property
    def missing(self) -> int:
        """Return how many people are still to approve."""
        return max(0, self.proposal.reviewers - len(self.approvals))


@dataclass(frozen=True)
class Desk:
    """One lock, its key, its ledger and the policy."""

    policy: Supply
    ledger: Ledger
    key: ec.EllipticCurvePrivateKey
    clock: Clock

    @property
    def _path(self) -> Path:
        return Path(self.policy.lock_file)

    def lock(self) -> Lock:
        """Return the lock as it stands. Raises BadEvidence when it is older than what the ledger recorded."""
        found = locks.read(self._path, self.key.public_key())
        check_sequence(found, self.ledger, self._path)
        return found

    def propose(self, path: Path, name: str, version: str, *, source: str, who: str, signer: str = "") -> Proposal:
        """Examine an artefact and open a proposal for it. Raises Refused for what must not get in at all."""
        approved = self.lock()
        seen = proposals.examine(path)
        root = seen.manifest.root()
        why = proposals.is_downgrade(approved, name, version, root)
        if seen.verdict >= Verdict.UNREADABLE:
            why = f"the scan says {seen.verdict.name}: {seen.findings[0] if seen.findings else 'nothing was read'}"
        if why:
            self.ledger.append(REFUSED, {"name": name, "version": version, "root": root, "who": who, "why": why})
            raise Refused(f"{name} {version}: {why}")
        current = approved.artefacts[name].current if name in approved.artefacts else None
        reasons = proposals.critical(current, seen, signer)
        return self._open(
            Proposal(
                id=secrets.token_hex(4),
                name=name,
                version=version,
                path=str(path),
                root=root,
                files=seen.manifest.digests,
                verdict=seen.verdict.name,
                format=", ".join(seen.formats),
                source=source,
                signer=signer,
                proposed_by=who,
                proposed_ns=self.clock.wall_ns(),
                reviewers=proposals.needed(self.policy, reasons),
                critical=reasons,
                changes=proposals.changes(current, name, seen),
                findings=seen.findings,
                globals=seen.globals,
                packages=seen.packages,
            )
        )

    def roll_back(self, name: str, number: int, *, who: str, why: str) -> Proposal:
        """Open a proposal that brings an earlier revision back. It takes the people that critical things take."""
        artefact = self.lock().artefacts.get(name)
        old = next((one for one in artefact.revisions[:-1] if one.number == number), None) if artefact else None
        if artefact is None or old is None:
            raise BadArtifact(f"{name}: no earlier revision {number} in the lock")
        return self._open(
            Proposal(
                id=secrets.token_hex(4),
                name=name,
                version=old.version,
                path=artefact.path,
                root=old.root,
                files=old.files,
                verdict=old.verdict,
                format=old.format,
                source=old.source,
                signer=old.signer,
                proposed_by=who,
                proposed_ns=self.clock.wall_ns(),
                reviewers=proposals.needed(self.policy, ("rollback",)),
                critical=(f"rollback to revision {number}: {why}",),
                changes=(f"back from revision {artefact.current.number} to the files of revision {number}",),
                findings=(),
                globals=old.globals,
                packages=old.packages,
                rollback_of=number,
            )
        )

    def _open(self, proposal: Proposal) -> Proposal:
        self.ledger.append(PROPOSED, msgspec.to_builtins(proposal))
        return proposal

    def waiting(self) -> list[Waiting]:
        """Return the open proposals with their approvals, oldest first."""
        closed = {body["id"] for body in self._bodies(ADMITTED)}
        decided: dict[str, list[dict[str, Any]]] = {}
        for body in self._bodies(DECIDED):
            decided.setdefault(body["id"], []).append(body)
        found = []
        for raw in self._bodies(PROPOSED):
            proposal = msgspec.convert(raw, Proposal)
            said = decided.get(proposal.id, [])
            if proposal.id not in closed and not any(one["decision"] == "deny" for one in said):
                found.append(Waiting(proposal, tuple(self._counted(proposal, said))))
        return found

    def _bodies(self, kind: str) -> list[dict[str, Any]]:
        return [entry.body for entry in reversed(self.ledger.latest(kind, _MOST)) if entry.body is not None]

    def _counted(self, proposal: Proposal, said: list[dict[str, Any]]) -> list[Approval]:
        """Return the approvals that count: of this content, one a person, not the proposer's, signed if need be."""
        counted: dict[str, Approval] = {}
        for one in said:
            if one["root"] == proposal.root and one["who"] != proposal.proposed_by and self._is_signed(proposal, one):
                counted.setdefault(one["who"], Approval(one["who"], one["why"], one["time_ns"], one["signature"]))
        return list(counted.values())

    def decide(
        self, identity: str, decision: str, *, who: str, why: str, key: ec.EllipticCurvePrivateKey | None = None
    ) -> Revision | None:
        """Record a person's decision, `approve` or `deny`; return the new revision when it was the last one missing.

        Raises Refused for the proposer's own approval, a second one, or one without the key that the policy asks for.
        """
        proposal = self._find(identity).proposal
        if decision not in ("approve", "deny"):
            raise BadSettings(f"decision = {decision!r}: expected approve or deny")
        body: dict[str, Any] = {"id": identity, "decision": decision, "who": who, "why": why, "root": proposal.root}
        body["time_ns"] = self.clock.wall_ns()
        body["signature"] = None
        if key is not None:
            body["signature"] = signing.seal(_statement(proposal, decision, who), DECISION, key)
        if decision == "approve":
            self._may_approve(proposal, body)
        self.ledger.append(DECIDED, body)
        return self._admit(identity) if decision == "approve" else None

    def _may_approve(self, proposal: Proposal, body: dict[str, Any]) -> None:
        who = body["who"]
        if who == proposal.proposed_by:
            raise Refused(f"{who} proposed {proposal.id}: somebody else must approve it")
        if any(one.who == who for one in self._find(proposal.id).approvals):
            raise Refused(f"{who} approved {proposal.id} already: the next one must be somebody else")
        if not self._is_signed(proposal, body):
            hint = "Sign with --key, the private key of the person's .pub file in supply.reviewer_keys."
            raise Refused(f"{who}: no valid signature of a reviewer of that name", hint=hint)

    def _is_signed(self, proposal: Proposal, body: dict[str, Any]) -> bool:
        if not self.policy.reviewer_keys:
            return True
        file = Path(self.policy.reviewer_keys) / f"{body['who']}.pub"
        if file.parent != Path(self.policy.reviewer_keys) or not file.is_file():
            return False
        try:
            said = signing.unseal(body["signature"], DECISION, signing.public_key(file.read_bytes()))
        except (BadEvidence, BadSettings, OSError):
            return False
        return said == _statement(proposal, body["decision"], body["who"])

    def _find(self, identity: str) -> Waiting:
        found = next((one for one in self.waiting() if one.proposal.id == identity), None)
        if found is None:
            raise BadArtifact(f"{identity}: no open proposal of that id", hint="See `bartizan admit list`.")
        return found

    def _admit(self, identity: str) -> Revision | None:
        """Write the next lock when everything is there: people, time, and the very files that were reviewed."""
        waiting = self._find(identity)
        proposal, now = waiting.proposal, self.clock.wall_ns()
        if waiting.missing or now < proposal.proposed_ns + self.policy.cooldown_hours * 3600e9:
            return None
        # (1) A rollback speaks of files that need not lie there yet; everything else is measured again.
        if not proposal.rollback_of and measure(Path(proposal.path)).root() != proposal.root:
            raise Refused(f"{proposal.path}: not the files that were reviewed", hint="Propose it again.")
        # (2) The lock may have moved since the proposal.
        approved = self.lock()
        why = (
            ""
            if proposal.rollback_of
            else proposals.is_downgrade(approved, proposal.name, proposal.version, proposal.root)
        )
        if why:
            raise Refused(f"{proposal.name}: {why}")
        before = approved.artefacts.get(proposal.name)
        revision = _revision(proposal, waiting.approvals, now, before.current.number + 1 if before else 1)
        following = approved.with_revision(proposal.name, proposal.path, revision)
        # (3) The lock first: after a crash in between it is newer than the ledger knows, which is no replay.
        locks.write(self._path, following, self.key)
        body = {"id": identity, "name": proposal.name, "sequence": following.sequence, "root": proposal.root}
        self.ledger.append(ADMITTED, body | {"revision": revision.number, "version": proposal.version})
        return revision

    def finish(self, say: Callable[[str], None] = lambda line: None) -> int:
        """Admit what only waited for its time; return how many. `say` gets a line for what could not be."""
        done = 0
        for one in self.waiting():
            try:
                done += self._admit(one.proposal.id) is not None
            except Refused as error:
                say(str(error))
        return done


def check_sequence(found: Lock, ledger: Ledger, path: Path) -> None:
    """Raise BadEvidence when the ledger recorded a later lock than `found`: an old one was put back."""
    latest = next((one.body for one in ledger.latest(ADMITTED) if one.body is not None), None)
    if latest is not None and latest["sequence"] > found.sequence:
        raise BadEvidence(
            f"{path}: lock number {found.sequence}, but {latest['sequence']} was issued: an older one was put back",
            hint="Restore the latest lock; the ledger says when it was written.",
        )


def _statement(proposal: Proposal, decision: str, who: str) -> bytes:
    return json.dumps(
        {"id": proposal.id, "root": proposal.root, "decision": decision, "who": who}, sort_keys=True
    ).encode()


def _revision(proposal: Proposal, approvals: tuple[Approval, ...], now: int, number: int) -> Revision:
    return Revision(
        number=number,
        version=proposal.version,
        root=proposal.root,
        files=proposal.files,
        verdict=proposal.verdict,
        format=proposal.format,
        source=proposal.source,
        signer=proposal.signer,
        proposed_by=proposal.proposed_by,
        approvals=approvals,
        admitted_ns=now,
        globals=proposal.globals,
        packages=proposal.packages,
        rollback_of=proposal.rollback_of,
    )
