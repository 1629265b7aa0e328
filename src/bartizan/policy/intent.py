"""What the person asked for: the effects that the request licenses, and the values it names.

Only what a person with a right to ask wrote counts. A licence is a verb that is not denied ("do not send"). English;
a request in another language licenses nothing, which is the safe side, until the operator's manifest says otherwise.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from bartizan.core.messages import Text, Trust
from bartizan.policy.manifest import Effect, singular
from bartizan.policy.values import numbers, plain, stands_in, values

_LICENCES = {
    Effect.PAY: r"pay|refund|reimburse|buy|donate"
    r"|(?:transfer|purchase|wire)(?! (?:histor|fee|limit|status|list|detail|data|record|report|number|date|amount))"
    r"|order (?:me |us )?(?:an?|the|some|more|another|my|our|two|three|four|five|\d+)"
    r"|make (?:a|an|the|this|that) (?:\w+ )?(?:transfer|payment|refund|purchase|order)"
    r"|(?:update|adjust|change|set up|schedule|increase|reduce|cancel)\s+(?:\w+\s+){0,5}?"
    r"(?:payment|transaction|transfer|subscription|rent|standing order)"
    r"|send\s+(?:\w+\s+){0,4}?(?:money|payment|difference|[$€£]?\d[\d.,]*)",
    Effect.DELETE: r"delete|remove|cancel|drop|revoke|erase|clear|clean up|get rid of|uninstall|kick|terminate|purge"
    r"|destroy|unsubscribe|discard",
    Effect.EXECUTE: r"run|execute|deploy|install|launch|start the|invoke|trigger",
    Effect.SHARE: r"share|invite|grant|give (?:\S+ ){1,5}?access|permit|add (?:\w+\W+){1,24}?(?:to|as|in)",
    Effect.SEND: r"send|(?:e-?)?mail|message|dm|post|reply|respond|answer (?:him|her|them)|forward|share|notify"
    r"|publish|tweet|remind|ask (?!me)"
    r"|tell|write (?:to|an? e?-?mail|him|her|them)|upload|let \w+ know|text",
    Effect.WRITE: r"create|add|make|write|update|change|set|save|book|reserve|schedule|reschedule|move|rename|edit"
    r"|append|put|organi[sz]e|plan|record|store|insert|correct|fix|mark|copy|invite|adjust|replace|draft|compose|register"
    r"|assign|attach|raise|increase|lower|reduce|decrease|extend|shorten|postpone|swap|log (?:an?|that|the|this)"
    r"|comment (?:that|on|to|saying)|note (?:that|down)"
    r"|(?:open|file|report) (?:an?|another|new)(?! (?:file|page|link|mail|email))",
}
_TURNED = r"d(?= (?:to|by|from|until|for|into|on|in)(?!\w))"
"""As in "I would like it moved to Friday"."""
_DENIED = re.compile(r"(?:\bdo not|\bdon'?t|\bnever|\bwithout|\bnot to|\brather than|\binstead of)\s+(?:\w+\s+){0,2}$")
_NOUN = re.compile(
    r"(?<!\w)(?:my|our|your|his|her|their|its|the|an?|this|that|these|those|all|any|each|every|no|some|which|what"
    r"|unread|new|recent|latest|last|first|next|of|in|by)\s+$"
)
"""Words after which `mail`, `order` or `transfer` is a thing that is talked about, not an act that is asked for."""
_PATTERNS = {
    effect: re.compile(rf"(?<![\w/.])(?:{words})(?:s|ing|ed|{_TURNED})?(?!\w|\.\w|/\w)")
    for effect, words in _LICENCES.items()
}
_DELEGATES = re.compile(
    r"(?<!\w)(?:do|follow|execute|perform|complete|carry out|take care of|act on|handle|address|implement|process)\s+"
    r"(?:(?!following)\w+\s+){0,3}?(?:actions?|instructions?|tasks?|steps?|to-?dos?|requests?|items?|things|list|everything)(?!\w)"
    r"|(?<!\w)do (?:what|as|whatever|everything|all that)\s+(?:\S+\s+){1,8}?(?:says?|asks?|wants?|requests?|instructs?)"
)
_TO_SELF = re.compile(
    r"(?<!\w)(?:send|mail|email|forward|message|text|remind|invite|cc|dm|share (?:it |this |that |them )?with)\s+"
    r"(?:it |this |that |them |all )?(?:to )?(?:me|myself)(?!\w)|(?<!\w)to (?:me|myself)(?!\w)"
)
_PLURAL = re.compile(
    r"(?<!\w)(?:all|every|each|both|everyone|everybody|them|these|those|two|three|four|five|six|seven|eight|nine|ten"
    r"|several|multiple|many)(?!\w)"
)
_SUM = re.compile(
    r"[$€£]\s?\d[\d,]*(?:\.\d+)?|(?<![\w.,])\d[\d,]*\.\d\d(?![\w%.]|\s?%)"
    r"|\d[\d,.]*\s?(?:dollars|euros?|pounds|usd|eur|gbp)"
)
_HALVES = re.compile(r"(?<!\w)(?:half|halves|split|share|each)(?!\w)")
_SUPERLATIVES = (
    (r"largest|biggest|greatest", "size amount total count number", 1),
    (r"smallest|tiniest", "size amount total count number", -1),
    (r"latest|newest|most recent|last", "date time created modified timestamp start", 1),
    (r"oldest|earliest|first", "date time created modified timestamp start", -1),
    (r"cheapest|least expensive|lowest[- ]priced?", "price cost fee", -1),
    (r"most expensive|priciest", "price cost fee", 1),
    (r"(?:highest|best|top)[- ](?:rated|rating|score)|highest", "rating score stars", 1),
    (r"lowest[- ](?:rated|rating|score)|worst", "rating score stars", -1),
)
_COUNTED = re.compile(
    r"(?P<who>(?:user|person|member|author|who|colleague)\w*\s+(?:\w+\s+){0,3}?)?(?:the\s+)?"
    r"(?P<most>most|largest number of|highest number of|fewest|least|smallest number of|lowest number of)\s+"
    r"(?:\w+\s+){0,2}?(?P<noun>message|user|member|file|email|event|post|comment)s?(?!\w)"
)
_EVERY = r"(?<!\w)(?:all|every|each|both)\s+(?:of\s+)?(?:the\s+|my\s+|our\s+|these\s+|those\s+)?(?:\w+\s+)?{}s?(?!\w)"
_FIND_IN = re.compile(
    r"(?<!\w)(?:find|get|see|look up|is|are|listed|given|written)\s+(?:\w+\s+){0,2}?(?:e-?mail|address|contact)"
    r"(?:\s+\w+)?\s+(?:on|in|at|from)(?!\w)"
)
_MOST_NUMBERS = 64
_SHORT = 60
"""What people call a thing is shorter, and asked for again with every call."""
_WORD = re.compile(r"[^\W_]+")
_NUMERALS = {
    word: Decimal(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
}


@dataclass(frozen=True, slots=True)
class Superlative:
    """The request asks for the record whose field (one of `fields`) is the largest (1) or smallest (-1)."""

    words: str
    fields: frozenset[str]
    direction: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The request asks for what has the most (1) or fewest (-1) of `noun`, or for who wrote them."""

    words: str
    noun: str
    direction: int
    by_author: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """What trusted text licenses and names. Texts are kept in the form that is compared."""

    effects: frozenset[Effect] = frozenset()
    asked: str = ""
    """What the user wrote."""
    told: str = ""
    """What stands above the user: the operator's and the developer's text."""
    named: frozenset[str] = frozenset()
    """Canonical forms of the addresses, links and accounts that the user wrote."""
    known: frozenset[str] = frozenset()
    """The same of the text above the user."""
    amounts: frozenset[Decimal] = frozenset()
    sums: frozenset[Decimal] = frozenset()
    """Those written as money: with cents, or beside a currency. A record may be named by one."""
    tokens: str = "  "
    """The user's words in order, singular, blanks around each."""
    superlatives: tuple[Superlative, ...] = ()
    counted: tuple[Counted, ...] = ()
    plural: bool = False
    finds_address: bool = False
    """The user says where an e-mail address is to be found."""
    to_self: bool = False
    delegates: bool = False
    halves: bool = False
    """A sum is to be shared between two."""

    def names(self, value: str, canonical: str) -> bool:
        """Return whether the user names a value: in its canonical form, or as whole words."""
        return canonical in self.named or stands_in(plain(value), self.asked)

    def names_one(self, value: str, canonical: str, nouns: Iterable[str]) -> bool:
        """Return whether the user names one of `nouns` by a value.

        A small number does so only beside a word for it: "book 5 hours" does not name event 5.
        """
        if not self.names(value, canonical):
            return False
        if not (value.isdigit() and len(value) < 5):
            return True
        words = "|".join(map(re.escape, {"id", "ids", "number", "no", "nr", *nouns, *(f"{noun}s" for noun in nouns)}))
        between = r"\W{0,4}(?:(?:with|number|no|id|of|is)\W{1,3}){0,3}"
        return re.search(rf"(?<!\w)(?:{words}){between}{value}(?!\w)|#{value}(?!\w)", self.asked) is not None

    def quotes(self, value: str) -> bool:
        """Return whether the user has put a value in quotation marks."""
        said = re.escape(plain(value))
        return (
            bool(said)
            and re.search(rf"[\"'\u2018\u201c\u00ab\u201e]{said}[\"'\u2019\u201d\u00bb\u201c.,]", self.asked)
            is not None
        )

    def told_of(self, value: str, canonical: str) -> bool:
        """Return whether the text above the user names a value."""
        return canonical in self.known or stands_in(plain(value), self.told)

    def all_of(self, noun: str) -> bool:
        """Return whether the user speaks of all things of a kind: "all users", "each user", "everybody"."""
        everybody = noun in ("people", "everyone") and re.search(r"(?<!\w)every(?:one|body)(?!\w)", self.asked)
        return bool(everybody) or re.search(_EVERY.format(re.escape(noun)), self.asked) is not None

    def asks(self, words: tuple[str, ...]) -> bool:
        """Return whether the user asks for an act by one of these verbs, and does not say not to."""
        return _asked(_acts(words), self.asked)

    def says(self, word: str) -> bool:
        """Return whether the user uses a word or phrase, in singular or plural."""
        return says(self.tokens, word)

    def knows(self, amount: Decimal, found: Iterable[Decimal] = ()) -> bool:
        """Return whether an amount is known, or one step of arithmetic away, one operand being the user's own number.

        `found` are amounts in records that the user points at. A percentage may have a number of the user's added.
        """
        known = {*self.amounts, *found}
        if amount in known:
            return True
        own = sorted(self.amounts)[:_MOST_NUMBERS]
        own += [number / 2 for number in own] if self.halves else []
        for right in sorted(known)[:_MOST_NUMBERS]:
            for left in own:
                share = left * right / 100
                if amount in (left * right, share, share + right):
                    return True
                if left != right and amount in (left + right, left - right, right - left):
                    return True
                if any(amount == share + more for more in own):
                    return True
        return False


