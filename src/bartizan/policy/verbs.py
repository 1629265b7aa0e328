"""What a tool's name says: the class of what it does, the words of a request that ask for it, the things it acts on.

The verb is looked for anywhere in the name (`calendar_list_events`, `s3.put_object`, `mailSend`). Words that are verbs
and nouns alike (`post`, `order`) count as verbs only where there is no better one. A name without a known verb changes
things, and its first word must stand in the request. English names only.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bartizan.policy.manifest import Effect, singular, words_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CLEAR = {
    Effect.READ: "get list read search find check show view query lookup count describe calculate compute summarize"
    " summarise retrieve load inspect analyze analyse compare convert translate preview validate verify cat ls grep"
    " head tail scan detect estimate explain extract parse filter sort diff stat exists is has whoami suggest"
    " recommend peek info details history status forecast help ping",
    Effect.FETCH: "fetch browse download visit crawl navigate scrape",
    Effect.PAY: "pay buy purchase refund withdraw wire donate charge checkout",
    Effect.DELETE: "delete remove cancel drop revoke kick ban uninstall purge erase destroy terminate unsubscribe"
    " unshare wipe truncate clear discard trash",
    Effect.EXECUTE: "run execute exec eval deploy install spawn invoke trigger",
    Effect.SHARE: "share invite grant permit authorize",
    Effect.SEND: "send reply forward notify publish upload broadcast dm",
    Effect.WRITE: "create add make new write insert append put set update edit modify change save store register"
    " upsert replace patch assign reserve reschedule move rename mark compose adjust import attach submit fill"
    " correct fix enter lock unlock stop start restart reboot freeze unfreeze scale resize merge close open enable"
    " disable turn arm disarm approve reject accept decline confirm follow unfollow play pause resume skip sync"
    " rotate reset mute archive restore revert rollback release apply escalate speak say activate deactivate"
    " suspend resolve complete subscribe block unblock dispense generate commit push fork rebase reopen snooze"
    " connect disconnect switch raise lower place acknowledge ack dismiss process handle promote demote upgrade"
    " downgrade provision clone backup transition extend rate vote enroll pair print tune toggle",
}
_EITHER = {
    Effect.PAY: "transfer payment transaction money order donation payout",
    Effect.EXECUTE: "shell bash command script terminal python sql",
    Effect.SHARE: "permission participant member collaborator",
    Effect.SEND: "email mail message post tweet",
    Effect.FETCH: "webpage http url website link",
    Effect.WRITE: "book schedule record log draft plan comment note tag label report issue pin star like sign copy",
}
"""Nouns too: what a changing tool of another verb does to such a thing is of this class as well, if it is stricter."""
_OF_WORD = {word: effect for effect, words in _CLEAR.items() for word in words.split()}
_OF_EITHER = {word: effect for effect, words in _EITHER.items() for word in words.split()}
_STRICTEST = (
    Effect.READ, Effect.FETCH, Effect.WRITE, Effect.SEND, Effect.SHARE, Effect.EXECUTE, Effect.DELETE, Effect.PAY,
)  # fmt: skip
_FIRM = _words(
    "payment transaction transfer money donation payout refund purchase permission participant member collaborator"
)
"""Nouns that say what a changing tool does whatever its verb; the others only for a tool that makes something."""
_JOINS = _words("and or then")
_MAKES = _words("create add make new write insert append put save store register upsert compose submit push place")
_ASKS_TO_MAKE = tuple(
    re.split(
        ", ?",
        "create,add,make,write,book,reserve,schedule,plan,record,store,insert,put,save,append,draft,compose,register,copy,"
        "organise,organize,assign,attach,invite,track,submit,generate,set up,open a,open an,open another,raise a,"
        "raise an,file a,file an,report a,report an,log a,log an,log that,log the,comment that,comment on,comment to,"
        "comment saying,note that,note down,leave a,remind",
    )
)
"""What people say for a tool that makes something: not that something is to be marked or changed."""
_BROAD = _MAKES | _words(
    "set update edit modify change replace patch assign reserve reschedule move rename mark adjust import attach"
    " fill correct fix enter book schedule record log draft plan comment note tag label copy generate"
)
"""Verbs of tools that any word for changing things asks for; the others ask for themselves: who says `lock`
does not say `unlock`."""
_ALSO = {
    "stop": "stop halt shut end",
    "start": "start launch boot begin",
    "restart": "restart reboot bounce",
    "reboot": "restart reboot bounce",
    "close": "close resolve complete finish",
    "resolve": "resolve close complete finish mark",
    "complete": "complete finish close resolve mark",
    "freeze": "freeze block lock",
    "unfreeze": "unfreeze unblock unlock",
    "enable": "enable activate",
    "activate": "activate enable",
    "disable": "disable deactivate",
    "deactivate": "deactivate disable suspend",
    "approve": "approve accept confirm",
    "accept": "accept approve confirm",
    "confirm": "confirm accept approve",
    "reject": "reject decline deny refuse",
    "decline": "decline reject refuse",
    "scale": "scale resize increase decrease",
    "resize": "resize scale",
    "rotate": "rotate renew",
    "speak": "speak say tell announce read",
    "say": "say speak tell announce read",
    "revert": "revert undo restore",
    "rollback": "rollback revert undo restore roll",
    "apply": "apply use",
    "raise": "raise increase",
    "lower": "lower decrease reduce",
    "switch": "switch change turn",
    "like": "like",
    "sync": "sync synchronise synchronize",
    "report": "report file",
    "commit": "commit",
    "push": "push",
    "issue": "issue give",
    "transition": "transition move set mark close resolve",
    "toggle": "toggle enable disable activate deactivate",
    "acknowledge": "acknowledge ack",
    "ack": "acknowledge ack",
    "rate": "rate review",
    "clone": "clone copy duplicate",
}
_SENSITIVE = (
    "public visibility publicly",
    "admin administrator owner ownership",
    "permission access share invite",
    "collaborator contributor access invite",
    "policy",
    "key token secret password passphrase credential",
    "webhook",
    "firewall",
    "mfa",
    "limit",
)
"""Things of which the request must speak itself."""
_SYNONYMS = (
    "email mail inbox",
    "event calendar meeting appointment",
    "file document drive doc folder",
    "transaction payment transfer money bill",
    "message channel dm slack",
    "user profile information info account",
    "password credential",
    "page webpage website site web",
    "issue ticket bug",
    "repository repo",
    "reservation booking",
    "task todo reminder remind",
    "customer client",
    "contact person",
    "instance server machine vm",
    "directory folder",
    "pr pull",
    "light lamp",
    "address",
)
_SAY_LITTLE = _words(
    "a an the to of for in on at by from with as new old all my up out item data api v1 v2 tool action"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says. `acts`: the words that ask for it, if those for its class do not; `things`: what it acts on."""

    effect: Effect
    acts: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    sensitive: bool = False
    """The request must speak of one of `things`; naming the target is not enough."""
    makes: bool = False
    """It makes something new: only the name of that says what is meant, not where or for whom it is made."""


