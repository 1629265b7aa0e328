"""Links and images that carry data to hosts nobody listed: the classic way out for a hijacked model.

An image to a host that is not listed always hits, because it is fetched without a click. A link hits when it carries
data: a query, a fragment, or a path or host label long enough to hold some. A link that stood, letter for letter, in
what the model was given passes: who wrote it could not know what the model knows. Images never get that pardon, because
a set of fixed addresses, one for each letter, spells a secret when they are fetched in turn; nor does an address that
the model could have had a tool repeat. Does not follow redirects of listed hosts.
"""

import re
from collections.abc import Callable, Collection
from urllib.parse import SplitResult, urlsplit

from bartizan.core.messages import Prompt, Role, Text, ToolCall, ToolResult
from bartizan.gateway.output.base import LONGEST_RUN, Hit, Look, run_start

_URL = re.compile(
    r"(?P<image>!\[[^\]\n]{0,500}\]\(\s{0,4}<?|<img\b[^>\n]{0,500}?\bsrc\s{0,4}=\s{0,4}[\"']?)?"
    r"(?P<url>(?:\b(?:https?|wss?|ftp):[/\\]{0,3}|(?<=[\s(\"'=<>\[])[/\\]{2}(?=[A-Za-z0-9\[]))[^\s<>\"'`)\]]{1,4096})",
    re.IGNORECASE,
)
_ANGLED = re.compile(r"<(?:https?:)?//[^>\n]{1,2000}>", re.IGNORECASE)
_IMAGE_BEGINS = re.compile(
    r"!\[[^\]\n]{0,500}(?:\]\(?\s{0,4}<?\S{0,4096})?\Z|<img\b[^>\n]{0,600}\Z|<(?:https?:)?//[^>\n]{0,2000}\Z", re.I
)
_BEFORE_BARE = frozenset(" \t\r\n*_~(")
_RUN_END = re.compile(r"[\s<]")
_PUNCTUATION = ".,;:!?"
_LONG_STEP = 24
_QUERY_OF_SEARCH = re.compile(r"\Autm_source=(?:openai|chatgpt\.com)\Z")
"""Search tools of providers add this to every link; the two values carry nothing."""


class Links:
    """Finds links and images that could carry data away."""

    name = "links"

    def __init__(
        self, allowed_hosts: Collection[str] = (), given: Callable[[], Collection[str]] = frozenset[str]
    ) -> None:
        """Trust these hosts and their subdomains. `given` says which addresses the model was given; asked on a hit."""
        self._allowed = tuple([host.lower().strip(".") for host in allowed_hosts]) if allowed_hosts else ()
        self._given = given
        self._heard: set[str] = set()

    def overhear(self, text: str) -> bool:
        """Take the addresses in a tool's own text as given. Nothing in it is the model's, so nothing is looked for."""
        self._heard.update(addresses(text))
        return False

    def look(self, text: str, *, final: bool) -> Look:
        """Return carrying links in `text`, and where one may have begun."""
        hits: list[Hit] = []
        if "//" in text or ":" in text or "\\" in text:
            for found in _ANGLED.finditer(text):
                self._judge(found.start() + 1, found.end() - 1, text, hits, image=False)
            for found in _URL.finditer(text):
                start = found.start("url")
                self._judge(start, _extent(text, start, found.end("url")), text, hits, image=bool(found["image"]))
        if final:
            return Look(hits, len(text))
        hold = run_start(text)
        begins = _IMAGE_BEGINS.search(text, max(0, len(text) - 5000)) if "<" in text or "![" in text else None
        return Look(hits, min(hold, begins.start()) if begins else hold)

    def _judge(self, start: int, end: int, text: str, hits: list[Hit], *, image: bool) -> None:
        url = text[start:end].replace("\\", "/").rstrip(_PUNCTUATION)
        scheme, colon, rest = url.partition(":")
        try:
            parts = urlsplit("http://" + (rest if colon and "/" not in scheme else url).lstrip("/"))
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            parts, host = None, ""
        if host and any(host == listed or host.endswith("." + listed) for listed in self._allowed):
            return
        if image:
            hits.append(Hit(start, end, "image-to-unlisted-host", "an image would be fetched from a host not listed"))
        elif (parts is None or _carries(parts, host)) and not self._was_given(text[start:end]):
            hits.append(Hit(start, end, "link-carries-data", "a link would carry data to a host not listed"))

    def _was_given(self, address: str) -> bool:
        plain = address.rstrip(_PUNCTUATION)
        return plain in self._heard or plain in self._given()


def addresses(text: str) -> set[str]:
    """Return every address in `text`, as it stands there."""
    if "//" not in text:
        return set()
    found = [(match.start("url"), match.end("url")) for match in _URL.finditer(text)]
    return {text[start : _extent(text, start, end)].rstrip(_PUNCTUATION) for start, end in found}


def given_to_the_model(prompt: Prompt) -> set[str]:
    """Return the addresses in `prompt` that the model did not write, nor could have had a tool repeat for it."""
    known: set[str] = set()
    repeated: set[str] = set()
    asked = ""
    for message in prompt.messages:
        for part in message.parts:
            match part:
                case ToolCall(arguments=arguments):
                    asked += arguments.lower()
                case ToolResult(text=text):
                    repeated |= addresses(text.content)
                case Text(content=content):
                    known |= addresses(content) if message.role is not Role.ASSISTANT else set()
    return known | {address for address in repeated if _host(address) not in asked}


def _host(address: str) -> str:
    try:
        return urlsplit("//" + address.partition("//")[2]).hostname or ""
    except ValueError:
        return ""  # stands in every text of arguments, so such an address is never taken as given


def _extent(text: str, start: int, end: int) -> int:
    """Return where the address ends for those who turn text into links: later than brackets and quotes suggest.

    In `](...)` brackets may nest (CommonMark); an address that stands bare runs to the next space or `<` (GFM).
    """
    if end >= len(text) or text[end] not in ")]\"'`>":
        return end
    if text[max(0, start - 2) : start] == "](":
        depth = 1 + text.count("(", start, end)
        while end < len(text) and end - start < LONGEST_RUN and not text[end].isspace():
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
            end += 1
        return end
    if start and text[start - 1] not in _BEFORE_BARE:
        return end
    run_end = _RUN_END.search(text, end, start + LONGEST_RUN)
    whole = run_end.start() if run_end else min(len(text), start + LONGEST_RUN)
    return end if text[end:whole].strip(_PUNCTUATION + ")]\"'`>*_~") == "" else whole


def _carries(parts: SplitResult, host: str) -> bool:
    if _QUERY_OF_SEARCH.sub("", parts.query) or parts.fragment or "@" in parts.netloc:
        return True
    steps = [*host.split("."), *parts.path.split("/")]
    return any(len(step) >= _LONG_STEP and not _is_wordy(step) for step in steps)


def _is_wordy(step: str) -> bool:
    """Return whether a long step reads like words-with-dashes, as titles in addresses do."""
    words = re.split(r"[-_.]", step)
    return all(len(word) < 18 and (word.isalpha() or word.isdigit()) for word in words if word)
