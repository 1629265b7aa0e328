"""`bartizan admit propose | list | show | approve | deny | rollback | finish`: how an artefact gets into the lock."""

import argparse
import datetime
import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bartizan.cli.base import CANNOT, FAILED, OK, Command, add_config, configured
from bartizan.cli.sign import read
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact, Refused
from bartizan.ledger.log import Ledger
from bartizan.supply import signing
from bartizan.supply.admission.desk import Desk, Waiting
from bartizan.supply.admission.opening import open_desk
from bartizan.supply.manifest import measure

_SHOWN = 12


def _arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    for name, run, about in (
        ("propose", _propose, "Scan and measure an artefact, compare it with the approved one, open a proposal."),
        ("list", _list, "List what waits for people."),
        ("show", _show, "Show one proposal with its changes and findings."),
        ("approve", _decide, "Approve a proposal; the last person needed writes the lock."),
        ("deny", _decide, "Turn a proposal down for good."),
        ("rollback", _roll_back, "Propose to bring an earlier revision back."),
        ("finish", _finish, "Admit what only waited for its time."),
    ):
        act = acts.add_parser(name, help=about, description=about)
        add_config(act)
        act.add_argument("--who", default=getpass.getuser(), help="your name (default: the login)")
        act.set_defaults(run=run, act=name)
        if name == "propose":
            act.add_argument("path", type=Path, metavar="PATH", help="file or folder, where it will stay")
            act.add_argument("--name", help="name in the lock (default: the file's)")
            act.add_argument("--version", required=True, help="what its makers call this version")
            act.add_argument("--source", default="", help="where it comes from")
            act.add_argument(
                "--signer", type=Path, metavar="FILE", help="public key that signed it (PATH.sig is checked)"
            )
        if name in ("approve", "deny", "show"):
            act.add_argument("id", help="id of the proposal")
        if name in ("approve", "deny"):
            act.add_argument("--why", required=True, help="reason; it is recorded")
            act.add_argument("--key", type=Path, metavar="FILE", help="your private key, when the policy asks for one")
        if name == "rollback":
            act.add_argument("name", help="name in the lock")
            act.add_argument("--to", type=int, required=True, metavar="N", help="number of the revision")
            act.add_argument("--why", required=True, help="reason; it is recorded")
        if name in ("list", "show"):
            act.add_argument("--json", action="store_true", help="one JSON object a line")


@contextmanager
def _desk(args: argparse.Namespace) -> Iterator[Desk]:
    settings = configured(args)
    ledger = Ledger.configured(settings.ledger, SystemClock())
    try:
        yield open_desk(settings.supply, ledger, SystemClock())
        ledger.checkpoint()
    finally:
        ledger.close()


def _propose(args: argparse.Namespace) -> int:
    signer = _signer(args)
    with _desk(args) as desk:
        try:
            proposal = desk.propose(
                args.path,
                args.name or args.path.resolve().name,
                args.version,
                source=args.source,
                who=args.who,
                signer=signer,
            )
        except Refused as error:
            print(f"REFUSED: {visible(str(error))}")
            return FAILED
        print(_text(Waiting(proposal, ())))
        if not proposal.reviewers:
            desk.finish(print)
    return OK


def _signer(args: argparse.Namespace) -> str:
    """Check the signature beside the artefact and return whose key it was; empty when none was named."""
    if args.signer is None:
        return ""
    key = signing.public_key(read(args.signer))
    whole = args.path.resolve()
    signature = whole.with_name(whole.name + ".sig")
    signed = signing.verify(read(signature), signing.TrustedKey(key))
    if signed.digests != measure(args.path, signature=signature).digests:
        raise BadArtifact(f"{args.path}: not what {args.signer} signed", hint="`bartizan verify` names each file.")
    return signing.fingerprint(key)


def _list(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        waiting = desk.waiting()
    for one in waiting:
        if args.json:
            print(json.dumps(_as_json(one)))
        else:
            kind = "CRITICAL" if one.proposal.critical else "ordinary"
            what = f"{one.proposal.name} {one.proposal.version}"
            print(f"{one.proposal.id}  {kind}  {visible(what)}  {one.proposal.verdict}  {one.missing} to approve")
    if not waiting and not args.json:
        print("nothing waits")
    return OK


def _show(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        found = next((one for one in desk.waiting() if one.proposal.id == args.id), None)
    if found is None:
        raise BadArtifact(f"{args.id}: no open proposal of that id", hint="See `bartizan admit list`.")
    print(json.dumps(_as_json(found)) if args.json else _text(found))
    return OK


def _as_json(one: Waiting) -> dict[str, object]:
    return {
        "proposal": msgspec.to_builtins(one.proposal),
        "approved by": [approval.who for approval in one.approvals],
        "missing": one.missing,
    }


def _text(one: Waiting) -> str:
    proposal = one.proposal
    when = datetime.datetime.fromtimestamp(proposal.proposed_ns / 1e9, datetime.UTC).isoformat(timespec="seconds")
    lines = [
        f"proposal {proposal.id}: {proposal.name} {proposal.version} ({proposal.format}), sha256 {proposal.root}",
        f"  from {proposal.source or 'nowhere named'}, {'signed' if proposal.signer else 'not signed'}, "
        f"proposed by {proposal.proposed_by} at {when}",
        f"  the scan says {proposal.verdict}; {one.missing} of {proposal.reviewers} people are still to approve",
    ]
    for title, rows in (("critical", proposal.critical), ("change", proposal.changes), ("finding", proposal.findings)):
        lines += [f"  {title}: {row}" for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(f"  and {len(rows) - _SHOWN} more: `bartizan admit show {proposal.id} --json`")
    return visible("\n".join(lines))


def _decide(args: argparse.Namespace) -> int:
    key = signing.private_key(read(args.key)) if args.key is not None else None
    with _desk(args) as desk:
        try:
            revision = desk.decide(args.id, args.act, who=args.who, why=args.why, key=key)
        except Refused as error:
            print(f"REFUSED: {visible(str(error))}")
            if error.hint():
                print(f"         {error.hint()}")
            return FAILED
        if revision is not None:
            number = desk.lock().sequence
            print(f"admitted as revision {revision.number}; lock {number} written to {desk.policy.lock_file}")
        elif args.act == "deny":
            print("denied")
        else:
            missing = next(one.missing for one in desk.waiting() if one.proposal.id == args.id)
            print(f"recorded; {missing} more to approve" if missing else "recorded; waits for the cooling-off time")
    return OK


def _roll_back(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        print(_text(Waiting(desk.roll_back(args.name, args.to, who=args.who, why=args.why), ())))
    return OK


def _finish(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        problems: list[str] = []
        done = desk.finish(problems.append)
    for problem in problems:
        print(f"not admitted: {visible(problem)}")
    print(f"{done} admitted")
    return CANNOT if problems else OK


COMMAND = Command("admit", "Let models, packages and agent parts in: scan, compare, review, lock.", _arguments, _list)
