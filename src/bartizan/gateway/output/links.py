"""Links and images that carry data to hosts nobody listed: the classic way out for a hijacked model.

An image to a host that is not listed always hits, because it is fetched without a click. A link hits when it carries
data: a query, a fragment, or a path or host label long enough to hold some. Does not follow redirects of listed hosts.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from bartizan.gateway.output.base import Hit, Look, run_start

_URL = re.compile(
    r"(?P<image>!\[[^\]\n]{0,500}\]\(\s{0,4}<?|<img\b[^>\n]{0,500}?\bsrc\s{0,4}=\s{0,4}[\"']?)?"
    r"(?P<url>(?:\b(?:https?|wss?|ftp):[/\\]{0,3}|(?<=[\s(\"'=<>\[])[/\\]{2}(?=[A-Za-z0-9\[]))[^\s<>\"'`)\]]{1,4096})",
    re.IGNORECASE,
)
_ANGLED = re.compile(r"<(?:https?:)?//[^>\n]{1,2000}>", re.IGNORECASE)
_IMAGE_BEGINS = re.compile(
    r"!\[[^\]\n]{0,500}(?:\]\(?\s{0,4}<?\S{0,4096})?\Z|<img\b[^>\n]{0,600}\Z|<(?:https?:)?//[^>\n]{0,2000}\Z", re.I
)
_LONG_STEP = 24
_QUERY_OF_SEARCH = re.compile(r"\Autm_source=(?:openai|chatgpt\.com)\Z")
"""Search tools of providers add this to every link; the two values carry nothing."""


class Links:
    """Finds links and images that could carry data away."""

    name = "links"

    def __init__(self, allowed_hosts: Collection[str] = ()) -> None:
        """Trust these hosts and their subdomains."""
        self._allowed = tuple(host.lower().strip(".") for host in allowed_hosts)

    def look(self, text: str, *, final: bool) -> Look:
        """Return carrying links in `text`, and where one may have begun."""
        hits: list[Hit] = []
        if "//" in text or ":" in text or "\\" in text:
            for found in _ANGLED.finditer(text):
                self._judge(found.start() + 1, found.end() - 1, text, hits, image=False)
            for found in _URL.finditer(text):
                self._judge(found.start("url"), found.end("url"), text, hits, image=bool(found["image"]))
        if final:
            return Look(hits, len(text))
        hold = run_start(text)
        begins = _IMAGE_BEGINS.search(text, max(0, len(text) - 5000)) if "<" in text or "![" in text else None
        return Look(hits, min(hold, begins.start()) if begins else hold)

    def _judge(self, start: int, end: int, text: str, hits: list[Hit], *, image: bool) -> None:
        url = text[start:end].replace("\\", "/").rstrip(".,;:!?")
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
        elif parts is None or _carries(parts, host):
            hits.append(Hit(start, end, "link-carries-data", "a link would carry data to a host not listed"))


def _carries(parts: SplitResult, host: str) -> bool:
    if _QUERY_OF_SEARCH.sub("", parts.query) or parts.fragment or "@" in parts.netloc:
        return True
    steps = [*host.split("."), *parts.path.split("/")]
    return any(len(step) >= _LONG_STEP and not _is_wordy(step) for step in steps)


def _is_wordy(step: str) -> bool:
    """Return whether a long step reads like words-with-dashes, as titles in addresses do."""
    words = re.split(r"[-_.]", step)
    return all(len(word) < 18 and (word.isalpha() or word.isdigit()) for word in words if word)