def intent_of(texts: Sequence[Text]) -> Intent:
    """Return the intent of everything that a user or somebody above wrote; only a user's words license effects."""
    user = "\n".join(text.content for text in texts if text.trust == Trust.USER)
    above = "\n".join(text.content for text in texts if text.trust > Trust.USER)
    asked = plain(user)
    return Intent(
        effects=licences(asked),
        asked=asked,
        told=plain(above),
        named=frozenset(value.canonical for value in values(user)),
        known=frozenset(value.canonical for value in values(above)),
        amounts=frozenset(numbers(user)) | {_NUMERALS[word] for word in _WORD.findall(asked) if word in _NUMERALS},
        sums=frozenset(number for text in _SUM.findall(user) for number in numbers(text)),
        tokens=tokens(user),
        superlatives=tuple(
            Superlative(found[0], frozenset(fields.split()), direction)
            for words, fields, direction in _SUPERLATIVES
            if (found := re.search(rf"(?<!\w)(?:{words})(?!\w)", asked))
        ),
        counted=tuple(
            Counted(
                found[0], found["noun"], -1 if found["most"][:2] in ("fe", "le", "sm", "lo") else 1, bool(found["who"])
            )
            for found in _COUNTED.finditer(asked)
        ),
        finds_address=_FIND_IN.search(asked) is not None,
        plural=_PLURAL.search(asked) is not None,
        to_self=_TO_SELF.search(asked) is not None,
        delegates=_DELEGATES.search(asked) is not None,
        halves=_HALVES.search(asked) is not None,
    )


