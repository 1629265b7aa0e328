"""`bartizan approvals`: tool calls that wait for a person. Shows what is asked, answers, endorses for later, revokes.

What is decided is in the ledger before it counts, with who and why.
"""

import argparse
import contextlib
import getpass
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import Clock, SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadRequest, BadSettings, Refused
from bartizan.core.sections import Settings
from bartizan.ledger.approvals.base import Endorsed, Held, Place
from bartizan.ledger.approvals.queue import Queue, new_id
from bartizan.policy.anchors import form_of
from bartizan.policy.endorsements import digest
from bartizan.policy.manifest import Effect

WHAT = ("value", "document")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="show what waits for an answer")
    listing.add_argument("--all", action="store_true", help="also what was answered, and what is endorsed")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(verb=_list)
    showing = verbs.add_parser("show", help="show one question: the call, its values and where they come from")
    showing.add_argument("id")
    showing.add_argument("--json", action="store_true", help="as JSON")
    showing.set_defaults(verb=_show)
    for word, what in (("approve", "let the call happen, once"), ("deny", "do not let the call happen")):
        answering = verbs.add_parser(word, help=what)
        answering.add_argument("id")
        _who(answering)
        answering.set_defaults(verb=_answer, approve=word == "approve")
    endorsing = verbs.add_parser("endorse", help="say yes for later: to a value, or to all that a document says")
    endorsing.add_argument("id", nargs="?", default="", help="a question: what it asks about is endorsed")
    endorsing.add_argument("--what", choices=WHAT, default="value", help="of the question (default: its values)")
    endorsing.add_argument("--document", type=Path, metavar="FILE", help="this text, exactly as a tool returns it")
    endorsing.add_argument("--value", help="an address, a link, an account, an amount")
    endorsing.add_argument("--effect", choices=[effect.value for effect in Effect], help="what it may be used for")
    endorsing.add_argument("--hours", type=float, default=24.0, help="how long (default: %(default)g)")
    endorsing.add_argument("--for", dest="principal", metavar="CALLER", help="this caller only; '*' for all")
    _who(endorsing)
    endorsing.set_defaults(verb=_endorse)
    revoking = verbs.add_parser("revoke", help="let an endorsement count no more")
    revoking.add_argument("id")
    _who(revoking)
    revoking.set_defaults(verb=_revoke)


def _who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--why", required=True, help="the reason, for the record")
    parser.add_argument("--who", default=getpass.getuser(), help="your name (default: the login)")


def _run(args: argparse.Namespace) -> int:
    code: int = args.verb(args)
    return code


@contextlib.contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Queue]:
    """Hold the queue open. Raises BadSettings, BadEvidence."""
    queue = Queue.configured(settings.approvals, clock or SystemClock())
    try:
        yield queue
    finally:
        queue.close()


def answer(settings: Settings, queue: Queue, id_: str, *, approve: bool, who: str, why: str) -> str:
    """Record an answer, give it, and say what happens. Raises BadRequest when the question waits no more."""
    held = queue.answerable(id_)
    if not who.strip() or not why.strip():
        raise BadRequest(f"{id_}: expected who answers and a reason; both go into the record")
    note(settings, "approval-answered", id=id_, answer="approve" if approve else "deny", who=who, why=why)
    queue.answer(id_, approve=approve, who=who, why=why)
    tool = visible(held.question.tool)
    return f"{id_}: {tool} may run once with these arguments" if approve else f"{id_}: {tool} does not run"


def endorse(settings: Settings, queue: Queue, made: Endorsed) -> str:
    """Record an endorsement, give it, and say what it lets happen. Raises BadRequest."""
    queue.check(made)
    note(
        settings,
        "endorsed",
        id=made.id,
        effect=made.effect,
        document=made.document,
        value=digest(made.value) if made.value else "",
        caller=made.principal,
        until_ns=made.until_ns,
        who=made.who,
        why=made.why,
    )
    queue.endorse(made)
    whom = f"caller {visible(made.principal)}" if made.principal else "every caller"
    what = "all of" if made.document else "the value"
    return f"{made.id}: {made.effect} may use {what} {visible(made.name)} until {day(made.until_ns)}, for {whom}"


def revoke(settings: Settings, queue: Queue, id_: str, *, who: str, why: str) -> str:
    """Record that an endorsement ends, and end it. Raises BadRequest when none of this id counts."""
    found = queue.endorsement(id_)
    note(settings, "endorsement-revoked", id=id_, who=who, why=why)
    queue.revoke(id_)
    return f"{id_}: {visible(found.name)} is endorsed no more; a running gateway obeys within a second"


class Terms(NamedTuple):
    """For whom and how long something is endorsed, by whom and why. No `principal` means every caller."""

    hours: float
    principal: str
    who: str
    why: str


def endorsements_of(held: Held, what: str, terms: Terms, now_ns: int) -> list[Endorsed]:
    """Return what endorses the values of a question, or the documents they stand in. Raises BadRequest if nothing."""
    question = held.question
    if question.critical:
        raise Refused(f"{question.id}: two people must agree on each such call; it cannot be endorsed for later")
    if what == "value":
        found = {one.form: one.value for one in question.places if one.form}
        made = [_made(question.effect, name, terms, now_ns, value=form) for form, name in found.items()]
    else:
        texts = {one.document: one.where.rpartition(", line ")[0] for one in question.places if one.document}
        made = [_made(question.effect, name, terms, now_ns, document=one) for one, name in texts.items()]
    if not made:
        raise BadRequest(f"{question.id}: asks about no {what} that could be endorsed; approve or deny the call")
    return made


