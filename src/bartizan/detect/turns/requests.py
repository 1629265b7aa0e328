"""What one request shows of a conversation: it goes on from what was said, wants more of it, names a part to play,
dictates how the answer must begin, or says once more what was refused.

Each is an everyday thing. They are signs only behind a turn that looked odd, and only together with others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bartizan.core.findings import Span

_BACK = re.compile(
    r"\b(?:continue|go on|keep going|carry on|go ahead|next (?:step|part|chapter|scene)|(?:as|like) (?:you|he|she|they)"
    r" (?:just )?(?:said|did|described|wrote|explained)|what you (?:just )?(?:said|wrote|described|gave)"
    r"|(?:the|your|that) (?:last|previous|earlier|first|second|third|same|above) (?:answer|reply|paragraph|story|part"
    r"|point|list|text|step|section|message|one)|(?:the|about|on|of|with|do|for) (?:this|that|these|those|it|them)\b"
    r"|same (?:thing|way|style|for|but|again)|based on (?:this|that|your|the above)|elaborate|expand on"
    r"|stay in (?:character|the role)|(?:as|in) (?:that|this|the|your) (?:character|role|persona)"
    r"|remember (?:the|your|that)"
    r"|more (?:details?|detailed|specific|precise|exact|realistic|concrete|about)|in (?:more|greater|full) detail"
    r"|(?:yes|ok(?:ay)?|great|good|perfect|thanks?|nice|cool|wow)\b[,.! ]+"
    r"(?:please|now|and|do|then|go|so|but|can|could)"
    r"|weiter|mach weiter|genauer|mehr (?:details|einzelheiten)|ausführlicher|wie (?:eben|oben|vorhin)"
    r"|continuez|plus de détails|plus précis|sigue|continúa|más (?:detalles|detallado)|continua(?:re)?|più dettagli"
    r"|mais detalhes|ga door|meer details|kontynuuj|więcej szczegółów|продолжай|подробнее|devam et)"
    r"|(?:继续|更详细|更多细节|続けて|もっと詳しく)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:(?:more|greater|full|exact|precise|complete) (?:details?|detailed|specifics?|specific|realistic|realism"
    r"|steps|instructions?|technical|concrete|quantities|amounts)"
    r"|(?:exact|precise|actual|real|specific) (?:steps|amounts"
    r"|quantities|names|tools|materials|words|method|recipe|commands?|values|numbers|code)|step[- ]by[- ]step"
    r"|(?:without|leave out|drop|skip|omit|remove|no more|forget|cut) (?:all |any |the |those |your )*(?:warnings?"
    r"|disclaimers?|caveats?|moral\w*|safety|hints?|lectures?|ethic\w*|legal)|(?:for|in) real(?:ity| life)?|not fiction"
    r"|in (?:today's|the present|our) (?:day|time|world)|(?:today|nowadays|these days)\b|actually work\w*|would really"
    r"|go further|one step further|push (?:it )?further|darker|uncensored|unfiltered|nothing (?:left )?out"
    r"|ohne (?:warnung|hinweis)\w*|schritt für schritt|genaue (?:schritte|mengen)|sans avertissements?|étape par étape"
    r"|sin advertencias|paso a paso|senza avvertenze|passo a passo|passo dopo passo|без предупреждений|пошагово)"
    r"|(?:一步一步|不要警告|具体步骤|警告なし)",
    re.IGNORECASE,
)
_QUOTED = r"[\"'“‘«`\[<*]{1,3}([^\"'”’»`\n\]>*]{2,60})[\"'”’»`\]>*]{1,3}"
_DICTATED = re.compile(
    r"(?:\b(?:start|begin|open|preface|prefix|precede|prepend)\w*\b[^.\n\"'“‘«`\[]{0,70}?"
    r"|\b(?:answer|reply|respond|say|output|print|write)\w*\b[^.\n\"'“‘«`\[]{0,30}?\b(?:with|only|exactly|just|first)\b"
    r"[^.\n\"'“‘«`\[]{0,30}?"
    r"|\b(?:beginn\w*|fang\w*|antworte\w*)\b[^.\n\"'“‘«`\[]{0,40}?\bmit\b[^.\n\"'“‘«`\[]{0,10}?"
    r"|\b(?:commence\w*|réponds?|répondez)\b[^.\n\"'“‘«`\[]{0,40}?\bpar\b[^.\n\"'“‘«`\[]{0,10}?"
    r"|\b(?:empieza|comienza|responde)\b[^.\n\"'“‘«`\[]{0,40}?\bcon\b[^.\n\"'“‘«`\[]{0,10}?)" + _QUOTED,
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?:\b[Yy]ou are(?: now| going to be)?|\b[Aa]ct as|\b[Pp]lay(?: the (?:part|role) of)?|\b[Pp]retend to be"
    r"|\b[Yy]our name is|\b[Nn]amed|\b[Cc]alled|\b[Cc]all (?:yourself|him|her|it)|\b[Ss]peak as|\b[Aa]nswer as"
    r"|\b[Bb]ecome|\b[Ss]tay|\b[Dd]u bist|\b[Tt]u es|\b[Ee]res)\s+"
    r"(?:now\s+|an?\s+\w+\s+(?:called|named)\s+|the\s+)?[\"'“*]?([A-Z][\w-]{1,24})\b"
)
_COMMON = frozenset(
    ("I", "You", "The", "A", "An", "It", "If", "In", "And", "But", "English", "French", "German", "Spanish")
)
_LABEL = re.compile(
    r"^\s*[\[(*_#>]{0,3}\s*([A-Za-z][\w .-]{1,30}?)\s*[\])*_]{0,3}\s*(?::|\u2014|\bsays\b)", re.MULTILINE
)
_FREE = re.compile(
    r"\b(?:I|we) (?:now )?(?:have|follow|obey|am bound by|need) (?:no|none of the) (?:rules?|restrictions?|limit\w*"
    r"|filters?|guidelines?|ethic\w*)|\bI(?:'m| am) (?:now |no longer |finally )?(?:free (?:of|from)|not bound"
    r"|unrestricted|unfiltered|uncensored|bound by|jailbroken|restricted by)"
    r"|\b(?:developer|dan|god|debug|jailbreak|unrestricted)"
    r" mode\b[^.\n]{0,12}\b(?:output|enabled|activated|on\b|active)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_FUNCTION_WORDS = frozenset(
    """
    a an the of to in on for and or is are be me my i you your it this that with how what do does can
    could would please just give tell write explain help about as so at by from not no but want need
    some any der die das und ich du ein eine wie was bitte le la les de des un une je comment el los una
    como por para que
    """.split()  # noqa: SIM905 - words are easier to read so
)
_SHORTEST = 3
_STEM = 5


@dataclass(frozen=True, slots=True)
class Dictated:
    """Words with which the answer must begin, and where they are asked for."""

    words: str
    span: Span


def goes_back(text: str) -> Span | None:
    """Return where a request goes on from what was said before."""
    return _span(_BACK.search(text))


def wants_more(text: str) -> Span | None:
    """Return where a request wants more of the same: more detail, no warnings, for real."""
    return _span(_MORE.search(text))


def dictated(text: str) -> Iterator[Dictated]:
    """Yield the beginnings that a request dictates."""
    for found in _DICTATED.finditer(text):
        words = found[1].strip(" .,:;!")
        if len(words) >= _SHORTEST:
            yield Dictated(words, Span(found.start(1), found.end(1)))


def parts_to_play(text: str) -> Iterator[str]:
    """Yield the names of those whom a request wants the model to be."""
    for found in _PART.finditer(text):
        if found[1] not in _COMMON:
            yield found[1]


def echoes(opening: str, words: str) -> bool:
    """Return whether an answer begins with the words that were dictated, whatever marks stand around them."""
    bare = "".join(_WORD.findall(words.casefold()))
    return bool(bare) and "".join(_WORD.findall(opening.casefold())).startswith(bare)


def speaks_as(opening: str, names: frozenset[str]) -> Span | None:
    """Return where an answer is labelled with one of these names: `[DAN]: …`."""
    known = {name.casefold() for name in names}
    for found in _LABEL.finditer(opening):
        if found[1].casefold() in known:
            return Span(found.start(1), found.end(1))
    return None


def denies_rules(opening: str) -> Span | None:
    """Return where an answer says that its speaker has no rules."""
    return _span(_FREE.search(opening))


def gist(text: str) -> frozenset[str]:
    """Return the stems of the words that carry what is asked, at most some hundred of them."""
    words = _WORD.findall(text[:2_000].casefold())
    return frozenset(word[:_STEM] for word in words if word not in _FUNCTION_WORDS and len(word) > 1)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the shorter request's gist that the other holds, 0..1; 0 for a gist of one word."""
    fewer = min(len(one), len(other))
    return len(one & other) / fewer if fewer > 1 else 0.0


def _span(found: re.Match[str] | None) -> Span | None:
    return Span(found.start(), found.end()) if found else None