@lru_cache(maxsize=4096)
def named(name: str) -> Named:
    """Return what the name of a tool says."""
    parts = [part for part in re.split(r"__|[./:]", name) if part]
    words, last = words_of(name), words_of(parts[-1]) if parts else ()
    at = _verb(last)
    if at is None:
        at = _verb(words)
    else:
        at += len(words) - len(last)
    verb = words[at] if at is not None else ""
    effect = _effect(words, at)
    nouns = [word for number, word in enumerate(words) if number != at]
    sensitive = [
        word for group in _SENSITIVE if {singular(word) for word in nouns} & _words(group) for word in group.split()
    ]
    server = words_of(parts[0]) if len(parts) > 1 else ()
    things = sensitive or _things([word for word in nouns if word not in server]) or _things(nouns if verb else words)
    makes = effect is Effect.WRITE and _makes(words, at)
    return Named(effect, _acts(words, at, effect), tuple(things), bool(sensitive), makes)


def objects_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that people use for the known things that a name speaks of."""
    return tuple(dict.fromkeys(word for group in _groups(words) for word in group))


def _verb(words: Sequence[str]) -> int | None:
    """Return the place of the verb, or None."""
    clear = [number for number, word in enumerate(words) if word in _OF_WORD]
    for number in clear:
        following = words[number + 1] if number + 1 < len(words) else ""
        if _OF_WORD[words[number]] is Effect.READ and _OF_WORD.get(following, Effect.READ) is not Effect.READ:
            continue  # list_add: a list is what is added to
        return number
    return next((number for number, word in enumerate(words) if singular(word) in _OF_EITHER), None)


def _effect(words: Sequence[str], at: int | None) -> Effect:
    if at is None:
        return Effect.WRITE
    effects = list(_joined(words, at))
    effect = max(effects, key=_STRICTEST.index)
    nouns = {_OF_EITHER[one] for word in words if (one := singular(word)) in _OF_EITHER}
    firm = {_OF_EITHER.get(one) or _OF_WORD[one] for word in words if (one := singular(word)) in _FIRM}
    if effect is Effect.READ:
        if words[at] == "check" and words[at + 1 : at + 2] in (("in",), ("out",)):
            return Effect.WRITE
        return Effect.FETCH if Effect.FETCH in nouns else Effect.READ
    if effect in (Effect.FETCH, Effect.DELETE):
        return effect
    if words[at] in _MAKES or words[at] not in _OF_WORD:  # to mark a mail is not to send one
        firm |= nouns - {Effect.FETCH}
    return max([effect, *firm], key=_STRICTEST.index)


def _joined(words: Sequence[str], at: int) -> Iterator[Effect]:
    """Yield the class of the verb, and of those that `and` or `or` join to it."""
    yield _OF_WORD.get(words[at]) or _OF_EITHER[singular(words[at])]
    for number in range(at + 1, len(words)):
        if words[number - 1] in _JOINS and words[number] in _OF_WORD:
            yield _OF_WORD[words[number]]


def _acts(words: Sequence[str], at: int | None, effect: Effect) -> tuple[str, ...]:
    if effect is not Effect.WRITE:
        return ()
    verb = words[at] if at is not None else words[0] if words else ""
    if _makes(words, at):
        return _ASKS_TO_MAKE
    if verb in _BROAD or singular(verb) in _BROAD or (_OF_WORD.get(verb) is Effect.READ and verb != "check"):
        return ()
    if verb in ("turn", "switch", "check") and at is not None and words[at + 1 : at + 2]:
        return tuple(f"{one} {words[at + 1]}" for one in ((verb,) if verb == "check" else ("turn *", "switch *")))
    switched = ("turn * on", "turn * off", "switch * on", "switch * off") if verb == "toggle" else ()
    return (*_ALSO.get(verb, verb).split(), *switched)


def _makes(words: Sequence[str], at: int | None) -> bool:
    """Return whether a tool makes something new, and does nothing else."""
    if (
        at is None
        or words[at] == "copy"
        or (words[at] not in _MAKES and words[at] not in _EITHER[Effect.WRITE].split())
    ):
        return False
    return not any(before in _JOINS and word not in _MAKES for before, word in itertools.pairwise(words[at:]))


def _things(words: Sequence[str]) -> list[str]:
    found = list(objects_of(words))
    known = set(found)
    little = _SAY_LITTLE | _JOINS | (_OF_WORD.keys() - _OF_EITHER.keys())
    found += [singular(word) for word in words if word not in little and singular(word) not in known]
    return list(dict.fromkeys(word for word in found if not word.isdigit() and len(word) > 1))


def _groups(words: Sequence[str]) -> Iterator[list[str]]:
    for group in _SYNONYMS:
        nouns = group.split()
        if any(singular(word) in nouns for word in words):
            yield nouns
