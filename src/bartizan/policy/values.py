"""Typed values in text and their canonical forms: what authority is made of, however it is written.

Two writings of one address, link, account, amount or path have one canonical form; look-alike letters of another
script stay different, so that a forged name never equals the real one. Finds shapes; never judges.
"""

import ipaddress
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote, urlsplit

_EDGE_BEFORE, _EDGE_AFTER = r"(?<![\w.@%+\-/])", r"(?![\w@\-]|\.\w)"
_MAIL = r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}"
_URL = r"(?:https?|ftp|wss?|file|mailto|data|javascript):[^\s<>\"'`)\]}]{2,2000}"
_ENDINGS = "com|org|net|io|dev|ai|app|co|info|biz|xyz|site|ru|cn|de|uk|fr"
_BARE_URL = rf"(?:www\.)?[\w\-]{{1,63}}(?:\.[\w\-]{{1,63}}){{0,6}}\.(?:{_ENDINGS})"
_IBAN = r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?"
_SHAPES = tuple(
    (kind, re.compile(hint), re.compile(pattern))
    for kind, hint, pattern in (
        ("mail", "@", _EDGE_BEFORE + _MAIL),
        ("url", r"(?i:[pseoat]):[^\s]", r"(?i:" + _URL + ")"),
        (
            "url",
            rf"(?i:\.(?:{_ENDINGS}))(?!\w)",
            rf"(?i:{_EDGE_BEFORE}{_BARE_URL}(?:/[^\s<>\"'`)\]}}]{{0,2000}})?)(?![\w@])",
        ),
        ("account", r"[A-Z]{2}\d\d", r"(?<![\w])" + _IBAN + r"(?!\w)"),
    )
)
"""Kind, what stands in every text that holds one and is found fast, and the shape."""
_MAIL_AT = re.compile(_EDGE_BEFORE + _MAIL)
_LONGEST_LOCAL = 64
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.,])[-+]?\d+(?:\.\d+)?(?![\w])")


@dataclass(frozen=True, slots=True)
class Value:
    """A typed value: characters `start` to `end` of its text, and the form that equal values share."""

    kind: str
    canonical: str
    start: int
    end: int


def plain(text: str) -> str:
    """Return text as it is compared: compatibility forms folded, lower case, single blanks, nothing invisible."""
    text = text if text.isascii() else unhidden(text)
    return " ".join(text.casefold().split())


def unhidden(text: str) -> str:
    """Return text in compatibility form and without invisible characters: as a reader, and a mail program, takes it."""
    return "".join(ch for ch in unicodedata.normalize("NFKC", text) if unicodedata.category(ch) != "Cf")


def hides(text: str) -> bool:
    """Return whether a text holds a value that shows only once wide letters are folded and invisible ones are gone."""
    if text.isascii() or (shown := unhidden(text)) == text:
        return False
    forms = {one.canonical for one in values(text)}
    return any(one.canonical not in forms for one in values(shown))


def values(text: str) -> Iterator[Value]:
    """Yield the addresses, links and accounts in `text`: what can act or lead somewhere by itself."""
    taken: list[tuple[int, int]] = []
    for kind, hint, shape in _SHAPES:
        if hint.search(text) is None:
            continue
        for match in _mails(text) if kind == "mail" else shape.finditer(text):
            raw = match[0].rstrip(".,;:!?")
            start, end = match.start(), match.start() + len(raw)
            if any(start < other_end and end > other for other, other_end in taken):
                continue
            taken.append((start, end))
            yield Value(kind, canonical(kind, raw), start, end)


def _mails(text: str) -> Iterator[re.Match[str]]:
    """Yield what the shape of an address finds, looking only before each `@`: the run of letters there is its start."""
    done, at = 0, text.find("@")
    while at >= 0:
        start = at
        while (
            start > done and at - start <= _LONGEST_LOCAL and (text[start - 1].isalnum() or text[start - 1] in "_.+-")
        ):
            start -= 1
        match = _MAIL_AT.match(text, start)
        if match is not None:
            yield match
            done = match.end()
        at = text.find("@", max(at + 1, done))


def canonical(kind: str, raw: str) -> str:
    """Return the form that equal values of one kind share."""
    match kind:
        case "mail":
            return plain(raw)
        case "url":
            return canonical_url(raw)
        case "account":
            return re.sub(r"\s", "", raw).upper()
        case "path":
            return posixpath.normpath(raw.replace("\\", "/"))
        case _:
            return plain(raw)


def canonical_url(raw: str) -> str:
    """Return scheme, host and decoded path in one form; user info, ports and odd IP notations stay visible."""
    text = raw if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", raw) and not re.match(r"[\w.\-]+:\d", raw) else f"http://{raw}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return plain(raw)
    if not host:
        return plain(raw)
    user = parts.netloc.rpartition("@")[0]
    shown = f"{user}@{host_form(host)}" if user else host_form(host)
    path = unquote(parts.path).rstrip("/")
    query = f"?{unquote(parts.query)}" if parts.query else ""
    fragment = f"#{unquote(parts.fragment)}" if parts.fragment else ""
    at = "" if port in (None, 80, 443) else f":{port}"
    return f"{shown}{at}{path}{query}{fragment}"


def host_form(host: str) -> str:
    """Return a host in lower case and ASCII (IDNA), without `www.`; an address in its usual notation."""
    bare = host.rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(bare.strip("[]")))
    except ValueError:
        pass
    try:
        bare = bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare
    return bare.removeprefix("www.")


def numbers(text: str) -> set[Decimal]:
    """Return every number written in `text`, thousands separators understood."""
    found = set()
    for match in _NUMBER.finditer(text.replace("$", " ").replace("€", " ").replace("£", " ")):
        number = as_number(match[0])
        if number is not None:
            found.add(number)
    return found


def as_number(value: object) -> Decimal | None:
    """Return a JSON number or a number in text as a Decimal, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).replace(",", "").strip(" $€£"))
    except InvalidOperation:
        return None
    return number.normalize() if number.is_finite() else None


def stands_in(needle: str, haystack: str) -> bool:
    """Return whether a plain text holds another as whole words: `x.com` does not stand in `bob@x.com`."""
    if not needle:
        return False
    at = haystack.find(needle)
    pattern = None if at < 0 else re.compile(_EDGE_BEFORE + re.escape(needle) + _EDGE_AFTER)
    return pattern is not None and pattern.search(haystack, max(0, at - 1)) is not None
