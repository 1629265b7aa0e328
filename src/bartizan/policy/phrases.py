"""By which words of a request a record is called: names that say enough, and the vocabulary that says nothing."""

from bartizan.policy.intent import Intent, tokens
from bartizan.policy.values import values


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GENERIC = _words(
    "a an the my our your this that it file document doc email mail message event meeting note notes report data"
    " list page web website site link url user account name title subject item thing task todo information info"
    " update new old first last next all each every please send read create delete add make text content body"
    " channel transaction payment bill id number date time day week month year yes no me i you re fw fwd for with"
    " from to of and or in on at by as is are be do can could would important largest biggest greatest smallest"
    " latest newest recent oldest earliest cheapest expensive highest lowest best worst most least top rated what"
    " which who whom whose when where why how that then than them they there these those he she him her his hers"
    " its we us our ours you your yours was were been being has have had does did done doing would shall should"
    " might must not none nor but if else so such too very just only also again once more less many much few any"
    " both either neither other another same own about above after against before below between during into onto"
    " over under until up down out off per via upon within without across along around since while because though"
    " however here now today tomorrow yesterday"
)
"""Words that name nothing by themselves."""
ASKING = GENERIC | _words(
    "check look see find search show tell give get let make take put go come use try need want ask answer open"
    " close start stop run set change move keep save book pay buy order share post write reply forward cancel"
    " remove mark call know think work help like one two three everyone everybody anyone anybody someone somebody"
    " nobody people person team staff me myself thank thanks hello dear sure okay soon later named called titled"
    " will may"
)
"""Words with which people ask: a record that is called by them alone is called by nobody."""
_EXTENSIONS = _words("txt doc docx xls xlsx pdf csv md ppt pptx html json xml log png jpg")


def phrase_of(name: str) -> str:
    """Return a record's name as a phrase of the request, or nothing when it is too generic to select anything."""
    words = tokens(name).split()
    while words and words[0] in ("re", "fw", "fwd"):
        words.pop(0)
    if next(values(name), None) is not None:
        return ""  # nothing is called by an address: whoever writes one into a name wants it to be taken for one
    if len(words) > 1 and words[-1] in _EXTENSIONS:
        ending = words.pop()
        if not any(word not in ASKING for word in words):
            return f" {' '.join(words)} {ending} "  # report.txt is called so by its ending
    found = [word for word in words if word not in ASKING]
    return f" {' '.join(words)} " if sum(map(len, found)) > 2 and len(words) < 16 else ""


def telling(value: str) -> bool:
    """Return whether a value is more than words with which people ask for anything."""
    return any(word not in ASKING for word in tokens(value).split())


def part_named(value: str, intent: Intent) -> str:
    """Return the word of a value that the request uses: `mark` of mark.davies@x.com."""
    words = {
        word for word in tokens(value.partition("@")[0][:40]).split() if len(word) > 2 and not word.isdigit()
    } - GENERIC
    return next((word for word in sorted(words) if f" {word} " in intent.tokens), "")