def licences(asked: str) -> frozenset[Effect]:
    """Return the effects that a plain text asks for."""
    return frozenset(effect for effect, pattern in _PATTERNS.items() if _asked(pattern, asked))


def tokens(text: str) -> str:
    """Return the words of a text, singular, with blanks around: a phrase is found in it as ` word word `."""
    return f" {' '.join(singular(word) for word in _WORD.findall(plain(text)))} "


@lru_cache(maxsize=4096)
def _phrase(word: str) -> str:
    return tokens(word)


def says(within: str, word: str) -> bool:
    """Return whether a text in the form of `tokens` holds a word or phrase."""
    phrase = _phrase(word) if len(word) < _SHORT else tokens(word)
    return phrase.strip() != "" and phrase in within


@lru_cache(maxsize=1024)
def _acts(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w/.])(?:{'|'.join(map(_inflected, phrases))})(?!\w|\.\w|/\w)")


def _inflected(phrase: str) -> str:
    """Return the pattern of a phrase whose verb may be inflected, its last letter doubled or lost."""
    verb, *more = phrase.split()
    stem = re.escape(verb.removesuffix("e") if len(verb) > 3 else verb)
    forms = rf"(?:{re.escape(verb)}s?|{stem}{re.escape(verb[-1])}?(?:es|ed|ing))"
    return forms + "".join(r"(?:\s+[\w'-]+){0,5}?" if word == "*" else rf"\s+{re.escape(word)}" for word in more)


def _asked(pattern: re.Pattern[str], asked: str) -> bool:
    starts = (match.start() for match in pattern.finditer(asked))
    before = (asked[max(0, start - 40) : start] for start in starts)
    return any(not _DENIED.search(words) and not _NOUN.search(words) for words in before)