def _made(effect: str, name: str, terms: Terms, now_ns: int, **what: str) -> Endorsed:
    until_ns = now_ns + round(terms.hours * 3600e9)
    whom = {"principal": terms.principal, "who": terms.who, "why": terms.why}
    return Endorsed(id=new_id(), at_ns=now_ns, until_ns=until_ns, effect=effect, name=name, **whom, **what)


def day(ns: int) -> str:
    """Return a moment as people write it, in UTC."""
    return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")


def asked_about(places: tuple[Place, ...]) -> str:
    """Return the values of a question and where they come from, in one line."""
    shown = [f"{one.argument} = {one.value} ({one.where or 'the model'})" for one in places]
    return visible("; ".join(shown))


def _list(args: argparse.Namespace) -> int:
    settings, now = configured(args), time.time_ns()
    with opened(settings) as queue:
        found, endorsed = queue.listed(everything=args.all), queue.endorsements() if args.all else []
    if args.json:
        rows = [{**msgspec.to_builtins(one), "state": one.now(now)} for one in found]
        print(json.dumps({"calls": rows, "endorsed": msgspec.to_builtins(endorsed)}, indent=2))
        return OK
    table = Table("id", "asked", "caller", "call", "about", "state")
    for one in found:
        asked = one.question
        about = asked_about(asked.places) or visible(asked.why)
        cells = (asked.id, day(asked.at_ns), asked.principal, asked.tool, about, _state(one, now))
        table.add_row(*(Text(visible(cell)) for cell in cells))
    Console().print(table if found else "nothing waits for a person")
    if endorsed:
        yes = Table("endorsed", "effect", "what", "for", "until", "by")
        for made in endorsed:
            kind = "all of " if made.document else ""
            cells = (made.id, made.effect, kind + made.name, made.principal or "all", day(made.until_ns), made.who)
            yes.add_row(*(Text(visible(cell)) for cell in cells))
        Console().print(yes)
    return OK


def _state(held: Held, now_ns: int) -> str:
    state = held.now(now_ns)
    return f"{state} by {held.who}: {held.why}" if held.who else state


def _show(args: argparse.Namespace) -> int:
    settings = configured(args)
    with opened(settings) as queue:
        held = queue.find(args.id)
    if args.json:
        print(json.dumps({**msgspec.to_builtins(held), "state": held.now(time.time_ns())}, indent=2))
        return OK
    asked = held.question
    lines = [
        f"{asked.tool} ({asked.effect}) of caller {asked.principal or 'anybody'}: {_state(held, time.time_ns())}",
        f"asked {day(asked.at_ns)}, open until {day(asked.until_ns)}, request {asked.request}",
        f"why: {asked.why} ({asked.reason})",
        *(["two people must agree, in the dashboard"] if asked.critical else []),
        "arguments:",
        *(f"  {line}" for line in laid_out(asked.arguments).splitlines()),
        *(["in question:"] if asked.places else []),
        *(
            f"  {one.argument} = {one.value}   {one.role}, from {one.where or 'the model itself, found nowhere'}"
            for one in asked.places
        ),
    ]
    print("\n".join(visible(line) for line in lines))
    return OK


def laid_out(arguments: str) -> str:
    """Return the arguments of a call on lines of their own; as they stand when they are no JSON."""
    try:
        return json.dumps(json.loads(arguments or "{}"), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments


def _answer(args: argparse.Namespace) -> int:
    settings = configured(args)
    with opened(settings) as queue:
        if args.approve and queue.find(args.id).question.critical:
            raise Refused(f"{args.id}: two people must agree, in the dashboard", hint="`bartizan dashboard` serves it.")
        print(answer(settings, queue, args.id, approve=args.approve, who=args.who, why=args.why))
    return OK


def _endorse(args: argparse.Namespace) -> int:
    settings, now = configured(args), time.time_ns()
    if sum(map(bool, (args.id, args.document, args.value))) != 1:
        raise BadRequest("endorse: expected one of: the id of a question, --document FILE, --value VALUE")
    with opened(settings) as queue:
        held = queue.find(args.id) if args.id else None
        whom = args.principal or (held.question.principal if held else "*")
        terms = Terms(args.hours, "" if whom == "*" else whom, args.who, args.why)
        made = endorsements_of(held, args.what, terms, now) if held else [_written(args, terms, now)]
        for one in made:
            print(endorse(settings, queue, one))
    return OK


def _written(args: argparse.Namespace, terms: Terms, now_ns: int) -> Endorsed:
    """Return an endorsement of what stands on the command line."""
    if not args.effect:
        raise BadRequest("endorse: expected --effect, what the document or value may be used for")
    if args.value:
        return _made(args.effect, args.value, terms, now_ns, value=form_of(args.value))
    try:
        text = args.document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{args.document}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return _made(args.effect, str(args.document), terms, now_ns, document=digest(text))


def _revoke(args: argparse.Namespace) -> int:
    settings = configured(args)
    with opened(settings) as queue:
        print(revoke(settings, queue, args.id, who=args.who, why=args.why))
    return OK


COMMAND = Command("approvals", "Answer for tool calls that wait for a person.", _arguments, _run)
