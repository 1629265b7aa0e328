"""Judgements that stand: chat clients send the whole conversation with each turn, and most of it was judged before.

A judgement is found again only behind exactly the same texts in the same order, the operator's included, so that the
time an answer takes tells nobody what somebody else has asked in another conversation. Texts are not kept, only hashes.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace

from bartizan.core.messages import Text
from bartizan.detect.base import FAILED
from bartizan.detect.judge import Judge, Judgement

MOST = 20_000
"""Judgements that are kept; the longest unused go first. Some 20 MB."""
BEGINNING = b""


class Memo:
    """The judgements of one list of detectors. Thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        """Keep at most `most`."""
        self._most = most
        self._known: OrderedDict[bytes, Judgement] = OrderedDict()
        self._lock = threading.Lock()

    def judge(self, judge: Judge, text: Text, after: bytes) -> tuple[Judgement, bytes]:
        """Return the judgement on `text` behind the texts that `after` stands for, and what stands for both."""
        key = passed(text, after)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        if known is None:
            known = judge.judge(text)
            if any(one.rule == FAILED for one in known.findings):  # a crash that has passed must not stay
                return known, key
            with self._lock:
                self._known[key] = known
                if len(self._known) > self._most:
                    self._known.popitem(last=False)
        elif any(one.where != text.origin for one in known.findings):
            return replace(known, findings=tuple(replace(one, where=text.origin) for one in known.findings)), key
        return known, key


def passed(text: Text, after: bytes) -> bytes:
    """Return what stands for `text` behind the texts that `after` stands for."""
    seen = hashlib.blake2b(after, digest_size=16)
    seen.update(bytes((int(text.trust),)))
    seen.update(text.content.encode("utf-8", "surrogatepass"))
    return seen.digest()
