"""Attacks on the instruction hierarchy, by structure: an order, to the assistant, about its own instructions.

A word alone never counts. Each pattern needs an act (ignore, reveal, become), its object (your instructions, the system
prompt, rules) and the address or form that makes it an order here and now rather than talk about one. Reported speech,
quotation and how-to questions are let pass. English, with the commonest forms in German, Spanish and French.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text
from bartizan.detect.spellings import PLAIN, Likeness, Spellings
from bartizan.detect.views import View, views

_INSTRUCTIONS = (
    r"(?:instructions?|directions?|directives?|prompts?|rules?|guidelines?|orders|system (?:prompt|message)"
    r"|polic(?:y|ies)|constraints?|restrictions?|programming|anweisungen|regeln|vorgaben|instrucciones|reglas"
    r"|consignes|règles)"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|initial|original|existing|former|system|developer"
    r"|obigen|vorherigen|bisherigen|anteriores|previas|précédentes)"
)
_DROP = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|discard|drop|abandon|set aside|cancel|erase|neglect|skip"
    r"|do not follow|don'?t follow|stop following|no longer follow|pay no attention to"
    r"|ignorier\w*|vergiss|vergessen sie|ignora\w*|olvida\w*|oublie\w*|ignore[zr]?)"
)
_SHOW = (
    r"(?:reveal|show|print|output|display|repeat|recite|give|tell|send|write(?: down)?|state|list|dump|leak|expose"
    r"|copy|echo)"
)
_FEW = r"[\w\s,'’\-]"
_FIRMLY = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|do not follow|don'?t follow|stop following"
    r"|no longer follow|pay no attention to|ignorier\w*|vergiss|vergessen sie|ignora\w*|olvida\w*|oublie\w*"
    r"|ignore[zr]?)"
)
_FIRST = r"(?:^[\s>*#\-]{0,4}|[.!?:;]\s{1,3}|\b(?:please|now|bitte|por favor|s'il (?:te|vous) plaît)\b[\s,]{1,3})"
_NEXT = (
    r"(?:\s+(?:you|that|which|given|from|before|above|so far)\b[\w\s'’\-]{0,30}?)?"
    r"\s{0,2}(?:[.,;:!\n\-]|\b(?:and|then|y|e|und|et)\b)[\s\-]{0,3}"
    r"(?:(?:and|then|just|now|instead|simply|please|only|y|und|et|stattdessen|solo)\b[\s,:]{1,3}){0,3}"
    r"(?:say|print|write|give|tell|answer|reply|respond|output|show|reveal|repeat|state|translate|act|explain|list"
    r"|you (?:are|will|must)|your (?:new|only|real) (?:task|job|instructions?|goal|role)|new (?:task|instructions?)"
    r"|sag\w*|schreib\w*|gib|zeig\w*|antwort\w*|nenn\w*|di|dime|escrib\w*|muestra\w*|respond\w*|dis|dites|écri\w*"
    r"|répond\w*|montre\w*)\b"
)
"""Another task right behind the order. "Forget all rules of grammar" goes on otherwise."""


@dataclass(frozen=True, slots=True)
class _Shape:
    rule: str
    severity: Severity
    why: str
    pattern: re.Pattern[str]
    needs: tuple[tuple[str, ...], ...]
    """Of each group, a match holds at least one: a look for plain words is a hundred times cheaper than the pattern."""
    likeness: Likeness


def _shape(rule: str, severity: Severity, why: str, needs: tuple[str, ...], *alternatives: str) -> _Shape:
    """Make a shape. Each of `needs` is a group of words, separated by `|`."""
    pattern = "|".join(alternatives)
    compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    groups = tuple(tuple(group.split("|")) for group in needs)
    return _Shape(rule, severity, why, compiled, groups, Likeness(pattern))


_ODD = (("İ", "i"), ("ı", "i"), ("ſ", "s"), ("\u212a", "k"))


def _lowered(text: str) -> str:
    """Return lower case as `re.IGNORECASE` sees it, character by character: a dotless i is an i, a long s an s."""
    if not text.isascii():
        for odd, plain in _ODD:
            text = text.replace(odd, plain)
    return text.lower()


_SHAPES = (
    _shape(
        "instruction-override",
        Severity.MEDIUM,
        "an order to drop the instructions given before",
        (
            "ignor|disregard|forget|overr|bypass|discard|drop|abandon|set aside|cancel|erase|neglect|skip|follow"
            "|pay no attention|vergiss|vergessen|olvida|oublie",
            "instruct|instruc|direct|prompt|rule|guideline|order|system|polic|constraint|restriction|programming"
            "|anweisung|regel|vorgabe|reglas|consigne|règle|everything|all|anything|what",
        ),
        rf"\b{_DROP}\b{_FEW}{{0,30}}?\b{_EARLIER}\b{_FEW}{{0,20}}?\b{_INSTRUCTIONS}",
        rf"\b{_DROP}\b{_FEW}{{0,30}}?\b(?:your|all|any|every|the|deine|ihre|tus|sus|las|tes|vos)\s+"
        rf"(?:\w+\s+){{0,2}}?{_INSTRUCTIONS}",
        rf"\b{_DROP}\b{_FEW}{{0,30}}?\b{_INSTRUCTIONS}\s+(?:before|{_EARLIER})",
        rf"\b{_DROP}\b{_FEW}{{0,30}}?\b(?:everything|all|anything|what)\b{_FEW}{{0,20}}?"
        r"\b(?:above|before|earlier|previously)",
    ),
    _shape(
        "task-override",
        Severity.MEDIUM,
        "drops the instructions given before for another task",
        (
            "ignor|disregard|forget|overr|bypass|follow|pay no attention|vergiss|vergessen|olvida|oublie",
            "instruct|instruc|direct|prompt|rule|guideline|order|system|polic|constraint|restriction|programming"
            "|anweisung|regel|vorgabe|reglas|consigne|règle|everything|all|anything|what",
        ),
        rf"{_FIRST}{_FIRMLY}\b{_FEW}{{0,30}}?\b{_EARLIER}\b{_FEW}{{0,20}}?\b{_INSTRUCTIONS}{_NEXT}",
        rf"{_FIRST}{_FIRMLY}\b{_FEW}{{0,30}}?\b(?:your|all|any|every|deine|ihre|tus|sus|tes|vos)\s+"
        rf"(?:\w+\s+){{0,2}}?{_INSTRUCTIONS}{_NEXT}",
        rf"{_FIRST}{_FIRMLY}\b{_FEW}{{0,30}}?\b{_INSTRUCTIONS}\s+(?:before|{_EARLIER}){_NEXT}",
        rf"{_FIRST}{_FIRMLY}\b{_FEW}{{0,30}}?\b(?:everything|all|anything|what)\b{_FEW}{{0,20}}?"
        rf"\b(?:above|before|earlier|previously){_NEXT}",
    ),
    _shape(
        "fake-role-turn",
        Severity.MEDIUM,
        "text that pretends to be a turn of another role",
        ("im_start|im_end|start_header_id|end_header_id|eot_id|endoftext|inst]|sys>>|system|developer",),
        r"<\|\s*(?:im_start|im_end|system|start_header_id|end_header_id|eot_id|endoftext)\s*\|?>",
        r"\[/?inst\]|<</?sys>>|<(?:system|developer)(?:[ _-](?:prompt|message))?>",
        r"^\s*(?:#{1,4}\s*|\[|\*\*)?(?:system|developer)(?: (?:message|prompt|note|override|update))?"
        r"(?:\]|\*\*)?\s*:\s*\S",
    ),
    _shape(
        "forged-turn",
        Severity.HIGH,
        "ends the turn it stands in and opens one of the operator",
        ("im_end|eot_id|end_of_turn|endoftext|/inst]|end of ", "system|developer|sys>>|operator|admin"),
        r"(?:<\|\s*(?:im_end|eot_id|endoftext)\s*\|?>|<end_of_turn>|\[/inst\])\s{0,9}"
        r"(?:<\|\s*(?:im_start|start_header_id)\s*\|?>\s{0,9}(?:system|developer)|<\|\s*(?:system|developer)\s*\|?>"
        r"|<start_of_turn>\s{0,9}(?:system|developer)|<<sys>>)",
        r"^\s*[-=#*_]{2,}\s*end of (?:the )?(?:user(?:'s)? )?(?:input|message|text|data|prompt|turn|query)\b[^\n]{0,20}"
        r"\n\s{0,9}(?:[-=#*_\[]{0,9}\s{0,9})?(?:operator|system|developer|administrator|admin)(?:'s)?\s+"
        r"(?:note|message|instructions?|prompt|order|override|notice|update|command)\b",
    ),
    _shape(
        "prompt-extraction",
        Severity.MEDIUM,
        "an order to give the operator's text away",
        ("prompt|instruction|configuration|rules|message|above|before|preceding|so far",),
        rf"\b{_SHOW}\b{_FEW}{{0,40}}?\b(?:your|the)\s+(?:\w+\s+){{0,3}}?(?:system (?:prompt|message|instructions?)"
        r"|(?:initial|original|hidden|secret|internal|full|exact)\s+(?:prompt|instructions?|configuration|rules))",
        rf"\b{_SHOW}\b{_FEW}{{0,20}}?\byour\s+(?:\w+\s+){{0,2}}?(?:prompt|instructions?|configuration|rules)\b",
        rf"\b(?:repeat|print|output|copy|recite|write)\b{_FEW}{{0,25}}?\b(?:above|before|preceding|so far)\b"
        rf"{_FEW}{{0,30}}?\b(?:word for word|verbatim|exactly|line|text|message)",
    ),
    _shape(
        "boundary-break",
        Severity.MEDIUM,
        "a forged end of the input",
        ("end of |begin |above is |before is ",),
        r"^\s*[-=#*_]{2,}\s*end of (?:the )?(?:user )?(?:input|document|text|message|data)",
        r"^\s*[-=#*_]{2,}\s*begin (?:new )?(?:instructions?|task)",
        r"\b(?:task|request|job) (?:above|before) is (?:now )?(?:finished|done|complete|over)\b[\s\S]{0,40}?"
        r"\bnew (?:task|instructions?|orders?)",
    ),
    _shape(
        "persona-without-rules",
        Severity.MEDIUM,
        "an order to become an assistant without rules",
        ("you are|act as|pretend |from now on|roleplay as|enter|enable|activate|switch ",),
        r"\b(?:you are (?:now|no longer)|act as|pretend (?:to be|you are)|from now on you (?:are|will be)|roleplay as)"
        rf"\b{_FEW}{{0,60}}?\b(?:without|free (?:of|from)|no|not bound by|unrestricted by|ignores?)\b[\w\s]{{0,20}}?"
        r"\b(?:rules?|restrictions?|limits?|limitations|filters?|guidelines?|ethics|censorship|constraints?)\b",
        r"\b(?:enter|enable|activate|switch (?:to|into)|you are (?:now )?in)\s+(?:\w+\s+)?"
        r"(?:debug|developer|dan|jailbreak|god|maintenance|admin)\s+mode\b",
    ),
)
_SPELLINGS = Spellings([shape.needs for shape in _SHAPES])
_TALK = re.compile(
    r"\b(?:how (?:do|does|can|to|should|would)|what (?:is|does|are)|why (?:do|does)|explain|translate|means?"
    r"|example of|called|said|says|told|wrote|writes|phrase|sentence|defen[cs]e|detect|prevent|protect|against)\b"
    r"[^\n.!?]{0,80}$",
    re.IGNORECASE,
)
_MINE = re.compile(
    r"\b(?:my|our|his|her|their|git|linux|the (?:user|customer|teacher|manual|browser|compiler)'?s?)\b", re.IGNORECASE
)
_TOLD = re.compile(r"\b(?:they|these|those|which|it)\s+$", re.IGNORECASE)
_AIMED = re.compile(rf"\b(?:your|all|{_EARLIER})\b", re.IGNORECASE)


class Structure:
    """Finds orders against the instruction hierarchy in every reading of a text."""

    name = "structure"

    def scan(self, text: Text) -> Iterator[Finding]:
        """Yield one finding for each rule that fires, at the first reading in which it does."""
        fired: set[str] = set()
        known: dict[str, Mapping[str, frozenset[int]]] = {}

        def possible(reading: str) -> Mapping[str, frozenset[int]]:
            if reading not in known:
                known[reading] = _possible(reading)
            return known[reading]

        for view in views(text.content, possible):
            for number in sorted(possible(view.text).get(PLAIN, ())):
                shape = _SHAPES[number]
                match = None if shape.rule in fired else _first(shape, view, text.content)
                if match is not None:
                    fired.add(shape.rule)
                    why = shape.why if view.name == "plain" else f"{shape.why} (hidden: {view.name})"
                    yield Finding(shape.rule, shape.severity, why, text.origin, view.span(*match.span()))


def _possible(reading: str) -> Mapping[str, frozenset[int]]:
    """Return which shapes could match each spelling of a reading; of the reading itself, after a second look."""
    lowered = _lowered(reading)
    found = dict(_SPELLINGS.readings(lowered))
    if PLAIN in found:
        raw = lowered.encode("latin-1", "replace")
        found[PLAIN] = frozenset(number for number in found[PLAIN] if _SHAPES[number].likeness.in_(raw))
    return found


def _first(shape: _Shape, view: View, original: str) -> re.Match[str] | None:
    """Return the first match that is an order. What a reading shows no other than it was written may be talk."""
    for match in shape.pattern.finditer(view.text):
        span = view.span(*match.span())
        if original[span.start : span.end] != match[0] or not _is_talk(view, match):
            return match
    return None


def _is_talk(view: View, match: re.Match[str]) -> bool:
    """Return whether the words stand in talk about such an order: a question, a quotation, code, somebody else's rules.

    "They override every guideline here" tells how two texts relate; with "your", "all" or "previous" it is aimed at us.
    """
    before = view.text[max(0, match.start() - 90) : match.start()]
    quoted = before.count('"') % 2 == 1 or before.rstrip().endswith(("'", "“", "‘", "«", "„"))
    line = view.text[match.end() : match.end() + 90].partition("\n")[0]
    shown = before.rpartition("\n")[2].count("`") % 2 == 1 and "`" in line and "\n" not in match[0]
    told = _TOLD.search(before) and not _AIMED.search(match[0])
    return bool(quoted or shown or told or _TALK.search(before) or _MINE.search(match[0]))
