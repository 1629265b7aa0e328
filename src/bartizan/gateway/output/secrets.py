"""Credentials by their shape: provider keys, tokens, private keys. Only fixed prefixes, so that prose never hits.

Does not find passwords in prose or keys without a recognisable shape.
"""

import re

from bartizan.gateway.output.base import Hit, Look, run_start

_SHAPES: tuple[tuple[str, str], ...] = (
    ("aws-access-key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("github-token", r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("github-token", r"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{60,255}"),
    ("openai-key", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,300}"),
    ("anthropic-key", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,300}"),
    ("google-key", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("slack-token", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("stripe-key", r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{20,250}"),
    ("gitlab-token", r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|ft|soat)-[A-Za-z0-9_-]{20,250}"),
    ("huggingface-token", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,100}"),
    ("pypi-token", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{50,300}"),
    ("npm-token", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
    ("jwt", r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,1500}\.[A-Za-z0-9_-]{10,500}"),
    ("bartizan-key", r"(?<![A-Za-z0-9])bz_[a-z0-9]{12}\.[A-Za-z0-9_-]{40,60}"),
    ("url-password", r"[a-z][a-z0-9+]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,200}@"),
)
_ALL = re.compile("|".join(f"(?P<s{index}>{shape})" for index, (_, shape) in enumerate(_SHAPES)))
_HINT = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat_|sk-|AIza|xox|[sr]k_|gl(?:pat|dt|rt|ft|soat)-|hf_|pypi-|npm_|eyJ|bz_|://"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY_BEGINS = re.compile(r"-{1,5}\Z|-----B[A-Z0-9 ]{0,60}-{0,4}\Z")
LONGEST_PRIVATE_KEY = 16384


def _may_hold(text: str) -> bool:
    """Return whether a sign stands in `text` that every shape has one of: much cheaper than a pattern."""
    return "-" in text or "_" in text or "://" in text or "eyJ" in text or "AIza" in text or "IA" in text


class Secrets:
    """Finds credentials by shape."""

    name = "secrets"

    def overhear(self, text: str) -> bool:
        """Whoever wrote a text, what it holds must not leave."""
        return True

    def look(self, text: str, *, final: bool) -> Look:
        """Return credentials in `text`, and where one may have begun."""
        hits = []
        if _may_hold(text) and _HINT.search(text):
            for found in _ALL.finditer(text):
                rule = _SHAPES[int(str(found.lastgroup)[1:])][0]
                hits.append(Hit(found.start(), found.end(), rule, f"the answer holds a credential ({rule})"))
        hold = len(text) if final else run_start(text)
        if "-" in text:
            hold = min(hold, self._private_keys(text, hits, final=final))
        return Look(hits, hold)

    def _private_keys(self, text: str, hits: list[Hit], *, final: bool) -> int:
        why = "the answer holds a private key"
        position = 0
        while begin := _PRIVATE_KEY.search(text, position):
            end = _PRIVATE_KEY_END.search(text, begin.end())
            if end is None:
                if not final and len(text) - begin.start() < LONGEST_PRIVATE_KEY:
                    return begin.start()
                hits.append(Hit(begin.start(), len(text), "private-key", why))
                return len(text)
            hits.append(Hit(begin.start(), end.end(), "private-key", why))
            position = end.end()
        begins = None if final else _PRIVATE_KEY_BEGINS.search(text, max(position, len(text) - 80))
        return begins.start() if begins else len(text)
